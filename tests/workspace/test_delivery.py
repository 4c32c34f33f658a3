"""Getting to the app: three seconds to answer, three more tries, any of several sockets, and misfortune on demand."""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.person import Director, RefusedError
from deploy.workspace.rates import POST_BURST
from deploy.workspace.workspace import Workspace

from .conftest import Cast, room
from .desk import Json, build, desk


@dataclass
class Listener:
    """A bare Socket Mode client that answers only when told to."""

    ws: aiohttp.ClientWebSocketResponse
    answers: bool = True
    got: list[Json] = field(default_factory=list)

    async def listen(self) -> None:
        async for message in self.ws:
            frame = json.loads(message.data)
            self.got.append(frame)
            if self.answers and "envelope_id" in frame:
                await self.ws.send_json({"envelope_id": frame["envelope_id"]})

    def envelopes(self) -> list[Json]:
        return [f for f in self.got if "envelope_id" in f]


@contextlib.asynccontextmanager
async def listening(ws: Workspace, *, answers: bool = True) -> AsyncIterator[Listener]:
    app = AsyncWebClient(token=ws.credentials.app_token, base_url=f"{ws.base}/api/")
    address = (await app.apps_connections_open(app_token=ws.credentials.app_token))["url"]
    async with aiohttp.ClientSession() as http, http.ws_connect(address) as socket:
        listener = Listener(socket, answers)
        task = asyncio.create_task(listener.listen())
        await until(lambda: listener.got)
        yield listener
        task.cancel()


async def until(probe: Callable[[], Any], seconds: float = 10.0) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := probe()):
            await asyncio.sleep(0.01)
        return found


async def test_hello_says_how_many_connections_there_are(ws: Workspace):
    async with listening(ws) as one, listening(ws) as two:
        assert one.got[0]["type"] == two.got[0]["type"] == "hello"
        assert (one.got[0]["num_connections"], two.got[0]["num_connections"]) == (1, 2)


async def test_an_event_that_is_not_acknowledged_comes_again_at_once_after_a_minute_and_after_five(
    ws: Workspace, cast: Cast, director: Director
):
    ws.timings.ack = 0.05
    async with listening(ws, answers=False) as deaf:
        await (await cast("dana")).post_message("#face-intake", "hello")
        await until(lambda: len(deaf.envelopes()) == 2)
        await asyncio.sleep(0.2)
        assert len(deaf.envelopes()) == 2
        for later in (3, 4):
            await director("clock", advance=60 if later == 3 else 300)
            await until(lambda later=later: len(deaf.envelopes()) == later)
            await asyncio.sleep(0.2)
        await until(lambda: ws.delivery.undelivered)
    tries = deaf.envelopes()
    assert [t["retry_attempt"] for t in tries] == [0, 1, 2, 3]
    assert tries[1]["retry_reason"] == "timeout"
    assert len({t["payload"]["event_id"] for t in tries}) == 1
    assert len({t["envelope_id"] for t in tries}) == 4


async def test_an_event_posted_while_nobody_listens_is_redelivered(ws: Workspace, cast: Cast, director: Director):
    await (await cast("dana")).post_message("#face-intake", "hello")
    await asyncio.sleep(0.05)
    async with listening(ws) as late:
        await director("clock", advance=61)
        await until(late.envelopes)
    assert late.envelopes()[0]["retry_attempt"] == 2


async def test_each_event_goes_to_one_of_several_sockets(ws: Workspace, cast: Cast):
    async with listening(ws) as one, listening(ws) as two:
        dana = await cast("dana")
        for number in range(6):
            await dana.post_message("#face-intake", str(number))
        await until(lambda: len(one.envelopes()) + len(two.envelopes()) == 6)
        assert one.envelopes()
        assert two.envelopes()


async def test_a_websocket_address_opens_once_and_ten_at_most_stand(ws: Workspace):
    app = AsyncWebClient(token=ws.credentials.app_token, base_url=f"{ws.base}/api/")
    address = (await app.apps_connections_open(app_token=ws.credentials.app_token))["url"]
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(http.ws_connect(address))
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(address)
        await until(lambda: len(ws.sockets.open) == 1)
        for _ in range(9):
            await stack.enter_async_context(listening(ws))
        eleventh = await http.ws_connect(ws.sockets.address(ws.base))
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
        await eleventh.close()


async def test_a_socket_is_asked_to_come_again_before_it_is_closed(ws: Workspace, director: Director):
    async with listening(ws) as old:
        await director("clock", advance=ws.timings.socket_life + 1)
        await until(lambda: old.ws.closed)
    assert [f["reason"] for f in old.got if f["type"] == "disconnect"] == ["warning", "refresh_requested"]


async def test_bolt_reconnects_after_a_refresh_and_hears_the_next_event(ws: Workspace, cast: Cast, director: Director):
    heard: list[Json] = []
    async with desk(ws, heard):
        await director("sockets", do="dismiss")
        await until(lambda: ws.sockets.opened >= 2 and ws.sockets.open, 20)
        await (await cast("dana")).post_message("#face-intake", "hello")
        await until(lambda: [b for b in heard if b.get("type") == "event_callback"])


