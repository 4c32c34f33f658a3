"""Known-answer cases among the real ones: drawn by chance, given by the same jobs, answered for when they are over."""

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from bot import ids, known_answers, ledger, photos, queue
from bot.casework import SYSTEM, Casework
from bot.database import Conn, Pool
from bot.desk import Desk
from bot.people import account_of
from bot.queue import Job, Lease
from bot.views import quality
from policy.foils import shown_to
from policy.known_answers import Verdict, truth_of, verdict
from policy.model import Examination, InjectKnownAnswer, Label, Search, SearchId

Errand = Callable[[Lease], Awaitable[None]]
WITHIN = timedelta(hours=1)  # of the real examination it was drawn at: when it comes says nothing


class Injection:
    """The jobs of known-answer cases. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, desk: Desk, kek: bytes, team: str) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._kek = kek
        self._team = team
        self._chance = random.SystemRandom()

    def by_kind(self) -> Mapping[str, Errand]:
        return {
            "draw-known-answer": self.draw,
            "inject-known-answer": self.inject,
            "give-feedback": self.give_feedback,
        }

    async def draw(self, lease: Lease) -> None:
        """At each real examination chance says whether a known-answer case follows within the hour."""
        async with self._pool.acquire() as conn, conn.transaction():
            if self._chance.random() * 100 < await known_answers.rate(conn):
                await self._order(conn, SearchId(lease.payload["search"]))
            await queue.complete(conn, lease)

    async def _order(self, conn: Conn, search: SearchId) -> None:
        remaining = await known_answers.left(conn)
        name = await known_answers.draw(conn, search, self._chance.randrange(remaining)) if remaining else None
        if name is not None:
            delay = WITHIN * self._chance.random()
            await queue.enqueue(conn, Job("inject-known-answer", name, {"known": name}, delay))

    async def inject(self, lease: Lease) -> None:
        """The case is a search like every other from here on: its photograph is sealed, its jobs are enqueued."""
        name = lease.payload["known"]
        search = ids.search_of(self._team, f"known-answer {name}")
        async with self._pool.acquire() as conn, conn.transaction():
            _, photo = await known_answers.opened(conn, self._kek, name)
            await photos.keep(conn, self._kek, search, "original", photo)
        purpose = self._chance.choice(self._casework.active.purposes).code
        await self._casework.submit(search, InjectKnownAnswer(name, purpose), SYSTEM, lease=lease)

    async def give_feedback(self, lease: Lease) -> None:
        """Every examiner of the case knows what the answer was, and what theirs was; nobody hears of another's."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        async with self._pool.acquire() as conn, conn.transaction():
            case, _ = await known_answers.opened(conn, self._kek, search.known)
        truth = truth_of(search, case.person)
        for opinion in search.examinations:
            if opinion.conclusion is not None:
                await self._tell(lease, search, opinion, truth)
        await self._casework.finish(lease)

    async def _tell(self, lease: Lease, search: Search, opinion: Examination, truth: Label | None) -> None:
        assert opinion.conclusion is not None, "feedback on an open opinion"
        truth = truth if truth in shown_to(search, opinion.examiner) else None  # whom they never saw, they did not miss
        said = verdict(opinion.conclusion, opinion.candidate, truth)
        async with self._pool.acquire() as conn, conn.transaction():
            await known_answers.keep_result(conn, search.id, opinion.examiner, said, mated=truth is not None)
            account = await account_of(conn, self._team, opinion.examiner)
        if account is not None:
            channel = await self._desk.direct_channel(account)
            key = ids.post_key(search.id, f"feedback {opinion.examiner}")
            told = quality.feedback(search, opinion, truth, said)
            await self._desk.post(key, channel, told, again=lease.again)
        await self._recorded(search, opinion, said)

    async def _recorded(self, search: Search, opinion: Examination, said: Verdict) -> None:
        data = {"search": search.id, "verdict": said.value}
        async with self._pool.acquire() as conn, conn.transaction():
            at, by = self._casework.now(), opinion.examiner
            await ledger.append(conn, known_answers.STREAM, "FeedbackGiven", at=at, actor=by, data=data)
