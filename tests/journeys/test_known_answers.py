"""Calibration: known-answer cases, played by examiners, give the rates that they document, and nobody can tell them."""

import json
import re

import pytest
from scipy.stats import binomtest

from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.journeys.examining import candidates, conclude, labels_on, open_sheet

MATED, UNMATED = 3, 2
# What each examiner says of the mated cases in turn, then of the unmated ones.
RIGHT, MISSED, WRONG, OPEN = "right", "missed", "wrong", "open"
SCRIPT = {
    "eva.lind": (RIGHT, MISSED, RIGHT, RIGHT, WRONG),
    "noor.haddad": (RIGHT, WRONG, OPEN, RIGHT, WRONG),  # in the last case both name the same wrong person
}


async def command(who, room, text=""):
    """What a slash command answers, to this person alone."""
    before = len(await who.ephemerals(room))
    await who.command(room, "/face-quality", text)

    async def answered():
        told = await who.ephemerals(room)
        return told[-1] if len(told) > before else None

    return await who.wait_for(answered)


@pytest.fixture(scope="module")
async def cases(town, tmp_path_factory):
    """Cases the desk has not seen, and on which nobody else's journey depends: {sha256: person or None}."""
    usable = [p for p in play.probes() if p.path.exists()]
    rows = [p for p in usable if p.person][1 : 1 + MATED] + [p for p in usable if not p.person][-UNMATED:]
    manifest = tmp_path_factory.mktemp("known") / "cases.jsonl"
    manifest.write_text("\n".join(json.dumps({"photo": str(p.path), "person": p.person}) for p in rows))
    env = town.system.bot_environment()
    status, said = await town.system.command("known-answers", "add", str(manifest), env=env)
    assert (status, said.strip()) == (0, f"{len(rows)} cases were added, 0 were there already.")
    status, said = await town.system.command("known-answers", "add", str(manifest), env=env)
    assert (status, said.strip()) == (0, f"0 cases were added, {len(rows)} were there already.")
    return rows


INJECTED = """
SELECT search.id, known.person FROM casework.search
JOIN casework.known_answer AS known ON known.id = search.body->>'known'
WHERE search.requested_by = 'known-answer' ORDER BY known.person NULLS LAST
"""


@pytest.fixture(scope="module")
async def given(town, cases, enrolled):
    """Real requests, at each of which a case is drawn: [(injected search, person)], and one of the real ones."""
    async with town.person("mara.quinn") as mara, town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        told = await command(mara, town.room("oversight"), "rate 100")
        assert "100 known-answer cases in a hundred" in json.dumps(told["blocks"])
        for _ in cases:
            _, real = await play.request(dana, town.room("intake"), enrolled, quiet)
            await play.review_thread(eva, town.room("review"), real)
            await town.settled(real)
        await command(mara, town.room("oversight"), "rate 0")
        await town.sql("UPDATE casework.job SET run_at = now() WHERE kind = 'inject-known-answer'")

        async def injected():
            rows = await town.sql(INJECTED)
            return rows if len(rows) == len(cases) else None

        rows = await dana.wait_for(injected, 60)
        return [(row["id"], row["person"]) for row in rows], real


def skeleton(message, search):
    """What is left of a payload when ids, labels and times are taken out of it."""
    text = json.dumps(message, sort_keys=True).replace(search, "LG")
    text = re.sub(
        r'"(ts|thread_ts|latest_reply|id|file_id|bot_id|value|block_id|text_hash)": "[^"]*"', r'"\1": ""', text
    )
    text = re.sub(r"\b[A-Z][2-9]\b", "X", text)
    return re.sub(r"F0[A-Z0-9]+|\d{10}\.\d{6}|[0-9a-f]{32}", "", text)


async def seen_of(town, who, search):
    """Everything in the review thread, as an examiner has it, and the sheet."""
    root = await play.review_thread(who, town.room("review"), search)
    thread = await who.messages(town.room("review"), root["ts"])
    return root, [skeleton(m["blocks"], search) for m in thread]


async def test_examiners_cannot_tell_a_known_answer_from_a_real_examination(town, given):
    rows, real = given
    async with town.person("noor.haddad") as noor:
        _, of_real = await seen_of(town, noor, real)
        for search, _ in rows:
            _, of_known = await seen_of(town, noor, search)
            assert of_known == of_real
    jobs = "SELECT DISTINCT kind FROM casework.job WHERE payload->>'search' = $1 AND kind = ANY($2)"
    among = ["receive-photo", "run-search", "open-review", "delete-images"]
    for search in (real, rows[0][0]):
        assert {row["kind"] for row in await town.sql(jobs, search, among)} == set(among)


