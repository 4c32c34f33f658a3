"""The bot's own story in a workspace that nobody here wrote: npm local-slack, over Socket Mode and over signed HTTP.

Everything is the running system, but for the workspace. What local-slack has not, and how the story goes on without it:
- no user groups: the roster is what `leadgate people` puts there, as an operator without user groups would;
- no actions of controls inside a modal: the form is asked for step by step, as the bot does for whoever's client is
  that old; the worksheet's answers are sent, where Slack delivers by signed HTTP, by the test in Slack's place, and over
  Socket Mode, where nobody but the workspace can send, the story ends with both examiners' open worksheets;
- one stack of modals for everybody: people act one after the other.
"""

import json
import os
import shutil
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier

from bot.people import Person
from deploy.commands import people as roster
from deploy.demo import play, system
from deploy.demo.postgres import EmbeddedPostgres
from policy.model import PersonId, Role
from tests.journeys.conftest import SHARED_MEMORY, Town
from tests.workspace.judges.block_kit import HOW
from tests.workspace.strangers import BINARY, BOT, DANA, ROOM, SECRET, Screen, Stranger, free_port, stranger

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason=HOW)

EVA, NOOR, MARA = "U02EVA", "U03NOOR", "U04MARA"
REVIEW, OVERSIGHT = "C02REVIEW", "C03OVERSIGHT"
USERS = {DANA: "dana.ruiz", EVA: "eva.lind", NOOR: "noor.haddad", MARA: "mara.quinn"}
ROLES = {DANA: Role.REQUESTER, EVA: Role.EXAMINER, NOOR: Role.EXAMINER, MARA: Role.SUPERVISOR}
ROOMS = {
    ROOM: ("face-intake", (DANA, MARA)),
    REVIEW: ("face-review", (EVA, NOOR, MARA)),
    OVERSIGHT: ("face-oversight", (MARA,)),
}


@asynccontextmanager
async def elsewhere(mode: str):
    """The whole system, in the strangers' workspace: (the strangers, the town)."""
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="leadgate-elsewhere-", dir=parent))
    port, own = free_port(), free_port()
    address = f"http://127.0.0.1:{own}/slack/events" if mode == "events" else ""
    postgres = EmbeddedPostgres(root / "postgres", durable=False)
    postgres.start()
    made = system.System(root, postgres, system.Secrets.of(root), port, free_port(), free_port())
    made.credentials = {"bot_token": "xoxb-test-token", "app_token": "xapp-test-token", "signing_secret": SECRET}
    made.settings = {"LEADGATE_ROSTER_FROM_GROUPS": "false"}
    made.http_port = own if mode == "events" else 0
    made.channels = {name: room for room, (name, _) in ROOMS.items()}
    try:
        async with stranger(root, port, mode, address, USERS, ROOMS) as other:
            await system.prepare_database(made)
            await system.start_matcher(made)
            await roster.put(made.database_url("bot"), await people_of(made), datetime.now(UTC))
            await system.start_bot(made)
            yield other, Town(made)
    finally:
        await system.stop(made)
        postgres.stop("immediate")
        shutil.rmtree(root, ignore_errors=True)


async def people_of(made: system.System) -> list[Person]:
    team = (await made.slack().auth_test())["team_id"]
    until = datetime.now(UTC) + timedelta(days=365)
    return [Person(PersonId(USERS[u]), USERS[u], frozenset({role}), until, team, u) for u, role in ROLES.items()]


@pytest.mark.parametrize("mode", ["socket", "events"])
async def test_the_story_is_told_where_strangers_built_the_workspace(mode, enrolled):
    async with elsewhere(mode) as (other, town), other.screen() as screen:
        search = await requested(other, screen, enrolled)
        root = await other.wait(lambda m: play.has(m, "open_worksheet") and search in m["text"], REVIEW, 60)
        await other.click(root, "open_worksheet", DANA)
        told = await screen.view(lambda v: v.get("callback_id") != "worksheet")
        assert "may not" in json.dumps(told) or "examiner" in json.dumps(told)
        await screen.close(DANA)
        for examiner in (EVA, NOOR):
            await other.click(root, "open_worksheet", examiner)
            sheet = await screen.view(lambda v: v.get("callback_id") == "worksheet")
            shown = {label: await picture(town, file) for label, file in play.candidates(sheet)}
            mates = [label for label, data in shown.items() if any(play.same_picture(data, k) for k in enrolled.known)]
            assert len(mates) == 1
            if mode == "events":
                await answered(town, screen, examiner, list(shown), mates[0])
            await screen.close(examiner)
        if mode == "events":
            await led(other, screen, town, search)
        said = json.dumps(await other.log())
        assert "-> invalid" not in said
        assert "threw" not in said


