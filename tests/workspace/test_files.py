"""Files: two steps up, a moment of processing, shown to those who may see them, and never with the phone's EXIF."""

import io

import aiohttp
import pytest
from pi_heif import HeifImage
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.person import Director
from deploy.workspace.pictures import kind_of, without_exif
from deploy.workspace.workspace import Workspace

from .conftest import Cast, picture, room

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0" * 64


async def bytes_of(ws: Workspace, address: str, token: str = "") -> tuple[int, str, bytes]:
    head = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=head) as http, http.get(address, allow_redirects=False) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_the_bot_fetches_a_posted_photograph_with_its_token(ws: Workspace, client, cast: Cast):
    message = await (await cast("dana")).post_photo("#face-intake", picture(), "a.jpg")
    file = (await client.files_info(file=message["files"][0]["id"]))["file"]
    status, kind, data = await bytes_of(ws, file["url_private_download"], ws.credentials.bot_token)
    assert (status, kind, len(data)) == (200, "image/jpeg", file["size"])


@pytest.mark.parametrize("token", ["", "xoxb-nobody"])
async def test_anybody_else_is_sent_to_sign_in(ws: Workspace, cast: Cast, token: str):
    message = await (await cast("dana")).post_photo("#face-intake", picture(), "a.jpg")
    status, _, _ = await bytes_of(ws, message["files"][0]["url_private"], token)
    assert status == 302


async def test_a_photograph_from_a_channel_the_bot_is_not_in_stays_there(ws: Workspace, client, cast: Cast):
    message = await (await cast("ada")).post_photo("#closed-room", picture(), "a.jpg")
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_info(file=message["files"][0]["id"])
    assert (await bytes_of(ws, message["files"][0]["url_private"], ws.credentials.bot_token))[0] == 302


async def test_exif_is_gone_and_the_picture_is_still_the_right_way_up(ws: Workspace, client, cast: Cast):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9003] = 6, "Phone", "2026:01:01 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    message = await (await cast("dana")).post_photo("#face-intake", picture(exif=exif), "a.jpg")
    data = await (await cast("dana")).image(message["files"][0]["id"])
    left = Image.open(io.BytesIO(data)).getexif()
    assert dict(left) == {0x0112: 6}
    assert (message["files"][0]["original_w"], message["files"][0]["original_h"]) == (400, 600)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", [1, 6])
def test_what_the_camera_wrote_is_gone_from_every_kind_of_picture_and_no_pixel_changes(kind: str, turn: int):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turn, "Phone"
    exif.get_ifd(0x8825)[1] = "N"
    image = Image.open(io.BytesIO(picture()))
    out = io.BytesIO()
    note = {"pnginfo": PngInfo()} if kind == "PNG" else {"xmp": b"<x>where</x>"}
    if "pnginfo" in note:
        note["pnginfo"].add_text("Place", "where")
    image.save(out, kind, exif=exif, **note)
    left = without_exif(out.getvalue())
    read, before = Image.open(io.BytesIO(left)), Image.open(io.BytesIO(out.getvalue()))
    assert dict(read.getexif()) == ({0x0112: 6} if turn == 6 else {})
    assert read.tobytes() == before.tobytes()
    assert not any(word in left for word in (b"Phone", b"where", b"<x>"))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff\xff", b"not a jpeg", picture()[:200]])
def test_what_is_broken_stays_broken_in_the_same_way(data: bytes):
    assert without_exif(data) == data or data.startswith(b"\xff\xd8\xff\xe0")


@pytest.mark.parametrize(
    ("data", "name", "mimetype"),
    [
        (HEIC, "IMG_1.HEIC", "image/heic"),
        (HEIC, "IMG_1.jpg", "image/heic"),
        (b"just words", "photo.jpg", "image/jpeg"),
        (picture("PNG"), "photo.jpg", "image/png"),
        (picture("WEBP"), "a.webp", "image/webp"),
        (b"", "empty.jpg", "image/jpeg"),
        (b"MZ", "a", "application/octet-stream"),
    ],
)
async def test_a_file_is_known_by_its_bytes_and_only_then_by_its_name(ws: Workspace, cast: Cast, data, name, mimetype):
    message = await (await cast("dana")).post_photo("#face-intake", data, name)
    assert message["files"][0]["mimetype"] == mimetype
    assert await (await cast("dana")).image(message["files"][0]["id"]) == data


def test_heic_arrives_as_heic():
    assert kind_of(HEIC, "x.jpg") == ("image/heic", "heic")
    assert HeifImage


