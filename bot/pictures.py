"""Photographs leave Slack again: after the decision, after some days at the latest, and at once where none may stand
there at all (M38). Every one that goes is recorded.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta

from bot import ids, ledger, queue
from bot.acts import FACES, LEAD, SHEET
from bot.casework import SYSTEM, Casework
from bot.database import Pool
from bot.desk import Desk, forget_upload
from bot.queue import Job, Lease
from bot.views import request, review
from policy.model import Post, Search, SearchId, State

Errand = Callable[[Lease], Awaitable[None]]
PATIENCE = timedelta(hours=2)  # until a supervisor hears of a photograph that its owner left


class Pictures:
    """The jobs that take photographs out of Slack. Built by the composition root."""

    def __init__(
        self, casework: Casework, pool: Pool, desk: Desk, team: str, oversight: str, *, kept_in_slack: bool
    ) -> None:
        self._team = team
        self._oversight = oversight
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._kept_in_slack = kept_in_slack

    def by_kind(self) -> Mapping[str, Errand]:
        return {
            "delete-images": self.delete_images,
            "clear-intake": self.clear_intake,
            "intake-gone": self.intake_gone,
            "look-for-intake": self.look_for_intake,
        }

    async def delete_images(self, lease: Lease) -> None:
        """None of the pictures that the job names is in Slack any more; the ledger has each of them."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        files = await self._desk.uploads(search.id)
        going = _going(lease.payload["why"], files)
        if review.PROBE in going:
            await self._say_that_they_went(search)
        for label in sorted(going):
            await self._delete(search, label, files[label])
        if LEAD in going or self._casework.withheld(search):
            await self._say_that_the_lead_went(search)
        await self._casework.finish(lease)

    async def _say_that_they_went(self, search: Search) -> None:
        """The head of the thread shows them no more; what the sheets show is said where they are drawn anew."""
        if search.state in {State.IN_REVIEW, State.DISAGREED} and (root := search.posts.get(Post.REVIEW.value)):
            channel, ts = root.split()
            await self._desk.update(channel, ts, review.root(search, {}))

    async def _say_that_the_lead_went(self, search: Search) -> None:
        """The requester's message says why it shows nothing any more, or where the photograph is seen now."""
        if posted := search.posts.get(Post.PHOTOGRAPH.value):
            why = self._casework.withheld(search)
            gone = request.photograph(search, None, "the photograph is no longer kept in Slack")
            channel, ts = posted.split()
            await self._desk.update(channel, ts, request.withheld(search, why) if why else gone)

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
            if not gone:
                await queue.enqueue(conn, Job("look-for-intake", search.id, {"search": search.id}, PATIENCE))
            await queue.complete(conn, lease)

    async def intake_gone(self, lease: Lease) -> None:
        """A posted photograph was deleted by whoever posted it: recorded, and nobody is asked any more."""
        file = lease.payload["file"]
        search = await self._casework.look(ids.search_of(self._team, file))
        if search.origin is None or search.origin.file != file:  # one of ours, or nothing that was ever searched
            await self._casework.finish(lease)
            return
        if known := await self._desk.posted(ids.post_key(search.id, "please-delete")):
            await self._desk.update(*known, request.deleted(search))
        async with self._pool.acquire() as conn, conn.transaction():
            data, at = {"what": "intake", "file": file}, self._casework.now()
            await ledger.append(conn, _stream(search), "ImageDeleted", at=at, actor="whoever posted it", data=data)
            await queue.complete(conn, lease)

    async def look_for_intake(self, lease: Lease) -> None:
        """Supervisors know of a photograph that still stands where none may."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        assert search.origin is not None, "asked for without an origin"
        if await self._desk.stands(search.origin.file):
            key = ids.post_key(search.id, "still-there")
            await self._desk.post(key, self._oversight, request.still_there(search), again=lease.again)
        await self._casework.finish(lease)


def _going(why: str, labels: Collection[str]) -> set[str]:
    """Which files the job is about: what was handed over of a lead stays some days, and the viewer serves it then."""
    match why:
        case "chosen":
            return set(labels) & {FACES}
        case "handed" | "handed-again":
            return set(labels) & {LEAD}
        case "handed-sheet":
            return set(labels) & {SHEET}
        case "withheld" | "withheld-photograph" | "withheld-sheet" | "expired" | "recalled":
            return set(labels) & {LEAD, SHEET}
        case _:
            return set(labels) - {LEAD, SHEET}


def _stream(search: Search) -> str:
    return f"images:{search.id}"
