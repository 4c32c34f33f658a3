"""The viewer's links and the checklist, on a database of their own."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import product

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from bot import checklist, sights, viewer_guard, viewer_links
from bot.pages import HEADERS
from bot.viewer_links import Browser, Holder, Opened, Session, Unopened
from bot.views import comparison
from policy import model as m
from tests import story as s
from tests.bot.conftest import TEAM

NOBODYS = Browser()
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


async def used(pool, link, code=None, browser=NOBODYS, now=s.NOON):
    """The link is used; with its own code where no other is given."""
    async with transaction(pool) as conn:
        return await viewer_links.use(conn, link.token, link.code if code is None else code, browser, now)


async def shows(pool, opened, now):
    """What the browser that holds these two secrets shows."""
    async with pool.acquire() as conn:
        return await viewer_links.browser(conn, opened.browser, opened.secret, now)


def rule(answer):
    assert isinstance(answer, Unopened)
    return answer.rule


def another(code):
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_link_opens_once_for_its_holder(pool, search):
    link = await made(pool)
    opened = await used(pool, link)
    assert opened.session == Session(HOLDER, s.NOON + timedelta(minutes=15))
    assert rule(await used(pool, link)) == "viewer-link-once"


async def test_of_many_browsers_at_once_exactly_one_is_let_in(pool, search):
    link = await made(pool)
    answers = await asyncio.gather(*(used(pool, link) for _ in range(20)))
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
    link = await made(pool)
    opened = await used(pool, link)
    until = s.NOON + timedelta(minutes=15)
    async with pool.acquire() as conn:
        just_before = until - timedelta(microseconds=1)
        assert await viewer_links.session(conn, opened.secret, just_before) == opened.session
        assert await viewer_links.session(conn, opened.secret, until) is None
        for other in (link.token, opened.browser, ""):
            assert await viewer_links.session(conn, other, s.NOON) is None


async def test_whoever_has_the_link_alone_is_asked_for_the_code_and_spends_nothing(pool, search):
    link = await made(pool)
    asked = await used(pool, link, "")
    assert (asked.rule, asked.again, asked.holder) == ("viewer-link-code", True, HOLDER)
    assert isinstance(await used(pool, link, f" {link.code[:3]} {link.code[3:]} "), Opened)


async def test_after_five_wrong_codes_the_right_one_opens_nothing_any_more(pool, search):
    link = await made(pool)
    answers = [await used(pool, link, another(link.code)) for _ in range(5)]
    assert [a.rule for a in answers] == ["viewer-link-person"] * 5
    assert [a.again for a in answers] == [True, True, True, True, False]
    assert rule(await used(pool, link)) == "viewer-link-tries"


async def test_of_many_guesses_at_once_no_more_than_five_are_compared(pool, search):
    link = await made(pool)
    answers = await asyncio.gather(*(used(pool, link, another(link.code)) for _ in range(20)))
    assert sorted(a.rule for a in answers) == ["viewer-link-person"] * 5 + ["viewer-link-tries"] * 15


async def test_the_code_of_another_link_is_none(pool, search):
    link, other = await made(pool), await made(pool)
    answer = await used(pool, link, other.code if other.code != link.code else another(link.code))
    assert rule(answer) == "viewer-link-person"


async def test_a_browser_that_proved_whose_it_is_opens_that_persons_further_links_without_a_code(pool, search):
    opened = await used(pool, await made(pool))
    later = s.NOON + timedelta(minutes=59)
    browser = await shows(pool, opened, later)
    assert (browser.person, browser.present) == (s.EVA.id, None)
    again = await used(pool, await made(pool, now=later), "", browser, later)
    assert again.browser == opened.browser
    async with pool.acquire() as conn:
        assert await viewer_links.session(conn, again.secret, later) == again.session


@pytest.mark.parametrize(
    ("every", "stands_until"), [(timedelta(hours=1), timedelta(0)), (timedelta(minutes=59), timedelta(hours=11.8))]
)
async def test_a_browser_stands_for_an_hour_after_its_last_link_and_twelve_hours_at_most(
    pool, search, every, stands_until
):
    opened, at = await used(pool, await made(pool)), s.NOON
    while (browser := await shows(pool, opened, at + every)).person:
        at += every
        await used(pool, await made(pool, now=at), "", browser, at)
    assert at - s.NOON == stands_until


async def test_a_browser_that_was_left_shows_nothing_and_stands_for_nobody(pool, search):
    opened = await used(pool, await made(pool))
    async with transaction(pool) as conn:
        await viewer_links.end(conn, opened.browser, s.NOON)
    browser = await shows(pool, opened, s.NOON)
    assert (browser.person, browser.present) == (None, None)
    assert rule(await used(pool, await made(pool), "", browser)) == "viewer-link-code"


async def test_somebody_elses_link_stays_closed_and_unspent_in_this_browser(pool, search):
    theirs = await made(pool, replace(HOLDER, person=s.NOOR.id, account="Unoor"))
    evas = await used(pool, await made(pool))
    at_the_viewer = await shows(pool, evas, s.NOON)
    assert rule(await used(pool, theirs, browser=at_the_viewer)) == "viewer-link-own"
    assert rule(await used(pool, theirs, "", replace(at_the_viewer, present=None))) == "viewer-link-code"
    assert isinstance(await used(pool, theirs), Opened)


async def test_a_link_that_nobody_made_opens_nothing(pool, search):
    for untrusted in ("A" * 43, "", "\ud800"):
        assert rule(await used(pool, viewer_links.Link(untrusted, "000000"))) == "viewer-link-known"


async def test_neither_links_nor_codes_nor_sessions_can_be_read_out_of_the_database(pool, search, superuser):
    link = await made(pool)
    opened = await used(pool, link)
    rows = await superuser.fetch("SELECT row_to_json(link)::text AS all FROM casework.viewer_link AS link")
    rows += await superuser.fetch("SELECT row_to_json(browser)::text AS all FROM casework.viewer_browser AS browser")
    stored = "".join(row["all"] for row in rows)
    assert [one for one in (link.token, opened.secret, opened.browser) if one in stored] == []
    hashes = await superuser.fetchrow("SELECT code_sha256 FROM casework.viewer_link")
    assert hashes["code_sha256"] != viewer_links.hashed(link.code), "found by trying a million"
    assert len(link.token) >= 43


async def test_not_even_a_program_that_goes_around_the_door_uses_a_link_twice_or_prolongs_it(pool, search):
    opened = await used(pool, await made(pool))
    with pytest.raises(asyncpg.CheckViolationError, match="used before"):
        async with transaction(pool) as conn:
            await conn.execute("UPDATE casework.viewer_link SET session_until = session_until + interval '1 hour'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(pool) as conn:
            await conn.execute("UPDATE casework.viewer_link SET expires_at = expires_at + interval '1 hour'")
    assert opened.session.holder == HOLDER


async def test_not_even_such_a_program_opens_a_link_in_a_browser_that_stands_for_somebody_else(pool, search):
    noors = await used(pool, await made(pool, replace(HOLDER, person=s.NOOR.id, account="Unoor")))
    await made(pool)
    use = "UPDATE casework.viewer_link SET used_at = made_at, session_sha256 = $1, session_until = made_at, "
    for browser, error in (
        (viewer_links.hashed(noors.browser), asyncpg.ForeignKeyViolationError),
        (None, asyncpg.CheckViolationError),
    ):
        with pytest.raises(error):
            async with transaction(pool) as conn:
                await conn.execute(use + "browser_sha256 = $2 WHERE used_at IS NULL", b"s" * 32, browser)


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


@pytest.mark.parametrize(("accepted", "kind"), [("text/html", "text/html"), ("*/*", "application/json")])
@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        (RecursionError(), 500, "it is in the log"),
        (asyncpg.UntranslatableCharacterError("a NUL"), 500, "it is in the log"),
        (ConnectionRefusedError(), 503, "Try again in a minute"),
        (TimeoutError(), 503, "Try again in a minute"),
        (web.HTTPRequestEntityTooLarge(4096, 4097), 413, "nothing here"),
    ],
)
async def test_whatever_goes_wrong_is_told_in_a_sentence_with_every_header(fault, status, told, accepted, kind):
    async def door(_):
        raise fault

    app = web.Application(middlewares=[viewer_guard.guarded])
    app.router.add_get("/", door)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with aiohttp.ClientSession() as browser, browser.get(address, headers={"Accept": accepted}) as answer:
            assert (answer.status, answer.content_type, told in await answer.text()) == (status, kind, True)
            assert [name for name, value in HEADERS.items() if answer.headers.get(name) != value] == []
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("note", ["\x00", "a\x00b", "a\u202eb"])
async def test_of_a_note_the_database_is_given_only_what_it_keeps(pool, search, note):
    found = checklist.Finding.model_validate({"finding": "similar", "note": note})
    async with transaction(pool) as conn:
        await checklist.keep(conn, search, s.EVA.id, s.K7, "ears", found, s.NOON)


def test_every_photograph_of_a_candidate_is_seen_by_examiners_and_of_a_lead_the_one_that_was_compared():
    issued, _ = s.tell([*s.AGREED, (s.APPROVE, s.MARA)])
    three = replace(issued, candidates=tuple(replace(c, photos=("p1", "p2", "p3")) for c in issued.candidates))
    label = three.lead
    seen = sights.photographs(sights.Sight.EXAMINATION, three)
    assert seen[label] == (label, f"{label}.2", f"{label}.3")
    assert [sights.photograph(three, name) for name in seen[label]] == ["p1", "p2", "p3"]
    assert set(sights.pictures(sights.Sight.EXAMINATION, three)) >= {n for names in seen.values() for n in names}
    assert sights.pictures(sights.Sight.LEAD, three) == ("probe", label)


def test_a_lead_is_seen_after_its_acknowledgement_and_until_its_candidates_are_purged():
    issued, _ = s.tell([*s.AGREED, (s.APPROVE, s.MARA)])
    acknowledged, _ = s.tell([(m.Acknowledge(), s.DANA)], search=issued)
    purged = replace(acknowledged, candidates=())
    assert [sights.open_to(sights.Sight.LEAD, one) for one in (issued, acknowledged, purged)] == [False, True, False]
