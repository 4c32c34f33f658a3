"""Modals and the Home tab: triggers, stacks, hashes, answers to a form, and what the page refuses by itself."""

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.person import Director, RefusedError
from deploy.workspace.workspace import Workspace

from .conftest import Cast, picture
from .desk import Json, desk, field, home, note, option, plain


@pytest.fixture
def dana_id(ws: Workspace) -> str:
    return ws.state.user_id("dana.ruiz")


async def test_a_trigger_opens_one_view_once(ws: Workspace, client: AsyncWebClient, dana_id: str):
    trigger = ws.triggers.issue(dana_id)
    await client.views_open(trigger_id=trigger, view=note("a", 1))
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=trigger, view=note("a", 1))


async def test_a_trigger_lives_three_seconds(ws: Workspace, client: AsyncWebClient, director: Director, dana_id: str):
    young, old = ws.triggers.issue(dana_id), ws.triggers.issue(dana_id)
    await director("clock", advance=2.5)
    await client.views_open(trigger_id=young, view=note("a", 1))
    await director("clock", advance=1)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=old, view=note("a", 1))


async def test_a_made_up_trigger_is_invalid(client: AsyncWebClient):
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="123.456.abc", view=note("a", 1))


async def test_a_refused_view_does_not_spend_the_trigger(ws: Workspace, client: AsyncWebClient, dana_id: str):
    trigger = ws.triggers.issue(dana_id)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_open(trigger_id=trigger, view={"type": "modal"})
    assert (await client.views_open(trigger_id=trigger, view=note("a", 1)))["ok"]


async def test_each_person_has_a_stack_of_their_own_three_deep(ws: Workspace, client: AsyncWebClient, cast: Cast):
    dana, sam = await cast("dana"), await cast("sam")
    await client.views_open(trigger_id=ws.triggers.issue(dana.id), view=note("a", 1))
    for depth in (2, 3):
        top = await dana.open_view()
        assert top
        await client.views_push(trigger_id=ws.triggers.issue(dana.id, top["id"]), view=note("a", depth))
    top = await dana.open_view()
    assert top
    assert top["title"]["text"] == "Note 3"
    assert top["previous_view_id"] != top["root_view_id"]
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=ws.triggers.issue(dana.id, top["id"]), view=note("a", 4))
    assert await sam.open_view() is None
    await dana.close_view()
    below = await dana.open_view()
    assert below
    assert below["title"]["text"] == "Note 2"


async def test_a_stale_hash_conflicts_and_the_current_one_does_not(ws: Workspace, client: AsyncWebClient, dana_id: str):
    opened = (await client.views_open(trigger_id=ws.triggers.issue(dana_id), view=note("a", 1)))["view"]
    changed = (await client.views_update(view_id=opened["id"], hash=opened["hash"], view=note("b", 1)))["view"]
    assert changed["hash"] != opened["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=opened["id"], hash=opened["hash"], view=note("c", 1))


async def test_a_view_that_was_closed_is_not_found(ws: Workspace, client: AsyncWebClient, cast: Cast):
    dana = await cast("dana")
    opened = (await client.views_open(trigger_id=ws.triggers.issue(dana.id), view=note("a", 1)))["view"]
    await dana.close_view()
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id=opened["id"], view=note("b", 1))


async def test_a_view_goes_by_its_external_id_too(ws: Workspace, client: AsyncWebClient, dana_id: str):
    named = note("a", 1) | {"external_id": "case-1"}
    await client.views_open(trigger_id=ws.triggers.issue(dana_id), view=named)
    assert (await client.views_update(external_id="case-1", view=named))["ok"]


async def test_the_home_tab_is_published_per_person_and_its_hash_is_checked(
    client: AsyncWebClient, cast: Cast, dana_id
):
    first = (await client.views_publish(user_id=dana_id, view=home(dana_id)))["view"]
    await client.views_publish(user_id=dana_id, hash=first["hash"], view=home("U1"))
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id=dana_id, hash=first["hash"], view=home(dana_id))
    assert await (await cast("sam")).home(announce=False) is None
    seen = await (await cast("dana")).home(announce=False)
    assert seen
    assert "<@U1>" in seen["blocks"][1]["text"]["text"]


FILLED: Json = {"case": "2026-1", "use": "suspect", "basis": "because of this", "tier": "normal", "sworn": ["yes"]}


async def opened(ws: Workspace, cast: Cast):
    dana = await cast("dana")
    await dana.shortcut("new_search")
    return dana, await dana.wait_view()


@pytest.mark.parametrize(
    ("change", "block", "reason"),
    [
        ({"case": ""}, "case", "Please complete this required field."),
        ({"case": "2" * 21}, "case", "Please enter at most 20 characters."),
        ({"basis": "short"}, "basis", "Please enter at least 10 characters."),
        ({"count": "many"}, "count", "Please enter a number."),
        ({"count": "2.5"}, "count", "Please enter a whole number."),
        ({"count": "1"}, "count", "Please enter a number of at least 2."),
        ({"count": "51"}, "count", "Please enter a number of at most 50."),
        ({"sworn": []}, "sworn", "Please complete this required field."),
        ({"tier": None}, "tier", "Please complete this required field."),
    ],
)
async def test_the_client_refuses_a_field_before_the_app_hears(ws: Workspace, cast: Cast, change, block, reason):
    heard: list[Json] = []
    async with desk(ws, heard):
        dana, _ = await opened(ws, cast)
        assert await dana.submit(FILLED | change) == {block: reason}
    assert not [b for b in heard if b.get("type") == "view_submission"]


