"""Nothing that an examiner can see before both opinions are locked says what would sway them (M17, M20).

Journeys are drawn by chance from a seed: purpose, requester, photograph, who of the two who were drawn by lot examines
first, what they say, who looks at the viewer, which transport. Everything that was sent or served to examiners is
searched for every word that belongs to that journey and must not be there; and no order in which anything was sent
follows the software's ranking, over all journeys together.

The suite plays six, other ones each day. All hundred, several at once, in about half an hour on two idle cores:

    LEADGATE_LEAK_JOURNEYS=100 LEADGATE_LEAK_JSON=leaks.json uv run pytest tests/journeys/test_leaks.py

LEADGATE_LEAK_SLICE=0:20 plays some of them; LEADGATE_LEAK_AT_ONCE says how many at a time (three).
"""

import asyncio
import io
import json
import os
import random
import re
import shutil
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path

import pytest
from PIL import Image

from deploy.demo import play, system
from deploy.workspace.person import RefusedError
from tests.journeys.conftest import LEASE, SHARED_MEMORY, Town
from tests.journeys.examining import candidates, labels_on, open_sheet
from tests.journeys.test_purposes import PACK, ask
from tests.journeys.test_viewer import jar, link, open_link

EVERY, FEW = 100, 6
JOURNEYS = int(os.environ.get("LEADGATE_LEAK_JOURNEYS", str(FEW)))
TODAY = datetime.now(UTC).date().toordinal() * FEW
FROM, _, TO = os.environ.get("LEADGATE_LEAK_SLICE", f"0:{JOURNEYS}").partition(":")
NUMBERS = range(int(FROM), int(TO)) if JOURNEYS > FEW else [(TODAY + n) % EVERY for n in range(int(FROM), int(TO))]
AT_ONCE = int(os.environ.get("LEADGATE_LEAK_AT_ONCE", "3"))
FIGURES = os.environ.get("LEADGATE_LEAK_JSON")
BY_CHANCE = 4.5  # deviations that the mean of all rank correlations may be from none: one run in a hundred thousand
CAST = [json.loads(line) for line in (play.PICTURES.parent / "gallery.jsonl").read_text("utf-8").splitlines()]
# No word of ours that says how near a face was, or of what somebody is suspected.
WORDS = ("score", "rank", "cosine", "similarity", "embedding", "arrest", "suspect", "offence", "confidence")
TIMES = re.compile(r"\d{10}\.\d{6}")
NOT_TO_EXAMINERS = ("request_form", "approval", "decide_lead")
THUMBNAILS = (0, 160, 480)


@dataclass
class Seen:
    """What one examiner was shown: payloads and pages as text, pictures as bytes."""

    texts: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)

    def read(self, *things) -> None:
        self.texts += [TIMES.sub("", thing if isinstance(thing, str) else json.dumps(thing)) for thing in things]

    def leaks(self, tokens) -> list[str]:
        """Which of the tokens stand in what was shown; short ones are looked for in texts alone."""
        text = "\n".join(self.texts).lower()
        found = [token for token in tokens if re.search(as_a_word(token), text)]
        raw = [token for token in tokens if len(token) >= 6 and any(token.encode() in p for p in self.pictures)]
        return [*found, *raw, *(f"metadata: {what}" for p in self.pictures for what in metadata(p))]


def as_a_word(token: str) -> str:
    """Where a token begins a word; a short one, such as a first name, is the whole of it."""
    end = "(?![a-z0-9])" if len(token) < 5 else ""
    return f"(?<![a-z0-9]){re.escape(token.lower())}{end}"


def metadata(picture: bytes) -> list[str]:
    """What a photograph carries beside its pixels and how to read them."""
    image = Image.open(io.BytesIO(picture))
    harmless = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression", "dpi"}
    return [*(set(image.info) - harmless), *(["exif"] if image.getexif() else [])]


@dataclass(frozen=True)
class Plan:
    """One journey, drawn by chance."""

    number: int
    purpose: str
    requester: str
    probe: play.Probe
    swapped: bool  # of the two who are drawn by lot, the second by name examines first
    says: tuple[str, str]  # "same", "other", "none" or "inconclusive"
    looks: tuple[bool, bool]  # at the viewer, too

    @property
    def marks(self) -> dict[str, str]:
        """Words that only this journey's requester and first examiner wrote."""
        return {who: f"zq{who}{self.number}x" for who in ("basis", "offence", "differences", "note", "witness")}


