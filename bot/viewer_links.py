"""Links that open the viewer once, for one person and one search, and the sessions they open. Only hashes are kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.database import Conn
from bot.sights import Sight
from policy.model import PersonId, SearchId

LINK_FOR = timedelta(minutes=5)
SESSION_FOR = timedelta(minutes=15)
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom a link was made, and what it lets them see."""

    search: SearchId
    person: PersonId
    team: str
    account: str
    sight: Sight = Sight.EXAMINATION


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at the viewer, until `until`."""

    holder: Holder
    until: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """The link opened a session, whose secret goes into the browser's cookie and nowhere else."""

    session: Session
    secret: str


@dataclass(frozen=True, slots=True)
class Unopened:
    """The link opens nothing: rule and reason; the holder where the link was one of ours."""

    rule: str
    reason: str
    holder: Holder | None = None


UNKNOWN = "This link was not made here, or a part of it is missing. Open the viewer from Slack again."
USED = "This link was used before, and each link opens the viewer once. Open the viewer from Slack again."
EXPIRED = "This link is older than five minutes. Open the viewer from Slack again."
FOREIGN = (
    "This link was made for somebody else than the person who is at the viewer in this browser. It stays closed. "
    "Open the viewer from your own Slack."
)

MAKE = """
INSERT INTO casework.viewer_link (token_sha256, search, examiner, team, account, sight, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def make(conn: Conn, holder: Holder, now: datetime) -> str:
    """The secret of a fresh link for `holder`."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    who = (holder.search, holder.person, holder.team, holder.account, holder.sight.value)
    await conn.execute(MAKE, hashed(token), *who, now, now + LINK_FOR)
    return token


LINK = """
SELECT search, examiner, team, account, sight, expires_at, used_at FROM casework.viewer_link
WHERE token_sha256 = $1 FOR UPDATE
"""
USE = """
UPDATE casework.viewer_link SET used_at = $2, session_sha256 = $3, session_until = $4 WHERE token_sha256 = $1
"""


async def use(conn: Conn, untrusted_token: str, present: Session | None, now: datetime) -> Opened | Unopened:
    """The link is spent and a session begun, or why not. `present` is whoever is at the viewer in that browser.

    The row stays locked until the caller's transaction ends: of two browsers at once, one is told that it was used.
    """
    row = await conn.fetchrow(LINK, hashed(untrusted_token))
    if row is None:
        return Unopened("viewer-link-known", UNKNOWN)
    holder = _holder(row)
    if present and present.holder.person != holder.person:
        return Unopened("viewer-link-own", FOREIGN, holder)
    if row["used_at"] is not None:
        return Unopened("viewer-link-once", USED, holder)
    if row["expires_at"] <= now:
        return Unopened("viewer-link-fresh", EXPIRED, holder)
    secret, until = secrets.token_urlsafe(TOKEN_BYTES), now + SESSION_FOR
    await conn.execute(USE, hashed(untrusted_token), now, hashed(secret), until)
    return Opened(Session(holder, until), secret)


SESSION = """
SELECT search, examiner, team, account, sight, session_until FROM casework.viewer_link
WHERE session_sha256 = $1 AND session_until > $2
"""


async def session(conn: Conn, untrusted_secret: str, now: datetime) -> Session | None:
    """Whose session that is; None where it is over or was never begun."""
    row = await conn.fetchrow(SESSION, hashed(untrusted_secret), now)
    return Session(_holder(row), row["session_until"]) if row else None


def hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _holder(row: "dict[str, str]") -> Holder:
    person = PersonId(row["examiner"])
    return Holder(SearchId(row["search"]), person, row["team"], row["account"], Sight(row["sight"]))
