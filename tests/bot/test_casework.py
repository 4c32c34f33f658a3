"""The door: state, ledger and follow-up jobs are written together, or not at all."""

import asyncio
from functools import reduce

import asyncpg
import pytest

from bot import ledger, queue, store
from bot.casework import SYSTEM, from_entry, stream_of
from bot.queue import Job, JobLostError
from policy import model as m
from policy.workflow import evolve
from tests import story as s
from tests.policy.test_workflow import STORIES
from tests.story import BEN, DANA, EVA, MARA, NOOR

SEARCH = m.SearchId("LG-AAAAAAAAAAAA")


async def tell(casework, steps):
    for command, by in steps:
        await casework.submit(SEARCH, command, by)
    return await casework.look(SEARCH)


async def folded(pool) -> m.Search:
    """The search as its ledger alone tells it."""
    async with pool.acquire() as conn:
        entries = await ledger.read(conn, stream_of(SEARCH), with_private=True)
    return reduce(evolve, [from_entry(e.kind, {**e.data, **e.private}) for e in entries], m.Search(SEARCH))


@pytest.mark.parametrize("name", STORIES)
async def test_folding_the_ledger_gives_the_row(name, casework, pool):
    search = await tell(casework, STORIES[name][0])
    assert search.state is STORIES[name][1]
    assert await folded(pool) == search


async def test_a_refusal_leaves_an_entry_and_changes_nothing(casework, pool):
    await casework.submit(SEARCH, s.ASK, s.NOBODY)
    async with pool.acquire() as conn:
        (entry,) = await ledger.read(conn, stream_of(SEARCH))
        assert await store.every(conn) == []
    assert (entry.kind, entry.data["rule"], entry.actor) == ("Refused", "has-role", s.NOBODY.id)


async def test_the_case_number_and_the_narrative_are_not_in_the_entry_but_beside_it(casework, database):
    await casework.submit(SEARCH, s.ASK, DANA)
    conn = await asyncpg.connect(database.url("postgres"))
    entries = b"".join(bytes(row["entry"]) for row in await conn.fetch("SELECT entry FROM ledger.entry"))
    await conn.close()
    assert s.ASK.case_number.encode() not in entries
    assert s.BASIS.encode() not in entries


async def test_what_cannot_be_recorded_is_not_done(casework, database, pool):
    """The ledger refuses: neither the search nor its job is there afterwards."""
    conn = await asyncpg.connect(database.url("postgres"))
    await conn.execute("REVOKE EXECUTE ON FUNCTION ledger.append FROM leadgate_bot")
    await conn.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await casework.submit(SEARCH, s.ASK, DANA)
    async with pool.acquire() as bot:
        assert await store.every(bot) == []
        assert await queue.pending(bot) == 0


async def test_a_job_that_lost_its_lease_undoes_what_it_wanted_to_record(casework, pool):
    await casework.submit(SEARCH, s.ASK, DANA)
    async with pool.acquire() as conn:
        leases = await queue.claim(conn, 10, s.timedelta(seconds=30))
        lease = next(one for one in leases if one.kind == "receive-photo")
        await queue.complete(conn, lease)
    with pytest.raises(JobLostError):
        await casework.submit(SEARCH, s.SEEN, SYSTEM, lease=lease)
    assert (await casework.look(SEARCH)).state is m.State.REQUESTED


async def test_of_many_examiners_who_lock_at_once_exactly_two_are_counted(casework, pool):
    for number in range(12):
        search_id = m.SearchId(f"LG-AAAAAAAAAA{number:02d}".replace("0", "A").replace("1", "B")[:15])
        for command, by in s.TO_REVIEW:
            await casework.submit(search_id, command, by)
        examiners = [EVA, NOOR, BEN]
        for examiner in examiners:
            for command, by in s.answers(examiner, s.K7):
                await casework.submit(search_id, command, by)
        results = await asyncio.gather(
            *(casework.submit(search_id, s.LEAD, e) for e in examiners for _ in range(3)), return_exceptions=True
        )
        assert not [r for r in results if isinstance(r, BaseException)]
        search = await casework.look(search_id)
        assert search.state is m.State.AGREED
        assert sum(e.conclusion is not None for e in search.examinations) == 2
        await casework.submit(search_id, *s.AGREED[-1])
        decisions = await asyncio.gather(*(casework.submit(search_id, s.APPROVE, MARA) for _ in range(6)))
        assert sum(isinstance(e, m.LeadIssued) for events in decisions for e in events) == 1


WRONGS = {
    "an approval by who asked": "INSERT INTO casework.approval VALUES ('LG-AAAAAAAAAAAA', 'dana', 'dana', now())",
    "an approval taken back": "DELETE FROM casework.approval",
    "an examiner who asked": "INSERT INTO casework.opinion VALUES ('LG-AAAAAAAAAAAA', 'dana', 'dana', 'inconclusive', NULL, now())",
    "a possible match with nobody": "INSERT INTO casework.opinion VALUES ('LG-AAAAAAAAAAAA', 'dana', 'eva', 'possible-match', NULL, now())",
    "a lead without opinions": "INSERT INTO casework.lead VALUES ('LG-AAAAAAAAAAAA', 'K7', 'eva', 'noor', 'mara', now())",
    "a lead of one examiner": "INSERT INTO casework.lead VALUES ('LG-AAAAAAAAAAAA', 'K7', 'eva', 'eva', 'mara', now())",
    "an unknown purpose": "UPDATE casework.search SET purpose = 'protest'",
    "a lead that is not a possible match": "UPDATE casework.search SET state = 'lead', outcome = 'unsuitable'",
    "an opinion taken back": "DELETE FROM casework.opinion",
    "an opinion changed": "UPDATE casework.opinion SET conclusion = 'inconclusive'",
    "a pack rewritten": "UPDATE casework.pack SET text = 'anything'",
    "a ledger entry of one's own": "INSERT INTO ledger.entry (n, stream, seq, prev_hash, entry) VALUES (9, 'x', 1, decode(repeat('00', 32), 'hex'), '{}')",
    "a ledger entry deleted": "DELETE FROM ledger.entry",
    "a ledger entry changed": "UPDATE ledger.entry SET entry = '{}'",
    "a ledger emptied": "TRUNCATE ledger.entry CASCADE",
}


@pytest.mark.parametrize("name", WRONGS)
async def test_the_database_refuses_the_same_when_the_door_is_bypassed(name, casework, pool):
    await tell(casework, [*s.TO_REVIEW, *s.says(s.LEAD, EVA)])
    before = await folded(pool)
    async with pool.acquire() as conn:
        with pytest.raises((asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError)):
            await conn.execute(WRONGS[name])
    assert await folded(pool) == before == await casework.look(SEARCH)


async def test_the_same_job_is_enqueued_once_for_ever(pool):
    job = Job("receive-photo", "x", {})
    async with pool.acquire() as conn:
        assert await queue.enqueue(conn, job)
        (lease,) = await queue.claim(conn, 5, s.timedelta(seconds=30))
        await queue.complete(conn, lease)
        assert not await queue.enqueue(conn, job)
        assert await queue.claim(conn, 5, s.timedelta(seconds=30)) == ()
