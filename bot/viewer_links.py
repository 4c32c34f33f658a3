"""Links that open the viewer once, for one person and one search, and the sessions they open. Only hashes are kept.

A link alone opens nothing: it is copied, forwarded, previewed and kept in histories. Beside it, in the same private
answer in Slack, stands a code of six digits that is typed at the page. A browser that has so proved whose it is opens
that person's further links without one, for an hour after the last and twelve at most.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.database import Conn
from bot.sights import Sight
from policy.model import PersonId, SearchId

LINK_FOR = timedelta(minutes=5)
SESSION_FOR = timedelta(minutes=15)
BROWSER_IDLE = timedelta(hours=1)
BROWSER_FOR = timedelta(hours=12)
TOKEN_BYTES = 32
CODE_DIGITS = 6
TRIES = 5  # of a million: a guess opens one link in two hundred thousand


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom a link was made, and what it lets them see."""

    search: SearchId
    person: PersonId
    team: str
    account: str
    sight: Sight = Sight.EXAMINATION


@dataclass(frozen=True, slots=True)
class Link:
    """What its holder is given, and nobody else: the secret of the address, and the code."""

    token: str
    code: str


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser shows of itself: whom it stands for, where it does, and who is at the viewer in it now."""

    secret: str = ""
    person: PersonId | None = None
    present: "Session | None" = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at the viewer, until `until`."""

    holder: Holder
    until: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """The link opened a session. Both secrets go into the browser's cookies and nowhere else."""

    session: Session
    secret: str
    browser: str


@dataclass(frozen=True, slots=True)
class Unopened:
    """The link opens nothing: rule and reason; the holder where the link was one of ours.

    `again` where the code may still be typed.
    """

    rule: str
    reason: str
    holder: Holder | None = None
    again: bool = False


UNKNOWN = "This link was not made here, or a part of it is missing. Open the viewer from Slack again."
USED = "This link was used before, and each link opens the viewer once. Open the viewer from Slack again."
EXPIRED = "This link is older than five minutes. Open the viewer from Slack again."
FOREIGN = (
    "This link was made for somebody else than the person who is at the viewer in this browser. It stays closed. "
    "Open the viewer from your own Slack."
)
CODE_WANTED = "Type the code that stands beside the link in Slack."
CODE_WRONG = "That is not the code of this link. The attempt was recorded. Look beside the link in Slack and try again."
TOO_MANY = "The code was wrong five times, and this link stays closed. Open the viewer from Slack again."
ASKED = "viewer-link-code"  # nothing wrong so far

