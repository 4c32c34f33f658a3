"""What the workspace sends has the fields of Slack's published samples (java-slack-sdk, json-logs), each of its own kind."""

from typing import Any

import pytest

from deploy.workspace.person import Director
from deploy.workspace.workspace import Workspace

from .conftest import Cast, picture
from .desk import Json, desk
from .test_delivery import until

HEAD = {"type": str, "token": str, "team": dict, "is_enterprise_install": bool, "enterprise": type(None)}
EVENT = {
    "token": str,
    "team_id": str,
    "api_app_id": str,
    "type": str,
    "event_id": str,
    "event_time": int,
    "authorizations": list,
    "is_ext_shared_channel": bool,
    "event_context": str,
    "event.type": str,
    "event.event_ts": str,
    "authorizations.0.team_id": str,
    "authorizations.0.user_id": str,
    "authorizations.0.is_bot": bool,
}
MESSAGE = {"event.user": str, "event.ts": str, "event.text": str, "event.channel": str, "event.channel_type": str}
VIEW = {
    f"view.{k}": v
    for k, v in {
        "id": str,
        "team_id": str,
        "type": str,
        "blocks": list,
        "private_metadata": str,
        "callback_id": str,
        "state": dict,
        "hash": str,
        "title": dict,
        "clear_on_close": bool,
        "notify_on_close": bool,
        "close": dict,
        "submit": dict,
        "previous_view_id": type(None),
        "root_view_id": str,
        "app_id": str,
        "external_id": str,
        "app_installed_team_id": str,
        "bot_id": str,
    }.items()
}
PERSON = {"user.id": str, "user.name": str, "user.team_id": str}
IN_MESSAGE = {"channel.id": str, "channel.name": str, "message.ts": str, "response_url": str, "trigger_id": str}
SHAPES: dict[str, dict[str, Any]] = {
    "block_actions": HEAD
    | PERSON
    | IN_MESSAGE
    | {
        "user.username": str,
        "api_app_id": str,
        "container.type": str,
        "container.message_ts": str,
        "container.channel_id": str,
        "container.is_ephemeral": bool,
        "container.thread_ts": str,
        "message.bot_id": str,
        "message.blocks": list,
        "state.values": dict,
        "actions.0.action_id": str,
        "actions.0.block_id": str,
        "actions.0.type": str,
        "actions.0.action_ts": str,
        "actions.0.text.emoji": bool,
    },
    "message_action": HEAD | PERSON | IN_MESSAGE | {"callback_id": str, "action_ts": str, "message_ts": str},
    "shortcut": HEAD | PERSON | {"callback_id": str, "action_ts": str, "trigger_id": str},
    "view_submission": HEAD | PERSON | VIEW | {"trigger_id": str, "response_urls": list, "api_app_id": str},
    "view_closed": HEAD | PERSON | VIEW | {"is_cleared": bool, "api_app_id": str},
    "block_suggestion": HEAD
    | PERSON
    | VIEW
    | {"action_id": str, "block_id": str, "value": str, "container.view_id": str},
    "/face-usage": dict.fromkeys(
        [
            "token",
            "team_id",
            "team_domain",
            "channel_id",
            "channel_name",
            "user_id",
            "user_name",
            "command",
            "text",
            "api_app_id",
            "response_url",
            "trigger_id",
            "is_enterprise_install",
        ],
        str,
    ),
    "message": EVENT | MESSAGE | {"event.client_msg_id": str, "event.blocks": list, "event.team": str},
    "message/file_share": EVENT
    | MESSAGE
    | {
        "event.subtype": str,
        "event.upload": bool,
        "event.display_as_bot": bool,
        **{
            f"event.files.0.{k}": v
            for k, v in {
                "id": str,
                "created": int,
                "timestamp": int,
                "name": str,
                "title": str,
                "mimetype": str,
                "filetype": str,
                "pretty_type": str,
                "user": str,
                "user_team": str,
                "editable": bool,
                "size": int,
                "mode": str,
                "is_external": bool,
                "external_type": str,
                "is_public": bool,
                "public_url_shared": bool,
                "display_as_bot": bool,
                "username": str,
                "url_private": str,
                "url_private_download": str,
                "media_display_type": str,
                "thumb_64": str,
                "thumb_360": str,
                "thumb_360_w": int,
                "thumb_360_h": int,
                "original_w": int,
                "original_h": int,
                "permalink": str,
                "permalink_public": str,
                "is_starred": bool,
                "has_rich_preview": bool,
                "file_access": str,
            }.items()
        },
    },
    "message/message_changed": EVENT
    | {
        "event.subtype": str,
        "event.message.edited.user": str,
        "event.message.edited.ts": str,
        "event.previous_message.text": str,
        "event.channel": str,
        "event.hidden": bool,
        "event.ts": str,
        "event.channel_type": str,
    },
    "message/message_deleted": EVENT
    | {"event.deleted_ts": str, "event.previous_message.ts": str, "event.hidden": bool, "event.channel": str},
    "file_shared": EVENT | {"event.channel_id": str, "event.file_id": str, "event.user_id": str, "event.file.id": str},
    "file_deleted": EVENT | {"event.file_id": str, "event.channel_ids": list},
    "member_joined_channel": EVENT
    | {"event.user": str, "event.channel": str, "event.channel_type": str, "event.team": str, "event.inviter": str},
    "member_left_channel": EVENT | {"event.user": str, "event.channel": str, "event.channel_type": str},
    "app_home_opened": EVENT | {"event.user": str, "event.channel": str, "event.tab": str},
    "user_change": EVENT | {"event.user.id": str, "event.user.deleted": bool, "event.cache_ts": int},
    "subteam_members_changed": EVENT
    | {
        "event.subteam_id": str,
        "event.team_id": str,
        "event.date_previous_update": int,
        "event.date_update": int,
        "event.added_users": list,
        "event.added_users_count": int,
        "event.removed_users": list,
        "event.removed_users_count": int,
    },
    "subteam_updated": EVENT | {"event.subteam.id": str, "event.subteam.users": list, "event.subteam.handle": str},
    "group_archive": EVENT | {"event.channel": str, "event.user": str, "event.is_moved": int},
}


