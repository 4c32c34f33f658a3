"""files.*: the two-step upload, and what is known of a file."""

from deploy.workspace.model import File, Json, SlackError
from deploy.workspace.posting import Draft
from deploy.workspace.workspace import Workspace

from .call import Call, Method


async def get_upload_url(ws: Workspace, call: Call) -> Json:
    length = call.number("length", 0)
    if length <= 0:
        raise SlackError("invalid_arguments", "[ERROR] must be greater than 0 [json-pointer:/length]")
    file, secret = ws.files.announce(call.user, call.text("filename"), length)
    return {"ok": True, "upload_url": f"{ws.base}/upload/v1/{secret}", "file_id": file.id}


async def complete_upload(ws: Workspace, call: Call) -> Json:
    """Answers at once with the files, and with no message: the share happens when Slack has processed them."""
    listed = call.json("files")
    if not isinstance(listed, list) or not listed:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: files [json-pointer:/files]")
    channel_id = call.text("channel_id") or call.text("channels")
    if channel_id:
        channel_id = ws.state.joined(call.user, channel_id).id
    draft = _draft(ws, call, channel_id)
    files = [_announced(ws, call, entry) for entry in listed]
    for file, entry in zip(files, listed, strict=True):
        ws.files.complete(file, str(entry.get("title") or ""))
    if channel_id:
        ws.files.later(_share_when_ready(ws, channel_id, draft, files))
    return {"ok": True, "files": [{"id": f.id, "title": f.title} for f in files]}


def _draft(ws: Workspace, call: Call, channel_id: str) -> Draft:
    blocks = call.json("blocks", "invalid_blocks_format")
    draft = Draft(call.text("initial_comment"), blocks, thread_ts=call.text("thread_ts") or None)
    if draft.blocks:
        ws.posting.judge(draft)
    if draft.thread_ts and ws.state.message(channel_id, draft.thread_ts) is None:
        raise SlackError("invalid_arguments", "[ERROR] no such thread [json-pointer:/thread_ts]")
    return draft


def _announced(ws: Workspace, call: Call, entry: Json) -> File:
    file = ws.state.files.get(str(entry.get("id")))
    if file is None or file.user != call.user or not file.uploaded or file.mimetype:
        raise SlackError("file_not_found")
    return file


async def _share_when_ready(ws: Workspace, channel_id: str, draft: Draft, files: list[File]) -> None:
    await ws.clock.sleep(max(f.ready_at for f in files) - ws.clock.now() + 0.01)
    ws.posting.post_as_bot(channel_id, draft, files)


async def info(ws: Workspace, call: Call) -> Json:
    file = ws.files.visible(call.user, call.text("file"))
    return {
        "ok": True,
        "file": ws.shapes.file(file),
        "comments": [],
        "response_metadata": {"next_cursor": ""},
    }


async def delete(ws: Workspace, call: Call) -> Json:
    file = ws.files.visible(call.user, call.text("file"))
    if file.user != call.user:
        raise SlackError("cant_delete_file")
    ws.posting.delete_file(file)
    return {"ok": True}


METHODS = (
    Method("files.getUploadURLExternal", get_upload_url, ("files:write",), 4, ("filename", "length")),
    Method("files.completeUploadExternal", complete_upload, ("files:write",), 4, ("files",)),
    Method("files.info", info, ("files:read",), 4, ("file",)),
    Method("files.delete", delete, ("files:write",), 3, ("file",)),
)
