"""The viewer's pages as they are served: parts of a folder, and the headers that every answer carries."""

import html
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).parent / "viewer_page"
TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # no-referrer would take the Origin from our own forms, too
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def page(name: str, status: int = 200) -> web.Response:
    return web.Response(text=(PAGE / name).read_text(encoding="utf-8"), content_type="text/html", status=status)


def telling(reason: str, status: int) -> web.Response:
    text = (PAGE / "told.html").read_text(encoding="utf-8").replace("{reason}", html.escape(reason))
    return web.Response(text=text, content_type="text/html", status=status)


async def nothing(_: web.Request) -> web.Response:
    """Browsers ask for an icon; there is none."""
    return web.Response(status=204)


async def part(request: web.Request) -> web.Response:
    """A part of the page; the name is one of those that were routed."""
    path = PAGE / Path(request.path).name
    return web.Response(text=path.read_text(encoding="utf-8"), content_type=TYPES[path.suffix])
