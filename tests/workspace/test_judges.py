"""What others say of what we send and of what we refuse: every disagreement is counted, and every one has its reason."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.blocks import faults_in_blocks, faults_in_view
from deploy.workspace.person import Director
from deploy.workspace.web_api import METHODS
from deploy.workspace.workspace import Workspace

from .conftest import Cast, picture
from .desk import card, desk, form, home, note
from .judges.block_kit import FETCHED, HOW, models_say, payloads_in, types_say, verdicts
from .judges.limits_judge import limits_say
from .test_limits import IN_BLOCKS, IN_VIEWS, WRONG, view

FITS: dict[str, Any] = (
    {name: [make(most)] for name, (most, make) in IN_BLOCKS.items()}
    | {f"view: {name}": view(**make(most)) for name, (most, make) in IN_VIEWS.items()}
    | {"a card": card("x"), "a form": form(), "a note": note("a", 1), "a Home tab": home("U1")}
)
UNFIT: dict[str, Any] = (
    {f"too much: {name}": [make(most + 1)] for name, (most, make) in IN_BLOCKS.items()}
    | {f"view: {name}": view(**make(most + 1)) for name, (most, make) in IN_VIEWS.items()}
    | {f"wrong: {name}": [block] for name, block in WRONG.items()}
)
LAX = {
    "the SDK's models and slackblocks do not hold an input's own numbers against each other": (
        "too much: what was typed before",
        "too much: chosen at most",
    ),
    "types know no lengths, no either-or and no names used twice; models and slackblocks look at one object at a time": (
        "wrong: no elements",
        "wrong: an address that is none",
        "wrong: a choice that is not offered",
        "wrong: the same action twice",
        "wrong: a file input in a message",
    ),
}
"""Where Slack's documentation is stricter than all judges, and we go by the documentation."""

REFERENCE: dict[str, tuple[int, str, str]] = {
    "api.test": (4, "", ""),
    "apps.connections.open": (3, "", ""),
    "auth.test": (5, "", ""),
    "bots.info": (3, "users:read", ""),
    "chat.delete": (3, "chat:write", "channel ts"),
    "chat.getPermalink": (5, "", "channel message_ts"),
    "chat.postEphemeral": (4, "chat:write", "channel user"),
    "chat.postMessage": (5, "chat:write", "channel"),
    "chat.update": (3, "chat:write", "channel ts"),
    "conversations.history": (3, "channels:history groups:history im:history mpim:history", "channel"),
    "conversations.info": (3, "channels:read groups:read im:read mpim:read", "channel"),
    "conversations.invite": (
        3,
        "channels:manage channels:write.invites groups:write groups:write.invites im:write mpim:write",
        "channel users",
    ),
    "conversations.join": (3, "channels:join", "channel"),
    "conversations.kick": (3, "channels:manage groups:write", "channel"),
    "conversations.leave": (3, "channels:manage channels:write groups:write im:write mpim:write", "channel"),
    "conversations.list": (2, "channels:read groups:read im:read mpim:read", ""),
    "conversations.members": (4, "channels:read groups:read im:read mpim:read", "channel"),
    "conversations.open": (3, "channels:manage groups:write im:write mpim:write", ""),
    "conversations.replies": (3, "channels:history groups:history im:history mpim:history", "channel ts"),
    "files.completeUploadExternal": (4, "files:write", "files"),
    "files.delete": (3, "files:write", "file"),
    "files.getUploadURLExternal": (4, "files:write", "filename length"),
    "files.info": (4, "files:read", "file"),
    "pins.add": (2, "pins:write", "channel"),
    "pins.remove": (2, "pins:write", "channel"),
    "reactions.add": (3, "reactions:write", "channel name timestamp"),
    "reactions.get": (3, "reactions:read", ""),
    "reactions.remove": (2, "reactions:write", "name"),
    "team.info": (3, "team:read", ""),
    "usergroups.list": (2, "usergroups:read", ""),
    "usergroups.users.list": (2, "usergroups:read", "usergroup"),
    "users.conversations": (3, "channels:read groups:read im:read mpim:read", ""),
    "users.info": (4, "users:read", "user"),
    "users.list": (2, "users:read", ""),
    "users.lookupByEmail": (3, "users:read.email", "email"),
    "views.open": (4, "", "view"),
    "views.publish": (4, "", "user_id view"),
    "views.push": (4, "", "view"),
    "views.update": (4, "", "view"),
}
"""Tier, bot scopes and required arguments, as Slack's method reference has them (slack-api-ref)."""
STRICTER_ON_ARGUMENTS = {
    "apps.connections.open": "needs an app-level token with connections:write, which the reference's bot column cannot say",
    "conversations.kick": "a user is kicked, or nobody",
    "pins.add": "files are pinned no more; only messages are",
    "pins.remove": "files are pinned no more; only messages are",
    "reactions.add": "only messages are reacted to here",
    "reactions.get": "only messages are reacted to here",
    "reactions.remove": "only messages are reacted to here",
    "views.open": "interactivity_pointer, the other way to name a trigger, is for workflow steps",
    "views.push": "interactivity_pointer, the other way to name a trigger, is for workflow steps",
}


