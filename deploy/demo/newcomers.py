"""A newcomer's own face in the demonstration's gallery: by the operator's own commands, on this machine alone.

The page hands the picture to the workspace, and the workspace to this door, whose address nobody else knows. What is
enrolled lies in the demonstration's folder and in its database, and is gone with them (`leadgate demo --fresh`).
"""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from deploy.demo.system import System
from matcher.images import MAX_BYTES

NAME = 60  # characters
THANKS = "You are in the gallery. Now be Dana Ruiz, and post another picture of yourself in #face-intake."
NEEDED = "A name and a picture are needed. Nothing was stored."
TROUBLE = "That did not work, and nothing was stored: {}"


@asynccontextmanager
async def door(system: System) -> AsyncGenerator[str]:
    """Takes newcomers until it is left; its address is for the workspace alone."""
    one_at_a_time = asyncio.Lock()

    async def enter(request: web.Request) -> web.Response:
        form = await request.post()
        name, file = str(form.get("name") or "").strip()[:NAME], form.get("file")
        if not name or not isinstance(file, web.FileField):
            return web.json_response({"ok": False, "message": NEEDED})
        async with one_at_a_time:
            why_not = await enrolled(system, name, file.file.read())
        return web.json_response({"ok": not why_not, "message": TROUBLE.format(why_not) if why_not else THANKS})

    app = web.Application(client_max_size=MAX_BYTES + 4096)
    path = f"/{secrets.token_urlsafe(16)}"
    app.router.add_post(path, enter)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    finally:
        await runner.cleanup()


async def enrolled(system: System, name: str, picture: bytes) -> str:
    """Why the picture could not be enrolled; empty where it was, and a second person has agreed."""
    manifest = await asyncio.to_thread(_written, system.root / "newcomers" / secrets.token_hex(8), name, picture)
    env = system.matcher_environment()
    status, said = await system.command("gallery", "enrol", str(manifest), "--by", "Demo clerk", env=env)
    if status or not re.search(r"^1 photographs enrolled", said, re.MULTILINE):
        return _last(said)
    status, said = await system.command("gallery", "approve", str(manifest), "--by", "Demo captain", env=env)
    return _last(said) if status else ""


def _written(folder: Path, name: str, picture: bytes) -> Path:
    """The picture and a manifest of one line, as an agency hands them over."""
    folder.mkdir(parents=True, mode=0o700)
    (folder / "picture.jpg").write_bytes(picture)
    row = {
        "person": f"N-{folder.name}",
        "name": name,
        "photo": "picture.jpg",
        "legal_basis": "arrest",
        "agency": "Demo PD, with the newcomer's consent",
        "arrest_id": f"none-{folder.name}",
        "photo_date": datetime.now(UTC).date().isoformat(),
    }
    manifest = folder / "newcomer.jsonl"
    manifest.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return manifest


def _last(said: str) -> str:
    """What the command said about the picture."""
    lines = [line.strip() for line in said.strip().splitlines() if line.strip()]
    refused = [line.partition("picture.jpg: ")[2] for line in lines if "picture.jpg: " in line]
    return (refused or lines or ["the gallery did not answer"])[-1]