MAKE = """
INSERT INTO casework.viewer_link
    (token_sha256, code_sha256, search, examiner, team, account, sight, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def make(conn: Conn, holder: Holder, now: datetime) -> Link:
    """A fresh link for `holder`."""
    token, code = secrets.token_urlsafe(TOKEN_BYTES), f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    who = (holder.search, holder.person, holder.team, holder.account, holder.sight.value)
    await conn.execute(MAKE, hashed(token), _of_code(token, code), *who, now, now + LINK_FOR)
    return Link(token, code)


LINK = """
SELECT search, examiner, team, account, sight, expires_at, used_at, code_sha256, tries FROM casework.viewer_link
WHERE token_sha256 = $1 FOR UPDATE
"""
TRY = "UPDATE casework.viewer_link SET tries = tries + 1 WHERE token_sha256 = $1"
USE = """
UPDATE casework.viewer_link SET used_at = $2, session_sha256 = $3, session_until = $4, browser_sha256 = $5
WHERE token_sha256 = $1
"""
PROVE = "INSERT INTO casework.viewer_browser (secret_sha256, person, proved_at, used_at) VALUES ($1, $2, $3, $3)"
TOUCH = "UPDATE casework.viewer_browser SET used_at = $2 WHERE secret_sha256 = $1"


async def use(
    conn: Conn, untrusted_token: str, untrusted_code: str, browser: Browser, now: datetime
) -> Opened | Unopened:
    """The link is spent and a session begun, or why not.

    The row stays locked until the caller's transaction ends: of two browsers at once, one is told that it was used, and
    no code is tried more often than is counted.
    """
    row = await conn.fetchrow(LINK, hashed(untrusted_token))
    if row is None:
        return Unopened("viewer-link-known", UNKNOWN)
    holder = _holder(row)
    if browser.present and browser.present.holder.person != holder.person:
        return Unopened("viewer-link-own", FOREIGN, holder)
    if row["used_at"] is not None:
        return Unopened("viewer-link-once", USED, holder)
    if row["expires_at"] <= now:
        return Unopened("viewer-link-fresh", EXPIRED, holder)
    if browser.person == holder.person:
        await conn.execute(TOUCH, hashed(browser.secret), now)
        return await _opened(conn, untrusted_token, holder, browser.secret, now)
    if row["tries"] >= TRIES:
        return Unopened("viewer-link-tries", TOO_MANY, holder)
    untrusted_code = "".join(untrusted_code.split())
    if not untrusted_code:
        return Unopened(ASKED, CODE_WANTED, holder, again=True)
    await conn.execute(TRY, hashed(untrusted_token))
    if not hmac.compare_digest(_of_code(untrusted_token, untrusted_code), row["code_sha256"]):
        again = row["tries"] + 1 < TRIES
        return Unopened("viewer-link-person", CODE_WRONG if again else TOO_MANY, holder, again=again)
    secret = secrets.token_urlsafe(TOKEN_BYTES)
    await conn.execute(PROVE, hashed(secret), holder.person, now)
    return await _opened(conn, untrusted_token, holder, secret, now)


async def _opened(conn: Conn, token: str, holder: Holder, browser: str, now: datetime) -> Opened:
    secret, until = secrets.token_urlsafe(TOKEN_BYTES), now + SESSION_FOR
    await conn.execute(USE, hashed(token), now, hashed(secret), until, hashed(browser))
    return Opened(Session(holder, until), secret, browser)


STANDS = """
SELECT person FROM casework.viewer_browser
WHERE secret_sha256 = $1 AND ended_at IS NULL AND used_at > $2 AND proved_at > $3
"""


async def browser(conn: Conn, untrusted_browser: str, untrusted_session: str, now: datetime) -> Browser:
    """What these two cookies say; nothing where they are made up or their time is over."""
    person = await conn.fetchval(STANDS, hashed(untrusted_browser), now - BROWSER_IDLE, now - BROWSER_FOR)
    return Browser(untrusted_browser, person, await session(conn, untrusted_session, now))


SESSION = """
SELECT link.search, link.examiner, link.team, link.account, link.sight, link.session_until
FROM casework.viewer_link AS link
LEFT JOIN casework.viewer_browser AS browser ON browser.secret_sha256 = link.browser_sha256
WHERE link.session_sha256 = $1 AND link.session_until > $2 AND browser.ended_at IS NULL
"""


async def session(conn: Conn, untrusted_secret: str, now: datetime) -> Session | None:
    """Whose session that is; None where it is over or was never begun."""
    row = await conn.fetchrow(SESSION, hashed(untrusted_secret), now)
    return Session(_holder(row), row["session_until"]) if row else None


END = "UPDATE casework.viewer_browser SET ended_at = $2 WHERE secret_sha256 = $1 AND ended_at IS NULL"


async def end(conn: Conn, untrusted_browser: str, now: datetime) -> None:
    """That browser stands for nobody any more, and what it had open is closed."""
    await conn.execute(END, hashed(untrusted_browser), now)


def hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def _of_code(token: str, code: str) -> bytes:
    """Nobody who reads the database finds a code of six digits by trying: the token is in it, and not stored."""
    return hashed(f"{token} {code}")


def _holder(row: "dict[str, str]") -> Holder:
    person = PersonId(row["examiner"])
    return Holder(SearchId(row["search"]), person, row["team"], row["account"], Sight(row["sight"]))
