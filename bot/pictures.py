"""Photographs leave Slack again: after the decision, after some days at the latest, and at once where none may stand
there at all (M38). Every one that goes is recorded.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping

from bot import ids, ledger, queue
from bot.casework import SYSTEM, Casework
from bot.database import Pool
from bot.desk import Desk, forget_upload
from bot.errands import FACES, LEAD
from bot.queue import Lease
from bot.views import request, review
from policy.model import Post, Search, SearchId, State

Errand = Callable[[Lease], Awaitable[None]]


class Pictures:
    """The jobs that take photographs out of Slack. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, desk: Desk, *, kept_in_slack: bool) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._kept_in_slack = kept_in_slack

    def by_kind(self) -> Mapping[str, Errand]:
        return {"delete-images": self.delete_images, "clear-intake": self.clear_intake}

    async def delete_images(self, lease: Lease) -> None:
        """None of the pictures that the job names is in Slack any more; the ledger has each of them."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        files = await self._desk.uploads(search.id)
        going = _going(lease.payload["why"], files)
        if review.PROBE in going:
            await self._say_that_they_went(search)
        for label in sorted(going):
            await self._delete(search, label, files[label])
        await self._casework.finish(lease)

    async def _say_that_they_went(self, search: Search) -> None:
        """Messages that showed them say where they are seen from now on."""
        if known := await self._desk.posted(ids.post_key(search.id, "candidates")):
            await self._desk.update(*known, review.photographs_gone(search))
        if search.state in {State.IN_REVIEW, State.DISAGREED} and (root := search.posts.get(Post.REVIEW.value)):
            channel, ts = root.split()
            await self._desk.update(channel, ts, review.root(search, {}))

    async def _delete(self, search: Search, label: str, file: str) -> None:
        """Gone first, recorded then: whoever is interrupted in between finds it gone and records it."""
        await self._desk.delete_file(file)
        async with self._pool.acquire() as conn, conn.transaction():
            await forget_upload(conn, search.id, label)
            data, at = {"what": label, "file": file}, self._casework.now()
            await ledger.append(conn, _stream(search), "ImageDeleted", at=at, actor=SYSTEM.id, data=data)

    async def clear_intake(self, lease: Lease) -> None:
        """Where Slack keeps no photographs: what the requester posted is gone, or they are asked to delete it.

        The photograph itself is sealed by then; Slack lets an app delete nothing that a person posted.
        """
        search = await self._casework.look(SearchId(lease.payload["search"]))
        if self._kept_in_slack or search.origin is None:
            await self._casework.finish(lease)
            return
        gone = await self._desk.delete_file(search.origin.file)
        if not gone:
            key, origin = ids.post_key(search.id, "please-delete"), search.origin
            asked = request.please_delete(search)
            await self._desk.post(key, origin.channel, asked, thread=origin.message, again=lease.again)
        async with self._pool.acquire() as conn, conn.transaction():
            kind = "ImageDeleted" if gone else "DeletionAsked"
            data, at = {"what": "intake", "file": search.origin.file}, self._casework.now()
            await ledger.append(conn, _stream(search), kind, at=at, actor=SYSTEM.id, data=data)
            await queue.complete(conn, lease)


def _going(why: str, labels: Collection[str]) -> set[str]:
    """Which pictures the job is about: the lead's stays until some days after it was handed over."""
    match why:
        case "chosen":
            return set(labels) & {FACES}
        case "handed":
            return set(labels) & {LEAD}
        case _:
            return set(labels) - {LEAD}


def _stream(search: Search) -> str:
    return f"images:{search.id}"
