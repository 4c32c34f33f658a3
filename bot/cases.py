"""The department's case system, asked whether a case number exists: optional, over HTTP.

Contract: `GET {LEADGATE_CASE_URL}/{case number}` with `Authorization: Bearer {LEADGATE_CASE_SECRET}` answers 200 with
`{"exists": true, "open": true}` (further keys are ignored), or 404. Anything else, or no answer within a second, is
"offline": the request goes on, and the record says that the number was not checked. A real number proves nothing by
itself (Evansville 2024): it is one fact among those a supervisor and an auditor see.
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from policy.model import Refused

WITHIN = 1.0  # seconds: the form has to be acknowledged within three


class Found(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    OFFLINE = "offline"
    NOT_ASKED = "not-asked"


class Answer(BaseModel):
    """What the case system says."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    exists: bool
    open: bool = True


NO_SUCH_CASE = Refused("case-exists", "The case system knows no case of this number. Nothing was searched.")


@dataclass(frozen=True, slots=True)
class Cases:
    """Asks the case system; without an address nothing is asked."""

    session: aiohttp.ClientSession
    url: str
    secret: str

    async def find(self, number: str) -> Found:
        """What the case system says of the number. Never raises: a case system that is away stops nobody's work."""
        if not self.url:
            return Found.NOT_ASKED
        address = f"{self.url.rstrip('/')}/{quote(number, safe='')}"
        timeout = aiohttp.ClientTimeout(total=WITHIN)
        headers = {"Authorization": f"Bearer {self.secret}"}
        try:
            async with self.session.get(address, headers=headers, timeout=timeout, allow_redirects=False) as response:
                return _read(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return Found.OFFLINE


def _read(status: int, untrusted: bytes) -> Found:
    if status == 404:  # noqa: PLR2004 - not found
        return Found.UNKNOWN
    try:
        answer = Answer.model_validate_json(untrusted)
    except ValidationError:
        return Found.OFFLINE
    if status != 200:  # noqa: PLR2004 - OK
        return Found.OFFLINE
    if not answer.exists:
        return Found.UNKNOWN
    return Found.OPEN if answer.open else Found.CLOSED
