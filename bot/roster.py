"""The roster, fed from Slack's user groups: who is in which group has which role. Certification never comes from Slack.

One account is one person or nobody; guests, strangers of Slack Connect, bots and deactivated accounts are nobody (M36),
here and, wherever the roster comes from, at every click (bot/people.py). Every change of a role is a ledger event.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot import ledger
from bot.database import Conn, Pool
from policy.model import PersonId, Role

ROLE_OF_GROUP: Mapping[str, Role] = {
    "face-requesters": Role.REQUESTER,
    "face-examiners": Role.EXAMINER,
    "face-supervisors": Role.SUPERVISOR,
    "face-executives": Role.EXECUTIVE,
    "face-auditors": Role.AUDITOR,
}

RESERVED = frozenset({"system", "operator", "slack", "known-answer"})  # in the ledger these are no person


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the workspace and the roles that its groups give it; none where it may have none."""

    account: str
    name: str
    handle: str
    roles: frozenset[Role]


def members(
    untrusted_users: Iterable[Mapping[str, Any]], untrusted_groups: Iterable[Mapping[str, Any]], team: str
) -> list[Member]:
    """Everybody's roles, as the groups have it. Pure."""
    of: dict[str, set[Role]] = {}
    for group in untrusted_groups:
        role = ROLE_OF_GROUP.get(str(group.get("handle")))
        if role and not group.get("date_delete"):
            for account in group.get("users") or ():
                of.setdefault(account, set()).add(role)
    return [
        Member(user["id"], user.get("real_name") or user["name"], user["name"], _roles(user, of, team))
        for user in untrusted_users
    ]


def _roles(untrusted_user: Mapping[str, Any], of: Mapping[str, set[Role]], team: str) -> frozenset[Role]:
    if barred(untrusted_user, team):
        return frozenset()
    return frozenset(of.get(untrusted_user["id"], ()))


def barred(untrusted_user: Mapping[str, Any], team: str) -> str:
    """What an account is, in place of a full member of the workspace; empty for a full member (M36). Pure.

    A stranger whose shared channel the bot can see is no `is_stranger` in Slack's words: their workspace tells.
    """
    elsewhere: Any = untrusted_user.get("enterprise_user") or {}  # in an organisation, one of its workspaces
    home = {untrusted_user.get("team_id", team), *(elsewhere.get("teams") or ())}
    if untrusted_user.get("deleted"):
        return "deactivated"
    if untrusted_user.get("is_stranger") or team not in home:
        return "of another workspace"
    if untrusted_user.get("is_restricted") or untrusted_user.get("is_ultra_restricted"):
        return "a guest"
    bot = untrusted_user.get("is_bot") or untrusted_user.get("is_workflow_bot") or untrusted_user["id"] == "USLACKBOT"
    return "a bot" if bot else ""


KNOWN = """
SELECT person.id, person.roles, person.active FROM casework.account JOIN casework.person ON person.id = account.person
WHERE account.team = $1 AND account.account = $2
"""
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('leadgate roster', 0))"
NEW_PERSON = """
INSERT INTO casework.person (id, name, roles, active) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING RETURNING id
"""
CHANGE_ROLES = "UPDATE casework.person SET roles = $2, active = $3 WHERE id = $1"
PUT_ACCOUNT = "INSERT INTO casework.account (team, account, person) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


GROUPS = ("slack", "user groups")  # who says so, and by what


async def apply(conn: Conn, team: str, member: Member, now: datetime, said_by: tuple[str, str] = GROUPS) -> bool:
    """The roster has the member's roles, and the ledger says what changed; False where nothing did."""
    actor, source = said_by
    await conn.execute(ALONE)
    known = await conn.fetchrow(KNOWN, team, member.account)
    before = frozenset(known["roles"]) if known and known["active"] else frozenset[str]()
    after = frozenset(role.value for role in member.roles)
    if before == after:
        return False
    person = PersonId(known["id"]) if known else PersonId(member.handle)
    if known:
        await conn.execute(CHANGE_ROLES, person, sorted(after), bool(after))
    elif person not in RESERVED and await conn.fetchval(NEW_PERSON, person, member.name, sorted(after), bool(after)):
        await conn.execute(PUT_ACCOUNT, team, member.account, person)
    else:
        return await _told_of_a_claim(conn, team, member, now, said_by)
    data = {"person": person, "before": sorted(before), "after": sorted(after), "source": source}
    await ledger.append(conn, "people", "RolesChanged", at=now, actor=actor, data=data)
    return True


CLAIMED = "SELECT EXISTS (SELECT FROM ledger.entry WHERE stream = $1)"


async def _told_of_a_claim(conn: Conn, team: str, member: Member, now: datetime, said_by: tuple[str, str]) -> bool:
    """An account that merely bears a person's name is nobody: an operator says whose it is (`leadgate people import`).

    Otherwise whoever renames their account takes over that person's certification. Said once for each account. Nobody
    is called as the ledger calls what is no person.
    """
    stream = f"account:{team}.{member.account}"
    if await conn.fetchval(CLAIMED, stream):
        return False
    actor, source = said_by
    data = {"account": member.account, "person": member.handle, "source": source}
    await ledger.append(conn, stream, "AccountNotKnown", at=now, actor=actor, data=data)
    return True


class Roster:
    """Reads the workspace's groups and keeps the roster in step."""

    def __init__(self, client: AsyncWebClient, pool: Pool, team: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._pool = pool
        self._team = team
        self._clock = clock

    async def sync(self) -> int:
        """The roster says what the groups say now: how many people's roles changed."""
        users = await self._users()
        groups: Any = await self._client.usergroups_list(include_users=True, include_disabled=True)
        changed = 0
        for member in members(users, groups["usergroups"], self._team):
            async with self._pool.acquire() as conn, conn.transaction():
                changed += await apply(conn, self._team, member, self._clock())
        return changed

    async def _users(self) -> list[dict[str, Any]]:
        """Everybody in the workspace, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page: Any = await self._client.users_list(limit=200, cursor=cursor)
            found += page["members"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return found
