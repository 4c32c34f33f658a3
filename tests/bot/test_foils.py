"""Whom each examiner was shown stands beside the opinion; the database refuses what was not shown as it should (X1)."""

import json

import asyncpg
import pytest

from bot import ids
from bot.views import review
from policy import model as m
from policy.foils import seen_by
from tests import story as s
from tests.policy.test_foils import LABELS, MANY, OPEN, SHOWN, UP_TO_REVIEW, says, second

SEARCH = m.SearchId("LG-AAAAAAAAAAAA")
OPINION = """
INSERT INTO casework.opinion (search, requested_by, examiner, conclusion, candidate, concluded_at, components, shown)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
PICK, SIX = LABELS[11], (LABELS[11], *LABELS[:5])


async def played(casework, steps) -> None:
    for command, by in steps:
        await casework.submit(SEARCH, command, by)


@pytest.fixture
async def bot(casework, database):
    """The bot's own login, where one opinion is locked and names somebody."""
    await played(casework, [*UP_TO_REVIEW, *says(PICK, s.EVA)])
    conn = await asyncpg.connect(database.url("bot"))
    yield conn
    await conn.close()


async def concludes(conn, candidate, shown) -> None:
    said = "possible-match" if candidate else "no-possible-match"
    compared = json.dumps(s.COMPARED)
    await conn.execute(
        OPINION, SEARCH, s.DANA.id, s.NOOR.id, said, candidate, s.NOON, compared, list(shown) if shown else None
    )


@pytest.mark.parametrize(
    ("rule", "candidate", "shown"),
    [
        ("shown_as_the_pack_says", None, SIX[:5]),
        ("shown_as_the_pack_says", None, LABELS[:19]),
        ("shown_as_the_pack_says", None, (*SIX[:5], "Z9")),
        ("names_shown", LABELS[15], SIX),
        ("shows_the_pick", None, LABELS[:SHOWN]),
    ],
)
async def test_the_database_refuses(rule, candidate, shown, bot):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await concludes(bot, candidate, shown)
    assert refused.value.constraint_name == rule


@pytest.mark.parametrize("shown", [SIX, LABELS, None])
async def test_the_database_keeps_an_opinion_on_those_shown(shown, bot):
    await concludes(bot, PICK, shown)
    kept = await bot.fetchval("SELECT shown FROM casework.opinion WHERE examiner = $1", s.NOOR.id)
    assert kept == (list(shown) if shown else None)


async def test_the_database_has_the_first_examiner_compare_all(casework, database):
    await played(casework, UP_TO_REVIEW)
    conn = await asyncpg.connect(database.url("bot"))
    try:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await concludes(conn, None, LABELS[:SHOWN])
    finally:
        await conn.close()
    assert refused.value.constraint_name == "first_compares_all"


async def test_what_was_shown_stands_beside_each_opinion(casework, database):
    await played(casework, [*UP_TO_REVIEW, *says(PICK, s.EVA), *says(PICK, s.NOOR, second(PICK))])
    conn = await asyncpg.connect(database.url("bot"))
    rows = await conn.fetch("SELECT examiner, cardinality(shown) AS shown FROM casework.opinion ORDER BY shown")
    await conn.close()
    assert [tuple(row) for row in rows] == [(s.NOOR.id, SHOWN), (s.EVA.id, len(LABELS))]
    assert (await casework.look(SEARCH)).state is m.State.AGREED


def sheet(picked, by=s.NOOR) -> dict:
    search, _ = s.tell([*UP_TO_REVIEW, *says(picked, s.EVA), (OPEN, by)])
    files = {review.PROBE: "F1", **{c.label: f"F-{c.label}" for c in MANY}}
    return review.worksheet(seen_by(search, by.id), None, files, ids.bundle_seed(search.id, by.id))


def test_the_second_examiners_sheet_is_the_same_to_the_letter_with_a_pick_and_with_none():
    assert [sheet(label) for label in second(None)] == [sheet(None)] * SHOWN


def test_the_order_is_each_examiners_own():
    def ordered(by) -> list[str]:
        return [b["block_id"] for b in sheet(None, by)["blocks"] if b.get("block_id", "").startswith("candidate_")]

    assert sorted(ordered(s.NOOR)) == sorted(ordered(s.BEN))
    assert ordered(s.NOOR) != ordered(s.BEN)


def test_the_supervisors_are_told_how_many_each_examiner_compared():
    search, _ = s.tell([*UP_TO_REVIEW, *says(PICK, s.EVA), *says(PICK, s.NOOR, second(PICK)), (s.LOOKED, s.SYSTEM)])
    assert "They were shown 20 and 6 of the 20." in json.dumps(review.decision(search, {}))
