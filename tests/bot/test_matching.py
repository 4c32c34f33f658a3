"""What the bot takes from the matcher, and what it does not."""

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.matching import Matcher, MatcherAwayError
from matcher.contract import (
    Box,
    Certificate,
    Face,
    GalleryFacts,
    ModelFacts,
    PhotoFacts,
    Quality,
    SearchResult,
)

MEASURES = dict.fromkeys(Quality.model_fields, 1.0)
FACE = Face(index=0, box=Box(left=0, top=0, right=9, bottom=9), landmarks=((1, 1),) * 5, quality=Quality(**MEASURES))


def result(*, complete: bool) -> SearchResult:
    return SearchResult(
        photo=PhotoFacts(sha256="a" * 64, format="jpeg", width=10, height=10),
        face=FACE,
        k=20,
        classes=("arrest",),
        candidates=(),
        gallery=GalleryFacts(photos=3, people=3, root="b" * 64),
        model=ModelFacts(pack="p", sha256="c" * 64, dimension=128, licence="MIT"),
        certificate=Certificate(searched=3, error_bound=0.03, rescored=3, kth_score=-1.0, complete=complete),
    )


@pytest.fixture
async def told():
    """A matcher that says what the test has it say."""
    said: dict[str, SearchResult] = {}

    async def search(_: web.Request) -> web.Response:
        return web.Response(text=said["result"].model_dump_json(), content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/search", search)
    async with TestServer(app) as server:
        yield said, str(server.make_url(""))


async def test_a_list_that_is_not_certified_complete_is_never_gone_on_with(told):
    """Whoever is missing from it would be missed for good: the search is tried again instead (X5)."""
    said, url = told
    async with ClientSession() as session:
        matcher = Matcher(session, url, "secret")
        said["result"] = result(complete=False)
        with pytest.raises(MatcherAwayError, match="not certified complete"):
            await matcher.search(b"photo", 0, 20, ["arrest"])
        said["result"] = result(complete=True)
        assert await matcher.search(b"photo", 0, 20, ["arrest"]) == said["result"]
