"""Who is asking, with which roles, certified until when."""

import time
from dataclasses import dataclass, replace
from datetime import datetime

from bot.database import Conn, Pool
from bot.desk import Desk
from policy.model import Actor, PersonId, Role

REMEMBERED = 10.0  # seconds


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
SELECT person.id, person.roles, person.certified_until
FROM casework.account JOIN casework.person ON person.id = account.person
WHERE account.team = $1 AND account.account = $2 AND person.active
"""


async def actor(conn: Conn, team: str, account: str) -> Actor:
    """Who acts through this Slack account; somebody without any role where the roster knows nobody."""
    row = await conn.fetchrow(ACTOR, team, account)
    if row is None:
        return Actor(PersonId(f"unknown:{team}:{account}"), frozenset())
    return Actor(PersonId(row["id"]), frozenset(Role(role) for role in row["roles"]), row["certified_until"])


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


class People:
    """Finds out who acts, at the moment they act."""

    def __init__(self, pool: Pool, desk: Desk, team: str) -> None:
        self._pool = pool
        self._desk = desk
        self._team = team
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    async def actor(self, team: str, account: str) -> Actor:
        """Who acts. Somebody of another workspace has no roles here (M36)."""
        if team != self._team:
            return Actor(PersonId(f"unknown:{team}:{account}"), frozenset())
        async with self._pool.acquire() as conn:
            return await actor(conn, team, account)

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
