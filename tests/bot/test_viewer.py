"""The viewer's links and the checklist, on a database of their own."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import product

import asyncpg
import pytest

from bot import checklist, sights, viewer_links
from bot.viewer_links import Holder, Opened, Session, Unopened
from bot.views import comparison
from policy import model as m
from tests import story as s
from tests.bot.conftest import TEAM

HOLDER = Holder(m.SearchId("LG-AAAAAAAAAAAA"), s.EVA.id, TEAM, "Ueva")


@pytest.fixture
async def search(casework, pool):
    """The search that the links are for."""
    await casework.submit(HOLDER.search, s.ASK, s.DANA)
    return HOLDER.search


@asynccontextmanager
async def transaction(pool):
    async with pool.acquire() as conn, conn.transaction():
        yield conn


async def made(pool, holder=HOLDER, now=s.NOON):
    async with transaction(pool) as conn:
        return await viewer_links.make(conn, holder, now)


async def used(pool, token, present=None, now=s.NOON):
    async with transaction(pool) as conn:
        return await viewer_links.use(conn, token, present, now)


def rule(answer):
    assert isinstance(answer, Unopened)
    return answer.rule


async def test_a_link_opens_once_for_its_holder(pool, search):
    token = await made(pool)
    opened = await used(pool, token)
    assert opened.session == Session(HOLDER, s.NOON + timedelta(minutes=15))
    assert rule(await used(pool, token)) == "viewer-link-once"


async def test_of_many_browsers_at_once_exactly_one_is_let_in(pool, search):
    token = await made(pool)
    answers = await asyncio.gather(*(used(pool, token) for _ in range(20)))
    assert [type(a) for a in answers].count(Opened) == 1
    assert {a.rule for a in answers if isinstance(a, Unopened)} == {"viewer-link-once"}


@pytest.mark.parametrize(
    ("after", "outcome"),
    [(timedelta(minutes=5) - timedelta(microseconds=1), None), (timedelta(minutes=5), "viewer-link-fresh")],
)
async def test_a_link_lives_five_minutes_and_not_a_moment_longer(pool, search, after, outcome):
    answer = await used(pool, await made(pool), now=s.NOON + after)
    assert (rule(answer) if outcome else None) == outcome


async def test_a_session_lives_fifteen_minutes_and_only_with_its_own_secret(pool, search):
    token = await made(pool)
    opened = await used(pool, token)
    until = s.NOON + timedelta(minutes=15)
    async with pool.acquire() as conn:
        just_before = until - timedelta(microseconds=1)
        assert await viewer_links.session(conn, opened.secret, just_before) == opened.session
        assert await viewer_links.session(conn, opened.secret, until) is None
        assert await viewer_links.session(conn, token, s.NOON) is None
        assert await viewer_links.session(conn, "", s.NOON) is None


async def test_somebody_elses_link_stays_closed_and_unspent_in_this_browser(pool, search):
    theirs = await made(pool, replace(HOLDER, person=s.NOOR.id, account="Unoor"))
    evas = Session(HOLDER, s.NOON + timedelta(minutes=15))
    assert rule(await used(pool, theirs, evas)) == "viewer-link-own"
    assert isinstance(await used(pool, theirs), Opened)


async def test_a_link_that_nobody_made_opens_nothing(pool, search):
    assert rule(await used(pool, "A" * 43)) == "viewer-link-known"


async def test_neither_links_nor_sessions_can_be_read_out_of_the_database(pool, search, superuser):
    token = await made(pool)
    opened = await used(pool, token)
    row = await superuser.fetchrow("SELECT row_to_json(link)::text AS all FROM casework.viewer_link AS link")
    assert [secret for secret in (token, opened.secret) if secret in row["all"]] == []
    assert len(token) >= 43


async def test_not_even_a_program_that_goes_around_the_door_uses_a_link_twice_or_prolongs_it(pool, search):
    opened = await used(pool, await made(pool))
    with pytest.raises(asyncpg.CheckViolationError, match="used before"):
        async with transaction(pool) as conn:
            await conn.execute("UPDATE casework.viewer_link SET session_until = session_until + interval '1 hour'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(pool) as conn:
            await conn.execute("UPDATE casework.viewer_link SET expires_at = expires_at + interval '1 hour'")
    assert opened.session.holder == HOLDER


async def test_a_finding_is_replaced_and_belongs_to_one_examiner_alone(pool, search):
    async with transaction(pool) as conn:
        for found in ("similar", "different"):
            finding = checklist.Finding(finding=found, note="the lobe")
            await checklist.keep(conn, search, s.EVA.id, s.K7, "ears", finding, s.NOON)
        assert await checklist.of(conn, search, s.EVA.id) == {
            s.K7: {"ears": {"finding": "different", "note": "the lobe"}}
        }
        assert await checklist.of(conn, search, s.NOOR.id) == {}


async def test_the_database_knows_every_component_and_finding_of_the_practice(pool, search):
    async with transaction(pool) as conn:
        for component, finding in product(comparison.COMPONENTS, comparison.FINDINGS):
            found = checklist.Finding.model_validate({"finding": finding})
            await checklist.keep(conn, search, s.EVA.id, s.K7, component, found, s.NOON)
        assert (await checklist.of(conn, search, s.EVA.id))[s.K7].keys() == comparison.COMPONENTS.keys()


async def test_the_database_knows_no_other_component(pool, search):
    with pytest.raises(asyncpg.CheckViolationError):
        async with transaction(pool) as conn:
            await checklist.keep(conn, search, s.EVA.id, s.K7, "aura", checklist.Finding(finding="similar"), s.NOON)


def test_a_lead_is_seen_after_its_acknowledgement_and_until_its_candidates_are_purged():
    issued, _ = s.tell([*s.AGREED, (s.APPROVE, s.MARA)])
    acknowledged, _ = s.tell([(m.Acknowledge(), s.DANA)], search=issued)
    purged = replace(acknowledged, candidates=())
    assert [sights.open_to(sights.Sight.LEAD, one) for one in (issued, acknowledged, purged)] == [False, True, False]