@pytest.mark.parametrize(
    ("case", "errors", "title"),
    [
        ("2026-1", {}, None),
        ("1999-1", {"case": "A case number starts with the year."}, "Request a search"),
        ("2026-9", {}, "Note 1"),
        ("2026-8", {}, "Note 2"),
        ("2026-7", {}, None),
    ],
)
async def test_a_form_is_answered_with_nothing_errors_update_push_or_clear(
    ws: Workspace, cast: Cast, case, errors, title
):
    async with desk(ws):
        dana, _ = await opened(ws, cast)
        assert await dana.submit(FILLED | {"case": case}) == errors
        top = await dana.open_view()
        assert (top["title"]["text"] if top else None) == title


async def test_errors_that_name_no_input_are_trouble_and_the_form_stays(ws: Workspace, cast: Cast):
    async with desk(ws) as client:
        dana = await cast("dana")
        only = {"type": "modal", "callback_id": "request", "title": plain("T"), "submit": plain("S")}
        blocks = [field("case", "Case", {"type": "plain_text_input", "action_id": "a"})]
        view = (await client.views_open(trigger_id=ws.triggers.issue(dana.id), view=only | {"blocks": blocks}))["view"]
        renamed = [field("other", "Case", {"type": "plain_text_input", "action_id": "a"})]
        await client.views_update(view_id=view["id"], view=only | {"blocks": renamed})
        with pytest.raises(RefusedError):
            await dana.submit({"a": "1999"})
        assert await dana.open_view()


async def test_what_was_typed_stays_when_the_app_redraws_the_form(ws: Workspace, cast: Cast):
    async with desk(ws):
        dana, view = await opened(ws, cast)
        await dana.select(view, "use_chosen", "victim")
        redrawn = await dana.wait_view(lambda v: v["hash"] != view["hash"])
        chosen = redrawn["state"]["values"]["use"]["use_chosen"]["selected_option"]
        assert chosen["value"] == "victim"
        assert chosen["text"] == {"type": "plain_text", "text": "Victim of a crime", "emoji": True}


async def test_closing_tells_the_app_that_asked_to_be_told(ws: Workspace, cast: Cast):
    heard: list[Json] = []
    async with desk(ws, heard):
        dana, _ = await opened(ws, cast)
        await dana.close_view(everything=True)
        assert await dana.open_view() is None
    assert [b["is_cleared"] for b in heard if b.get("type") == "view_closed"] == [True]


async def test_an_external_menu_asks_the_app_and_only_what_it_offered_can_be_chosen(ws: Workspace, cast: Cast):
    heard: list[Json] = []
    async with desk(ws, heard):
        dana, view = await opened(ws, cast)
        with pytest.raises(RefusedError, match="invalid_option"):
            await dana.submit(FILLED | {"statute": "PL 120.10"})
        offered = await dana.suggestions(view, "x", "120")
        assert [o["value"] for o in offered] == ["PL 120.5", "PL 120.10", "PL 120.15"]
        assert await dana.submit(FILLED | {"statute": "PL 120.10"}) == {}
    asked = next(b for b in heard if b.get("type") == "block_suggestion")
    assert (asked["action_id"], asked["block_id"], asked["value"]) == ("x", "statute", "120")


async def test_a_file_put_into_a_form_is_handed_to_the_app(ws: Workspace, cast: Cast):
    heard: list[Json] = []
    async with desk(ws, heard) as client:
        dana, _ = await opened(ws, cast)
        key = await dana.upload(picture(), "photo.jpg")
        with pytest.raises(SlackApiError, match="file_not_found"):
            await client.files_info(file=key)
        wrong = await dana.upload(b"hello", "notes.txt")
        assert "photo" in await dana.submit(FILLED | {"photo": [wrong]})
        assert await dana.submit(FILLED | {"photo": [key]}) == {}
        assert (await client.files_info(file=key))["file"]["mimetype"] == "image/jpeg"
    sent = next(b for b in heard if b.get("type") == "view_submission")
    assert sent["view"]["state"]["values"]["photo"]["f"]["files"][0]["id"] == key


async def test_nobody_can_send_another_persons_form(ws: Workspace, cast: Cast):
    async with desk(ws):
        _, view = await opened(ws, cast)
        sam = await cast("sam")
        with pytest.raises(RefusedError, match="not_found"):
            await sam.submit(FILLED, view)


async def test_a_button_that_is_gone_cannot_be_pressed(ws: Workspace, cast: Cast):
    async with desk(ws) as client:
        dana = await cast("dana")
        button = {"type": "button", "action_id": "withdraw", "text": plain("Go")}
        where = ws.state.channel_named("face-intake")
        assert where
        blocks = [{"type": "actions", "elements": [button]}]
        post = await client.chat_postMessage(channel=where.id, text="t", blocks=blocks)
        seen = (await dana.messages(where.id))[-1]
        await client.chat_update(channel=where.id, ts=post["ts"], text="done", blocks=[{"type": "divider"}])
        with pytest.raises(RefusedError, match="action_not_found"):
            await dana.click(seen, "withdraw")


def test_an_option_is_named_by_its_value():
    assert option("a", "b")["value"] == "a"
