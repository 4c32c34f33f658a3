"""views.*: modals and the Home tab."""

from deploy.workspace.model import Json, SlackError
from deploy.workspace.workspace import Workspace

from .call import Call, Method


async def open_view(ws: Workspace, call: Call) -> Json:
    return {"ok": True, "view": ws.shapes.view(ws.views.open(_trigger(call), call.json("view")))}


async def push_view(ws: Workspace, call: Call) -> Json:
    return {"ok": True, "view": ws.shapes.view(ws.views.push(_trigger(call), call.json("view")))}


async def update_view(ws: Workspace, call: Call) -> Json:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if not view_id and not external_id:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: view_id [json-pointer:/]")
    view = ws.views.update(call.json("view"), view_id=view_id, external_id=external_id, view_hash=call.text("hash"))
    return {"ok": True, "view": ws.shapes.view(view)}


async def publish_view(ws: Workspace, call: Call) -> Json:
    if not ws.manifest.home_tab:
        raise SlackError("not_enabled")
    user = ws.state.users.get(call.text("user_id"))
    if user is None or user.is_bot or user.deleted:
        raise SlackError("invalid_arguments", "[ERROR] invalid user [json-pointer:/user_id]")
    view = ws.views.publish(user.id, call.json("view"), call.text("hash"))
    return {"ok": True, "view": ws.shapes.view(view)}


def _trigger(call: Call) -> str:
    return call.text("trigger_id") or call.text("interactivity_pointer")


METHODS = (
    Method("views.open", open_view, (), 4, ("trigger_id", "view")),
    Method("views.push", push_view, (), 4, ("trigger_id", "view")),
    Method("views.update", update_view, (), 4, ("view",)),
    Method("views.publish", publish_view, (), 4, ("user_id", "view")),
)