def ours(name: str, case: Any) -> list[str]:
    if isinstance(case, dict):
        return faults_in_view(case, ("modal", "home"))
    in_modal = any(b.get("type") == "input" for b in case) and name != "wrong: a file input in a message"
    return faults_in_blocks(case, "modal" if in_modal else "message")


@pytest.mark.parametrize("name", FITS)
def test_what_we_take_slacks_own_models_and_slackblocks_take(name: str):
    assert ours(name, FITS[name]) == []
    assert models_say(FITS[name]) is None
    assert limits_say(FITS[name]) is None


@pytest.mark.skipif(not FETCHED, reason=HOW)
def test_what_we_take_slacks_own_types_take():
    assert types_say(FITS) == {}


@pytest.mark.skipif(not FETCHED, reason=HOW)
def test_whatever_a_judge_refuses_we_refuse_and_what_only_we_refuse_is_written_down_with_its_reason():
    types = types_say(UNFIT)
    refused_by_others = {name for name, case in UNFIT.items() if models_say(case) or limits_say(case) or name in types}
    assert all(ours(name, case) for name, case in UNFIT.items())
    explained = {name for names in LAX.values() for name in names}
    assert set(UNFIT) - refused_by_others == explained


async def the_desks_day(ws: Workspace, cast: Cast) -> None:
    async with desk(ws):
        dana = await cast("dana")
        photo = await dana.post_photo("#face-intake", picture(), "a.jpg")
        posted = await dana.wait_message("#face-intake", lambda m: bool(m.get("bot_id")), photo["ts"])
        await dana.click(posted, "open_form")
        view_open = await dana.wait_view()
        await dana.select(view_open, "use_chosen", "victim")
        await dana.wait_view(lambda v: v["hash"] != view_open["hash"])
        await dana.click(view_open, "deeper")
        await dana.wait_view(lambda v: v["callback_id"] == "note")
        await dana.home()
        await dana.wait_for(lambda: dana.home(announce=False))


async def test_everything_the_app_sent_is_judged_and_nobody_disagrees(ws: Workspace, cast: Cast, director: Director):
    await the_desks_day(ws, cast)
    payloads = payloads_in((await director("record"))["calls"])
    assert len(payloads) >= 5
    assert verdicts(payloads) == {}


async def test_everything_stored_is_still_block_kit_when_it_is_read_back(
    ws: Workspace, client: AsyncWebClient, cast: Cast
):
    await the_desks_day(ws, cast)
    room = ws.state.channel_named("face-intake")
    assert room
    for message in (await client.conversations_history(channel=room.id))["messages"]:
        for reply in (await client.conversations_replies(channel=room.id, ts=message["ts"]))["messages"]:
            if reply.get("bot_id"):
                assert models_say(reply["blocks"]) is None
                assert limits_say(reply["blocks"]) is None


def test_every_method_has_slacks_tier_scopes_and_arguments():
    wrong: list[str] = []
    for name, method in METHODS.items():
        tier, scopes, required = REFERENCE[name]
        if method.tier != tier:
            wrong.append(f"{name}: tier {method.tier}, not {tier}")
        if name not in STRICTER_ON_ARGUMENTS and (
            set(method.scopes) != set(scopes.split()) or set(method.required) != set(required.split())
        ):
            wrong.append(f"{name}: {method.scopes} {method.required}")
        assert set(method.required) >= set(required.split()), name
    assert wrong == []
    assert set(REFERENCE) == set(METHODS)
    assert STRICTER_ON_ARGUMENTS.keys() <= METHODS.keys()


def test_nothing_in_the_tables_is_idle():
    assert all(name in UNFIT for names in LAX.values() for name in names)
    assert isinstance(FITS["a card"], list)
