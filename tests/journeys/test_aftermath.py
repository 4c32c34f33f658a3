"""After the lead: evidence before an arrest, a recall that is answered, a case closed on somebody else, an end in time,
and a sheet that was forwarded.
"""

import json
from datetime import timedelta
from typing import Any

from deploy.demo import play
from tests.journeys.test_purposes import ask

Json = dict[str, Any]
PRINT = "Latent print on the till, lab report 26-114, page 3."


async def lead(town, people, enrolled, number: str = "2026-075-001234") -> tuple[str, Json, Json, Json]:
    """A lead that dana acknowledged: (the search, its notice, the photograph's message, the sheet's)."""
    dana, eva, noor, mara = people
    post, search, wrong = await ask(town, dana, enrolled, "suspect", **{"case-number": number})
    assert wrong == {}
    root = await play.review_thread(eva, town.room("review"), search)
    for examiner in (eva, noor):
        assert await play.examine(examiner, root, enrolled)
    await play.approve(mara, town.room("oversight"), search)
    notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=True)
    direct = (await play.acknowledge(dana, notice))["channel"]
    photograph = await dana.wait_message(direct, lambda m: f"Arrest photograph of search {search}" in m["text"])
    sheet = await dana.wait_message(direct, lambda m: f"Lead sheet of search {search}" in m["text"], timeout=30)
    return search, notice, photograph, sheet


class Four:
    """Requester, two examiners and a supervisor, at their screens."""

    def __init__(self, town) -> None:
        self._open = [town.person(name) for name in ("dana.ruiz", "eva.lind", "noor.haddad", "mara.quinn")]

    async def __aenter__(self):
        return [await one.__aenter__() for one in self._open]

    async def __aexit__(self, *what):
        for one in self._open:
            await one.__aexit__(*what)


async def test_an_arrest_is_recorded_only_after_evidence_that_does_not_come_from_the_lead(town, enrolled):
    async with Four(town) as people:
        dana = people[0]
        search, _, photograph, _ = await lead(town, people, enrolled)
        await dana.click(photograph, "record_outcome")
        await dana.wait_view(lambda v: v.get("callback_id") == "lead_outcome")
        wrong = await dana.submit({"outcome": "arrest"})
        assert "does not come from this lead" in wrong["outcome"]
        await dana.close_view(everything=True)
        for kind, said in (("opinion", "The sergeant thinks it is him."), ("physical", PRINT)):
            await dana.click(photograph, "record_evidence")
            await dana.wait_view(lambda v: v.get("callback_id") == "lead_evidence")
            if kind == "opinion":
                assert "case file" in (await dana.submit({"kind": kind, "reference": "him"}))["reference"]
            assert await dana.submit({"kind": kind, "reference": said}) == {}
        await dana.click(photograph, "record_outcome")
        form = await dana.wait_view(lambda v: v.get("callback_id") == "lead_outcome")
        assert "Independent evidence is on record" in json.dumps(form["blocks"])
        assert await dana.submit({"outcome": "arrest", "note": "On warrant 26-9."}) == {}
    entries = await town.entries(search)
    assert [entry.kind for entry in entries][-5:] == [
        "Refused",
        "Refused",
        "EvidenceRecorded",
        "EvidenceRecorded",
        "OutcomeRecorded",
    ]
    assert PRINT not in json.dumps([entry.data for entry in entries])


async def test_one_command_recalls_a_lead_and_its_requester_says_that_nothing_is_left(town, enrolled):
    async with Four(town) as people:
        dana, _, _, mara = people
        search, notice, photograph, sheet = await lead(town, people, enrolled)
        await mara.command(town.room("oversight"), "/face-recall", f"{search} The witness has since named another man.")
        direct = photograph["channel"]
        told = await dana.wait_message(direct, lambda m: f"RECALLED. The lead of search {search}" in m["text"])
        gone = await dana.wait_message(
            direct, lambda m: m["ts"] == photograph["ts"] and m["text"].startswith("WITHHELD"), timeout=30
        )
        assert "named another man" in json.dumps(gone["blocks"])
        await dana.wait_message(
            town.room("intake"), lambda m: m["ts"] == notice["ts"] and "recalled" in m["text"], notice["thread_ts"]
        )
        await town.settled(search)
        assert not await town.stands(sheet["files"][0]["id"])
        await dana.click(told, "acknowledge_recall")
        await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and "nothing of it is left" in json.dumps(m["blocks"])
        )
        answered = await dana.wait_message(
            direct, lambda m: m["ts"] == told["ts"] and "answered" in json.dumps(m["blocks"])
        )
        assert not play.has(answered, "acknowledge_recall")
    assert (await town.kinds(search))[-2:] == ["LeadRecalled", "RecallAcknowledged"]


