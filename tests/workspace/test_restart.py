"""A workspace that was given a folder comes back as it was: killed or stopped, nothing is lost and nobody is renamed."""

import asyncio
import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.configuration import WorkspaceConfig, read_manifest, read_people
from deploy.workspace.person import Director, Person
from deploy.workspace.server import running

from .conftest import picture, room
from .test_delivery import Listener, listening, until


async def test_everything_is_still_there_after_a_restart(tmp_path: Path):
    config = WorkspaceConfig(read_manifest(), read_people(), state=tmp_path)
    async with running(config) as ws, Person(ws.base, "dana") as dana:
        photo = await dana.post_photo("#face-intake", picture(), "a.jpg")
        client = AsyncWebClient(token=config.credentials.bot_token, base_url=f"{ws.base}/api/")
        await client.chat_postMessage(channel=photo["channel"], thread_ts=photo["ts"], text="Got it.")
        before, data = await dana.messages("#face-intake", photo["ts"]), await dana.image(photo["files"][0]["id"])
    async with running(config) as ws, Person(ws.base, "dana") as dana:
        assert [m["ts"] for m in await dana.messages("#face-intake", photo["ts"])] == [m["ts"] for m in before]
        assert await dana.image(photo["files"][0]["id"]) == data
        again = await dana.post_message("#face-intake", "later")
        assert again["ts"] > before[-1]["ts"]


async def test_what_the_app_has_not_acknowledged_comes_again_after_a_restart_when_it_is_due(tmp_path: Path):
    config = WorkspaceConfig(read_manifest(), read_people(), state=tmp_path, control=True)
    async with running(config) as ws, Person(ws.base, "dana") as dana, listening(ws, answers=False) as deaf:
        ws.timings.ack = 0.05
        await dana.post_message("#face-intake", "Is anybody there?")
        await until(lambda: heard(deaf) == [0, 1])
        await asyncio.sleep(0.2)
    async with running(config) as ws, listening(ws) as listener:
        await asyncio.sleep(0.2)
        assert heard(listener) == []
        await Director(ws.base)("clock", advance=61)
        await until(lambda: heard(listener) == [2])
        await until(lambda: not list(ws.state.shelf.load("pending")))
    async with running(config) as ws, listening(ws) as listener:
        await Director(ws.base)("clock", advance=600)
        await asyncio.sleep(0.2)
        assert heard(listener) == []


def heard(listener: Listener) -> list[int]:
    """The attempts at the message that arrived."""
    return [f["retry_attempt"] for f in listener.envelopes() if f["payload"].get("event", {}).get("type") == "message"]


async def test_names_are_the_same_on_every_machine():
    config = WorkspaceConfig(read_manifest(), read_people())
    async with running(config) as one, running(config) as two:
        assert room(one, "face-intake") == room(two, "face-intake")
        assert one.state.bot_user == two.state.bot_user
        assert len({*one.state.users, *one.state.channels}) == len(one.state.users) + len(one.state.channels)


async def start(*words: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "deploy.workspace",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


async def test_as_a_process_it_hands_its_secrets_to_a_file_of_its_owner_and_survives_a_kill(tmp_path: Path):
    secrets, said = tmp_path / "credentials.json", []
    for sign in (signal.SIGKILL, signal.SIGTERM):
        process = await start("--credentials", str(secrets), "--state", str(tmp_path / "state"))
        assert process.stdout
        async with asyncio.timeout(30):
            first = json.loads(await process.stdout.readline())
        assert "xoxb" not in json.dumps(first)
        said.append(json.loads(secrets.read_text()))
        async with Person(first["base_url"], "dana") as dana:
            if sign == signal.SIGKILL:
                await dana.post_message("#face-intake", "before the kill")
            assert [m["text"] for m in await dana.messages("#face-intake")] == ["before the kill"]
        process.send_signal(sign)
        await process.wait()
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert said[0]["bot_token"] == said[1]["bot_token"]
    assert said[0]["channels"] == said[1]["channels"]


@pytest.mark.parametrize(
    "setting",
    [{"LEADGATE_ENVIRONMENT": "production"}, {"LEADGATE_SLACK_BOT_TOKEN": "xoxb-1"}, {"SLACK_BOT_TOKEN": "xoxb-1"}],
)
async def test_it_does_not_start_where_a_real_department_is_served(setting: dict[str, str]):
    process = await start(**setting)
    _, said = await process.communicate()
    assert process.returncode == 2
    assert next(iter(setting)) in said.decode()
    assert said.count(b"\n") == 1