async def test_a_half_closed_socket_takes_nothing_and_a_cut_one_is_gone(ws: Workspace, cast: Cast, director: Director):
    ws.timings.ack = 0.1
    async with listening(ws) as one:
        await director("sockets", do="deafen")
        await (await cast("dana")).post_message("#face-intake", "hello")
        await asyncio.sleep(0.3)
        assert one.envelopes() == []
        await director("sockets", do="cut")
        await until(lambda: one.ws.closed and not ws.sockets.open)


async def test_a_click_that_the_app_does_not_answer_fails_for_the_person_and_is_not_repeated(ws: Workspace, cast: Cast):
    ws.timings.ack = 0.1
    async with listening(ws, answers=False) as deaf:
        with pytest.raises(RefusedError, match="operation_timed_out"):
            await (await cast("dana")).shortcut("new_search")
        await asyncio.sleep(0.3)
        assert len(deaf.envelopes()) == 1


@pytest.mark.parametrize(
    ("what", "count"), [("drop", 1), ("duplicate", 2), ("delay", 1), ("reorder", 1), ("no_ack", 2)]
)
async def test_a_misfortune_befalls_the_event_it_was_asked_for(
    ws: Workspace, cast: Cast, director: Director, what, count
):
    ws.timings.ack = 0.2
    await director("fault", plan=[{"where": "message", "what": what, "seconds": 0.2}])
    async with listening(ws) as app:
        dana = await cast("dana")
        await dana.post_message("#face-intake", "first")
        await dana.post_message("#face-intake", "second")
        await until(lambda: len(app.envelopes()) == count + 1)
        texts = [e["payload"]["event"]["text"] for e in app.envelopes()]
    assert texts.count("first") == count
    assert texts.count("second") == 1
    if what in {"delay", "reorder"}:
        assert texts == ["second", "first"]
    assert (await director("fault"))["left"] == []


API_MISFORTUNES = {
    "http_500": "status",
    "hang_up": "Server",
    "timeout": "Server",
    "done_but_no_answer": "Server",
    "error": "fatal_error",
    "ratelimited": "ratelimited",
}


@pytest.mark.parametrize("what", API_MISFORTUNES)
async def test_a_method_fails_as_it_was_asked_to_and_then_works_again(ws: Workspace, director: Director, what: str):
    plan = {"where": "chat.postMessage", "what": what, "seconds": 1, "code": "fatal_error"}
    await director("fault", plan=[plan])
    where, client = room(ws, "face-intake"), AsyncWebClient(token=ws.credentials.bot_token, base_url=f"{ws.base}/api/")
    client.retry_handlers.clear()
    with pytest.raises(Exception, match=API_MISFORTUNES[what]):
        await client.chat_postMessage(channel=where, text="t")
    stands = len((await client.conversations_history(channel=where))["messages"])
    assert stands == (1 if what == "done_but_no_answer" else 0)
    assert (await client.chat_postMessage(channel=where, text="t"))["ok"]


@pytest.mark.parametrize(
    ("method", "tier"),
    [("users.list", 20), ("conversations.info", 50), ("users.info", 100), ("conversations.members", 100)],
)
async def test_a_tier_lets_so_many_calls_through_in_a_minute(ws: Workspace, client, director: Director, method, tier):
    given = {"channel": room(ws, "face-intake"), "user": ws.state.bot_user}
    for _ in range(tier):
        assert (await client.api_call(method, params=given))["ok"]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ws.credentials.bot_token}"}) as http:
        async with http.get(f"{ws.base}/api/{method}", params=given) as answer:
            assert answer.status == 429
            assert (await answer.json())["error"] == "ratelimited"
            wait = int(answer.headers["Retry-After"])
        assert 1 <= wait <= 60
        await director("clock", advance=wait + 1)
        assert (await client.api_call(method, params=given))["ok"]


async def test_posts_to_one_channel_go_about_one_a_second_after_a_burst(ws: Workspace, client, director: Director):
    where, other = room(ws, "face-intake"), room(ws, "face-review")
    for _ in range(POST_BURST):
        await client.chat_postMessage(channel=where, text="t")
    with pytest.raises(Exception, match="ratelimited"):
        await client.chat_postMessage(channel=where, text="t")
    assert (await client.chat_postMessage(channel=other, text="t"))["ok"]
    await director("clock", advance=1.1)
    assert (await client.chat_postMessage(channel=where, text="t"))["ok"]


async def test_slacks_own_retry_handler_waits_as_long_as_it_is_told(ws: Workspace, director: Director):
    await director("fault", plan=[{"where": "chat.postMessage", "what": "ratelimited", "seconds": 1}])
    patient = AsyncWebClient(token=ws.credentials.bot_token, base_url=f"{ws.base}/api/")
    patient.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    assert (await patient.chat_postMessage(channel=room(ws, "face-intake"), text="t"))["ok"]


