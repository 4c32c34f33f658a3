"""Who acts is asked at the click: of the roster for their roles, of Slack whether they are a full member still (M36)."""

import pytest

from bot import people
from bot.people import People, Person, StandingUnknownError
from policy.model import PersonId, Role
from tests import story as s

EVERY_ROLE = frozenset(Role) - {Role.SYSTEM}
FOREVER, NEVER = 1e9, -1.0  # seconds for which Slack's word serves
BARRED = {
    "is_restricted": (True, "You are a guest"),
    "is_ultra_restricted": (True, "You are a guest"),
    "deleted": (True, "This Slack account is deactivated"),
    "is_bot": (True, "This Slack account is a bot's"),
    "team": ("T0ELSEWHERE", "Your account belongs to another workspace"),
}


@pytest.fixture
async def asked(office, pool):
    """`asked(member_for, last_known_for)`: the bot's own finding out, with sam.okafor on the roster in every role."""
    sam = Person(PersonId("sam"), "Sam", EVERY_ROLE, s.NEXT_YEAR, *sam_of(office))
    async with pool.acquire() as conn, conn.transaction():
        await people.enrol(conn, sam)

    def made(member_for=NEVER, last_known_for=NEVER):
        return People(pool, office.desk, office.team, member_for=member_for, last_known_for=last_known_for)

    return made


def sam_of(office):
    return office.team, office.account("sam.okafor")


@pytest.mark.parametrize("flag", BARRED)
async def test_whoever_is_no_full_member_now_has_no_role_whatever_the_roster_says(office, asked, flag):
    value, why = BARRED[flag]
    assert (await asked().actor(*sam_of(office))).roles == EVERY_ROLE
    await office.director("person", person="sam.okafor", **{flag: value})
    by = await asked().actor(*sam_of(office))
    assert (by.id, by.roles) == ("sam", frozenset())
    assert by.barred.startswith(why)
    assert "the attempt was recorded" in by.barred


async def test_an_account_that_slack_does_not_know_is_nobody(office, asked, pool):
    async with pool.acquire() as conn, conn.transaction():
        await people.enrol(conn, Person(PersonId("g"), "G", EVERY_ROLE, s.NEXT_YEAR, office.team, "U0GHOST"))
    by = await asked().actor(office.team, "U0GHOST")
    assert by.roles == frozenset()
    assert by.barred


async def test_somebody_of_another_workspace_is_told_so_and_slack_is_not_even_asked(office, asked):
    by = await asked().actor("T0ELSEWHERE", office.account("sam.okafor"))
    assert by.roles == frozenset()
    assert "another workspace" in by.barred
    assert office.asked("users.info") == 0


async def test_slacks_word_serves_until_slack_tells_of_a_change(office, asked):
    who = asked(member_for=FOREVER)
    for _ in range(3):
        assert (await who.actor(*sam_of(office))).roles == EVERY_ROLE
    assert office.asked("users.info") == 1
    changed = await office.director("person", person="sam.okafor", is_restricted=True)
    who.account_changed(changed["user"])
    assert (await who.actor(*sam_of(office))).roles == frozenset()


@pytest.mark.parametrize("fault", ["error", "http_500", "ratelimited", "hang_up"])
async def test_while_slack_is_silent_its_last_word_serves_and_without_one_nobody_may_do_anything(office, asked, fault):
    known, too_old = asked(last_known_for=FOREVER), asked()
    assert (await known.actor(*sam_of(office))).roles == EVERY_ROLE
    assert (await too_old.actor(*sam_of(office))).roles == EVERY_ROLE
    await office.director("fault", plan=[{"where": "users.info", "what": fault, "times": 9}])
    assert (await known.actor(*sam_of(office))).roles == EVERY_ROLE
    for who in (too_old, asked(last_known_for=FOREVER)):
        with pytest.raises(StandingUnknownError):
            await who.actor(*sam_of(office))
    await office.director("fault", clear=True)
    assert (await too_old.actor(*sam_of(office))).roles == EVERY_ROLE


async def test_whoever_has_no_role_needs_no_word_of_slacks(office, asked):
    by = await asked().actor(office.team, office.account("dana.ruiz"))
    assert (by.roles, by.barred) == (frozenset(), "")
    assert office.asked("users.info") == 0