def chosen(said, truth, shown, before):
    """(the label to name, whether it is left open). Who names a wrong person names whom the other did, if anybody."""
    other = before if before in shown and before != truth else min(label for label in shown if label != truth)
    return {RIGHT: (truth, False), MISSED: (None, False), WRONG: (other, False), OPEN: (None, True)}[said]


async def play_case(town, people, search, person, number):
    """The examiners say what the script has them say: [(whether the person was among those they were shown, that)]."""
    found = await candidates(town, search)
    truth = next((c["label"] for c in found if c["person"] == person), None) if person else None
    root = await play.review_thread(people["eva.lind"], town.room("review"), search)
    told, before = [], None
    for name, script in SCRIPT.items():
        shown = labels_on(await open_sheet(people[name], root))
        await people[name].close_view(everything=True)
        before, left_open = chosen(script[number], truth, shown, before)
        await conclude(people[name], root, before, inconclusive=left_open)
        told.append((truth in shown, script[number]))
    await town.settled(search)
    return told


async def test_the_cases_give_the_rates_that_they_document_and_each_examiner_is_told(town, given):
    rows, _ = given
    async with (
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("mara.quinn") as mara,
    ):
        people = {"eva.lind": eva, "noor.haddad": noor}
        before = await town.sql("SELECT count(*) AS n FROM casework.lead")
        played = []
        for number, (search, person) in enumerate(rows):
            played += await play_case(town, people, search, person, number)
        told = json.dumps((await command(mara, town.room("oversight")))["blocks"])
        feedback = [m["text"] for who in people.values() for m in await direct(who)]
    assert await town.sql("SELECT count(*) AS n FROM casework.lead") == before
    assert {
        row["outcome"]
        for row in await town.sql("SELECT outcome FROM casework.search WHERE requested_by = 'known-answer'")
    } == {"known-answer"}
    said = [s for there, s in played if there]
    errors, trials = sum(s != RIGHT for s in said), len(said)
    assert expected(errors, trials, "of the opinions where the person was there") in told
    said = [s for there, s in played if not there]
    assert expected(said.count(WRONG), len(said), "of the opinions where the person was not there") in told
    assert len(feedback) == trials + len(said)
    results = await town.sql("SELECT examiner, verdict FROM casework.known_answer_result")
    assert sorted((r["examiner"], r["verdict"]) for r in results) == sorted(
        (who, {RIGHT: "right", MISSED: "missed", WRONG: "wrong-person", OPEN: "inconclusive"}[s])
        for who, script in SCRIPT.items()
        for s in script
    )


def expected(errors, trials, words):
    """The sentence, with the interval that scipy gives."""
    low, high = binomtest(errors, trials).proportion_ci(0.95, method="wilson")
    return f"{errors} of {trials} = {errors / trials:.1%} [{low:.1%}, {high:.1%}] {words}"


async def direct(who):
    rooms = [c["id"] for c in await who.channels() if c.get("is_im")]
    return [m for room in rooms for m in await who.messages(room) if "known-answer" in m["text"]]


async def test_known_answers_are_in_no_count_of_what_was_requested(town, given):
    async with town.person("mara.quinn") as mara:
        room = town.room("oversight")
        before = len(await mara.ephemerals(room))
        await mara.command(room, "/face-usage", "1")

        async def answered():
            told = await mara.ephemerals(room)
            return told[-1] if len(told) > before else None

        told = json.dumps((await mara.wait_for(answered))["blocks"])
    [asked] = await town.sql("SELECT count(*) AS n FROM casework.search WHERE requested_by <> 'known-answer'")
    assert f"{asked['n']} searches in all" in told
    assert "known-answer" not in told


async def test_only_supervisors_see_the_figures_or_set_the_rate_and_every_attempt_is_recorded(town):
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara:
        refused = await command(dana, town.room("intake"), "rate 5")
        assert "with the role supervisor" in refused["text"]
        assert "in a hundred" in (await command(mara, town.room("oversight"), "rate 200"))["text"]
    rates = await town.sql("SELECT count(*) AS n FROM casework.known_answer_rate WHERE in_a_hundred = 5")
    assert rates[0]["n"] == 0
    asked = await town.sql("SELECT entry FROM ledger.entry WHERE stream = 'oversight' ORDER BY seq DESC LIMIT 2")
    assert [json.loads(bytes(row["entry"]))["data"]["allowed"] for row in asked] == [True, False]
