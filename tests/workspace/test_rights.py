"""Who may do what: tokens, scopes, membership. What is private does not exist for those outside."""

import re
from dataclasses import replace

import aiohttp
import pytest
import yaml
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.configuration import DEFAULT_MANIFEST, ManifestError, parse_manifest, read_manifest
from deploy.workspace.person import Director, RefusedError
from deploy.workspace.web_api import METHODS
from deploy.workspace.workspace import Workspace

from .conftest import Cast, picture, room
from .judges.block_kit import FETCHED, HOW, manifest_types_say

WITH_SCOPES = sorted(m.name for m in METHODS.values() if m.scopes and m.caller == "bot")


@pytest.mark.parametrize("name", WITH_SCOPES)
async def test_a_method_without_its_scope_names_what_is_needed_and_what_is_there(
    ws: Workspace, client: AsyncWebClient, name: str
):
    bot = ws.tokens[ws.credentials.bot_token]
    ws.tokens[bot.value] = replace(bot, scopes=frozenset({"team:none"}))
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(name)
    assert refused.value.response["error"] == "missing_scope"
    assert set(METHODS[name].scopes) == set(refused.value.response["needed"].split(","))
    assert refused.value.response["provided"] == "team:none"


async def test_reading_a_private_channel_needs_the_scope_for_private_channels(ws: Workspace, client: AsyncWebClient):
    bot = ws.tokens[ws.credentials.bot_token]
    ws.tokens[bot.value] = replace(bot, scopes=frozenset({"channels:history", "channels:read"}))
    for method in (client.conversations_history, client.conversations_members, client.conversations_info):
        with pytest.raises(SlackApiError, match="missing_scope"):
            await method(channel=room(ws, "face-intake"))


@pytest.mark.parametrize(
    ("token", "code"), [("", "not_authed"), ("xoxb-nobody", "invalid_auth"), ("app", "not_allowed_token_type")]
)
async def test_a_token_is_known_and_of_the_right_kind(ws: Workspace, token: str, code: str):
    value = ws.credentials.app_token if token == "app" else token
    with pytest.raises(SlackApiError, match=code):
        await AsyncWebClient(token=value, base_url=f"{ws.base}/api/").users_list()


async def test_a_method_nobody_wrote_is_unknown(client: AsyncWebClient):
    with pytest.raises(SlackApiError, match="unknown_method"):
        await client.api_call("admin.users.list")


@pytest.mark.parametrize("how", ["query", "form", "json"])
async def test_arguments_arrive_in_the_query_in_a_form_or_as_json(ws: Workspace, how: str):
    given = {"channel": room(ws, "face-intake"), "text": "hello"}
    head = {"Authorization": f"Bearer {ws.credentials.bot_token}"}
    async with aiohttp.ClientSession(headers=head) as http:
        body = {"query": {"params": given}, "form": {"data": given}, "json": {"json": given}}[how]
        async with http.post(f"{ws.base}/api/chat.postMessage", **body) as answer:
            said = await answer.json()
    assert said["ok"]
    assert said["message"]["text"] == "hello"


async def test_a_private_channel_does_not_exist_for_a_bot_outside_it(ws: Workspace, client: AsyncWebClient):
    where = room(ws, "closed-room")
    for ask in (
        client.conversations_info(channel=where),
        client.conversations_history(channel=where),
        client.conversations_members(channel=where),
        client.chat_postMessage(channel=where, text="t"),
    ):
        with pytest.raises(SlackApiError, match="channel_not_found"):
            await ask
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert "closed-room" not in {c["name"] for c in listed["channels"]}


async def test_a_public_channel_is_seen_but_not_posted_to_from_outside(ws: Workspace, client: AsyncWebClient):
    where = room(ws, "squad-room")
    assert (await client.conversations_info(channel=where))["channel"]["is_member"] is False
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel=where, text="t")
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.conversations_history(channel=where)


async def test_an_archived_channel_takes_no_post(ws: Workspace, client: AsyncWebClient, director: Director):
    await director("channel", channel="face-oversight", archived=True)
    with pytest.raises(SlackApiError, match="is_archived"):
        await client.chat_postMessage(channel=room(ws, "face-oversight"), text="t")


