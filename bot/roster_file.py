"""What a file of people changes on the roster, made in one transaction; whoever only wants to look takes it back.

Whoever asks gets every change as before and after; the ledger has the same, and nothing where nothing changed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import ledger
from bot.database import Conn
from bot.people import Person, enrol
from bot.roster import ALONE, Member, apply
from policy.model import PersonId

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the roster has of somebody; no roles where they are not active. Accounts are TEAM/ACCOUNT."""

    name: str
    roles: tuple[str, ...]
    certified_until: str
    unit: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody's standing, before (None: not on the roster) and after."""

    person: PersonId
    before: Standing | None
    after: Standing


async def put(conn: Conn, people: Sequence[Person], now: datetime, *, only: bool) -> list[Change]:
    """The roster has these people as they are given, each with that one account in its workspace.

    Whoever else had the account has it no longer. With `only`, nobody else has a role.
    """
    await conn.execute(ALONE)
    before = await standings(conn)
    for person in people:
        await conn.execute(LET_GO, person.team, person.account, person.id)
    for person in people:
        await enrol(conn, person)
    named = {person.id for person in people}
    if only:
        await conn.execute(NO_ROLES, sorted(named))
    changes = compared(before, await standings(conn))
    for change in changes:
        if change.person in named:
            await _enrolled(conn, change, now)
        elif change.before and change.before.roles != change.after.roles:
            await _roles_changed(conn, change, now)
    for account, was, now_is in moved(changes):
        data = {"account": account, "from": was, "to": now_is}
        await ledger.append(conn, "people", "AccountMoved", at=now, actor=OPERATOR, data=data)
    return changes


async def put_members(
    conn: Conn, team: str, members: Sequence[Member], now: datetime, *, only: bool
) -> tuple[list[Change], list[Member]]:
    """The roster has these roles: (what changed, whoever bears the name of somebody else and so is nobody).

    With `only`, nobody without an account among these has a role.
    """
    await conn.execute(ALONE)
    before = await standings(conn)
    for member in members:
        await apply(conn, team, member, now, (OPERATOR, "SCIM"))
    rows = await conn.fetch(OWNERS, team)
    owner = {row["account"]: row["person"] for row in rows}
    if only:
        among = {owner[member.account] for member in members if member.account in owner}
        with_roles = await standings(conn)
        await conn.execute(NO_ROLES, sorted(among))
        for change in compared(with_roles, await standings(conn)):
            await _roles_changed(conn, change, now)
    unknown = [member for member in members if member.roles and member.account not in owner]
    return compared(before, await standings(conn)), unknown


LET_GO = "DELETE FROM casework.account WHERE team = $1 AND account <> $2 AND person = $3"
NO_ROLES = "UPDATE casework.person SET roles = '{}', active = false WHERE active AND NOT id = ANY ($1::text[])"
OWNERS = "SELECT account, person FROM casework.account WHERE team = $1"
STANDINGS = """
SELECT id, name, roles, active, certified_until, unit,
    ARRAY(SELECT team || '/' || account FROM casework.account WHERE person = person.id ORDER BY 1) AS accounts
FROM casework.person ORDER BY id
"""


async def standings(conn: Conn) -> dict[PersonId, Standing]:
    """Everybody's, by id."""
    return {
        PersonId(row["id"]): Standing(
            row["name"],
            tuple(sorted(row["roles"])) if row["active"] else (),
            row["certified_until"].isoformat() if row["certified_until"] else "",
            row["unit"],
            tuple(row["accounts"]),
        )
        for row in await conn.fetch(STANDINGS)
    }


def compared(before: Mapping[PersonId, Standing], after: Mapping[PersonId, Standing]) -> list[Change]:
    """Whoever's standing is another now. Pure; nobody is ever taken off the roster."""
    return [Change(who, before.get(who), now) for who, now in after.items() if before.get(who) != now]


def moved(changes: Collection[Change]) -> list[tuple[str, str, str]]:
    """(account, whose it was, whose it is; empty where it is nobody's now) of every account that had an owner. Pure."""
    had = {account: c.person for c in changes if c.before for account in c.before.accounts}
    has = {account: c.person for c in changes for account in c.after.accounts}
    return [(account, was, has.get(account, "")) for account, was in sorted(had.items()) if has.get(account) != was]


async def _enrolled(conn: Conn, change: Change, now: datetime) -> None:
    """Names are committed to only, as all that is personal."""
    before, after = change.before, change.after
    data = {"person": change.person, "before": _told(before) if before else None, "after": _told(after)}
    private = {"name": after.name} if before is None or before.name != after.name else None
    await ledger.append(conn, "people", "PersonEnrolled", at=now, actor=OPERATOR, data=data, private=private)


async def _roles_changed(conn: Conn, change: Change, now: datetime) -> None:
    before = list(change.before.roles) if change.before else []
    data = {"person": change.person, "before": before, "after": list(change.after.roles), "source": "not in the file"}
    await ledger.append(conn, "people", "RolesChanged", at=now, actor=OPERATOR, data=data)


def _told(standing: Standing) -> dict[str, object]:
    return {
        "roles": list(standing.roles),
        "certified_until": standing.certified_until,
        "unit": standing.unit,
        "accounts": list(standing.accounts),
    }
