"""kill -9 at every step of the story: it completes, with one lead and one of each message."""

import asyncio
import json

import asyncpg
import pytest

from deploy.demo import play

JOBS = (
    "photo-posted",
    "receive-photo",
    "run-search",
    "open-review",
    "ask-decision",
    "give-notice",
    "hand-photograph",
    "hand-sheet",
    "update-card",
    "retire-post",
)


class Assassin:
    """Kills the worker while it holds a job of the kind, as soon as the job's row says so; once."""

    def __init__(self, town, kind: str) -> None:
        self._town = town
        self._kind = kind
        self.killed = 0

    async def __aenter__(self):
        self._watch = asyncio.create_task(self._wait())
        return self

    async def __aexit__(self, *_):
        self._watch.cancel()

    async def _wait(self) -> None:
        conn = await asyncpg.connect(self._town.system.database_url("postgres"))
        query = "SELECT 1 FROM casework.job WHERE kind = $1 AND state = 'running'"
        while not await conn.fetch(query, self._kind):
            await asyncio.sleep(0.001)
        self._town.system.children["worker"].kill()
        self.killed += 1
        await conn.close()


async def whole_story(town, probe, after=lambda step: None):
    """The story to its end, `after` being called between any two of its human steps."""
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("mara.quinn") as mara,
    ):
        post = await dana.post_photo(town.room("intake"), probe.path.read_bytes(), probe.path.name)
        after("post")
        search = await patiently(dana, lambda: play.ask(dana, town.room("intake"), post, lambda who, what: None))
        after("request")
        root = await play.review_thread(eva, town.room("review"), search)
        for who in (eva, noor):
            after("examine")
            await patiently(who, lambda who=who: play.examine(who, root, probe))
        after("approve")
        await patiently(mara, lambda: play.approve(mara, town.room("oversight"), search))
        after("notice")
        notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=True)
        after("acknowledge")
        await patiently(dana, lambda: play.acknowledge(dana, notice))
        await town.settled(search)
        return search, post, root


async def patiently(who, act):
    """What a person does when a click does not go through: they see so, wait, and click again."""
    for _ in range(20):
        try:
            return await act()
        except play.RefusedError:
            await who.close_view(everything=True)
            await asyncio.sleep(0.5)
    return await act()


async def one_of_each(town, search, post, root) -> None:
    kinds = await town.kinds(search)
    once = ("SearchRequested", "PhotoAssessed", "SearchRun", "ExaminersAgreed", "LeadIssued", "LeadAcknowledged")
    assert {kind: kinds.count(kind) for kind in once} == dict.fromkeys(once, 1)
    assert kinds.count("ExaminationConcluded") == 2
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara:
        thread = await dana.messages(town.room("intake"), post["ts"])
        assert len(thread) == 3, [m["text"] for m in thread]  # the photograph, the card, the notice
        review = await mara.messages(town.room("review"), root["ts"])
        assert len(review) == 1, [m["text"] for m in review]  # the root; who examines sees candidates alone
        roots = [m for m in await mara.messages(town.room("review")) if search in m["text"]]
        assert len(roots) == 1
        decisions = [m for m in await mara.messages(town.room("oversight")) if search in m["text"]]
        assert len(decisions) == 1
        direct = next(c for c in await dana.channels() if c.get("is_im"))

        async def told() -> list:
            return [m for m in await dana.messages(direct["id"]) if search in json.dumps(m)]

        async def sheet_is_there() -> bool:
            """Slack shares a file some time after it took it."""
            return any(m.get("files") for m in await told())

        await dana.wait_for(sheet_is_there, 30)
        handed = await told()
        photographs = [m for m in handed if any(b["type"] == "image" for b in m.get("blocks") or [])]
        sheets = [f for m in handed for f in m.get("files") or [] if f["name"].endswith(".pdf")]
        assert (len(photographs), len(sheets)) == (1, 1), [m["text"] for m in handed]


@pytest.mark.parametrize("kind", JOBS)
async def test_a_worker_killed_in_the_middle_of_a_job_leaves_one_lead_and_one_of_each_message(kind, town, enrolled):
    async with Assassin(town, kind) as assassin:
        told = await whole_story(town, enrolled)
        assert assassin.killed == 1
    await one_of_each(town, *told)


async def test_bot_and_worker_killed_between_all_human_steps_leave_one_lead_and_one_of_each_message(town, enrolled):
    kills = []

    def kill(step: str) -> None:
        for name in ("bot", "worker"):
            town.system.children[name].kill()
        kills.append(step)

    told = await whole_story(town, enrolled, kill)
    assert len(kills) == 7
    await one_of_each(town, *told)


async def test_a_message_that_slack_took_without_answering_is_not_sent_again(town, enrolled):
    """chat.postMessage arrives and the connection breaks: the worker looks before it sends again."""
    await town.director("fault", plan=[{"where": "chat.postMessage", "what": "done_but_no_answer", "times": 4}])
    told = await whole_story(town, enrolled)
    assert (await town.director("fault"))["left"] == []
    await one_of_each(town, *told)


async def test_slack_refusing_for_a_while_delays_and_doubles_nothing(town, enrolled):
    plan = [
        {"where": "chat.postMessage", "what": "http_500", "times": 2},
        {"where": "files.completeUploadExternal", "what": "ratelimited", "times": 2},
        {"where": "chat.update", "what": "timeout", "times": 1, "seconds": 0.5},
    ]
    await town.director("fault", plan=plan)
    told = await whole_story(town, enrolled)
    await town.director("fault", clear=True)
    await one_of_each(town, *told)