def plan(number: int) -> Plan:
    chance = random.Random(f"leak {number}")
    clear = [p for p in play.probes() if p.person][:14] + [p for p in play.probes() if not p.person]
    return Plan(
        number,
        chance.choice([p.code for p in PACK.purposes]),
        chance.choice(["dana.ruiz", "sam.okafor"]),
        chance.choice(clear),
        chance.random() < 0.5,
        (chance.choice(["same", "other", "none", "inconclusive"]), chance.choice(["same", "other", "none"])),
        (chance.random() < 0.5, chance.random() < 0.7),
    )


# --- what must not be seen --------------------------------------------------------------------------------------------


async def of_the_case(town, plan, search) -> set[str]:
    """Scores, people, photographs, the requester and what they wrote."""
    [row] = await town.sql("SELECT case_number, requested_by, body FROM casework.search WHERE id = $1", search)
    found = json.loads(row["body"])["candidates"]
    people = {c["person"] for c in found}
    tokens = people | {photo for c in found for photo in c["photos"]} | {f"{c['score']:.6f}"[:6] for c in found}
    for known in (one for one in CAST if one["person"] in people):
        tokens |= {known["arrest_id"], known["name"], *known["name"].split(), known["agency"], known["photo_date"]}
        tokens.add(Path(known["photo"]).name)
    tokens |= {row["case_number"], plan.purpose, plan.probe.path.name, plan.marks["basis"], plan.marks["offence"]}
    tokens |= {plan.marks["witness"], "witness", "described"}
    return tokens | await identity(town, plan.requester) | set(WORDS)


async def identity(town, name: str) -> set[str]:
    """Every way of naming a member of the department."""
    async with town.person(name) as who:
        return {name, who.id, *name.split("."), *(part.title() for part in name.split("."))}


# --- what is seen -----------------------------------------------------------------------------------------------------


class Traffic:
    """What the app of one desk called: each journey reads what was called while it went on, others' among it."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._calls: list = []
        self._called = 0
        self._reading = asyncio.Lock()

    async def until_now(self) -> int:
        """How many calls there were."""
        async with self._reading:
            more = await self._town.director("record", after=self._called)
            assert more["called"] - self._called == len(more["calls"]), "calls were forgotten before they were read"
            self._calls += more["calls"]
            self._called = more["called"]
            return len(self._calls)

    def between(self, start: int, end: int) -> list:
        return self._calls[start:end]


@dataclass
class Desk:
    """One desk on which journeys go on at once: a person has one screen, so each does one thing at a time."""

    town: Town
    traffic: Traffic
    screens: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    orders: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def ordered(self, what: str, labels, ranks: dict[str, int]) -> None:
        """How far that order follows the ranking of those who stand in it, kept for the sum of all journeys."""
        found = [ranks[label] for label in labels if label in ranks]
        self.orders[what].append(correlation(found) * sqrt(len(found) - 1))


def correlation(ranks: list[int]) -> float:
    """Spearman's: 1 where they stand from the best downwards, -1 upwards, about 0 where chance put them."""
    n = len(ranks)
    by_rank = {rank: at for at, rank in enumerate(sorted(ranks))}
    return 1 - 6 * sum((at - by_rank[rank]) ** 2 for at, rank in enumerate(ranks)) / (n * (n * n - 1))


ASKS = {"conversations.open", "users.info"}


def to_examiners(calls, rooms_of_others) -> list[str]:
    """The calls whose payload an examiner may come to see: messages elsewhere, others' forms and what only asks Slack
    something (whether an account is a full member's) are left out.
    """
    kept = []
    for method, said in calls:
        view = said.get("view") or {}
        elsewhere = said.get("channel") in rooms_of_others or said.get("channel_id") in rooms_of_others
        if not elsewhere and view.get("callback_id") not in NOT_TO_EXAMINERS and method not in ASKS:
            kept.append(json.dumps([method, said]))
    return kept


