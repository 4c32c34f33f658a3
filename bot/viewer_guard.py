"""Whatever happens at the viewer's doors, an answer goes out that says so, may not be stored and is framed nowhere."""

from collections.abc import Awaitable, Callable

import aiohttp
import structlog
from aiohttp import web
from slack_sdk.errors import SlackApiError

from bot import pages
from bot.database import AWAY
from bot.matching import MatcherAwayError, MatcherRefusedError
from bot.people import StandingUnknownError

log = structlog.get_logger()

AWAY_NOW = "This could not be recorded just now, so nothing is shown. Try again in a minute."
NO_PHOTOGRAPH = "This photograph may no longer be shown, or is not part of this examination."
FAULT = (
    "Something went wrong here, and nothing more is shown. What was kept before is safe. Try again; if it stays so, "
    "tell your administrator: it is in the log."
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ClosedError(Exception):
    """The viewer shows nothing, for a reason that the person is told."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer carries the headers, errors of our own too; whatever is away, nothing is shown."""
    try:
        answer = await handler(request)
    except ClosedError as closed:
        answer = refusal(request, closed.reason, closed.status)
    except MatcherRefusedError:
        answer = refusal(request, NO_PHOTOGRAPH, 404)
    except (
        *AWAY,
        MatcherAwayError,
        StandingUnknownError,
        SlackApiError,
        aiohttp.ClientError,
        ConnectionError,
        TimeoutError,
    ) as error:
        log.warning("viewer.away", error=type(error).__name__)
        answer = refusal(request, AWAY_NOW, 503)
    except web.HTTPException as error:
        answer = refusal(request, f"There is nothing here ({error.reason}).", error.status)
    except Exception as error:
        log.exception("viewer.fault", error=type(error).__name__)  # the last resort: no answer is without the headers
        answer = refusal(request, FAULT, 500)
    answer.headers.update(pages.HEADERS)
    return answer


def refusal(request: web.Request, reason: str, status: int) -> web.Response:
    """A page for a person's browser; the reason alone for the page's own requests."""
    if "text/html" in request.headers.get("Accept", ""):
        return pages.telling(reason, status)
    return web.json_response({"reason": reason}, status=status)
