"""The case system is asked of what could be accepted, and nobody's work stops where it is away."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot import ledger
from bot.cases import MOST, Cases, CaseSystemRefusesError
from bot.casework import stream_of
from bot.desk import Desk
from bot.intake import Intake
from bot.people import People
from bot.views import approval, upkeep
from policy import model as m
from tests import story as s
from tests.bot.conftest import TEAM
from tests.bot.test_casework import SEARCH

ANSWERS = {
    "open": (200, b'{"exists": true, "open": true, "title": "ignored"}', m.CaseKnown.OPEN),
    "closed": (200, b'{"exists": true, "open": false}', m.CaseKnown.CLOSED),
    "unknown": (200, b'{"exists": false}', m.CaseKnown.UNKNOWN),
    "not found": (404, b"nothing", m.CaseKnown.UNKNOWN),
    "broken": (500, b"<html>", m.CaseKnown.OFFLINE),
    "words": (200, b'"yes"', m.CaseKnown.OFFLINE),
    "half": (200, b'{"exists": "perhaps"}', m.CaseKnown.OFFLINE),
    "moved": (302, b"", m.CaseKnown.OFFLINE),
    "long": (200, b'{"exists": true, "title": "%s"}' % (b"x" * MOST), m.CaseKnown.OFFLINE),
}
NUMBER = s.ASK.case_number


class CaseSystem:
    """Answers each number as it was told to; remembers what it was asked, and with which secret."""

    def __init__(self) -> None:
        self.url, self.slack, self.asked = "", "", []
        self.says = {number: (status, body) for number, (status, body, _) in ANSWERS.items()}

    async def answer(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        self.asked.append((number, request.headers["Authorization"]))
        if number == "slow":
            await asyncio.sleep(5)
        status, body = self.says[number]
        return web.Response(status=status, body=body)


@pytest.fixture
async def cases():
    system, app = CaseSystem(), web.Application()
    app.router.add_get("/cases/{number}", system.answer)
    app.router.add_get("/api/users.info", full_member)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    system.url, system.slack = f"{base}/cases", f"{base}/api/"
    yield system
    await runner.cleanup()


@pytest.mark.parametrize("number", ANSWERS)
async def test_each_answer_is_read_for_what_it_says(number, cases):
    async with aiohttp.ClientSession() as session:
        assert await Cases(session, cases.url, "key").find(number) is ANSWERS[number][2]
    assert cases.asked == [(number, "Bearer key")]


async def test_a_case_system_that_is_away_or_slow_is_offline_and_stops_nobody(cases):
    async with aiohttp.ClientSession() as session:
        assert await Cases(session, "http://127.0.0.1:1", "key").find("open") is m.CaseKnown.OFFLINE
        assert await Cases(session, cases.url, "key").find("slow") is m.CaseKnown.OFFLINE
        assert await Cases(session, "", "").find("open") is m.CaseKnown.NOT_ASKED


@pytest.mark.parametrize("status", [401, 403])
async def test_a_case_system_that_does_not_take_the_secret_is_not_merely_offline(status, cases):
    cases.says["open"] = (status, b"")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(CaseSystemRefusesError, match=str(status)):
            await Cases(session, cases.url, "key").find("open")


# --- through the form -------------------------------------------------------------------------------------------------


async def full_member(request: web.Request) -> web.Response:
    """Slack's end of users.info: everybody is one."""
    account = request.query["user"]
    return web.json_response({"ok": True, "user": {"id": account, "team_id": TEAM}})


@pytest.fixture
async def send(casework, pool, cases):
    """Sends the request form as Slack would: what the bot answered. The case system has its own say of each number."""
    async with aiohttp.ClientSession() as session:
        slack = Desk(AsyncWebClient("xoxb-none", cases.slack, session=session), session, pool)
        people = People(pool, slack, TEAM)
        door = Intake(casework, people, slack, s.pack(), "C1", Cases(session, cases.url, "key"))

        async def sent(who: str = "dana", **changes: str) -> dict:
            said = []

            async def ack(**answer):
                said.append(answer)

            await door.form_submitted(ack, submission(who, **changes))
            (answer,) = said
            return answer

        yield sent


ANSWERED = s.FIELDS | {"purpose": "suspect", "case-number": NUMBER, "circumstances": "", "attested": "yes"}


def submission(who: str, **changes: str) -> dict:
    given = ANSWERED | {name.replace("_", "-"): value for name, value in changes.items()}
    place = {"search": SEARCH, "file": "F1", "owner": f"U{who}", "channel": "C1", "thread": "1.0"}
    values = {name: {"answer": {"type": "plain_text_input", "value": value}} for name, value in given.items()}
    view = {"private_metadata": json.dumps(place), "state": {"values": values}}
    return {"team": {"id": TEAM}, "user": {"id": f"U{who}", "team_id": TEAM}, "view": view}