async def files_of(who, sheet, chance, seen) -> None:
    """The pictures in Slack as this person gets them, small and large."""
    files = [b["slack_file"]["id"] for b in sheet["blocks"] if b["type"] == "image"]
    for file in [files[0], *chance.sample(files[1:], 3)]:
        seen.pictures += [await who.image(file, size) for size in THUMBNAILS]


async def at_the_viewer(town, root, name, mark, chance, seen) -> list[str]:
    """The page, what it reads, some photographs; and a finding with a note. Answers the candidates in its order."""
    address = await link(town, root, name)
    origin = address.partition("/viewer")[0]
    async with jar() as browser:
        opened = await open_link(browser, address)
        seen.read(await opened.text(), str(dict(opened.headers)))
        sheet = await (await browser.get(f"{origin}/viewer/sheet.json")).json()
        seen.read(sheet)
        for one in [sheet["picture"], *chance.sample(sheet["candidates"], 3)]:
            answer = await browser.get(f"{origin}/viewer/pictures/{one}")
            seen.read(str(dict(answer.headers)), str(answer.url))
            seen.pictures.append(await answer.read())
        place = f"{origin}/viewer/checklist/{sheet['candidates'][0]}/ears"
        found = {"finding": "different", "note": mark}
        assert (await browser.put(place, json=found, headers={"Origin": origin})).status == 204
    return sheet["candidates"]


async def examined(desk, plan, search, root, who, says, looks, marks, chance) -> Seen:
    """One examiner's turn up to the moment at which their opinion is locked."""
    seen, town = Seen(), desk.town
    ranks = {c["label"]: c["rank"] for c in await candidates(town, search)}
    sheet = await open_sheet(who, root)
    seen.read(sheet, await who.messages(town.room("review"), root["ts"]))
    assert "initial_option" not in json.dumps(sheet), "an answer that this examiner did not give"
    desk.ordered("worksheet", labels_on(sheet), ranks)
    await files_of(who, sheet, chance, seen)
    await nobody_else_is_seen(town, search, who, sheet)
    seen.read((await who.wait_for(who.home, 20))["blocks"])
    if looks:
        await who.close_view()
        shown = await at_the_viewer(town, root, who.name, marks["note"], chance, seen)
        desk.ordered("viewer", shown, ranks)
        assert sorted(shown) == sorted(labels_on(sheet))
        sheet = await open_sheet(who, root)
    picked = await pick(town, plan, search, says, set(labels_on(sheet)))
    for label in labels_on(sheet):
        answer = "same" if label == picked else chance.choice(["different", "different-strongly", "neither"])
        await who.select(sheet, f"answer_{label}", answer, block_id=f"candidate_{label}")
    full = await who.wait_view(lambda v: "Every candidate is answered" in json.dumps(v["blocks"]))
    room = await who.messages(town.room("review"))
    since = [m for m in room if float(m["ts"]) >= float(root["ts"])]  # who came into the room before tells of no search
    seen.read(full, await who.messages(town.room("review"), root["ts"]), since)
    none = "inconclusive" if says == "inconclusive" else "no-possible-match"
    said = {"conclusion": f"possible-match {picked}" if picked else none}
    wrong = await play.lock(
        who, said | {"differences": f"The ears differ a little, {marks['differences']}." if picked else ""}
    )
    assert wrong == {}, wrong
    await who.close_view(everything=True)
    return seen


async def nobody_else_is_seen(town, search, who, sheet) -> None:
    """A candidate who is not on the sheet is nowhere else: a pick among foils could be told by who was left out (X1)."""
    shown = {f"{label}" for label in labels_on(sheet)}
    files = {
        row["label"]: row["file"] for row in await town.sql("SELECT * FROM casework.upload WHERE search = $1", search)
    }
    for label in {c["label"] for c in await candidates(town, search)} - shown:
        with pytest.raises(RefusedError):
            await who.image(files[label])
    thread = json.dumps([m["blocks"] for m in await who.messages(town.room("review")) if search in m["text"]])
    assert not [label for label, file in files.items() if file in thread and label not in {"probe", "prepared"}]


async def pick(town, plan, search, says, shown) -> str | None:
    found = sorted((c for c in await candidates(town, search) if c["label"] in shown), key=lambda c: c["label"])
    truth = next((c["label"] for c in found if c["person"] == plan.probe.person), found[0]["label"])
    other = next(c["label"] for c in found if c["label"] != truth)
    return {"same": truth, "other": other}.get(says)


