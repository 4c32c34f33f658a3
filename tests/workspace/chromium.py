"""A real Chromium, driven over its DevTools protocol: tabs, clicks, keys, files, screenshots, and what it complained about."""

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
PATIENCE = 60.0  # seconds; a condition is waited for, so that only a slow machine ever takes this long
DESKTOP, PHONE = (1440, 900), (390, 844)


class PageError(Exception):
    """The page threw, or what was waited for never came."""


class Tab:
    """One tab, with its own session storage: one person."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str, calls: "Calls") -> None:
        self._socket, self._session, self._calls = socket, session, calls
        self.complaints: list[str] = []

    async def say(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._calls.ask(self._socket, self._session, method, params)

    def heard(self, method: str, params: dict[str, Any]) -> None:
        """Errors, warnings about the page's policy, and requests that failed."""
        match method:
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"].get("exception", {}).get("description")))
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "assert"}:
                self.complaints.append(" ".join(str(a.get("value")) for a in params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            case _:
                return

    async def size(self, wide: int, high: int, *, dark: bool = False) -> None:
        phone = wide < 600
        await self.say("Emulation.setDeviceMetricsOverride", width=wide, height=high, deviceScaleFactor=2, mobile=phone)
        await self.say("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.say("Emulation.setEmulatedMedia", features=scheme)

    async def go(self, address: str) -> None:
        await self.say("Page.navigate", url="about:blank")
        await self.say("Page.navigate", url=address)

    async def run(self, script: str) -> Any:
        """The value of an expression; promises are awaited."""
        said = await self.say("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise PageError(said["exceptionDetails"].get("exception", {}).get("description") or str(said))
        return said["result"].get("value")

    async def wait(self, script: str, seconds: float = PATIENCE) -> Any:
        """Until the expression is true."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            with contextlib.suppress(PageError):
                if found := await self.run(script):
                    return found
            if asyncio.get_running_loop().time() > until:
                raise PageError(f"waited {seconds:g} s for {script}; complaints: {self.complaints}")
            await asyncio.sleep(0.05)

    async def sees(self, text: str, seconds: float = PATIENCE) -> None:
        await self.wait(f"document.body.innerText.includes({json.dumps(text)})", seconds)

    async def click(self, selector: str, text: str = "") -> None:
        """A real click in the middle of the first match whose text contains `text`."""
        await self.front()
        spot = await self.wait(
            f"(() => {{ const n = [...document.querySelectorAll({json.dumps(selector)})]"
            f".find(n => n.innerText.includes({json.dumps(text)}) && n.getClientRects().length);"
            " if (!n) return null; n.scrollIntoView({block: 'center'}); const r = n.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.say("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)

    async def write(self, selector: str, text: str) -> None:
        await self.wait(f"!!document.querySelector({json.dumps(selector)})")
        await self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.say("Input.insertText", text=text)

    async def choose(self, selector: str, value: str) -> None:
        """An option of a menu, by its value."""
        given = json.dumps(selector), json.dumps(value)
        await self.wait(
            f"(() => {{ const n = document.querySelector({given[0]}); if (!n) return false; n.value = {given[1]};"
            f" n.dispatchEvent(new Event('change', {{bubbles: true}})); return n.value === {given[1]}; }})()"
        )

    async def press(self, key: str, code: int) -> None:
        text = "\r" if key == "Enter" else ""
        for kind in ("keyDown", "keyUp"):
            down = {"text": text} if text and kind == "keyDown" else {}
            await self.say("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **down)

    async def choose_file(self, selector: str, path: Path) -> None:
        await self.wait(f"!!document.querySelector({json.dumps(selector)})")
        found = await self.say("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        await self.say("DOM.setFileInputFiles", files=[str(path)], objectId=found["result"]["objectId"])

    async def front(self) -> None:
        """This tab is the one that is drawn: Chromium does not draw those behind it."""
        await self.say("Page.bringToFront")

    async def still(self) -> None:
        """What moves has come to rest, every picture is there, and two frames have been drawn since."""
        await self.front()
        await self.wait(
            "document.getAnimations().every(a => a.playState !== 'running' || a.effect?.getTiming().iterations === Infinity)"
            " && [...document.images].every(i => i.complete || i.loading === 'lazy')"
        )
        await self.run("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))")

    async def picture(self, path: Path) -> None:
        await self.front()
        shot = await self.say("Page.captureScreenshot", format="png")
        await asyncio.to_thread(_keep, path, base64.b64decode(shot["data"]))


class Calls:
    """Questions on their way, by number."""

    def __init__(self) -> None:
        self._number = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.tabs: dict[str, Tab] = {}

    async def ask(
        self, socket: aiohttp.ClientWebSocketResponse, session: str, method: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        number = next(self._number)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        head = {"sessionId": session} if session else {}
        await socket.send_json({"id": number, "method": method, "params": params, **head})
        async with asyncio.timeout(30):
            return await answer

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            body = json.loads(message.data)
            if answer := self._waiting.pop(body.get("id", 0), None):
                if "error" in body:
                    answer.set_exception(PageError(str(body["error"])))
                else:
                    answer.set_result(body["result"])
            elif tab := self.tabs.get(body.get("sessionId", "")):
                tab.heard(body["method"], body.get("params", {}))


class Browser:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, calls: Calls, profile: Path) -> None:
        self._socket, self._calls = socket, calls
        self.profile = profile  # where it keeps what it keeps

    async def tab(self, address: str = "about:blank", size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Tab:
        target = await self._calls.ask(self._socket, "", "Target.createTarget", {"url": "about:blank"})
        named = {"targetId": target["targetId"], "flatten": True}
        session = (await self._calls.ask(self._socket, "", "Target.attachToTarget", named))["sessionId"]
        tab = self._calls.tabs[session] = Tab(self._socket, session, self._calls)
        for domain in ("Page", "Runtime", "Log", "DOM"):
            await tab.say(f"{domain}.enable")
        await tab.size(*size, dark=dark)
        await tab.go(address)
        return tab


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A fresh browser with an empty profile, gone with the block."""
    assert BROWSER
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            BROWSER,
            *FLAGS,
            f"--user-data-dir={profile}",
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert process.stderr
        try:
            async with asyncio.timeout(30):
                while b"DevTools listening on " not in (line := await process.stderr.readline()):
                    assert line, "Chromium ended before it listened"
            address = line.decode().split("listening on ")[1].strip()
            drain = asyncio.create_task(_drain(process.stderr))
            async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
                calls = Calls()
                ears = asyncio.create_task(calls.listen(socket))
                yield Browser(socket, calls, Path(profile))
                ears.cancel()
            drain.cancel()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