def at(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body[int(step)] if step.isdigit() else body[step]
    return body


async def a_day(ws: Workspace, cast: Cast, director: Director) -> dict[str, Json]:
    """Everything once; the payloads by what they are about."""
    async with desk(ws):
        dana, mara = await cast("dana"), await cast("mara")
        photo = await dana.post_photo("#face-intake", picture(), "a.jpg", "From camera 2")
        card = await dana.wait_message("#face-intake", lambda m: bool(m.get("bot_id")), photo["ts"])
        said = await dana.post_message("#face-intake", "hello")
        await dana.delete_message(await dana.edit_message(said, "hello again"))
        await dana.click(card, "open_form")
        view = await dana.wait_view()
        await dana.suggestions(view, "x", "120")
        filled = {"case": "2026-1", "use": "suspect", "basis": "because of this", "tier": "normal", "sworn": ["yes"]}
        await dana.submit(filled)
        for where in (photo, None):
            await dana.shortcut("request_search" if where else "new_search", where)
            await dana.wait_view()
            await dana.close_view()
        await dana.command("#face-intake", "/face-usage", "today")
        await dana.home()
        await mara.invite("#face-intake", "eva")
        await director("channel", channel="face-intake", remove=["eva"])
        await director("group", handle="face-examiners", add=["sam"])
        await director("person", person="sam", title="Sergeant")
        await director("channel", channel="face-oversight", archived=True)
        await dana.delete_file(photo["files"][0]["id"])
        await until(lambda: any(e.about == "file_deleted" for e in ws.delivery.sent))
    found: dict[str, Json] = {}
    for envelope in ws.delivery.sent:
        event = envelope.payload.get("event", {})
        if not event.get("bot_id"):
            found.setdefault(
                "/".join([envelope.about, *([event["subtype"]] if "subtype" in event else [])]), envelope.payload
            )
    return found


async def test_every_payload_has_the_fields_of_slacks_own_sample(ws: Workspace, cast: Cast, director: Director):
    sent = await a_day(ws, cast, director)
    assert SHAPES.keys() <= sent.keys()
    wrong: list[str] = []
    for about, shape in SHAPES.items():
        for path, kind in shape.items():
            try:
                value = at(sent[about], path)
            except (KeyError, IndexError, TypeError):
                wrong.append(f"{about}: {path} is missing")
                continue
            if not isinstance(value, kind):
                wrong.append(f"{about}: {path} is {value!r}")
    assert wrong == []


async def test_the_bot_hears_only_what_it_subscribed_to_in_channels_it_is_in(ws: Workspace, cast: Cast):
    async with desk(ws):
        await (await cast("ada")).post_message("#closed-room", "secret")
        await (await cast("dana")).post_message("#squad-room", "chatter")
        message = await (await cast("dana")).post_message("#face-intake", "hello")
        await (await cast("dana")).react(message, "eyes")
    assert [(e.about, e.payload["event"]["text"]) for e in ws.delivery.sent] == [("message", "hello")]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("a < b & c", "a &lt; b &amp; c"), ("<!channel>", "&lt;!channel&gt;"), ("cc <@U0ABC>", "cc <@U0ABC>")],
)
async def test_what_a_person_types_is_escaped_and_only_their_mentions_are_marks(
    ws: Workspace, cast: Cast, typed, stored
):
    assert (await (await cast("dana")).post_message("#face-intake", typed))["text"] == stored


async def test_one_upload_is_told_twice_as_a_message_and_as_a_shared_file(ws: Workspace, cast: Cast):
    message = await (await cast("dana")).post_photo("#face-intake", picture(), "a.jpg")
    told = [(e.about, e.payload["event"].get("subtype")) for e in ws.delivery.sent]
    assert told == [("message", "file_share"), ("file_shared", None)]
    assert ws.delivery.sent[1].payload["event"]["file_id"] == message["files"][0]["id"]