async def played(desk, plan) -> list[str]:
    """What leaked in this journey, to whom."""
    chance, mark, town = random.Random(f"details {plan.number}"), plan.marks, desk.town
    start = await desk.traffic.until_now()
    changes = {"basis": f"{play.BASIS} {mark['basis']}", "offence": f"PL 160.15 {mark['offence']}"}
    if chance.random() < 0.5:  # a sealed description, which the record may contradict or not
        heights = {"witness-height": chance.choice(["5'8-6'2", "4'8"]), "witness-marks": mark["witness"]}
        changes |= {"circumstances": ["witness"], "description": f"In a red cap, {mark['witness']}.", **heights}
    async with town.person(plan.requester) as requester:
        async with desk.screens[plan.requester]:
            _, search, wrong = await ask(town, requester, plan.probe, plan.purpose, **changes)
        assert wrong == {}, wrong
        rooms = {town.room("intake"), town.room("oversight"), *await directs(requester)}
    async with town.person("mara.quinn") as mara:  # in the room, and no examiner
        root = await mara.wait_message(
            town.room("review"), lambda m: play.has(m, "open_worksheet") and search in m["text"], timeout=180
        )
    await uploads_say_nothing(desk, search, start)
    names = await drawn(town, search)
    names = names[::-1] if plan.swapped else names
    of_case = await of_the_case(town, plan, search)
    of_first = await identity(town, names[0]) | {mark["differences"], mark["note"]}
    theirs = {"differences": f"second{plan.number}", "note": f"second{plan.number}"}
    turns = []
    for name, says, looks, marks in zip(names, plan.says, plan.looks, (mark, theirs), strict=True):
        async with desk.screens[name], town.person(name) as who:
            turns.append(await examined(desk, plan, search, root, who, says, looks, marks, chance))
    one, two = turns
    end = await desk.traffic.until_now()
    sent = to_examiners(desk.traffic.between(start, end), rooms)
    traffic = Seen([TIMES.sub("", said) for said in sent])
    assert len(sent) > 20, "the traffic was not recorded"
    public = [said for said in sent if '"views.' not in said[:9]]  # a view is its owner's alone
    both = Seen([TIMES.sub("", said) for said in public])
    leaked = {
        "first": one.leaks(of_case),
        "second": two.leaks(of_case | of_first),
        "any payload to examiners": traffic.leaks(of_case),
        "any message to both": both.leaks(of_first),
    }
    return [f"journey {plan.number} ({plan.purpose}), {to}: {tokens}" for to, tokens in leaked.items() if tokens]


async def uploads_say_nothing(desk, search, start) -> None:
    """The order of uploads, and of the files' ids, is kept beside the others: whoever sees a file may see both."""
    ranks = {c["label"]: c["rank"] for c in await candidates(desk.town, search)}
    rows = await desk.town.sql("SELECT label, file FROM casework.upload WHERE search = $1", search)
    label_of = {row["file"]: row["label"] for row in rows}
    assert set(ranks) < set(label_of.values())
    calls = desk.traffic.between(start, await desk.traffic.until_now())
    names = [said["filename"] for method, said in calls if method == "files.getUploadURLExternal"]
    asked = [name.removesuffix(".jpg").upper() for name in names if names.count(name) == 1]  # others upload meanwhile
    [done] = [files for files in map(completed, calls) if any(file in label_of for file in files)]
    desk.ordered("upload begun", asked, ranks)
    desk.ordered("upload completed", [label_of[file] for file in done], ranks)
    desk.ordered("file id", [label_of[file] for file in sorted(label_of)], ranks)


def completed(call) -> list[str]:
    """The files that this call completed, in its order; none where it is another call."""
    method, said = call
    files = said["files"] if method == "files.completeUploadExternal" else []
    return [one["id"] for one in (json.loads(files) if isinstance(files, str) else files)]


async def drawn(town, search) -> list[str]:
    """The two who were drawn by lot, by name."""
    [one] = [entry.data for entry in await town.entries(search) if entry.kind == "ExaminersDrawn"]
    return sorted(one["examiners"])


async def directs(who) -> list[str]:
    return [channel["id"] for channel in await who.channels() if channel.get("is_im")]


