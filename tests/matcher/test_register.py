"""When people were in custody: read whole or not at all, recorded once, told with the record, gone with the person."""

from datetime import date

import pytest

from deploy import register as registers
from matcher import custody, gallery, register
from matcher.register import Spell
from tests.matcher.test_gallery import ledger_kinds
from tests.story import NOON

TODAY = date(2026, 3, 13)
GOOD = "person,began,ended\nS-0001,2025-01-02,2025-02-03\nS-0001,2026-01-05,\n"
SPELLS = (Spell("S-0001", date(2025, 1, 2), date(2025, 2, 3)), Spell("S-0001", date(2026, 1, 5), None))
WRONG = {
    "other columns": ("who,from,to\n", 1, "names the columns"),
    "nobody": ("person,began,ended\n ,2025-01-02,\n", 2, "nobody is named"),
    "no date": ("person,began,ended\nS-1,02.01.2025,\n", 2, "not a date"),
    "ended before it began": ("person,began,ended\nS-1,2025-01-02,2025-01-01\n", 2, "before it began"),
    "of a day to come": ("person,began,ended\nS-1,2026-01-02,2027-01-01\n", 2, "a day to come"),
    "the same line twice": (GOOD + "S-0001,2025-01-02,2025-02-03\n", 4, "stands in line 2"),
    "too many values": ("person,began,ended\nS-1,2025-01-02,,,\n", 2, "more values"),
    "no text": (b"person,began,ended\nS-1,\xff\xfe,\n", None, "no CSV in UTF-8"),
}


def test_a_register_is_read_with_who_is_still_there(tmp_path):
    file = tmp_path / "custody.csv"
    file.write_text("\ufeff" + GOOD, encoding="utf-8")
    assert registers.read(file, TODAY) == registers.Register(SPELLS, ())


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_line(name, tmp_path):
    text, line, words = WRONG[name]
    file = tmp_path / "custody.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    ((number, why),) = registers.read(file, TODAY).wrong
    assert words in why
    assert line in {number, None}


async def test_spells_are_told_with_the_record_and_a_changed_end_replaces_the_old_one(
    enrol, small_manifest, conn, superuser
):
    await enrol(small_manifest)
    who = await conn.fetchval(
        "SELECT person FROM gallery.photograph WHERE legal_basis = 'arrest' ORDER BY number LIMIT 1"
    )
    spells = [Spell(who, spell.began, spell.ended) for spell in SPELLS]
    said = {"register": "County jail", "by": "clerk", "now": NOON}
    assert await register.record(conn, spells, **said) == 2
    assert await register.record(conn, spells, **said) == 0
    released = Spell(who, SPELLS[1].began, date(2026, 3, 1))
    assert await register.record(conn, [released], **said) == 1
    facts = await gallery.person(conn, who, frozenset({"arrest"}))
    assert facts.custody == ((SPELLS[0].began, SPELLS[0].ended), (released.began, released.ended))
    assert (await ledger_kinds(superuser)).count("CustodyRecorded") == 2


async def test_nobody_unknown_is_recorded_and_an_expunged_person_leaves_no_spell(enrol, small_manifest, conn):
    await enrol(small_manifest)
    who = await conn.fetchval("SELECT person FROM gallery.photograph ORDER BY number LIMIT 1")
    assert await register.unknown(conn, [Spell(who, TODAY, None), Spell("S-NOBODY", TODAY, None)]) == ["S-NOBODY"]
    await register.record(conn, [Spell(who, TODAY, None)], register="County jail", by="clerk", now=NOON)
    await custody.expunge(conn, custody.What(who), order="Order 7", by="clerk", now=NOON)
    assert await conn.fetchval("SELECT count(*) FROM gallery.custody") == 0