async def test_a_case_that_was_closed_on_another_person_takes_back_every_lead_of_it(town, enrolled):
    async with Four(town) as people:
        dana, _, _, mara = people
        number = "2026-075-777001"
        first, *_ = await lead(town, people, enrolled, number)
        second, _, photograph, _ = await lead(town, people, enrolled, number)
        await dana.click(photograph, "record_outcome")
        await dana.wait_view(lambda v: v.get("callback_id") == "lead_outcome")
        assert await dana.submit({"outcome": "another-person", "note": "He confessed; his print is on the till."}) == {}
        for search in (first, second):
            told = await dana.wait_message(
                photograph["channel"], lambda m, s=search: f"RECALLED. The lead of search {s}" in m["text"]
            )
            assert "closed on another person" in json.dumps(told["blocks"])
            await mara.wait_message(town.room("oversight"), lambda m, s=search: f"search {s} was recalled" in m["text"])
    assert "LeadRecalled" in await town.kinds(first)


async def record(who, message: Json, action: str, said: Json) -> dict[str, str]:
    await who.click(message, action)
    await who.wait_view(lambda v: v.get("callback_id") in {"lead_evidence", "lead_outcome"})
    return await who.submit(said)


async def test_a_supervisor_closes_a_case_on_another_person_and_an_arrest_in_it_is_told_at_once(town, enrolled):
    number, oversight = "2026-075-777002", town.room("oversight")
    async with Four(town) as people:
        dana, _, _, mara = people
        first, _, arrested, _ = await lead(town, people, enrolled, number)
        second, _, photograph, _ = await lead(town, people, enrolled, number)
        assert await record(dana, arrested, "record_evidence", {"kind": "physical", "reference": PRINT}) == {}
        assert await record(dana, arrested, "record_outcome", {"outcome": "arrest", "note": "On warrant 26-9."}) == {}
        assert await record(dana, photograph, "record_evidence", {"kind": "physical", "reference": PRINT}) == {}
        await dana.command(town.room("intake"), "/face-recall", number)
        await mara.command(oversight, "/face-recall", number)
        form = await mara.wait_view(lambda v: v.get("callback_id") == "close_case")
        assert "2 leads of it will be recalled" in json.dumps(form["blocks"])
        assert "LeadRecalled" not in await town.kinds(first)
        assert "how it is known" in (await mara.submit({"reason": "see file"}))["reason"]
        assert await mara.submit({"reason": "Another man confessed, and his print is on the till."}) == {}
        told = {
            search: await dana.wait_message(
                photograph["channel"], lambda m, s=search: f"RECALLED. The lead of search {s}" in m["text"], timeout=30
            )
            for search in (first, second)
        }
        assert "closed on another person. Another man confessed" in json.dumps(told[first]["blocks"])
        was = await mara.wait_message(oversight, lambda m: f"search {first} was recalled" in m["text"])
        assert "An arrest is on record for it" in json.dumps(was["blocks"])
        assert await record(dana, told[second], "record_outcome", {"outcome": "arrest", "note": "Yesterday."}) == {}
        await dana.wait_view(lambda v: "The arrest is recorded" in json.dumps(v["blocks"]))
        await mara.wait_message(
            oversight, lambda m: f"AN ARREST was recorded on the lead of search {second}" in m["text"]
        )
    entries = await town.sql("SELECT entry FROM ledger.entry WHERE stream = 'oversight' ORDER BY seq")
    said = [json.loads(bytes(row["entry"])) for row in entries]
    asked = [entry["data"]["allowed"] for entry in said if entry["data"].get("command") == "face-recall"]
    assert asked[-2:] == [False, True]
    closed = [entry["data"]["searches"] for entry in said if entry["kind"] == "CaseClosedOnAnother"]
    assert closed == [[first, second]]
    assert (await town.kinds(second))[-2:] == ["LeadRecalled", "OutcomeRecorded"]


async def test_a_lead_without_an_outcome_is_over_in_time_and_what_was_handed_over_is_gone(town, enrolled):
    async with Four(town) as people:
        dana, _, _, mara = people
        search, notice, photograph, _ = await lead(town, people, enrolled)
        soon = "UPDATE casework.search SET body = body || jsonb_build_object('expires_at', now() + $2::interval) WHERE id = $1"
        await town.sql(soon, search, timedelta(hours=12))
        await a_day(town, f"{search}-1")
        await dana.wait_message(
            photograph["channel"], lambda m: f"lead of search {search} expires on" in m["text"], timeout=30
        )
        await town.sql(soon, search, timedelta(hours=-1))
        await a_day(town, f"{search}-2")
        await mara.wait_message(
            town.room("oversight"), lambda m: f"search {search} expired without an outcome" in m["text"], timeout=30
        )
        await dana.wait_message(
            town.room("intake"), lambda m: m["ts"] == notice["ts"] and "expired" in m["text"], notice["thread_ts"]
        )
        await town.settled(search)
        assert await town.sql("SELECT 1 FROM casework.upload WHERE search = $1", search) == []
    assert (await town.kinds(search))[-1] == "LeadExpired"


