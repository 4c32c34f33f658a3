"""What we handed out and somebody passes on is noticed wherever we are, recorded, and told to the supervisors (M26).

Three traces: a file of ours that is shared; a message of ours that is forwarded or linked to; and our bytes, saved and
posted anew, which are known by their hash. What is cropped or photographed from a screen leaves none of them: the
watermark says whose screen it was.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from bot import ids, ledger, photos
from bot.acts import LEAD, SHEET
from bot.casework import SYSTEM, Casework
from bot.database import Conn, Pool
from bot.desk import Desk, PhotoGoneError
from bot.queue import Job, Lease
from bot.views import aftermath
from policy.model import SearchId

GONE = frozenset({"file_not_found", "file_deleted"})


class Forwarding:
    """The errands. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, desk: Desk, oversight: str) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._oversight = oversight

    def by_kind(self) -> Mapping[str, Callable[[Lease], Awaitable[None]]]:
        return {
            "file-shared": self.file_shared,
            "message-shared": self.message_shared,
            "look-at-shares": self.look_at_shares,
        }

    async def order(self) -> None:
        """Once an hour it is looked where our files stand: no event tells of what was shared while nobody listened."""
        hour = f"{self._casework.now():%Y-%m-%dT%H}"
        await self._casework.remember(Job("look-at-shares", hour, {}))

    async def file_shared(self, lease: Lease) -> None:
        """A file that somebody shared is one of ours, or holds the bytes of one; or nothing follows."""
        file, channel, account = (lease.payload[name] for name in ("file", "channel", "account"))
        async with self._pool.acquire() as conn:
            ours = await upload_of(conn, file)
        if ours := ours or await self._same_bytes(file):
            await self._noticed(ours, file, channel, account, again=lease.again)
        await self._casework.finish(lease)

    async def _same_bytes(self, file: str) -> tuple[str, str] | None:
        try:
            untrusted = await self._desk.fetch(file)
        except PhotoGoneError:
            return None
        async with self._pool.acquire() as conn:
            return await given_out(conn, photos.sha256(untrusted))

    async def message_shared(self, lease: Lease) -> None:
        """Somebody forwarded a message, or a link shows it: what it showed of ours is noticed."""
        channel, account = lease.payload["channel"], lease.payload["account"]
        found: dict[tuple[str, str], str] = {}
        async with self._pool.acquire() as conn:
            for file in lease.payload["files"]:
                if ours := await upload_of(conn, file):
                    found[ours] = file
            for message in lease.payload["messages"]:
                if (ours := await message_of(conn, message)) and ours[0] not in {search for search, _ in found}:
                    found[ours] = message
        for ours, what in found.items():
            await self._noticed(ours, what, channel, account, again=lease.again)
        await self._casework.finish(lease)

    async def look_at_shares(self, lease: Lease) -> None:
        """Lead photographs and sheets stand where we put them; where else one stands is noticed."""
        async with self._pool.acquire() as conn:
            handed = [(row["search"], row["label"], row["file"]) for row in await conn.fetch(HANDED, [LEAD, SHEET])]
        for search, label, file in handed:
            put = await self._where_we_put_it(SearchId(search))
            for channel, account in shares_of(await self._facts(file)).items():
                if channel != put:
                    await self._noticed((search, label), file, channel, account, again=lease.again)
        await self._casework.finish(lease)

    async def _where_we_put_it(self, search: SearchId) -> str:
        return (await self._casework.look(search)).posts.get("photograph", "").partition(" ")[0]

    async def _facts(self, file: str) -> Mapping[str, Any]:
        try:
            return await self._desk.file_facts(file)
        except SlackApiError as error:
            if error.response["error"] in GONE:
                return {}
            raise

    async def _noticed(self, ours: tuple[str, str], file: str, channel: str, account: str, *, again: bool) -> None:
        """Told and recorded once for each thing, place and person, whichever trace it left first."""
        search, what = ours
        key = ids.post_key(search, f"forwarded {what} {channel} {account}")
        if await self._desk.posted(f"{key} recorded"):
            return
        said = aftermath.forwarded(search, what, account, channel)
        posted = await self._desk.post(key, self._oversight, said, again=again)
        async with self._pool.acquire() as conn, conn.transaction():
            if await conn.fetchval(ONCE, f"{key} recorded", *posted) is None:
                return
            data = {"what": what, "file": file, "channel": channel, "account": account}
            at = self._casework.now()
            await ledger.append(conn, f"images:{search}", "Forwarded", at=at, actor=SYSTEM.id, data=data)


def shares_of(untrusted_facts: Mapping[str, Any]) -> dict[str, str]:
    """The channels in which a file was shared, and by whom as far as Slack says (files.info)."""
    shares = untrusted_facts.get("shares") or {}
    return {
        str(channel): str((posts or [{}])[0].get("share_user_id") or "")
        for kind in ("public", "private")
        for channel, posts in (shares.get(kind) or {}).items()
    }


ONCE = "INSERT INTO casework.post (key, channel, ts) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING RETURNING key"
HANDED = "SELECT search, label, file FROM casework.upload WHERE label = ANY ($1) ORDER BY search, label"
UPLOAD_OF = "SELECT search, label FROM casework.upload WHERE file = $1"


async def upload_of(conn: Conn, file: str) -> tuple[str, str] | None:
    """The search and the label of a file that we put into Slack; None of anybody else's."""
    row = await conn.fetchrow(UPLOAD_OF, file)
    return (row["search"], row["label"]) if row else None


GIVEN_OUT = """
SELECT search, label FROM casework.given_out WHERE sha256 = $1
ORDER BY label IN ('lead', 'sheet') DESC, given_at DESC, search LIMIT 1
"""


async def given_out(conn: Conn, sha256: str) -> tuple[str, str] | None:
    """The search and label under which we handed out these bytes: a lead's before a candidate's, the latest first."""
    row = await conn.fetchrow(GIVEN_OUT, sha256)
    return (row["search"], row["label"]) if row else None


MESSAGE_OF = """
SELECT search.id, post.key FROM casework.search, jsonb_each_text(search.body -> 'posts') AS post
WHERE post.value = $1 AND post.key IN ('photograph', 'decision', 'review', 'face-question') LIMIT 1
"""


async def message_of(conn: Conn, place: str) -> tuple[str, str] | None:
    """The search that a message of ours at this place shows photographs of, and what they are; None of any other."""
    row = await conn.fetchrow(MESSAGE_OF, place)
    return (row["id"], LEAD if row["key"] == "photograph" else str(row["key"])) if row else None
