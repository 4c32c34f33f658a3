"""What supervisors ask about examiners' quality, and the rate of known-answer cases, which they set (X2, S7)."""

import re
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import known_answers, ledger
from bot.casework import Casework
from bot.database import Pool
from bot.people import People
from bot.views import quality
from policy.known_answers import rates
from policy.questions import Question, may_ask

RATE = re.compile(r"rate\s+(\d{1,3}(?:\.\d{1,2})?)")
HOW = "Say nothing for the figures, or `rate 3` for three known-answer cases in a hundred examinations (0 to 100)."
LEAST_SECONDS = 3.0  # for each candidate: in less nobody compares two faces


class Quality:
    """/face-quality: the supervisors' door."""

    def __init__(self, pool: Pool, people: People, casework: Casework) -> None:
        self._pool = pool
        self._people = people
        self._casework = casework

    async def asked(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The figures to the supervisor alone, or the new rate; recorded before it is answered."""
        by = await self._people.actor(body["team_id"], body["user_id"])
        untrusted, now = (body.get("text") or "").strip(), self._casework.now()
        wanted = _rate(untrusted)
        refused = may_ask(Question.QUALITY if wanted is None else Question.RATE, by)
        async with self._pool.acquire() as conn, conn.transaction():
            data = {"command": "face-quality", "allowed": refused is None}
            await ledger.append(conn, "oversight", "Asked", at=now, actor=by.id, data=data)
            if wanted is not None and not refused:
                await known_answers.set_rate(conn, wanted, by.id, now)
        if refused:
            await ack(text=refused.reason)
        elif untrusted and wanted is None:
            await ack(text=HOW)
        else:
            await ack(text="Examiners' quality", blocks=await self._figures())

    async def _figures(self) -> list[quality.Block]:
        async with self._pool.acquire() as conn:
            return quality.figures(
                await known_answers.rate(conn),
                await known_answers.left(conn),
                rates(await known_answers.results(conn)),
                await known_answers.dwell(conn, LEAST_SECONDS),
                await known_answers.pairs(conn),
            )


def _rate(untrusted: str) -> float | None:
    """How many in a hundred; None where it does not say."""
    found = RATE.fullmatch(untrusted)
    return float(found[1]) if found and float(found[1]) <= 100 else None  # noqa: PLR2004 - in a hundred