async def entries(pool):
    async with pool.acquire() as conn:
        return await ledger.read(conn, stream_of(SEARCH), with_private=True)


SAID = {
    "open": (b'{"exists": true}', m.State.REQUESTED, "known to the case system, open"),
    "closed": (b'{"exists": true, "open": false}', m.State.HELD, "*closed*, says the case system"),
    "offline": (b"<html>", m.State.REQUESTED, "*not checked*: the case system did not answer"),
}


@pytest.mark.parametrize("said", SAID)
async def test_what_the_case_system_says_is_recorded_and_put_to_those_who_decide(said, send, cases, casework, pool):
    body, state, words = SAID[said]
    cases.says[NUMBER] = (200, body)
    assert await send() == {}
    search = await casework.look(SEARCH)
    assert (search.state, search.case_known) == (state, said)
    assert (await entries(pool))[0].data["case_known"] == said
    shown = json.dumps(approval.question(search, s.pack())[1])
    assert words in shown
    assert ("says that this case is closed" in shown) == (said == "closed")


async def test_a_number_that_the_case_system_does_not_know_is_refused_beside_it(send, cases, pool):
    cases.says[NUMBER] = (404, b"")
    answer = await send()
    assert answer["response_action"] == "errors"
    assert "knows no case of this number" in answer["errors"]["case-number"]
    assert [(e.kind, e.data["rule"]) for e in await entries(pool)] == [("Refused", "case-exists")]


NOT_ASKED = {
    "of a stranger": {"who": "ustranger", "case_number": "<!channel> ../../admin"},
    "of somebody who may not request": {"who": "eva"},
    "of what is no case number": {"case_number": "<!channel> ../../admin"},
    "of what lacks its basis": {"basis": "n/a"},
}


@pytest.mark.parametrize("name", NOT_ASKED)
async def test_the_case_system_is_asked_nothing(name, send, cases):
    await send(**NOT_ASKED[name])
    assert cases.asked == []


async def test_a_form_that_is_sent_twice_asks_once(send, cases, pool):
    cases.says[NUMBER] = (200, b'{"exists": true}')
    assert [await send(), await send()] == [{}, {}]
    assert len(cases.asked) == len(await entries(pool)) == 1


async def test_a_refused_secret_alarms_the_supervisors_once_a_day_and_the_request_goes_on(send, cases, casework, pool):
    cases.says[NUMBER] = (401, b"")
    assert await send() == {}
    assert (await casework.look(SEARCH)).case_known is m.CaseKnown.OFFLINE
    async with pool.acquire() as conn:
        jobs = await conn.fetch("SELECT key, payload FROM casework.job WHERE kind = 'tell-cases-refused'")
    ((key, payload),) = jobs
    assert (key, payload["status"]) == (s.NOON.date().isoformat(), 401)
    assert "LEADGATE_CASE_SECRET" in json.dumps(upkeep.cases_refused(401)[1])


async def test_the_number_is_kept_as_it_was_typed_beside_how_it_is_compared(send, cases, pool):
    cases.says[NUMBER] = (200, b'{"exists": true}')
    await send(case_number=f"  {NUMBER}\u202e ")
    (asked,) = await entries(pool)
    assert asked.private["case_number"] == NUMBER
    assert asked.private["case_number_typed"] == f"  {NUMBER} "
    assert "case_number_typed" not in asked.data


# --- all that is wrong at once ----------------------------------------------------------------------------------------


async def test_everything_that_is_wrong_is_said_at_once_each_beside_its_question(send):
    answer = await send(case_number="12", basis="n/a", offence="", attested="")
    assert answer["response_action"] == "errors"
    assert answer["errors"].keys() == {"case-number", "basis", "offence", "attested"}


RALLY = "The man in the still held a sign at the rally before the precinct on Sunday."


async def test_a_word_that_makes_a_question_necessary_brings_it_into_the_form(send):
    answer = await send(basis=RALLY, offence="")
    assert answer["response_action"] == "update"
    blocks = answer["view"]["blocks"]
    told = blocks[0]["text"]["text"]
    for words in (
        "was not accepted",
        "“rally”: it may touch protected activity",
        "“Reasonable suspicion",
        "Offence",
    ):
        assert words in told
    by_name = {block.get("block_id"): block for block in blocks}
    assert "suspicion" in by_name
    assert by_name["basis"]["element"]["initial_value"] == RALLY
    assert by_name["attested"]["element"]["initial_options"][0]["value"] == "yes"


@pytest.mark.parametrize(
    ("who", "words"), {"eva": "with the role requester", "ustranger": "you do not have it"}.items()
)
async def test_what_is_about_no_question_is_said_above_the_form_and_nothing_typed_is_lost(who, words, send):
    answer = await send(who)
    assert answer["response_action"] == "update"
    blocks = answer["view"]["blocks"]
    assert words in blocks[0]["text"]["text"]
    assert next(b for b in blocks if b.get("block_id") == "basis")["element"]["initial_value"] == s.BASIS