async def test_people_see_the_channels_they_are_in_and_no_others(cast: Cast):
    seen = {name: {c["name"] for c in await (await cast(name)).channels()} for name in ("dana", "eva", "mara")}
    assert "face-review" not in seen["dana"]
    assert "face-intake" not in seen["eva"]
    assert {"face-intake", "face-review", "face-oversight"} <= seen["mara"]


async def test_somebody_outside_can_neither_read_nor_click_nor_fetch_the_photograph(ws: Workspace, cast: Cast, client):
    dana, eva = await cast("dana"), await cast("eva")
    photo = await dana.post_photo("#face-intake", picture(), "a.jpg")
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    post = await client.chat_postMessage(channel=photo["channel"], text="t", blocks=blocks)
    for attempt in (
        eva.messages("#face-intake"),
        eva.click({"channel": photo["channel"], "ts": post["ts"]}, "go", block_id="b"),
        eva.post_message("#face-intake", "hello"),
        eva.image(photo["files"][0]["id"]),
        eva.shortcut("request_search", photo),
    ):
        with pytest.raises(RefusedError) as refused:
            await attempt
        assert refused.value.code in {"not_in_channel", "channel_not_found", "file_not_found"}


async def test_after_leaving_a_button_that_is_still_on_the_screen_does_nothing(ws: Workspace, cast: Cast, client):
    mara, eva = await cast("mara"), await cast("eva")
    await mara.invite("#face-intake", "eva")
    await eva.post_message("#face-intake", "hello")
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    await client.chat_postMessage(
        channel=room(ws, "face-intake"), text="t", blocks=[{"type": "actions", "elements": [button]}]
    )
    seen = (await eva.messages("#face-intake"))[-1]
    await eva.leave("#face-intake")
    with pytest.raises(RefusedError, match="channel_not_found"):
        await eva.click(seen, "go")


async def test_an_ephemeral_message_is_its_persons_alone_and_in_no_history(ws: Workspace, cast: Cast, client):
    dana, sam = await cast("dana"), await cast("sam")
    where = room(ws, "face-intake")
    await client.chat_postEphemeral(channel=where, user=dana.id, text="for you")
    assert [m["text"] for m in await dana.ephemerals(where)] == ["for you"]
    assert await sam.ephemerals(where) == []
    assert (await client.conversations_history(channel=where))["messages"] == []
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await client.chat_postEphemeral(channel=where, user=ws.state.user_id("eva.lind"), text="t")


async def test_a_deactivated_person_cannot_enter_be_written_to_or_be_invited(ws: Workspace, client, cast: Cast):
    gone = ws.state.user_id("lee.left")
    with pytest.raises(RefusedError, match="account_inactive"):
        await cast("lee")
    with pytest.raises(SlackApiError, match="user_disabled"):
        await client.conversations_open(users=gone)
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.chat_postMessage(channel=gone, text="t")
    assert (await client.users_info(user=gone))["user"]["deleted"] is True


async def test_somebody_deactivated_in_the_middle_is_out_at_once(cast: Cast, director: Director):
    sam = await cast("sam")
    await director("person", person="sam", deleted=True)
    with pytest.raises(RefusedError, match="account_inactive"):
        await sam.post_message("#face-intake", "still here")


async def test_a_guest_is_marked_as_one_and_finds_no_channel_to_join(ws: Workspace, client, cast: Cast):
    gus = await cast("gus")
    user = (await client.users_info(user=gus.id))["user"]
    assert (user["is_restricted"], user["is_ultra_restricted"]) == (True, True)
    with pytest.raises(RefusedError, match="channel_not_found"):
        await gus.join("#squad-room")


async def test_mail_addresses_need_their_own_scope(ws: Workspace, client: AsyncWebClient):
    user = (await client.users_info(user=ws.state.user_id("dana.ruiz")))["user"]
    assert "email" not in user["profile"]


async def test_roles_are_read_from_user_groups(ws: Workspace, client: AsyncWebClient):
    groups = {g["handle"]: g["id"] for g in (await client.usergroups_list())["usergroups"]}
    examiners = (await client.usergroups_users_list(usergroup=groups["face-examiners"]))["users"]
    assert ws.state.user_id("eva.lind") in examiners
    assert ws.state.user_id("dana.ruiz") not in examiners


async def test_a_page_elsewhere_cannot_reach_the_workspace_by_another_name(ws: Workspace):
    async with aiohttp.ClientSession() as http:
        for headers in ({"Host": "workspace.example"}, {"Origin": "https://evil.example"}):
            async with http.get(f"{ws.base}/_ui/people", headers=headers) as answer:
                assert answer.status == 403


