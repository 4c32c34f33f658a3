"""What each job does outside: Slack, the matcher. Every act is ordered by a fact, looked for before it is repeated, and
followed by the fact that it happened. Here the requester's side; bot/examining.py and bot/handing.py have the others.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot import ids, jobs, photos
from bot.acts import FACES, Acts, Errand, Message, known_beside, thread_of
from bot.casework import SYSTEM
from bot.desk import PhotoGoneError
from bot.matching import MatcherRefusedError
from bot.queue import Lease
from bot.views import approval, look_alikes, request
from bot.views.blocks import Block
from matcher.contract import FacesFound, SearchResult
from policy.authority import asked_of_somebody
from policy.model import (
    AssessPhoto,
    Candidate,
    Face,
    Post,
    Quarantine,
    RecordCandidates,
    RejectPhoto,
    Search,
    SearchId,
)
from policy.pack import Pack
from policy.quality import tier
from policy.workflow import searched_copy

PICTURES = frozenset({"jpg", "jpeg", "png", "webp", "heic", "heif"})
NOT_A_PICTURE = "That file is not a photograph that can be searched. Post a JPEG, PNG, WebP or HEIC picture."


class Errands:
    """The jobs by kind. Built by the composition root."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    def by_kind(self) -> Mapping[str, Errand]:
        return {
            "photo-posted": self.offer_form,
            "receive-photo": self.receive_photo,
            "ask-face": self.ask_face,
            "run-search": self.run_search,
            "ask-approval": self.ask_approval,
            "check-approval": self.check_approval,
            "settle-approval": self.settle_approval,
            "give-notice": self.give_notice,
            "update-card": self.update_card,
        }

    # --- the requester ------------------------------------------------------------------------------------------------

    async def offer_form(self, lease: Lease) -> None:
        """Beneath the posted photograph stands the button that opens the form."""
        post = lease.payload
        search = SearchId(post["search"])
        facts = await self._acts.desk.file_facts(post["file"])
        if str(facts.get("filetype", "")).lower() in PICTURES or str(facts.get("mimetype", "")).startswith("image/"):
            message = request.offer(search, post["file"], post["owner"])
        else:
            message = request.not_for_search(NOT_A_PICTURE)
        key = ids.post_key(search, Post.CARD)
        await self._acts.desk.post(key, post["channel"], message, thread=post["ts"], again=lease.again)
        await self._acts.casework.finish(lease)

    async def sweep(self, oldest: datetime) -> None:
        """Photographs posted since `oldest` have their offer, though Slack never managed to tell us of them.

        Slack gives an event up after its third redelivery, and none reaches a bot that is not connected.
        """
        for message in await self._acts.desk.history(self._acts.rooms.intake, f"{oldest.timestamp():.6f}"):
            for job in jobs.offers(message, self._acts.team, self._acts.rooms.intake):
                await self._acts.casework.remember(job)

    async def receive_photo(self, lease: Lease) -> None:
        """The photograph is sealed as received, and the matcher has said what faces are in it."""
        search = await self._acts.search(lease)
        if search.outcome is not None:  # withdrawn meanwhile
            await self._acts.casework.finish(lease)
            return
        photo = await self._acts.original(search.id)
        try:
            photo = photo if photo is not None else await self._fetched(search)
        except PhotoGoneError as gone:
            await self._acts.casework.submit(search.id, RejectPhoto("0" * 64, "gone", str(gone)), SYSTEM, lease=lease)
            return
        async with self._acts.pool.acquire() as conn, conn.transaction():
            digest = await photos.keep(conn, self._acts.kek, search.id, "original", photo)
        try:
            found = await self._acts.matcher.faces(photo)
        except MatcherRefusedError as no:
            rejected = RejectPhoto(digest, no.problem.rule, no.problem.reason)
            await self._acts.casework.submit(search.id, rejected, SYSTEM, lease=lease)
            return
        assessed = _assessment(digest, found, self._acts.casework.pack_of(search))
        await self._acts.casework.submit(search.id, assessed, SYSTEM, lease=lease)

    async def _fetched(self, search: Search) -> bytes:
        assert search.origin is not None, "requested without an origin"
        return await self._acts.desk.fetch(search.origin.file)

    async def ask_face(self, lease: Lease) -> None:
        """The requester has been asked which of the faces is meant."""
        search = await self._acts.search(lease)
        if search.outcome is not None:
            await self._acts.casework.finish(lease)
            return
        files: dict[str, str] = {}
        if self._acts.images:
            marked = await self._acts.matcher.marked(await self._acts.original_or_fail(search.id))
            files = await self._acts.desk.upload(search.id, {FACES: marked})
        await self._acts.post(lease, search, Post.FACE_QUESTION, request.face_question(search, files.get(FACES)))

    async def update_card(self, lease: Lease) -> None:
        """The card beneath the photograph says how far the search is."""
        search = await self._acts.search(lease)
        card = request.card(search, self._acts.casework.pack_of(search))
        key = ids.post_key(search.id, Post.CARD)
        if known := await self._acts.desk.posted(key):
            await self._acts.desk.update(*known, card)
        else:
            channel, thread = thread_of(search)
            await self._acts.desk.post(key, channel, card, thread=thread, again=True)
        await self._acts.casework.finish(lease)

    async def give_notice(self, lease: Lease) -> None:
        """The requester has the notice: a lead, no lead, or why nothing was searched."""
        search = await self._acts.sealed(lease)
        if why := self._acts.casework.withheld(search):
            text, blocks = request.withheld(search, why)
        else:
            beside = await known_beside(search, self._acts.pool, self._acts.matcher)
            text, blocks = request.notice(search, self._acts.casework.pack_of(search), beside)
        account = await self._acts.account(search)
        mention: list[Block] = [request.addressed_to(account)] if account else []
        message: Message = (text, [*mention, *blocks])
        if posted := search.posts.get(Post.NOTICE):  # withheld since, or let go after all
            channel, ts = posted.split()
            await self._acts.desk.update(channel, ts, message)
            await self._acts.casework.finish(lease)
        else:
            await self._acts.post(lease, search, Post.NOTICE, message)

    # --- the search ---------------------------------------------------------------------------------------------------

    async def run_search(self, lease: Lease) -> None:
        """The gallery was searched and everything a court may ask about it is recorded (M14); not once it is over."""
        search = await self._acts.search(lease)
        if search.outcome is not None:
            await self._acts.casework.finish(lease)
            return
        pack = self._acts.casework.pack_of(search)
        assert search.face is not None, "searched before a face was chosen"
        face = search.face if searched_copy(search) == search.photo_sha256 else 0  # in a prepared copy it is alone
        result = await self._acts.matcher.search(
            await self._acts.to_be_searched(search),
            face,
            pack.candidates.default,
            self._acts.casework.searchable(search),
        )
        candidates = _candidates(result)
        found = RecordCandidates(candidates, _evidence(result, pack.sha256) | _look_alikes(result, candidates))
        await self._acts.casework.submit(search.id, found, SYSTEM, lease=lease)

    # --- whoever has to approve ---------------------------------------------------------------------------------------

    async def ask_approval(self, lease: Lease) -> None:
        """The supervisors have been asked to let it go on; by then it may be over, and nobody is asked."""
        search = await self._acts.sealed(lease)
        if search.outcome is None or search.approval_due is not None:
            question = approval.question(search, self._acts.casework.pack_of(search))
            key = ids.post_key(search.id, lease.key)
            await self._acts.desk.post(key, self._acts.rooms.oversight, question, again=lease.again)
        await self._acts.casework.finish(lease)

    async def settle_approval(self, lease: Lease) -> None:
        """The question says that it was answered, or what it still takes."""
        search = await self._acts.search(lease)
        waits = asked_of_somebody(search)
        said = approval.question(search, self._acts.casework.pack_of(search)) if waits else approval.settled(search)
        for what in ("request", "owed", "quality"):
            if known := await self._acts.desk.posted(ids.post_key(search.id, f"{search.id}:{what}")):
                await self._acts.desk.update(*known, said)
        await self._acts.casework.finish(lease)

    async def check_approval(self, lease: Lease) -> None:
        """An emergency that was not approved in time is quarantined (M41); one that was is left alone."""
        search_id = SearchId(lease.payload["search"])
        await self._acts.casework.submit(search_id, Quarantine(), SYSTEM, lease=lease)


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
        "faceless": result.certificate.faceless,  # of the whole gallery: no search with this model finds them
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
