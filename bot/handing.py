"""What is handed to whoever has a lead and acknowledged it: the arrest photograph and the lead sheet."""

import asyncio
from collections.abc import Mapping

from bot import jobs, leadsheet, ledger, photos, queue, store
from bot.acts import LEAD, SHEET, Acts, Errand, Message, taken_on
from bot.casework import SYSTEM
from bot.database import Pool
from bot.desk import keep_given_out, keep_upload
from bot.leadsheet import Sheet
from bot.matching import Matcher, MatcherRefusedError
from bot.queue import Lease
from bot.views import request
from policy.model import (
    Post,
    Search,
)
from policy.pack import Pack


class Handing:
    """The errands. Built by the composition root."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    def by_kind(self) -> Mapping[str, Errand]:
        return {
            "hand-photograph": self.hand_photograph,
            "hand-sheet": self.hand_sheet,
        }

    async def hand_photograph(self, lease: Lease) -> None:
        """The requester, who acknowledged, has the arrest photograph in a direct message; not while it is withheld.

        Where it was withheld since and is let go, the message that it stood in shows it again.
        """
        search = await self._acts.sealed(lease)
        posted = search.posts.get(Post.PHOTOGRAPH)
        stands = posted is not None and LEAD in await self._acts.desk.uploads(search.id)
        if self._acts.casework.withheld(search) or stands:
            await self._acts.casework.finish(lease)
            return
        account = await self._acts.account(search)
        if account is None:
            raise AssertionError("the requester has no account any more")
        channel = await self._acts.desk.direct_channel(account)
        try:
            message = await self._photograph(search)
        except MatcherRefusedError:  # sealed or expunged since: it may not be shown any more (M13)
            message = request.no_photograph(search)
        if posted is None:
            await self._acts.post(lease, search, Post.PHOTOGRAPH, message, to=(channel, None))
            return
        channel, ts = posted.split()
        await self._acts.desk.update(channel, ts, message)
        async with self._acts.pool.acquire() as conn, conn.transaction():
            await queue.enqueue(conn, jobs.taken_away(search, "handed-again", jobs.IMAGES_FOR))
            await queue.complete(conn, lease)

    async def _photograph(self, search: Search) -> Message:
        chosen = next(c for c in search.candidates if c.label == search.lead)
        picture = await self._acts.matcher.gallery_photo(chosen.photos[0])
        taken = await taken_on(search, chosen, self._acts.matcher)
        file = (await self._acts.desk.upload(search.id, {LEAD: picture}))[LEAD] if self._acts.images else None
        return request.photograph(search, file, f"photograph taken {taken}" if taken else "date not recorded")

    async def hand_sheet(self, lease: Lease) -> None:
        """The requester, who acknowledged, has the lead sheet in a direct message; the ledger has its hash.

        It shows photographs: after some days, and where Slack may keep none at once, the viewer serves it instead.
        """
        search = await self._acts.sealed(lease)
        stands = SHEET in await self._acts.desk.uploads(search.id)
        if not self._acts.images or stands or self._acts.casework.withheld(search):
            await self._acts.casework.finish(lease)
            return
        assert search.acknowledged_at is not None, "a lead sheet before the acknowledgement"
        pack = self._acts.casework.pack_of(search)
        try:
            parts = await gathered(search, pack, self._acts.pool, self._acts.kek, self._acts.matcher)
        except MatcherRefusedError:  # sealed or expunged since (M13): no sheet shows that photograph any more
            await self._acts.casework.finish(lease)
            return
        sheet = await asyncio.to_thread(leadsheet.pdf, parts)
        account = await self._acts.account(search)
        assert account is not None, "the requester has no account any more"
        channel = await self._acts.desk.direct_channel(account)
        name = f"lead-sheet-{search.id}.pdf"
        file = await self._acts.desk.hand(channel, name, sheet, request.lead_sheet(search), again=lease.again)
        data = {"sha256": photos.sha256(sheet), "bytes": len(sheet), "file": name}
        async with self._acts.pool.acquire() as conn, conn.transaction():
            await store.lock(conn, search.id)  # what is withheld meanwhile waits for this, or is seen here
            stream, at = f"sheet:{search.id}", search.acknowledged_at
            await ledger.append(conn, stream, "LeadSheetHanded", at=at, actor=SYSTEM.id, data=data)
            await keep_upload(conn, search.id, SHEET, file)
            await keep_given_out(conn, search.id, SHEET, sheet)
            stands = await store.load(conn, search.id)
            await queue.enqueue(conn, jobs.sheet_goes(stands, self._acts.casework.now()))
            await queue.complete(conn, lease)


async def gathered(search: Search, pack: Pack, pool: Pool, kek: bytes, matcher: Matcher) -> Sheet:
    """What the lead sheet of an acknowledged lead is made of."""
    chosen = next(c for c in search.candidates if c.label == search.lead)
    picture = await matcher.gallery_photo(chosen.photos[0])
    async with pool.acquire() as conn, conn.transaction():
        probe = await photos.opened(conn, kek, search.id, "copy")
        earlier = await store.earlier(conn, search.id)
    assert probe is not None, "a lead without the copy that examiners saw"
    return Sheet(search, pack, probe, picture, earlier, await taken_on(search, chosen, matcher))