async def a_day(town, key: str) -> None:
    """The day's work is done once more."""
    await town.sql("INSERT INTO casework.job (kind, key) VALUES ('daily', $1)", key)


async def test_a_lead_sheet_that_is_forwarded_is_noticed_and_recorded(town, enrolled):
    async with Four(town) as people:
        dana, _, _, mara = people
        search, _, _, sheet = await lead(town, people, enrolled)
        await dana.forward(sheet["files"][0]["id"], town.room("intake"), "Anybody know him?")
        told = await mara.wait_message(
            town.room("oversight"), lambda m: f"Something of search {search} was forwarded" in m["text"], timeout=30
        )
        assert dana.id in json.dumps(told["blocks"])
    [entry] = await forwarded(town, search)
    assert (entry["what"], entry["account"]) == ("sheet", dana.id)


async def forwarded(town, search) -> list[dict]:
    """What the ledger has of things of that search that somebody passed on."""
    rows = await town.sql(
        "SELECT entry FROM ledger.entry WHERE stream = $1 AND kind = 'Forwarded' ORDER BY seq", f"images:{search}"
    )
    return [json.loads(bytes(row["entry"]))["data"] for row in rows]


async def test_a_leads_photograph_that_is_saved_and_posted_anew_is_noticed_and_told_once(town, enrolled):
    """Another file of the same bytes, twice; the photograph in it is offered for a search like every other."""
    async with Four(town) as people:
        dana, _, _, mara = people
        search, _, photograph, _ = await lead(town, people, enrolled)
        file = next(b["slack_file"]["id"] for b in photograph["blocks"] if b["type"] == "image")
        data = await dana.image(file)
        for name in ("lookathim.jpg", "again.jpg"):
            post = await dana.post_photo(town.room("intake"), data, name, "Know him?")
            await dana.wait_message(town.room("intake"), lambda m: play.has(m, "start_request"), post["ts"])
        told = await mara.wait_for(lambda: told_of(mara, town, search), 30)
        assert len(told) == 1
        assert dana.id in json.dumps(told[0]["blocks"])
        await no_job_waits(town, dana, "file-shared")
        assert await told_of(mara, town, search) == told
    [entry] = await forwarded(town, search)
    assert (entry["what"], entry["account"], entry["channel"]) == ("lead", dana.id, town.room("intake"))
    assert entry["file"] != file


async def test_a_message_that_shows_a_leads_photograph_is_noticed_when_it_is_forwarded(town, enrolled):
    async with Four(town) as people:
        dana, _, _, mara = people
        search, _, photograph, _ = await lead(town, people, enrolled)
        await dana.forward_message(photograph, town.room("intake"), "Know him?")
        assert len(await mara.wait_for(lambda: told_of(mara, town, search), 30)) == 1
    assert [(one["what"], one["account"]) for one in await forwarded(town, search)] == [("lead", dana.id)]


async def test_where_a_sheet_stands_is_looked_at_though_no_event_told_of_it(town, enrolled):
    async with Four(town) as people:
        dana, _, _, mara = people
        search, _, _, sheet = await lead(town, people, enrolled)
        await dana.forward(sheet["files"][0]["id"], town.room("intake"), "Anybody know him?")
        await mara.wait_for(lambda: told_of(mara, town, search), 30)
        await no_job_waits(town, dana, "file-shared")
        await town.sql("DELETE FROM casework.post WHERE key LIKE '% recorded'")  # as if no event had come
        await town.sql("INSERT INTO casework.job (kind, key) VALUES ('look-at-shares', 'now')")
        await no_job_waits(town, dana, "look-at-shares")
        assert len(await told_of(mara, town, search)) == 1
    by_event, by_looking = await forwarded(town, search)
    assert by_event == by_looking


async def told_of(mara, town, search) -> list[dict]:
    """What supervisors were told of things of that search that somebody passed on."""
    told = await mara.messages(town.room("oversight"))
    return [m for m in told if f"Something of search {search} was forwarded" in m["text"]]


async def no_job_waits(town, who, kind: str) -> None:
    async def none():
        waits = "SELECT 1 FROM casework.job WHERE kind = $1 AND state IN ('ready', 'running')"
        return not await town.sql(waits, kind)

    await who.wait_for(none, 60)
