"""What was handed out is known again: by its file, by the message that showed it, by its bytes (M26)."""

import hashlib

import pytest

from bot import jobs
from bot.desk import keep_given_out
from bot.forwarding import given_out, message_of, shares_of
from policy import model as m
from tests import story as s
from tests.bot.test_casework import SEARCH, tell

SHOWN = [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "Arrest photograph"}]
SHARE = {
    "is_share": True,
    "channel_id": "D7",
    "ts": "5.0",
    "message_blocks": [{"channel": "D7", "ts": "5.0", "message": {"blocks": SHOWN}}],
    "files": [{"id": "F2"}],
}
FORWARDED = {"type": "message", "user": "U7", "channel": "C1", "ts": "9.0", "text": "Him?", "attachments": [SHARE]}
UNFURLED = {"is_msg_unfurl": True} | {name: SHARE[name] for name in ("channel_id", "ts", "message_blocks")}


def passed_on(event):
    return jobs.of_the_workspace(event, "UBOT", {"C1"})


def test_a_forwarded_message_is_looked_up_by_its_place_and_by_every_file_within():
    [job] = passed_on(FORWARDED)
    assert (job.kind, job.key) == ("message-shared", "C1:9.0")
    assert job.payload == {"channel": "C1", "account": "U7", "messages": ["D7 5.0"], "files": ["F1", "F2"]}


def test_a_message_that_slack_shows_beneath_a_link_to_it_is_looked_up_too():
    linked = {"user": "U7", "ts": "9.0", "text": "https://demo.slack.com/archives/D7/p5", "attachments": [UNFURLED]}
    [job] = passed_on({"type": "message", "subtype": "message_changed", "channel": "C1", "message": linked})
    assert (job.payload["messages"], job.payload["files"]) == (["D7 5.0"], ["F1"])


@pytest.mark.parametrize(
    "change",
    [
        {"attachments": [{"title": "A page", "image_url": "https://example.org/1.jpg"}]},
        {"attachments": []},
        {"user": "UBOT"},
        {"bot_id": "B1"},
        {"user": None},
    ],
)
def test_what_people_link_to_elsewhere_and_what_bots_post_is_left_alone(change):
    assert passed_on(FORWARDED | change) == []


async def test_bytes_that_were_handed_out_are_known_as_the_leads_before_any_candidates(pool):
    async with pool.acquire() as conn:
        for search, label in (("LG-A", "lead"), ("LG-B", "K7"), ("LG-B", "K7")):
            await keep_given_out(conn, search, label, b"a photograph")
        assert await given_out(conn, hashlib.sha256(b"a photograph").hexdigest()) == ("LG-A", "lead")
        assert await given_out(conn, hashlib.sha256(b"another").hexdigest()) is None


async def test_a_message_of_ours_is_known_by_its_place(casework, pool):
    handed = (m.RecordPosted(m.Post.PHOTOGRAPH, "D7", "5.0"), s.SYSTEM)
    notice = (m.RecordPosted(m.Post.NOTICE, "C1", "6.0"), s.SYSTEM)
    await tell(casework, [*s.AGREED, (s.APPROVE, s.MARA), (m.Acknowledge(), s.DANA), handed, notice])
    async with pool.acquire() as conn:
        assert await message_of(conn, "D7 5.0") == (SEARCH, "lead")
        assert await message_of(conn, "C2 2.0") == (SEARCH, "review")
        assert await message_of(conn, "C1 6.0") is None  # shows no photograph


def test_where_a_file_stands_is_read_from_what_slack_says_of_it():
    shares = {"private": {"D7": [{"ts": "5.0"}], "C1": [{"ts": "9.0", "share_user_id": "U7"}]}, "public": {"C3": []}}
    assert shares_of({"shares": shares}) == {"D7": "", "C1": "U7", "C3": ""}
    assert shares_of({}) == {}
