"""Each limit that Slack sets: what just fits is taken, what is one too many is refused with Slack's words and the place."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.workspace import Workspace

from .conftest import room
from .desk import field, option, plain

Json = dict[str, Any]
Make = Callable[[int], Json]


def mrkdwn(length: int) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def text(length: int) -> Json:
    return plain("x" * length)


def options(count: int) -> list[Json]:
    return [option(f"v{n}") for n in range(count)]


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain("Go"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def select(given: list[Json], **more: Any) -> Json:
    return {"type": "static_select", "options": given, **more}


def confirm(**parts: Json) -> Json:
    dialog = {"title": plain("t"), "text": plain("t"), "confirm": plain("t"), "deny": plain("t"), **parts}
    return actions(button(confirm=dialog))


def image(**more: Any) -> Json:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a", **more}


IN_BLOCKS: dict[str, tuple[int, Make]] = {
    "section text": (3000, lambda n: {"type": "section", "text": mrkdwn(n)}),
    "field text": (2000, lambda n: {"type": "section", "fields": [mrkdwn(n)]}),
    "fields": (10, lambda n: {"type": "section", "fields": [mrkdwn(1)] * n}),
    "context text": (3000, lambda n: {"type": "context", "elements": [mrkdwn(n)]}),
    "header text": (150, lambda n: {"type": "header", "text": text(n)}),
    "context elements": (10, lambda n: {"type": "context", "elements": [mrkdwn(1)] * n}),
    "actions elements": (25, lambda n: actions(*[button(action_id=f"a{i}") for i in range(n)])),
    "button text": (75, lambda n: actions({"type": "button", "text": text(n)})),
    "button value": (2000, lambda n: actions(button(value="x" * n))),
    "button url": (3000, lambda n: actions(button(url=("https://e.org/" + "x" * 3000)[:n]))),
    "button label for readers": (75, lambda n: actions(button(accessibility_label="x" * n))),
    "block id": (255, lambda n: {"type": "divider", "block_id": "x" * n}),
    "action id": (255, lambda n: actions(button(action_id="x" * n))),
    "option text": (75, lambda n: actions(select([{"text": text(n), "value": "v"}]))),
    "option value": (150, lambda n: actions(select([option("x" * n, "t")]))),
    "option description": (75, lambda n: actions(select([{**option("v"), "description": text(n)}]))),
    "select options": (100, lambda n: actions(select(options(n)))),
    "option groups": (
        100,
        lambda n: actions(
            {"type": "static_select", "option_groups": [{"label": plain("g"), "options": options(1)}] * n}
        ),
    ),
    "group label": (
        75,
        lambda n: actions({"type": "static_select", "option_groups": [{"label": text(n), "options": options(1)}]}),
    ),
    "placeholder": (150, lambda n: actions(select(options(1), placeholder=text(n)))),
    "overflow options": (5, lambda n: actions({"type": "overflow", "options": options(n)})),
    "radio options": (10, lambda n: actions({"type": "radio_buttons", "options": options(n)})),
    "checkbox options": (10, lambda n: actions({"type": "checkboxes", "options": options(n)})),
    "image alt text": (2000, lambda n: image(alt_text="x" * n)),
    "image title": (2000, lambda n: image(title=text(n))),
    "image url": (3000, lambda n: image(image_url=("https://e.org/" + "x" * 3000)[:n])),
    "confirm title": (100, lambda n: confirm(title=text(n))),
    "confirm text": (300, lambda n: confirm(text=text(n))),
    "confirm yes": (30, lambda n: confirm(confirm=text(n))),
    "confirm no": (30, lambda n: confirm(deny=text(n))),
    "input label": (2000, lambda n: field("b", "x" * n, {"type": "plain_text_input"})),
    "input hint": (2000, lambda n: field("b", "l", {"type": "plain_text_input"}, hint=text(n))),
    "what was typed before": (3000, lambda n: field("b", "l", {"type": "plain_text_input", "initial_value": "x" * n})),
    "longest answer": (3000, lambda n: field("b", "l", {"type": "plain_text_input", "max_length": n})),
    "chosen at most": (
        100,
        lambda n: field("b", "l", {"type": "multi_static_select", "options": options(1), "max_selected_items": n}),
    ),
}
IN_VIEWS: dict[str, tuple[int, Make]] = {
    "blocks": (100, lambda n: {"blocks": [{"type": "divider"}] * n}),
    "title": (24, lambda n: {"title": text(n)}),
    "submit": (24, lambda n: {"submit": text(n)}),
    "close": (24, lambda n: {"close": text(n)}),
    "private metadata": (3000, lambda n: {"private_metadata": "x" * n}),
    "callback id": (255, lambda n: {"callback_id": "x" * n}),
    "external id": (255, lambda n: {"external_id": "x" * n}),
    "files in a file input": (10, lambda n: {"blocks": [field("b", "l", {"type": "file_input", "max_files": n})]}),
}


def view(**more: Any) -> Json:
    return {"type": "modal", "title": plain("T"), "submit": plain("S"), "blocks": [{"type": "divider"}], **more}


@pytest.mark.parametrize("name", IN_BLOCKS)
async def test_a_message_is_held_to_each_limit_of_its_blocks(ws: Workspace, client: AsyncWebClient, name: str):
    most, make = IN_BLOCKS[name]
    where = room(ws, "face-intake")
    assert (await client.chat_postMessage(channel=where, text="t", blocks=[make(most)]))["ok"]
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=where, text="t", blocks=[make(most + 1)])
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"][0].startswith("[ERROR] ")
    assert "[json-pointer:/blocks/0" in answer["response_metadata"]["messages"][0]


@pytest.mark.parametrize("name", IN_BLOCKS)
async def test_a_modal_is_held_to_the_same_limits(ws: Workspace, client: AsyncWebClient, name: str):
    most, make = IN_BLOCKS[name]
    dana = ws.state.user_id("dana.ruiz")
    assert (await client.views_open(trigger_id=ws.triggers.issue(dana), view=view(blocks=[make(most)])))["ok"]
    with pytest.raises(SlackApiError) as refused:
        await client.views_open(trigger_id=ws.triggers.issue(dana), view=view(blocks=[make(most + 1)]))
    assert refused.value.response["error"] == "invalid_arguments"
    assert "[json-pointer:/view/blocks/0" in refused.value.response["response_metadata"]["messages"][0]


@pytest.mark.parametrize("name", IN_VIEWS)
async def test_a_view_is_held_to_each_of_its_own_limits(ws: Workspace, client: AsyncWebClient, name: str):
    most, make = IN_VIEWS[name]
    dana = ws.state.user_id("dana.ruiz")
    assert (await client.views_open(trigger_id=ws.triggers.issue(dana), view=view(**make(most))))["ok"]
    with pytest.raises(SlackApiError) as refused:
        await client.views_open(trigger_id=ws.triggers.issue(dana), view=view(**make(most + 1)))
    assert refused.value.response["error"] == "invalid_arguments"


WRONG: dict[str, Json] = {
    "a kind of block that does not exist": {"type": "carousel"},
    "a field that does not exist": {"type": "divider", "colour": "red"},
    "a section that says nothing": {"type": "section"},
    "a header in mrkdwn": {"type": "header", "text": mrkdwn(3)},
    "an empty text": {"type": "section", "text": mrkdwn(0)},
    "no elements": {"type": "actions", "elements": []},
    "an image of nothing": {"type": "image", "alt_text": "a"},
    "an image of two things": image(slack_file={"id": "F0123456789"}),
    "a file by id and by address": {
        "type": "image",
        "alt_text": "a",
        "slack_file": {"id": "F0123456789", "url": "https://files.slack.com/F1"},
    },
    "an image without words for it": {"type": "image", "image_url": "https://e.org/a.png"},
    "an unknown style": actions(button(style="loud")),
    "an address that is none": actions(button(url="javascript:alert(1)")),
    "a choice that is not offered": actions(select(options(2), initial_option=option("v9"))),
    "a menu with and without groups": actions(
        select(options(1), option_groups=[{"label": plain("g"), "options": options(1)}])
    ),
    "the same action twice": actions(button(action_id="a"), button(action_id="a")),
    "a file input in a message": field("b", "l", {"type": "file_input"}),
    "a day that is none": field("b", "l", {"type": "datepicker", "initial_date": "tomorrow"}),
    "a number input that does not say of what kind": field("b", "l", {"type": "number_input"}),
    "a button as an input": field("b", "l", button()),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_block_kit_does_not_know_is_refused(ws: Workspace, client: AsyncWebClient, name: str):
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=room(ws, "face-intake"), text="t", blocks=[WRONG[name]])
    assert refused.value.response["error"] == "invalid_blocks"


async def test_a_message_holds_fifty_blocks(ws: Workspace, client: AsyncWebClient):
    where, line = room(ws, "face-intake"), {"type": "divider"}
    assert (await client.chat_postMessage(channel=where, text="t", blocks=[line] * 50))["ok"]
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=where, text="t", blocks=[line] * 51)


async def test_a_block_id_stands_once_in_a_message(ws: Workspace, client: AsyncWebClient):
    twice = [{"type": "divider", "block_id": "same"}] * 2
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=room(ws, "face-intake"), text="t", blocks=twice)


async def test_blocks_that_are_not_a_list_are_refused_as_such(ws: Workspace, client: AsyncWebClient):
    with pytest.raises(SlackApiError, match="invalid_blocks_format"):
        await client.chat_postMessage(channel=room(ws, "face-intake"), text="t", blocks='{"type": "divider"}')


async def test_an_edit_holds_four_thousand_characters_and_a_post_is_cut_at_forty_thousand(
    ws: Workspace, client: AsyncWebClient
):
    where = room(ws, "face-intake")
    post = await client.chat_postMessage(channel=where, text="x" * 40_001)
    assert len(post["message"]["text"]) == 40_000
    assert post["warning"] == "message_truncated"
    assert (await client.chat_update(channel=where, ts=post["ts"], text="x" * 4000))["ok"]
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_update(channel=where, ts=post["ts"], text="x" * 4001)


async def test_a_post_says_something(ws: Workspace, client: AsyncWebClient):
    with pytest.raises(SlackApiError, match="no_text"):
        await client.api_call("chat.postMessage", json={"channel": room(ws, "face-intake")})


async def test_a_view_with_inputs_has_a_submit(ws: Workspace, client: AsyncWebClient):
    given = view(blocks=[field("b", "l", {"type": "plain_text_input"})])
    del given["submit"]
    with pytest.raises(SlackApiError, match="missing required field: submit"):
        await client.views_open(trigger_id=ws.triggers.issue(ws.state.user_id("dana.ruiz")), view=given)


async def test_a_view_weighs_at_most_a_quarter_of_a_megabyte(ws: Workspace, client: AsyncWebClient):
    heavy = [{"type": "section", "text": mrkdwn(2900)} for _ in range(90)]
    with pytest.raises(SlackApiError, match="view_too_large"):
        await client.views_open(trigger_id=ws.triggers.issue(ws.state.user_id("dana.ruiz")), view=view(blocks=heavy))


async def test_metadata_is_an_event_and_its_payload_and_is_shown_only_to_those_who_ask(
    ws: Workspace, client: AsyncWebClient
):
    where, note = room(ws, "face-intake"), {"event_type": "leadgate_post", "event_payload": {"key": "k1"}}
    await client.chat_postMessage(channel=where, text="t", metadata=note)
    plainly = await client.conversations_history(channel=where, limit=1)
    asked = await client.conversations_history(channel=where, limit=1, include_all_metadata=True)
    assert "metadata" not in plainly["messages"][0]
    assert asked["messages"][0]["metadata"] == note
    with pytest.raises(SlackApiError, match="invalid_metadata_format"):
        await client.chat_postMessage(channel=where, text="t", metadata={"event_type": "x"})
