"""What each job does outside: Slack, the matcher. Every act is ordered by a fact, looked for before it is repeated, and
followed by the fact that it happened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot import copies, ids, jobs, leadsheet, ledger, photos, queue, store
from bot.casework import SYSTEM, Casework, stream_of
from bot.database import Pool
from bot.desk import Desk, PhotoGoneError, keep_upload
from bot.leadsheet import Sheet
from bot.matching import Matcher, MatcherRefusedError
from bot.people import account_of
from bot.queue import Lease
from bot.roster import Roster
from bot.sealing import stream_sealed
from bot.views import approval, look_alikes, request, review
from bot.views.blocks import Block
from matcher.contract import FacesFound, SearchResult
from policy.authority import asked_of_somebody
from policy.model import (
    AssessPhoto,
    Candidate,
    DropCandidate,
    Face,
    PersonId,
    Post,
    Quarantine,
    RecordCandidates,
    RecordPosted,
    RejectPhoto,
    Search,
    SearchId,
    State,
)
from policy.pack import Pack
from policy.quality import tier
from policy.workflow import searched_copy

Message = tuple[str, list[Block]]
Errand = Callable[[Lease], Awaitable[None]]

PICTURES = frozenset({"jpg", "jpeg", "png", "webp", "heic", "heif"})
FACES, LEAD, SHEET = "faces", "lead", "sheet"  # labels of uploads that are no candidates
NOT_A_PICTURE = "That file is not a photograph that can be searched. Post a JPEG, PNG, WebP or HEIC picture."


@dataclass(frozen=True, slots=True)
class Rooms:
    """The channels of the desk."""

    intake: str
    review: str
    oversight: str

    @property
    def all(self) -> frozenset[str]:
        return frozenset({self.intake, self.review, self.oversight})


class Errands:
    """The jobs by kind. Built by the composition root."""

    def __init__(
        self,
        casework: Casework,
        pool: Pool,
        desk: Desk,
        matcher: Matcher,
        kek: bytes,
        team: str,
        rooms: Rooms,
        *,
        seal: bool,
        roster: Roster | None = None,
        images: bool = True,
    ) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._matcher = matcher
        self._kek = kek
        self._team = team
        self._rooms = rooms
        self._seal = seal
        self._roster = roster
        self._images = images  # False: no photograph of ours stands in Slack (M38)

    def by_kind(self) -> Mapping[str, Errand]:
        return {
            "photo-posted": self.offer_form,
            "receive-photo": self.receive_photo,
            "ask-face": self.ask_face,
            "run-search": self.run_search,
            "open-review": self.open_review,
            "call-arbiter": self.call_arbiter,
            "ask-decision": self.ask_decision,
            "tell-note": self.tell_note,
            "ask-approval": self.ask_approval,
            "check-approval": self.check_approval,
            "settle-approval": self.settle_approval,
            "give-notice": self.give_notice,
            "hand-photograph": self.hand_photograph,
            "hand-sheet": self.hand_sheet,
            "update-card": self.update_card,
            "retire-post": self.retire_post,
            "sync-roster": self.sync_roster,
            "leave-channel": self.leave_channel,
        }

    # --- the requester's side ---------------------------------------------------------------------------------------

    async def offer_form(self, lease: Lease) -> None:
        """Beneath the posted photograph stands the button that opens the form."""
        post = lease.payload
        search = SearchId(post["search"])
        facts = await self._desk.file_facts(post["file"])
        if str(facts.get("filetype", "")).lower() in PICTURES or str(facts.get("mimetype", "")).startswith("image/"):
            message = request.offer(search, post["file"], post["owner"])
        else:
            message = request.not_for_search(NOT_A_PICTURE)
        key = ids.post_key(search, Post.CARD)
        await self._desk.post(key, post["channel"], message, thread=post["ts"], again=lease.again)
        await self._casework.finish(lease)

    async def sweep(self, oldest: datetime) -> None:
        """Photographs posted since `oldest` have their offer, though Slack never managed to tell us of them.

        Slack gives an event up after its third redelivery, and none reaches a bot that is not connected.
        """
        for message in await self._desk.history(self._rooms.intake, f"{oldest.timestamp():.6f}"):
            for job in jobs.offers(message, self._team, self._rooms.intake):
                await self._casework.remember(job)

    async def receive_photo(self, lease: Lease) -> None:
        """The photograph is sealed as received, and the matcher has said what faces are in it."""
        search = await self._search(lease)
        photo = await self._original(search.id)
        try:
            photo = photo if photo is not None else await self._fetched(search)
        except PhotoGoneError as gone:
            await self._casework.submit(search.id, RejectPhoto("0" * 64, "gone", str(gone)), SYSTEM, lease=lease)
            return
        async with self._pool.acquire() as conn, conn.transaction():
            digest = await photos.keep(conn, self._kek, search.id, "original", photo)
        try:
            found = await self._matcher.faces(photo)
        except MatcherRefusedError as no:
            rejected = RejectPhoto(digest, no.problem.rule, no.problem.reason)
            await self._casework.submit(search.id, rejected, SYSTEM, lease=lease)
            return
        assessed = _assessment(digest, found, self._casework.pack_of(search))
        await self._casework.submit(search.id, assessed, SYSTEM, lease=lease)

    async def _fetched(self, search: Search) -> bytes:
        assert search.origin is not None, "requested without an origin"
        return await self._desk.fetch(search.origin.file)

    async def ask_face(self, lease: Lease) -> None:
        """The requester has been asked which of the faces is meant."""
        search = await self._search(lease)
        files: dict[str, str] = {}
        if self._images:
            marked = await self._matcher.marked(await self._original_or_fail(search.id))
            files = await self._desk.upload(search.id, {FACES: marked})
        await self._post(lease, search, Post.FACE_QUESTION, request.face_question(search, files.get(FACES)))

    async def update_card(self, lease: Lease) -> None:
        """The card beneath the photograph says how far the search is."""
        search = await self._search(lease)
        card = request.card(search, self._casework.pack_of(search))
        key = ids.post_key(search.id, Post.CARD)
        if known := await self._desk.posted(key):
            await self._desk.update(*known, card)
        else:
            channel, thread = _thread(search)
            await self._desk.post(key, channel, card, thread=thread, again=True)
        await self._casework.finish(lease)

    async def give_notice(self, lease: Lease) -> None:
        """The requester has the notice: a lead, no lead, or why nothing was searched."""
        search = await self._sealed(lease)
        if why := self._casework.withheld(search):
            text, blocks = request.withheld(search, why)
        else:
            text, blocks = request.notice(search, self._casework.pack_of(search))
        account = await self._account(search)
        mention: list[Block] = [request.addressed_to(account)] if account else []
        message: Message = (text, [*mention, *blocks])
        if posted := search.posts.get(Post.NOTICE):  # withheld since, or let go after all
            channel, ts = posted.split()
            await self._desk.update(channel, ts, message)
            await self._casework.finish(lease)
        else:
            await self._post(lease, search, Post.NOTICE, message)

    async def hand_photograph(self, lease: Lease) -> None:
        """The requester, who acknowledged, has the arrest photograph in a direct message; not while it is withheld.

        Where it was withheld since and is let go, the message that it stood in shows it again.
        """
        search = await self._sealed(lease)
        posted = search.posts.get(Post.PHOTOGRAPH)
        stands = posted is not None and LEAD in await self._desk.uploads(search.id)
        if self._casework.withheld(search) or stands:
            await self._casework.finish(lease)
            return
        account = await self._account(search)
        if account is None:
            raise AssertionError("the requester has no account any more")
        channel = await self._desk.direct_channel(account)
        try:
            message = await self._photograph(search)
        except MatcherRefusedError:  # sealed or expunged since: it may not be shown any more (M13)
            message = request.no_photograph(search)
        if posted is None:
            await self._post(lease, search, Post.PHOTOGRAPH, message, to=(channel, None))
            return
        channel, ts = posted.split()
        await self._desk.update(channel, ts, message)
        async with self._pool.acquire() as conn, conn.transaction():
            await queue.enqueue(conn, jobs.taken_away(search, "handed-again", jobs.IMAGES_FOR))
            await queue.complete(conn, lease)

    async def _photograph(self, search: Search) -> Message:
        chosen = next(c for c in search.candidates if c.label == search.lead)
        picture = await self._matcher.gallery_photo(chosen.photos[0])
        taken = await taken_on(search, chosen, self._matcher)
        file = (await self._desk.upload(search.id, {LEAD: picture}))[LEAD] if self._images else None
        return request.photograph(search, file, f"photograph taken {taken}" if taken else "date not recorded")

    async def hand_sheet(self, lease: Lease) -> None:
        """The requester, who acknowledged, has the lead sheet in a direct message; the ledger has its hash.

        It shows photographs: where Slack may keep none, the viewer serves it instead.
        """
        search = await self._sealed(lease)
        stands = SHEET in await self._desk.uploads(search.id)
        if not self._images or stands or self._casework.withheld(search):
            await self._casework.finish(lease)
            return
        assert search.acknowledged_at is not None, "a lead sheet before the acknowledgement"
        pack = self._casework.pack_of(search)
        try:
            parts = await gathered(search, pack, self._pool, self._kek, self._matcher)
        except MatcherRefusedError:  # sealed or expunged since (M13): no sheet shows that photograph any more
            await self._casework.finish(lease)
            return
        sheet = await asyncio.to_thread(leadsheet.pdf, parts)
        account = await self._account(search)
        assert account is not None, "the requester has no account any more"
        channel = await self._desk.direct_channel(account)
        name = f"lead-sheet-{search.id}.pdf"
        file = await self._desk.hand(channel, name, sheet, request.lead_sheet(search), again=lease.again)
        data = {"sha256": photos.sha256(sheet), "bytes": len(sheet), "file": name}
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, search.id)  # what is withheld meanwhile waits for this, or is seen here
            stream, at = f"sheet:{search.id}", search.acknowledged_at
            await ledger.append(conn, stream, "LeadSheetHanded", at=at, actor=SYSTEM.id, data=data)
            await keep_upload(conn, search.id, SHEET, file)
            if (await store.load(conn, search.id)).quarantined:
                await queue.enqueue(conn, jobs.taken_away(search, "withheld-sheet"))
            await queue.complete(conn, lease)

    # --- the search -------------------------------------------------------------------------------------------------

    async def run_search(self, lease: Lease) -> None:
        """The gallery was searched and everything a court may ask about it is recorded (M14)."""
        search = await self._search(lease)
        pack = self._casework.pack_of(search)
        assert search.face is not None, "searched before a face was chosen"
        face = search.face if searched_copy(search) == search.photo_sha256 else 0  # in a prepared copy it is alone
        result = await self._matcher.search(
            await self._to_be_searched(search), face, pack.candidates.default, self._casework.searchable(search)
        )
        candidates = _candidates(result)
        found = RecordCandidates(candidates, _evidence(result, pack.sha256) | _look_alikes(result, candidates))
        await self._casework.submit(search.id, found, SYSTEM, lease=lease)

    async def _to_be_searched(self, search: Search) -> bytes:
        """The latest prepared copy, or the photograph as it was received (M10)."""
        async with self._pool.acquire() as conn, conn.transaction():
            return await copies.latest(conn, self._kek, search)

    # --- the examiners' side ----------------------------------------------------------------------------------------

    async def open_review(self, lease: Lease) -> None:
        """The probe and every candidate stand in a thread of the restricted channel."""
        search = await self._sealed(lease)
        if search.state is State.SEARCHED:
            await self._post_review(await self._upload_all(search), again=lease.again)
        search = await self._casework.look(search.id)
        if search.state is State.IN_REVIEW:
            channel, ts = search.posts[Post.REVIEW.value].split()
            files = await self._desk.uploads(search.id)
            await self._desk.update(channel, ts, review.root(search, files))
        await self._casework.finish(lease)

    async def _post_review(self, search: Search, *, again: bool) -> None:
        """Probe and candidates stand there, and the ledger says so; only then may a worksheet be opened."""
        if search.state is not State.SEARCHED:
            return
        files, room = await self._desk.uploads(search.id), self._rooms.review
        key = ids.post_key(search.id, Post.REVIEW)
        channel, ts = await self._desk.post(key, room, review.root(search, files), again=again)
        if files:
            key = ids.post_key(search.id, "candidates")
            await self._desk.post(key, room, review.candidates(search, files), thread=ts, again=again)
        await self._casework.submit(search.id, RecordPosted(Post.REVIEW, channel, ts), SYSTEM)

    async def _upload_all(self, search: Search) -> Search:
        """Every picture of the review can be seen; candidates who may no longer be shown are dropped and recorded."""
        pictures = {review.PROBE: await self._working_copy(search)}
        if searched_copy(search) != search.photo_sha256:
            pictures[review.PREPARED] = await self._matcher.copy(await self._to_be_searched(search), 0)
        for candidate in search.candidates:
            try:
                pictures[candidate.label] = await self._matcher.gallery_photo(candidate.photos[0])
            except MatcherRefusedError:
                await self._casework.submit(search.id, DropCandidate(candidate.label), SYSTEM)
        if self._images:
            await self._desk.upload(search.id, pictures)
        return await self._casework.look(search.id)

    async def _working_copy(self, search: Search) -> bytes:
        """The probe as examiners see it: upright, without metadata, other faces masked; kept as it is shown."""
        assert search.face is not None, "reviewed before a face was chosen"
        copy = await self._matcher.copy(await self._original_or_fail(search.id), search.face)
        async with self._pool.acquire() as conn, conn.transaction():
            await photos.keep(conn, self._kek, search.id, "copy", copy)
        return copy

    async def call_arbiter(self, lease: Lease) -> None:
        """A third examiner has been asked for, in the review thread."""
        search = await self._search(lease)
        channel, thread = search.posts[Post.REVIEW.value].split()
        key = ids.post_key(lease.key, "arbiter")
        await self._desk.post(key, channel, review.arbiter_called(search), thread=thread, again=lease.again)
        await self._casework.finish(lease)

    async def ask_decision(self, lease: Lease) -> None:
        """The supervisors have been asked to decide."""
        search = await self._sealed(lease)
        message = review.decision(search, await self._desk.uploads(search.id))
        if (posted := search.posts.get(Post.DECISION)) is None:
            await self._post(lease, search, Post.DECISION, message, to=(self._rooms.oversight, None))
            return
        channel, ts = posted.split()  # asked before, and returned (M23)
        await self._desk.update(channel, ts, message)
        key = ids.post_key(lease.key, "again")
        await self._desk.post(key, channel, review.again(search), thread=ts, again=lease.again)
        await self._casework.finish(lease)

    async def tell_note(self, lease: Lease) -> None:
        """The supervisors know what an examiner added once there was a lead: it may have to be recalled."""
        search = await self._search(lease)
        _, thread = search.posts.get(Post.DECISION, " ").split(" ")
        key, note = ids.post_key(lease.key, "note"), search.notes[lease.payload["note"]]
        await self._desk.post(
            key, self._rooms.oversight, review.added(search, note), thread=thread or None, again=lease.again
        )
        await self._casework.finish(lease)

    async def ask_approval(self, lease: Lease) -> None:
        """The supervisors have been asked to let it go on; by then it may be over, and nobody is asked."""
        search = await self._sealed(lease)
        if search.outcome is None or search.approval_due is not None:
            question = approval.question(search, self._casework.pack_of(search))
            key = ids.post_key(search.id, lease.key)
            await self._desk.post(key, self._rooms.oversight, question, again=lease.again)
        await self._casework.finish(lease)

    async def settle_approval(self, lease: Lease) -> None:
        """The question says that it was answered, or what it still takes."""
        search = await self._search(lease)
        waits = asked_of_somebody(search)
        said = approval.question(search, self._casework.pack_of(search)) if waits else approval.settled(search)
        for what in ("request", "owed", "quality"):
            if known := await self._desk.posted(ids.post_key(search.id, f"{search.id}:{what}")):
                await self._desk.update(*known, said)
        await self._casework.finish(lease)

    async def check_approval(self, lease: Lease) -> None:
        """An emergency that was not approved in time is quarantined (M41); one that was is left alone."""
        search_id = SearchId(lease.payload["search"])
        await self._casework.submit(search_id, Quarantine(), SYSTEM, lease=lease)

    async def retire_post(self, lease: Lease) -> None:
        """The message whose buttons went stale says how things stand now."""
        search = await self._search(lease)
        if posted := search.posts.get(lease.payload["what"]):
            channel, ts = posted.split()
            files = await self._desk.uploads(search.id)
            await self._desk.update(channel, ts, _as_it_stands(search, Post(lease.payload["what"]), files))
        await self._casework.finish(lease)

    # --- the workspace itself ---------------------------------------------------------------------------------------

    async def sync_roster(self, lease: Lease) -> None:
        """The roster says what the user groups say, where it is fed from them."""
        if self._roster is not None:
            await self._roster.sync()
        await self._casework.finish(lease)

    async def leave_channel(self, lease: Lease) -> None:
        """The bot is in no channel that it was not set up for, and the supervisors know who wanted it there (M39)."""
        channel, inviter = lease.payload["channel"], lease.payload["inviter"]
        await self._desk.leave(channel)
        key = ids.post_key(lease.key, "left")
        message = review.left_channel(channel, inviter)
        await self._desk.post(key, self._rooms.oversight, message, again=lease.again)
        await self._casework.finish(lease)

    # --- shared steps -----------------------------------------------------------------------------------------------

    async def _post(
        self, lease: Lease, search: Search, what: Post, message: Message, to: tuple[str, str | None] | None = None
    ) -> None:
        """The message stands once, and the ledger says that it does."""
        channel, thread = to or _thread(search)
        key = ids.post_key(search.id, what)
        posted = await self._desk.post(key, channel, message, thread=thread, again=lease.again)
        await self._casework.submit(search.id, RecordPosted(what, *posted), SYSTEM, lease=lease)

    async def _search(self, lease: Lease) -> Search:
        return await self._casework.look(SearchId(lease.payload["search"]))

    async def _sealed(self, lease: Lease) -> Search:
        """The search, once everything that led here is under a signed checkpoint: no disclosure before seal."""
        search = await self._search(lease)
        if self._seal:
            async with self._pool.acquire() as conn:
                await stream_sealed(conn, stream_of(search.id))
        return search

    async def _original(self, search: SearchId) -> bytes | None:
        async with self._pool.acquire() as conn, conn.transaction():
            return await photos.opened(conn, self._kek, search, "original")

    async def _original_or_fail(self, search: SearchId) -> bytes:
        photo = await self._original(search)
        assert photo is not None, "assessed without a photograph"
        return photo

    async def _account(self, search: Search) -> str | None:
        assert search.requested_by is not None, "a notice for a search nobody requested"
        async with self._pool.acquire() as conn:
            return await account_of(conn, self._team, PersonId(search.requested_by))


async def gathered(search: Search, pack: Pack, pool: Pool, kek: bytes, matcher: Matcher) -> Sheet:
    """What the lead sheet of an acknowledged lead is made of."""
    chosen = next(c for c in search.candidates if c.label == search.lead)
    picture = await matcher.gallery_photo(chosen.photos[0])
    async with pool.acquire() as conn, conn.transaction():
        probe = await photos.opened(conn, kek, search.id, "copy")
        earlier = await store.earlier(conn, search.id)
    assert probe is not None, "a lead without the copy that examiners saw"
    return Sheet(search, pack, probe, picture, earlier, await taken_on(search, chosen, matcher))


async def taken_on(search: Search, chosen: Candidate, matcher: Matcher) -> date | None:
    """When the photograph that was compared was taken; None where that is not recorded."""
    facts = await matcher.person(chosen.person, str(search.evidence["classes"]).split())
    return next((photo.taken_on for photo in facts.photos if photo.photo_id == chosen.photos[0]), None)


def _thread(search: Search) -> tuple[str, str]:
    assert search.origin is not None, "requested without an origin"
    return search.origin.channel, search.origin.message


def _assessment(digest: str, found: FacesFound, pack: Pack) -> AssessPhoto:
    """What the matcher measured, as the tiers of the pack that the search is under (M8)."""
    faces = tuple(
        Face(f.index, *tier(f.quality.named(), pack.quality), round(f.quality.inter_eye_px, 1)) for f in found.faces
    )
    return AssessPhoto(digest, faces, found.model.sha256, found.model.evaluation)


def _candidates(result: SearchResult) -> tuple[Candidate, ...]:
    """Candidates under fresh labels, which say nothing about the rank."""
    labels = ids.labels(len(result.candidates))
    return tuple(
        Candidate(label, c.person_id, tuple(p.photo_id for p in c.photos), c.rank, round(c.score, 6))
        for label, c in zip(labels, result.candidates, strict=True)
    )


def _evidence(result: SearchResult, policy: str) -> dict[str, str | int | float | bool]:
    return {
        "probe_sha256": result.photo.sha256,  # of what was searched: the original, or the latest prepared copy
        "model": result.model.pack,
        "model_sha256": result.model.sha256,
        "dimension": result.model.dimension,
        "preprocessing": result.model.preprocessing,
        "gallery_root": result.gallery.root,
        "gallery_photos": result.gallery.photos,
        "gallery_people": result.gallery.people,
        "k": result.k,
        "classes": " ".join(result.classes),  # of photographs, the only ones that were searched (M42)
        "searched": result.certificate.searched,
        "complete": result.certificate.complete,
        "rescored": result.certificate.rescored,
        "error_bound": result.certificate.error_bound,
        "policy_sha256": policy,
        **{f"quality:{name}": round(value, 4) for name, value in result.face.quality.named().items()},
        **{f"threshold:{far}": cosine for far, cosine in result.model.thresholds.items()},
        **{f"evaluation:{name}": value for name, value in result.model.evaluation.items()},
    }


def _look_alikes(result: SearchResult, candidates: Sequence[Candidate]) -> dict[str, float]:
    """By candidate's label; nothing where the matcher could not say (X6)."""
    return {look_alikes.key(c.label): round(n, 4) for c, n in zip(candidates, result.look_alikes, strict=False)}


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