async def test_a_picture_of_too_many_pixels_gets_no_thumbnails_and_hurts_nobody(ws: Workspace, cast: Cast):
    bomb = picture("PNG", (12_000, 9_000))
    message = await (await cast("dana")).post_photo("#face-intake", bomb, "bomb.png")
    assert "original_w" not in message["files"][0]


async def test_an_upload_has_no_message_until_slack_has_processed_it(ws: Workspace, client, director: Director):
    ws.timings.file_processing = 30
    where = room(ws, "face-intake")
    done = await client.files_upload_v2(content=picture(), filename="c.jpg", channel=where, initial_comment="one")
    key = done["files"][0]["id"]
    assert "ts" not in done["files"][0]
    early = (await client.files_info(file=key))["file"]
    assert (early["mimetype"], early["shares"]) == ("", {})
    block = {"type": "image", "slack_file": {"id": key}, "alt_text": "a"}
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=where, text="t", blocks=[block])
    await director("clock", advance=31)
    late = early
    for _ in range(100):
        late = (await client.files_info(file=key))["file"]
        if late["shares"]:
            break
    assert late["mimetype"] == "image/jpeg"
    share = late["shares"]["private"][where][0]
    assert (await client.conversations_history(channel=where))["messages"][0]["ts"] == share["ts"]
    assert (await client.chat_postMessage(channel=where, text="t", blocks=[block]))["ok"]


async def test_an_upload_without_a_channel_stays_private(ws: Workspace, client: AsyncWebClient):
    done = await client.files_upload_v2(content=picture(), filename="c.jpg")
    assert (await client.files_info(file=done["files"][0]["id"]))["file"]["groups"] == []


async def test_a_heic_cannot_be_shown_in_a_block(ws: Workspace, client, cast: Cast):
    message = await (await cast("dana")).post_photo("#face-intake", HEIC, "a.heic")
    block = {"type": "image", "slack_file": {"id": message["files"][0]["id"]}, "alt_text": "a"}
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=message["channel"], text="t", blocks=[block])


async def test_a_file_nobody_shared_with_the_bot_cannot_be_shown_by_it(ws: Workspace, client, cast: Cast):
    ada = await cast("ada")
    key = await ada.upload(picture(), "a.jpg")
    block = {"type": "image", "slack_file": {"id": key}, "alt_text": "a"}
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=room(ws, "face-intake"), text="t", blocks=[block])


async def test_in_a_shared_channel_the_message_carries_a_stub_and_files_info_the_file(
    ws: Workspace, client, cast: Cast
):
    await ws_join(ws, "partners")
    message = await (await cast("dana")).post_photo("#partners", picture(), "a.jpg")
    stub = (await client.conversations_history(channel=message["channel"]))["messages"][0]["files"][0]
    assert stub["file_access"] == "check_file_info"
    assert "url_private" not in stub
    assert (await client.files_info(file=stub["id"]))["file"]["mimetype"] == "image/jpeg"


async def ws_join(ws: Workspace, name: str) -> None:
    channel = ws.state.channel_named(name)
    assert channel
    ws.posting.join(channel, ws.state.bot_user)


async def test_a_deleted_file_is_gone_from_every_place(ws: Workspace, client, cast: Cast):
    dana = await cast("dana")
    message = await dana.post_photo("#face-intake", picture(), "a.jpg")
    key = message["files"][0]["id"]
    await dana.delete_file(key)
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_info(file=key)
    left = (await client.conversations_history(channel=message["channel"]))["messages"][0]["files"]
    assert left == [{"id": key, "mode": "tombstone"}]
    assert ws.state.shelf.load_bytes(key) == b""


async def test_thumbnails_fit_their_size(ws: Workspace, cast: Cast):
    dana = await cast("dana")
    message = await dana.post_photo("#face-intake", picture(size=(1600, 800)), "a.jpg")
    file = message["files"][0]
    small = Image.open(io.BytesIO(await dana.image(file["id"], 360)))
    assert small.size == (file["thumb_360_w"], file["thumb_360_h"]) == (360, 180)


async def test_an_upload_address_takes_one_upload(ws: Workspace, client: AsyncWebClient):
    given = await client.files_getUploadURLExternal(filename="a.jpg", length=3)
    async with aiohttp.ClientSession() as http:
        assert (await http.post(given["upload_url"], data=b"abc")).status == 200
        assert (await http.post(given["upload_url"], data=b"abc")).status == 404
