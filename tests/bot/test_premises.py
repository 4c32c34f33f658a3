"""What an event that never came would have said is found by looking."""

from datetime import timedelta

import pytest

from bot import ledger, people, queue
from bot.acts import Rooms
from bot.people import Person
from bot.premises import Premises
from bot.roster import Roster
from policy.model import PersonId, Role
from tests import story as s

LEASE = timedelta(seconds=30)


class Found:
    """The bot's premises in a running workspace, and what its worker does when the rounds are made."""

    def __init__(self, office, pool, casework):
        rooms = Rooms(*(office.room(f"face-{name}") for name in ("intake", "review", "oversight")))
        roster = Roster(office.client, pool, office.team, lambda: s.NOON)
        self.premises = Premises(casework, office.desk, rooms, roster)
        self._office, self._pool = office, pool

    async def leave_others(self) -> int:
        """A round, and the jobs that it ordered: how many there were."""
        await self.premises.leave_others()
        async with self._pool.acquire() as conn:
            leases = await queue.claim(conn, 10, LEASE)
        for lease in leases:
            await self.premises.by_kind()[lease.kind](lease)
        return len(leases)

    def told(self) -> list[str]:
        posted = self._office.ws.state.messages.get(self._office.room("face-oversight"), {}).values()
        return [m.text for m in posted if m.bot_id]

    def in_it(self, name: str) -> bool:
        return self._office.ws.state.bot_user in self._office.ws.state.channel_named(name).members


@pytest.fixture
async def found(office, pool, casework):
    return Found(office, pool, casework)


async def test_a_channel_that_the_bot_was_invited_into_while_it_was_down_is_left(found, office):
    assert await found.leave_others() == 0
    await office.director("channel", channel="closed-room", add=["@bot"])
    await office.director("channel", channel="squad-room", add=["@bot"])
    assert await found.leave_others() == 2
    assert not found.in_it("closed-room")
    assert not found.in_it("squad-room")
    assert all(found.in_it(f"face-{name}") for name in ("intake", "review", "oversight"))
    assert found.told() == ["Leadgate was invited into another channel and left it"] * 2
    assert await found.leave_others() == 0


async def test_a_channel_that_slack_does_not_let_it_leave_is_told_of_once_a_day_and_left_when_it_may(
    found, office, casework
):
    await office.director("channel", channel="squad-room", add=["@bot"])
    now = [s.NOON]
    casework._clock = lambda: now[0]
    plan = [{"where": "conversations.leave", "what": "error", "code": "cant_leave_general", "times": 2}]
    await office.director("fault", plan=plan)
    for _ in range(2):
        assert await found.leave_others() == 1
        now[0] += timedelta(minutes=10)
    assert found.in_it("squad-room")
    assert found.told() == ["Leadgate is in a channel that it cannot leave"]
    assert await found.leave_others() == 1
    assert not found.in_it("squad-room")
    assert found.told()[-1] == "Leadgate was invited into another channel and left it"


async def test_a_role_that_was_revoked_while_nobody_listened_is_gone_after_the_next_round(found, office, pool):
    ben = PersonId("ben.tanaka")
    async with pool.acquire() as conn, conn.transaction():
        examiner = frozenset({Role.EXAMINER})
        await people.enrol(conn, Person(ben, "Ben", examiner, s.NEXT_YEAR, office.team, office.account(ben)))
    await office.director("group", handle="face-examiners", remove=[ben])
    await found.premises.keep_roster()
    async with pool.acquire() as conn:
        assert (await people.actor(conn, office.team, office.account(ben))).roles == frozenset()
        (entry,) = [e for e in await ledger.read(conn, "people") if e.data["person"] == ben]
    assert (entry.kind, entry.data["before"], entry.data["after"]) == ("RolesChanged", ["examiner"], [])
