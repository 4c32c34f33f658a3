"""What was typed and not sent is kept for whoever typed it, sealed, for a day; and for nobody who may not ask."""

import asyncpg
import pytest

from bot import clicks, drafts
from bot.views import request
from policy import model as m
from tests import story as s
from tests.bot.test_casework import SEARCH
from tests.story import DANA, EVA, NOBODY

TYPED = {"purpose": "suspect", "basis": "A long\x00 story.", "offence": ""}
KEPT = {"purpose": "suspect", "basis": "A long story."}
ASKING = m.RequestSearch("", "", {}, attested=False, origin=s.ORIGIN)


async def test_it_is_found_again_by_whoever_typed_it(casework):
    await casework.keep_draft(SEARCH, ASKING, DANA, TYPED)
    assert await casework.draft(SEARCH, DANA) == KEPT
    assert await casework.draft(SEARCH, s.SAM) == {}


@pytest.mark.parametrize("who", [NOBODY, EVA])
async def test_nothing_is_kept_for_somebody_who_may_not_ask(who, casework):
    await casework.keep_draft(SEARCH, ASKING, who, TYPED)
    assert await casework.draft(SEARCH, who) == {}


async def test_nothing_is_kept_once_the_request_was_accepted(casework):
    """A second device closes its form."""
    await casework.keep_draft(SEARCH, ASKING, DANA, TYPED)
    await casework.submit(SEARCH, s.ASK, DANA)
    assert await casework.draft(SEARCH, DANA) == {}
    await casework.keep_draft(SEARCH, ASKING, DANA, TYPED)
    assert await casework.draft(SEARCH, DANA) == {}


async def test_it_is_gone_after_a_day(casework, database, pool):
    await casework.keep_draft(SEARCH, ASKING, DANA, TYPED)
    await casework.keep_draft(m.SearchId("LG-BBBBBBBBBBBB"), ASKING, DANA, TYPED)
    conn = await asyncpg.connect(database.url("postgres"))
    await conn.execute("UPDATE casework.draft SET kept_at = $2 WHERE search = $1", SEARCH, s.NOON - drafts.KEPT_FOR)
    await conn.close()
    async with pool.acquire() as held:
        assert await drafts.sweep(held, s.NOON) == 0
        assert await drafts.sweep(held, s.NOON + drafts.KEPT_FOR / 1000) == 1
    assert await casework.draft(SEARCH, DANA) == {}
    assert await casework.draft(m.SearchId("LG-BBBBBBBBBBBB"), DANA) == KEPT


def asked(**answers):
    """The element under the question for the day, in the form as it stands with these answers."""
    place = {"channel": "C1", "thread": "1.0"}
    view = request.form(s.pack(), SEARCH, "F1", "UDANA", place, {"purpose": "suspect"} | answers)
    return next(b["element"] for b in view["blocks"] if b.get("block_id") == "incident-date")


def test_a_day_is_picked_from_a_calendar_which_opens_on_the_one_that_was_picked():
    assert asked(**{"incident-date": "2026-03-12"})["type"] == "datepicker"
    assert asked(**{"incident-date": "2026-03-12"})["initial_date"] == "2026-03-12"
    for none in ("", "12 March", "2026-02-30", "1600-01-01"):
        assert "initial_date" not in asked(**{"incident-date": none})


@pytest.mark.parametrize("said", ["2026-03-12", None])
def test_the_day_that_was_picked_is_the_answer(said):
    element = {"type": "datepicker", "selected_date": said}
    body = {
        "user": {"id": "UDANA"},
        "team": {"id": "T1"},
        "view": {"private_metadata": "{}", "state": {"values": {"incident-date": {"answer": element}}}},
    }
    assert clicks.submission(body).values == {"incident-date": said or ""}