async def requested(other: Stranger, screen: Screen, probe: play.Probe) -> str:
    await other.upload(probe.path.read_bytes())
    card = await other.wait(lambda m: play.has(m, "start_request"), ROOM, 30)
    await other.click(card, "start_request", DANA)
    form = await screen.view(lambda v: v.get("callback_id") == "request_form")
    await screen.submit(DANA, {"purpose": "suspect"})
    await screen.view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
    await screen.submit(DANA, play.REQUEST | {"purpose": "suspect", "case-number": "12"})
    assert "case-number" in screen.errors
    await screen.submit(DANA, play.REQUEST | {"purpose": "suspect"})
    assert (screen.stack, screen.errors) == ([], {})
    return json.loads(form["private_metadata"])["search"]


async def picture(town: Town, file: str) -> bytes:
    info = await town.system.slack().files_info(file=file)
    headers = {"Authorization": f"Bearer {town.system.credentials['bot_token']}"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(info["file"]["url_private_download"], headers=headers) as answer,
    ):
        return await answer.read()


async def answered(town: Town, screen: Screen, examiner: str, labels: list[str], mate: str) -> None:
    """Every candidate is answered, in Slack's place; the opinion is locked on the strangers' own page."""
    for label in labels:
        answer = "same" if label == mate else "different"
        await act(town, screen.stack[-1], examiner, f"answer_{label}", f"candidate_{label}", answer)
    sheet = await screen.view(lambda v: "Every candidate is answered" in json.dumps(v["blocks"]))
    assert sheet["callback_id"] == "worksheet"
    opinion = {"conclusion": f"possible-match {mate}", "differences": "The light falls from the side."}
    await screen.submit(examiner, opinion)
    form = await screen.view(lambda v: v.get("callback_id") == "checklist")
    await screen.submit(examiner, {b["block_id"]: "similar" for b in form["blocks"] if b["type"] == "input"})
    assert screen.errors == {}


async def act(town: Town, view: dict, user: str, action_id: str, block_id: str, value: str) -> None:
    team = (await town.system.slack().auth_test())["team_id"]
    option = {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}
    action = {"type": "static_select", "action_id": action_id, "block_id": block_id, "selected_option": option}
    payload = {
        "type": "block_actions",
        "team": {"id": team, "domain": "local"},
        "user": {"id": user, "username": USERS[user], "team_id": team},
        "api_app_id": view["app_id"],
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": "1.2.3",
        "view": view,
        "actions": [action | {"action_ts": f"{time.time():.6f}"}],
    }
    body = aiohttp.FormData({"payload": json.dumps(payload)})().decode()
    now = str(int(time.time()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": SignatureVerifier(SECRET).generate_signature(timestamp=now, body=body) or "",
    }
    door = f"http://127.0.0.1:{town.system.http_port}/slack/events"
    async with aiohttp.ClientSession() as http, http.post(door, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def led(other: Stranger, screen: Screen, town: Town, search: str) -> None:
    """The supervisor decides, the requester acknowledges and has the photograph."""
    asked = await other.wait(lambda m: search in m["text"] and play.has(m, "approve_lead"), OVERSIGHT, 60)
    await other.click(asked, "approve_lead", MARA)
    await screen.view(lambda v: v.get("callback_id") == "decide_lead")
    await screen.submit(MARA, {"reason": "Two sound examinations; differences considered and explained."})
    notice = await other.wait(lambda m: "INVESTIGATIVE LEAD ONLY" in m["text"], ROOM, 60)
    await other.click(notice, "acknowledge_lead", DANA)
    direct = (await town.system.slack().conversations_open(users=DANA))["channel"]["id"]
    await other.wait(lambda m: "INVESTIGATIVE LEAD ONLY" in m["text"] and m["user"] == BOT, direct, 60)
    assert (await town.kinds(search)).count("LeadAcknowledged") == 1
