"""A request whose number the department's case system was asked about, seen by those who decide."""

import json

from deploy.demo import play
from tests.journeys.test_purposes import ask, decide

CLOSED, UNANSWERED = "2026-075-100001", "2026-075-100002"


async def test_a_closed_case_waits_for_a_supervisor_who_reads_that_it_is_closed(town, enrolled):
    town.cases[CLOSED] = (200, b'{"exists": true, "open": false}')
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara, town.person("eva.lind") as eva:
        post, search, wrong = await ask(town, dana, enrolled, "suspect", **{"case-number": CLOSED})
        assert wrong == {}
        await dana.wait_message(town.room("intake"), lambda m: "Waiting for approval" in m["text"], post["ts"])
        question = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_request"), timeout=30
        )
        assert "says that this case is closed" in json.dumps(question["blocks"])
        await decide(town, search, "approve_request")
        await play.review_thread(eva, town.room("review"), search)


async def test_a_case_system_that_refuses_the_desk_stops_nobody_and_the_supervisors_are_told(town, enrolled):
    town.cases[UNANSWERED] = (403, b"")
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara, town.person("eva.lind") as eva:
        _, search, wrong = await ask(town, dana, enrolled, "suspect", **{"case-number": UNANSWERED})
        assert wrong == {}
        told = await mara.wait_message(town.room("oversight"), lambda m: "Case numbers are not checked" in m["text"])
        assert "It answers 403" in json.dumps(told["blocks"])
        await play.review_thread(eva, town.room("review"), search)
    asked = (await town.entries(search))[0]
    assert (asked.kind, asked.data["case_known"]) == ("SearchRequested", "offline")