@pytest.fixture(scope="module")
async def signed():
    """The same desk where Slack delivers by signed HTTP."""
    if JOURNEYS <= FEW:
        yield None
        return
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="leadgate-signed-", dir=parent))
    options = {"durable": False, "workspace_options": ("--control",), "signed_http": True}
    try:
        async with system.running(root, lease_seconds=LEASE, **options) as running:
            made = Town(running)
            await made.director("rates", scale=50)
            yield made
    finally:
        shutil.rmtree(root, ignore_errors=True)


async def open_desk(town: Town) -> Desk:
    """A desk of three examiners, of whom two are drawn each time."""
    async with town.person("eva.lind") as eva:
        await eva.invite(town.room("review"), "ben.tanaka")
    return Desk(town, Traffic(town))


async def test_nothing_that_would_sway_an_examiner_reaches_one_before_both_opinions_are_locked(town, signed):
    began, most = time.monotonic(), asyncio.Semaphore(AT_ONCE)
    desks = [await open_desk(one) for one in (town, signed) if one]

    async def one(number: int) -> list[str]:
        async with most:
            try:
                return await played(desks[-1] if number % 4 == 0 else desks[0], plan(number))
            except Exception as error:
                error.add_note(f"journey {number}")
                raise

    try:
        leaks = [leak for of_one in await asyncio.gather(*map(one, NUMBERS)) for leak in of_one]
    finally:
        for desk in desks:
            async with desk.town.person("ben.tanaka") as ben:
                await ben.leave(desk.town.room("review"))
    orders = {what: deviations(desks, what) for what in {what for desk in desks for what in desk.orders}}
    figures = {"journeys": list(NUMBERS), "seconds": round(time.monotonic() - began), "leaks": leaks, "orders": orders}
    if FIGURES:
        await asyncio.to_thread(Path(FIGURES).write_text, json.dumps(figures, indent=1) + "\n", "utf-8")
    assert leaks == []
    assert orders.keys() >= {"worksheet", "upload begun", "upload completed", "file id"}
    assert {what: found for what, found in orders.items() if abs(found) > BY_CHANCE} == {}


def deviations(desks: list[Desk], what: str) -> float:
    """How far an order follows the ranking over all journeys, in standard deviations of what chance would do."""
    found = [one for desk in desks for one in desk.orders[what]]
    return round(sum(found) / sqrt(len(found)), 2)


def test_an_order_that_follows_the_ranking_is_found_in_six_journeys():
    assert correlation(list(range(1, 21))) == -correlation(list(range(20, 0, -1))) == 1
    desk = Desk(None, None)
    ranks = {f"K{n}": n for n in range(1, 21)}
    for n in range(FEW):
        desk.ordered("by rank", ranks, ranks)
        desk.ordered("by chance", random.Random(n).sample(sorted(ranks), 20), ranks)
    assert deviations([desk], "by rank") > 2 * BY_CHANCE > 2 * abs(deviations([desk], "by chance"))


def test_the_journeys_differ_in_everything_that_is_drawn():
    hundred = [plan(n) for n in range(100)]
    assert {p.purpose for p in hundred} == {p.code for p in PACK.purposes}
    assert len({p.says for p in hundred}) == 12
    assert {p.swapped for p in hundred} == {True, False}
    assert len({p.looks for p in hundred}) == 4
    assert len({p.probe.path for p in hundred}) >= 15


@pytest.mark.parametrize(
    ("shown", "token"),
    [
        ({"alt_text": "Candidate K7, score 0.7312"}, "0.7312"),
        ({"title": "S-0042-a.jpg"}, "S-0042"),
        ("<p>for Dana</p>", "dana"),
    ],
)
def test_a_leak_is_found_where_there_is_one(shown, token):
    seen = Seen()
    seen.read(shown)
    assert seen.leaks({token, "not there"}) == [token]


def test_a_leak_in_a_photographs_metadata_is_found():
    out = io.BytesIO()
    image = Image.new("RGB", (64, 64))
    exif = image.getexif()
    exif[0x010E] = "S-0042 of the gallery"
    image.save(out, "JPEG", exif=exif)
    found = Seen(pictures=[out.getvalue()]).leaks({"S-0042"})
    assert "S-0042" in found
    assert "metadata: exif" in found
