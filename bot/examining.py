"""The examiners' thread and the question to supervisors: what stands there, and how it stands once things went on."""

from collections.abc import Mapping

from bot import ids, lots, photos
from bot.acts import Acts, Errand, Message
from bot.casework import SYSTEM
from bot.matching import MatcherRefusedError
from bot.queue import Lease
from bot.views import request, review
from policy import seats
from policy.model import (
    DropCandidate,
    Post,
    RecordPosted,
    Search,
    State,
)
from policy.workflow import searched_copy


class Examining:
    """The errands of an examination. Built by the composition root."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    def by_kind(self) -> Mapping[str, Errand]:
        return {
            "open-review": self.open_review,
            "call-arbiter": self.call_examiner,
            "ask-decision": self.ask_decision,
            "tell-note": self.tell_note,
            "retire-post": self.retire_post,
        }

    async def open_review(self, lease: Lease) -> None:
        """The probe stands in a thread of the restricted channel, and every picture that a worksheet shows is there."""
        search = await self._acts.sealed(lease)
        if search.state is State.SEARCHED:
            search = await lots.give_seats(self._acts, search)  # before anybody could sit down
            await self._post_review(await self._upload_all(search), again=lease.again)
        search = await self._acts.casework.look(search.id)
        if search.state is State.IN_REVIEW:
            channel, ts = search.posts[Post.REVIEW.value].split()
            files = await self._acts.desk.uploads(search.id)
            await self._acts.desk.update(channel, ts, review.root(search, files))
            if search.asked_until is not None and self._free(search):
                await self._call(search, "short", again=lease.again)
        await self._acts.casework.finish(lease)

    async def _post_review(self, search: Search, *, again: bool) -> None:
        """The head of the thread stands there, and the ledger says so; only then may a worksheet be opened."""
        if search.state is not State.SEARCHED:
            return
        files, room = await self._acts.desk.uploads(search.id), self._acts.rooms.review
        key = ids.post_key(search.id, Post.REVIEW)
        channel, ts = await self._acts.desk.post(key, room, review.root(search, files), again=again)
        await self._acts.casework.submit(search.id, RecordPosted(Post.REVIEW, channel, ts), SYSTEM)

    async def _upload_all(self, search: Search) -> Search:
        """Every picture of the review can be seen; candidates who may no longer be shown are dropped and recorded."""
        pictures = {review.PROBE: await self._working_copy(search)}
        if searched_copy(search) != search.photo_sha256:
            pictures[review.PREPARED] = await self._acts.matcher.copy(await self._acts.to_be_searched(search), 0)
        for candidate in search.candidates:
            try:
                pictures[candidate.label] = await self._acts.matcher.gallery_photo(candidate.photos[0])
            except MatcherRefusedError:
                await self._acts.casework.submit(search.id, DropCandidate(candidate.label), SYSTEM)
        if self._acts.images:
            await self._acts.desk.upload(search.id, pictures)
        return await self._acts.casework.look(search.id)

    async def _working_copy(self, search: Search) -> bytes:
        """The probe as examiners see it: upright, without metadata, other faces masked; kept as it is shown."""
        assert search.face is not None, "reviewed before a face was chosen"
        copy = await self._acts.matcher.copy(await self._acts.original_or_fail(search.id), search.face)
        async with self._acts.pool.acquire() as conn, conn.transaction():
            await photos.keep(conn, self._acts.kek, search.id, "copy", copy)
        return copy

    async def call_examiner(self, lease: Lease) -> None:
        """A seat that became free is kept for somebody, and the review thread says that the examination waits.

        It says so in the same words whether a seat was given back or a third opinion is wanted: whoever examines next
        should not learn that others differed (M20).
        """
        search = await lots.give_seats(self._acts, await self._acts.search(lease))
        if search.state in {State.IN_REVIEW, State.DISAGREED}:
            await self._call(search, lease.key, again=lease.again)
        await self._acts.casework.finish(lease)

    async def _call(self, search: Search, why: str, *, again: bool) -> None:
        channel, thread = search.posts[Post.REVIEW.value].split()
        key = ids.post_key(f"{search.id} {why}", "called")
        called = review.called(search, open_to_all=self._free(search))
        await self._acts.desk.post(key, channel, called, thread=thread, again=again)

    def _free(self, search: Search) -> bool:
        """Whether a seat is kept for nobody."""
        return seats.unfilled(search, self._acts.casework.pack_of(search)) > 0

    async def ask_decision(self, lease: Lease) -> None:
        """The supervisors have been asked to decide."""
        search = await self._acts.sealed(lease)
        message = review.decision(search, await self._acts.desk.uploads(search.id))
        if (posted := search.posts.get(Post.DECISION)) is None:
            await self._acts.post(lease, search, Post.DECISION, message, to=(self._acts.rooms.oversight, None))
            return
        channel, ts = posted.split()  # asked before, and returned (M23)
        await self._acts.desk.update(channel, ts, message)
        key = ids.post_key(lease.key, "again")
        await self._acts.desk.post(key, channel, review.again(search), thread=ts, again=lease.again)
        await self._acts.casework.finish(lease)

    async def tell_note(self, lease: Lease) -> None:
        """The supervisors know what an examiner added once there was a lead: it may have to be recalled."""
        search = await self._acts.search(lease)
        _, thread = search.posts.get(Post.DECISION, " ").split(" ")
        if lease.payload["note"] < len(search.notes):  # none where their time is over (bot/retention.py)
            key, told = ids.post_key(lease.key, "note"), review.added(search, search.notes[lease.payload["note"]])
            room = self._acts.rooms.oversight
            await self._acts.desk.post(key, room, told, thread=thread or None, again=lease.again)
        await self._acts.casework.finish(lease)

    async def retire_post(self, lease: Lease) -> None:
        """The message whose buttons went stale says how things stand now."""
        search = await self._acts.search(lease)
        if posted := search.posts.get(lease.payload["what"]):
            channel, ts = posted.split()
            files = await self._acts.desk.uploads(search.id)
            await self._acts.desk.update(channel, ts, _as_it_stands(search, Post(lease.payload["what"]), files))
        await self._acts.casework.finish(lease)


def _as_it_stands(search: Search, what: Post, files: Mapping[str, str]) -> Message:
    match what:
        case Post.REVIEW if search.state is State.DISAGREED:
            return review.root(search, files)
        case Post.REVIEW:
            return review.over(search)
        case Post.DECISION if search.state is State.DISAGREED:
            return review.returned(search)
        case Post.DECISION if search.state is State.AGREED:
            return review.decision(search, files)
        case Post.DECISION:
            return review.decided(search)
        case _:
            return request.face_chosen(search)
