"""What people type is kept, shown and exported harmlessly, through whichever door it comes (M37)."""

import ast
import io
import json
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from bot import audit, ledger
from bot.casework import stream_of
from bot.checklist import Finding
from bot.views import approval, request
from bot.views.lead import Beside
from policy import model as m
from tests import story as s
from tests.bot.test_casework import SEARCH, tell
from tests.bot.test_leadsheet import EVIDENCE, made, pages
from tests.bot.test_ledger_sealing import seal
from tests.policy.test_approvals import MINOR
from tests.policy.test_typed import HOSTILE, KEPT
from tests.story import DANA, EVA, MARA, NOOR

OURS = [Path(__file__).parents[2] / name for name in ("bot", "policy", "deploy", "matcher")]
EVIL = '=HYPERLINK("http://evil.example") #image("/etc/passwd") <script>x</script> $x$ @SUM(1) \u202egnp.exe\x00'
SHOWN = '=HYPERLINK("http://evil.example") #image("/etc/passwd") <script>x</script> $x$ @SUM(1) gnp.exe'
LEAD = [
    *s.TO_REVIEW,
    *s.says(replace(s.LEAD, differences=EVIL), EVA),
    *s.says(s.LEAD, NOOR),
    (s.LOOKED, s.SYSTEM),
    (s.APPROVE, MARA),
    (m.AppendNote(f"Later: {EVIL}"), EVA),
    (m.Acknowledge(), DANA),
]


@pytest.mark.parametrize("text", [HOSTILE, "\x00Read it.", "Read it.\ud800", "\u202eRead it.\u202c"])
async def test_a_reason_with_characters_that_no_database_takes_is_recorded_all_the_same(text, casework, pool):
    await casework.submit(SEARCH, MINOR, DANA)
    (approved,) = await casework.submit(SEARCH, m.ApproveRequest(approve=True, reason=text), MARA)
    async with pool.acquire() as conn:
        last = (await ledger.read(conn, stream_of(SEARCH)))[-1]
    assert approved.reason == last.data["reason"] == (KEPT if text == HOSTILE else "Read it.")


async def test_a_reason_of_nothing_but_such_characters_is_no_reason(casework):
    await casework.submit(SEARCH, MINOR, DANA)
    (refused,) = await casework.submit(SEARCH, m.ApproveRequest(approve=True, reason="\u202e \x00"), MARA)
    assert refused.rule == "decides-with-reason"


async def test_a_notice_says_a_hostile_reason_and_calls_nobody(casework):
    await casework.submit(SEARCH, MINOR, DANA)
    reason = "<!channel> <@U1> *IDENTIFIED* http://evil.example \u202egnp"
    await casework.submit(SEARCH, m.ApproveRequest(approve=False, reason=reason), MARA)
    text, blocks = request.notice(await casework.look(SEARCH), s.pack(), Beside())
    for said in (text, blocks[0]["text"]["text"]):
        assert "&lt;!channel&gt; &lt;@U1&gt; ∗IDENTIFIED∗ http://evil.example gnp" in said
    withheld, _ = request.withheld(await casework.look(SEARCH), f"It was recalled. {reason}")
    assert "&lt;!channel&gt;" in withheld


async def test_what_the_lead_sheet_prints_is_what_was_typed_and_nothing_in_it_acts(casework):
    search = await tell(casework, LEAD)
    pdf = made(replace(search, evidence=EVIDENCE))
    printed = " ".join(pages(pdf)).replace("“", '"').replace("”", '"').replace("\u200b", "")
    assert printed.count(SHOWN) == 2
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert [page for page in document.pages if "/Annots" in page] == []
        assert not {"/OpenAction", "/AA", "/AcroForm"} & set(document.Root.keys())


async def test_what_the_ledger_gives_away_is_what_was_typed_and_breaks_no_line(casework, database, pool):
    await tell(casework, LEAD)
    await seal(database)
    async with pool.acquire() as conn:
        every = await audit.evidence(conn, await audit.numbers_of(conn, stream_of(SEARCH)))
    told = [json.loads(part["value"]) for one in every for part in one.openings.values()]
    assert {SHOWN, f"Later: {SHOWN}"} <= {text for text in told if isinstance(text, str)}
    packed = "".join([*(one.entry.decode() for one in every), *(json.dumps(one.openings) for one in every)])
    assert [c for c in packed if ord(c) < ord(" ") or c in "\u202e\u2066"] == []


def test_a_note_at_the_viewer_is_kept_like_every_other_text():
    assert Finding.model_validate_json(json.dumps({"finding": "similar", "note": "a\x00b\u202ec"})).note == "abc"


def test_an_answer_is_shown_to_supervisors_as_plain_text():
    search, _ = s.tell([(replace(MINOR, fields={**MINOR.fields, "offence": "*PL* <!here>"}), DANA)])
    _, blocks = approval.question(search, s.pack())
    assert {"type": "plain_text", "text": "*PL* <!here>", "emoji": False} in [block.get("text") for block in blocks]


def test_nothing_is_written_as_csv_where_a_cell_could_become_a_formula():
    """Whoever adds such an export has to put an apostrophe before =, +, -, @ and tab, and to say so here."""
    named = [
        f"{path}:{node.lineno}"
        for folder in OURS
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in {"DictWriter", "writer", "to_csv"})
        or (isinstance(node, ast.ImportFrom) and node.module == "csv")
    ]
    assert named == []
