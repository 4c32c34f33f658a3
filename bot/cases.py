"""The department's case system, asked whether a case number exists: optional, over HTTP (case-system.md).

A real number proves nothing by itself (Evansville 2024): it is one fact among those a supervisor and an auditor see.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.queue import Job
from policy.model import CaseKnown

WITHIN = 1.0  # seconds: the form has to be acknowledged within three
MOST = 64 * 1024  # bytes of an answer; one that is longer is none


class Answer(BaseModel):
    """What the case system says."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    exists: bool
    open: bool = True


class CaseSystemRefusesError(Exception):
    """The case system does not take the desk's secret: no number is checked until an administrator changes it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the case system answers {status}")
        self.status = status

    def alarm(self, now: datetime) -> Job:
        """The supervisors are told, once a day."""
        return Job("tell-cases-refused", now.date().isoformat(), {"status": self.status})


@dataclass(frozen=True, slots=True)
class Cases:
    """Asks the case system; without an address nothing is asked."""

    session: aiohttp.ClientSession
    url: str
    secret: str

    async def find(self, number: str) -> CaseKnown:
        """What the case system says of the number. One that is away stops nobody's work; one that does not know us
        is a CaseSystemRefusesError.
        """
        if not self.url:
            return CaseKnown.NOT_ASKED
        address = f"{self.url.rstrip('/')}/{quote(number, safe='')}"
        timeout = aiohttp.ClientTimeout(total=WITHIN)
        headers = {"Authorization": f"Bearer {self.secret}"}
        try:
            async with self.session.get(address, headers=headers, timeout=timeout, allow_redirects=False) as response:
                return _read(response.status, await _beginning(response))
        except (aiohttp.ClientError, TimeoutError):
            return CaseKnown.OFFLINE


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The answer's body, as far as it is read at all."""
    untrusted = b""
    async for part in response.content.iter_chunked(MOST):
        untrusted += part
        if len(untrusted) > MOST:
            response.close()
            return b""
    return untrusted


def _read(status: int, untrusted: bytes) -> CaseKnown:
    match status:
        case 200:
            return _said(untrusted)
        case 404:
            return CaseKnown.UNKNOWN
        case 401 | 403:
            raise CaseSystemRefusesError(status)
        case _:
            return CaseKnown.OFFLINE


def _said(untrusted: bytes) -> CaseKnown:
    try:
        answer = Answer.model_validate_json(untrusted)
    except ValidationError:
        return CaseKnown.OFFLINE
    if not answer.exists:
        return CaseKnown.UNKNOWN
    return CaseKnown.OPEN if answer.open else CaseKnown.CLOSED