async def test_without_being_asked_for_there_is_no_control_door(people):
    from deploy.workspace.configuration import WorkspaceConfig
    from deploy.workspace.server import running

    async with running(WorkspaceConfig(read_manifest(), people)) as plain, aiohttp.ClientSession() as http:
        assert (await http.post(f"{plain.base}/_control/clock", json={})).status == 404


def test_the_manifest_asks_for_no_scope_that_the_workspace_does_not_know():
    known = {s for m in METHODS.values() for s in m.scopes} | {"commands"}
    assert read_manifest().scopes <= known


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("      - files:read #", "      - team:read #"), "files:read"),
        (("      - commands #", "      - team:read #"), "commands"),
    ],
)
def test_a_manifest_that_subscribes_beyond_its_scopes_is_refused(change, word):
    with pytest.raises(ManifestError, match=word):
        parse_manifest(DEFAULT_MANIFEST.read_text().replace(*change))


@pytest.mark.skipif(not FETCHED, reason=HOW)
def test_slacks_own_types_of_a_manifest_take_ours_and_refuse_what_is_none():
    ours = yaml.safe_load(DEFAULT_MANIFEST.read_text("utf-8"))
    assert manifest_types_say(ours) is None
    assert "messsage" in (
        manifest_types_say(ours | {"features": {"shortcuts": [SHORTCUT | {"type": "messsage"}]}}) or ""
    )


SHORTCUT = {"name": "Ask", "type": "message", "callback_id": "ask", "description": "Asks."}
BEYOND = {
    "display_information.name": {"display_information": {"name": "x" * 36}},
    "display_information.description": {"display_information": {"name": "x", "description": "x" * 141}},
    "display_information.background_color": {"display_information": {"name": "x", "background_color": "blue"}},
    "features.bot_user.display_name": {"features": {"bot_user": {"display_name": "x" * 81}}},
    "features.shortcuts.0.name": {
        "features": {"bot_user": {"display_name": "x"}, "shortcuts": [SHORTCUT | {"name": "x" * 25}]}
    },
    "features.slash_commands.0.command": {
        "features": {"bot_user": {"display_name": "x"}, "slash_commands": [{"command": "ask", "description": "Asks."}]}
    },
    "oauth_config.scopes.bot": {"oauth_config": {"scopes": {"bot": []}}},
    "settings.interactivity.request_url": {
        "settings": {"interactivity": {"is_enabled": True, "request_url": "ftp://x"}}
    },
    "settings.socket_mode": {"settings": {"socket_mode": True}},
}


@pytest.mark.parametrize(("where", "part"), BEYOND.items(), ids=BEYOND)
def test_a_manifest_that_slacks_schema_refuses_is_refused_and_the_place_is_named(where, part):
    ours = yaml.safe_load(DEFAULT_MANIFEST.read_text("utf-8"))
    with pytest.raises(ManifestError, match=re.escape(where)):
        parse_manifest(yaml.safe_dump(ours | part))


async def test_the_bot_learns_which_channels_it_is_in_kind_by_kind_and_without_the_archived_ones(
    ws: Workspace, client: AsyncWebClient, director: Director
):
    async def rooms(**asked: object) -> set[str]:
        return {c["name"] for c in (await client.users_conversations(**asked))["channels"]}

    await director("channel", channel="squad-room", add=["@bot"])
    private = {"face-intake", "face-review", "face-oversight"}
    assert private <= await rooms(types="private_channel")
    assert "closed-room" not in await rooms(types="public_channel,private_channel")
    assert "squad-room" in await rooms()
    assert not private & await rooms()
    await director("channel", channel="squad-room", archived=True)
    assert "squad-room" not in await rooms(exclude_archived=True)
    with pytest.raises(SlackApiError, match="invalid_types"):
        await rooms(types="private")
    with pytest.raises(SlackApiError, match="user_not_found"):
        await rooms(user="U0NOBODY")
    bot = ws.tokens[ws.credentials.bot_token]
    ws.tokens[bot.value] = replace(bot, scopes=frozenset({"channels:read"}))
    with pytest.raises(SlackApiError, match="missing_scope"):
        await rooms(types="public_channel,private_channel")
