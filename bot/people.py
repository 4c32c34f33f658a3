"""Who is asking, with which roles, certified until when; and that they are a full member of the workspace now."""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackClientError

from bot.database import Conn, Pool
from bot.desk import Desk
from bot.roster import barred
from policy.model import Actor, PersonId, Role

REMEMBERED = 10.0  # seconds
MEMBER_FOR = 30.0  # seconds for which Slack's word on an account serves, unless Slack tells us of a change
LAST_KNOWN_FOR = 600.0  # the same while Slack cannot be asked; after that nobody is taken for a member
PATIENCE = 2.0  # seconds to wait for Slack's word, of the three in which a click has to be answered


class StandingUnknownError(Exception):
    """Slack could not be asked whether an account is a full member of the workspace, so it may do nothing now."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the department, as the roster has it."""

    id: PersonId
    name: str
    roles: frozenset[Role]
    certified_until: datetime | None
    team: str
    account: str
    unit: str = ""


ACTOR = """
SELECT person.id, person.roles, person.certified_until, person.active
FROM casework.account JOIN casework.person ON person.id = account.person
WHERE account.team = $1 AND account.account = $2
"""


async def actor(conn: Conn, team: str, account: str) -> Actor:
    """Who acts through this Slack account; somebody without any role where the roster knows nobody, or nobody active.

    Whoever was on the roster once is still named: what they try is recorded as theirs.
    """
    row = await conn.fetchrow(ACTOR, team, account)
    if row is None:
        return Actor(PersonId(f"unknown:{team}:{account}"), frozenset())
    roles = frozenset(Role(role) for role in row["roles"]) if row["active"] else frozenset[Role]()
    return Actor(PersonId(row["id"]), roles, row["certified_until"])


ACCOUNT = "SELECT account FROM casework.account WHERE team = $1 AND person = $2 ORDER BY account LIMIT 1"


async def account_of(conn: Conn, team: str, person: PersonId) -> str | None:
    """The Slack account to tell `person` through."""
    return await conn.fetchval(ACCOUNT, team, person)


ENROL_PERSON = """
INSERT INTO casework.person (id, name, roles, certified_until, unit) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles,
    certified_until = excluded.certified_until, unit = excluded.unit, active = true
"""
ENROL_ACCOUNT = """
INSERT INTO casework.account (team, account, person) VALUES ($1, $2, $3)
ON CONFLICT (team, account) DO UPDATE SET person = excluded.person
"""


async def enrol(conn: Conn, person: Person) -> None:
    """The roster has `person`, and that Slack account is theirs."""
    roles = sorted(role.value for role in person.roles)
    await conn.execute(ENROL_PERSON, person.id, person.name, roles, person.certified_until, person.unit)
    await conn.execute(ENROL_ACCOUNT, person.team, person.account, person.id)


BARRED: Mapping[str, str] = {
    "a guest": "You are a guest in this workspace; face searches are for its full members only.",
    "of another workspace": "Your account belongs to another workspace; face searches are for members of this one.",
    "deactivated": "This Slack account is deactivated; nothing can be done with it here.",
    "a bot": "This Slack account is a bot's; face searches are for people only.",
}
WHAT_NOW = "Nothing was done, and the attempt was recorded. If that is a mistake, ask your workspace's administrator."


class People:
    """Finds out who acts, at the moment they act."""

    def __init__(
        self,
        pool: Pool,
        desk: Desk,
        team: str,
        *,
        member_for: float = MEMBER_FOR,
        last_known_for: float = LAST_KNOWN_FOR,
    ) -> None:
        self._pool = pool
        self._desk = desk
        self._team = team
        self._member_for = member_for
        self._last_known_for = last_known_for
        self._members: dict[str, tuple[float, frozenset[str]]] = {}
        self._standing: dict[str, tuple[float, str]] = {}  # account: (asked at, what it is in place of a member)

    async def actor(self, team: str, account: str) -> Actor:
        """Who acts. Whoever is no full member of our workspace has no roles, whatever the roster says (M36).

        StandingUnknownError where Slack cannot say whether they are.
        """
        if team != self._team:
            return Actor(PersonId(f"unknown:{team}:{account}"), frozenset(), barred=_told("of another workspace"))
        async with self._pool.acquire() as conn:
            who = await actor(conn, team, account)
        if who.roles and (what := await self._no_member(account)):
            return replace(who, roles=frozenset(), barred=_told(what))
        return who

    async def _no_member(self, account: str) -> str:
        """What the account is in place of a full member; empty where it is one.

        A demotion counts from Slack's next word on it, half a minute later at most. While Slack is silent its last word
        serves for as long as a missed change of the roster would stand, so that a short outage stops no examination;
        then everything stops, since nobody can be told from a stranger.
        """
        asked_at, what = self._standing.get(account, (-math.inf, ""))
        age = time.monotonic() - asked_at
        if age <= self._member_for:
            return what
        try:
            async with asyncio.timeout(PATIENCE):
                user = await self._desk.user(account)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
            if age <= self._last_known_for:
                return what
            raise StandingUnknownError(account) from error
        what = barred(user, self._team) if user else "of another workspace"
        self._standing[account] = (time.monotonic(), what)
        return what

    def account_changed(self, untrusted_user: Mapping[str, Any]) -> None:
        """Somebody was deactivated, became a guest, or merely has another picture: the next click asks Slack again."""
        self._standing.pop(str(untrusted_user.get("id")), None)

    async def actor_in(self, channel: str, team: str, account: str, role: Role) -> Actor:
        """Who acts, without `role` where they are not in the channel now: membership counts at the click (M20)."""
        who = await self.actor(team, account)
        if role in who.roles and account not in await self._members_of(channel):
            return replace(who, roles=who.roles - {role})
        return who

    async def _members_of(self, channel: str) -> frozenset[str]:
        """Who is in the channel. Slack rations the question, so an answer serves for some seconds, or until Slack
        tells us of a change.
        """
        asked_at, members = self._members.get(channel, (-REMEMBERED, frozenset[str]()))
        if time.monotonic() - asked_at > REMEMBERED:
            members = await self._desk.members(channel)
            self._members[channel] = (time.monotonic(), members)
        return members

    def changed(self, channel: str) -> None:
        """Somebody joined or left: the next click asks Slack again."""
        self._members.pop(channel, None)


def _told(what: str) -> str:
    return f"{BARRED[what]} {WHAT_NOW}"
