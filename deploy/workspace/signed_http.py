"""The other way to an app: signed HTTP requests to its own address.

Sources: docs.slack.dev/authentication/verifying-requests-from-slack and /apis/events-api/using-http-request-urls.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from typing import Any
from urllib.parse import urlencode

import aiohttp

from .clock import Clock, Timings
from .configuration import Credentials
from .delivery import Ack, Envelope, NotAcknowledged

OK = range(200, 300)


class SignedHttp:
    """Delivers to `url`, once that address has proved with a challenge that it speaks for the app."""

    def __init__(self, url: str, credentials: Credentials, clock: Clock, timings: Timings) -> None:
        self.url = url
        self._credentials, self._clock, self._timings = credentials, clock, timings
        self._verified = False
        self._session: aiohttp.ClientSession | None = None

    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Ack | NotAcknowledged:
        if not self._verified and not await self._verify():
            return NotAcknowledged("connection_failed")
        body, kind = _body(envelope)
        headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        return await self._post(body, kind, headers)

    async def _verify(self) -> bool:
        challenge = secrets.token_urlsafe(30)
        question = {"token": self._credentials.verification_token, "challenge": challenge, "type": "url_verification"}
        answer = await self._post(json.dumps(question).encode(), "application/json", {})
        said = answer.payload if isinstance(answer, Ack) else None
        self._verified = said == challenge or (isinstance(said, dict) and said.get("challenge") == challenge)
        return self._verified

    async def _post(self, body: bytes, kind: str, headers: dict[str, str]) -> Ack | NotAcknowledged:
        signed = self._signature(body) | {"Content-Type": kind, "User-Agent": "Slackbot 1.0"} | headers
        self._session = self._session or aiohttp.ClientSession()
        try:
            async with (
                asyncio.timeout(self._timings.ack),
                self._session.post(self.url, data=body, headers=signed) as answer,
            ):
                text = await answer.text()
        except TimeoutError:
            return NotAcknowledged("http_timeout")
        except aiohttp.ClientError:
            return NotAcknowledged("connection_failed")
        if answer.status not in OK:
            return NotAcknowledged("no_retry" if answer.headers.get("X-Slack-No-Retry") == "1" else "http_error")
        return Ack(_answer(text))

    def _signature(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self._clock.now()))
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self._credentials.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def close(self) -> None:
        if self._session:
            await self._session.close()


def _body(envelope: Envelope) -> tuple[bytes, str]:
    match envelope.kind:
        case "events_api":
            return json.dumps(envelope.payload).encode(), "application/json"
        case "interactive":
            form = {"payload": json.dumps(envelope.payload)}
        case "slash_commands":
            form = envelope.payload
    return urlencode(form).encode(), "application/x-www-form-urlencoded"


def _answer(untrusted_text: str) -> Any:
    if not untrusted_text.strip():
        return None
    try:
        return json.loads(untrusted_text)
    except ValueError:
        return untrusted_text
