"""The Home tab's words, and what it reads from a real database."""

import json
from datetime import timedelta

import pytest

from bot import store
from bot.views import home
from policy import model as m
from policy.queue import Waiting, queue
from tests import story as s

FIRST, SECOND = m.SearchId("LG-AAAAAAAAAAAA"), m.SearchId("LG-BBBBBBBBBBBB")
FORBIDDEN = ("dana", "2026-075", "PL 160", "robbery", "suspect", "S-1", "score", "rank", "arbiter", "differ")


async def seen_by(casework, pool, by: m.Actor) -> str:
    async with pool.acquire() as conn:
        searches = await store.under_examination(conn)
    return json.dumps(home.waiting(queue(searches, by, casework.pack_of, s.NOON), s.NOON))


async def tell(casework, search: m.SearchId, steps: list[s.Step]) -> None:
    for command, by in steps:
        assert not any(isinstance(event, m.Refused) for event in await casework.submit(search, command, by))


async def test_what_is_open_waits_until_it_is_locked_and_names_nothing_of_the_case(casework, pool):
    later = m.RecordPosted(m.Post.REVIEW, "C2", "60.0")
    other = m.RequestSearch(s.ASK.purpose, "2026-075-009999", s.FIELDS, attested=True, origin=m.Origin("C1", "9", "F9"))
    await tell(casework, SECOND, [(other, s.DANA), *s.TO_REVIEW[1:-1], (later, s.SYSTEM)])
    await tell(casework, FIRST, s.TO_REVIEW)
    seen = await seen_by(casework, pool, s.EVA)
    assert 0 < seen.index(FIRST) < seen.index(SECOND)
    assert [word for word in FORBIDDEN if word.lower() in seen.lower()] == []
    await tell(casework, FIRST, s.says(s.LEAD, s.EVA))
    assert FIRST not in await seen_by(casework, pool, s.EVA)
    assert FIRST in (noors := await seen_by(casework, pool, s.NOOR))
    assert noors == seen, "a colleague's opinion shows"


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (timedelta(seconds=-3), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(minutes=119), "1 hour"),
        (timedelta(hours=23), "23 hours"),
        (timedelta(hours=49), "2 days"),
    ],
)
def test_an_age_is_said_as_a_person_would(of, words):
    assert home.age(of) == words


@pytest.mark.parametrize(("count", "words"), [(0, "Nothing waits"), (1, "One review waits"), (45, "45 reviews wait")])
def test_the_tab_says_how_many_wait_and_shows_the_longest_waiting(count, words):
    mine = [Waiting(m.SearchId(f"LG-{n:012d}"), s.NOON, 0, 20) for n in range(count)]
    view = home.waiting(mine, s.NOON)
    buttons = [block["accessory"]["value"] for block in view["blocks"] if "accessory" in block]
    assert words in json.dumps(view)
    assert buttons == [one.search for one in mine[: home.MOST]]
    assert ("5 more" in json.dumps(view)) == (count == 45)