# -- signed HTTP -------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def over_http(ws: Workspace, heard: list[Json], headers: list[Any]) -> AsyncIterator[None]:
    """The same Bolt app, reached by signed requests."""
    client = AsyncWebClient(token=ws.credentials.bot_token, base_url=f"{ws.base}/api/")
    bolt = build(client, ws.credentials.signing_secret, heard)

    async def receive(request: web.Request) -> web.Response:
        headers.append((dict(request.headers), await request.read()))
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    app = web.Application()
    app.router.add_post("/slack/events", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ws.deliver_to(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    try:
        yield
    finally:
        await runner.cleanup()


async def test_the_same_app_works_over_signed_http(ws: Workspace, cast: Cast):
    heard: list[Json] = []
    sent: list[Any] = []
    async with over_http(ws, heard, sent):
        dana = await cast("dana")
        await dana.command("#face-intake", "/face-usage", "today")
        assert [m["text"] for m in await dana.ephemerals("#face-intake")] == ["Usage for today: 0 searches."]
        await dana.shortcut("new_search")
        await dana.wait_view()
        assert await dana.submit(
            {"case": "1999"}
            | dict.fromkeys(("use",), "suspect")
            | {"basis": "x" * 12, "tier": "normal", "sworn": ["yes"]}
        ) == {"case": "A case number starts with the year."}
        await dana.post_message("#face-intake", "hello")
        await until(lambda: [b for b in heard if b.get("type") == "event_callback"])
    head, body = sent[-1]
    base = f"v0:{head['X-Slack-Request-Timestamp']}:".encode() + body
    secret = ws.credentials.signing_secret.encode()
    assert head["X-Slack-Signature"] == "v0=" + hmac.new(secret, base, hashlib.sha256).hexdigest()
    assert "challenge" in json.loads(sent[0][1])


@pytest.mark.parametrize(("refuses_retries", "tries"), [(False, 4), (True, 1)])
async def test_over_http_a_failure_is_retried_with_number_and_reason_unless_the_app_says_no(
    ws: Workspace, cast: Cast, director: Director, refuses_retries: bool, tries: int
):
    seen: list[dict[str, str]] = []

    async def fail(request: web.Request) -> web.Response:
        body = await request.json()
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        seen.append({k: v for k, v in request.headers.items() if "Retry" in k})
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"} if refuses_retries else {})

    app = web.Application()
    app.router.add_post("/", fail)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ws.deliver_to(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    await (await cast("dana")).post_message("#face-intake", "hello")
    await until(lambda: len(seen) >= min(tries, 2))
    for later in (60, 300):
        await asyncio.sleep(0.1)
        await director("clock", advance=later)
    await asyncio.sleep(0.2)
    await runner.cleanup()
    assert len(seen) == tries
    assert seen[0] == {}
    if tries > 1:
        assert [s["X-Slack-Retry-Num"] for s in seen[1:]] == ["1", "2", "3"]
        assert {s["X-Slack-Retry-Reason"] for s in seen[1:]} == {"http_error"}


# -- response addresses ------------------------------------------------------------------------------------------


async def post_to(address: str, **body: Any) -> int:
    async with aiohttp.ClientSession() as http, http.post(address, json=body) as answer:
        return answer.status


async def test_a_response_address_takes_five_posts(ws: Workspace, cast: Cast):
    dana = await cast("dana")
    address = ws.hooks.issue(dana.id, room(ws, "face-intake"))
    assert [await post_to(address, text=str(n)) for n in range(6)] == [200] * 5 + [404]
    assert len(await dana.ephemerals("#face-intake")) == 5


async def test_a_response_address_lives_half_an_hour(ws: Workspace, cast: Cast, director: Director):
    address = ws.hooks.issue((await cast("dana")).id, room(ws, "face-intake"))
    await director("clock", advance=1790)
    assert await post_to(address, text="in time") == 200
    await director("clock", advance=20)
    assert await post_to(address, text="too late") == 404


async def test_a_response_is_for_all_only_when_it_says_so_and_is_held_to_the_limits(ws: Workspace, cast: Cast):
    dana, sam = await cast("dana"), await cast("sam")
    address = ws.hooks.issue(dana.id, room(ws, "face-intake"))
    assert await post_to(address, text="all", response_type="in_channel") == 200
    assert await post_to(address, text="one") == 200
    assert await post_to(address, blocks=[{"type": "nothing"}]) == 400
    assert [m["text"] for m in await sam.messages("#face-intake")] == ["all"]


async def test_commands_do_not_run_in_threads_and_unknown_ones_not_at_all(ws: Workspace, cast: Cast):
    dana = await cast("dana")
    with pytest.raises(RefusedError, match="dispatch_unknown_command"):
        await dana.command("#face-intake", "/nothing")
    with pytest.raises(RefusedError, match="restricted_in_thread"):
        await dana._do("command", channel="#face-intake", command="/face-usage", thread_ts="1.1")
