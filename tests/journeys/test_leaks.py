"""Nothing that an examiner can see before both opinions are locked says what would sway them (M17, M20).

Journeys are drawn by chance from a seed: purpose, requester, photograph, who examines in which order, what they say, who
looks at the viewer, which transport. Everything that was sent or served to examiners is searched for every word that
belongs to that journey and must not be there. LEADGATE_LEAK_JOURNEYS=100 plays a hundred, in slices if
LEADGATE_LEAK_SLICE=0:20 says so; without it, six are played.
"""

import io
import json
import os
import random
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from deploy.demo import play, system
from tests.journeys.conftest import LEASE, SHARED_MEMORY, Town
from tests.journeys.examining import candidates, labels_on, open_sheet
from tests.journeys.test_purposes import PACK, ask
from tests.journeys.test_viewer import jar, link, open_link

JOURNEYS = int(os.environ.get("LEADGATE_LEAK_JOURNEYS", "6"))
FROM, _, TO = os.environ.get("LEADGATE_LEAK_SLICE", f"0:{JOURNEYS}").partition(":")
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
    first: str
    second: str
    says: tuple[str, str]  # "same", "other", "none" or "inconclusive"
    looks: tuple[bool, bool]  # at the viewer, too

    @property
    def marks(self) -> dict[str, str]:
        """Words that only this journey's requester and first examiner wrote."""
        return {who: f"zq{who}{self.number}x" for who in ("basis", "offence", "differences", "note", "witness")}


def plan(number: int) -> Plan:
    chance = random.Random(f"leak {number}")
    clear = [p for p in play.probes() if p.person][:14] + [p for p in play.probes() if not p.person]
    first, second = chance.sample(["eva.lind", "noor.haddad", "ben.tanaka"], 2)
    return Plan(
        number,
        chance.choice([p.code for p in PACK.purposes]),
        chance.choice(["dana.ruiz", "sam.okafor"]),
        chance.choice(clear),
        first,
        second,
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


async def calls_since(town, last) -> list:
    """What the app called after `last`; the workspace keeps only so many."""
    calls = (await town.director("record"))["calls"]
    if last is None:
        return calls
    at = next(n for n in range(len(calls) - 1, -1, -1) if calls[n] == last)
    return calls[at + 1 :]


def to_examiners(calls, rooms_of_others) -> list[str]:
    """The calls whose payload an examiner may come to see: messages elsewhere and others' forms are left out."""
    kept = []
    for method, said in calls:
        view = said.get("view") or {}
        elsewhere = said.get("channel") in rooms_of_others or said.get("channel_id") in rooms_of_others
        if not elsewhere and view.get("callback_id") not in NOT_TO_EXAMINERS and method != "conversations.open":
            kept.append(json.dumps([method, said]))
    return kept


async def files_of(who, sheet, chance, seen) -> None:
    """The pictures in Slack as this person gets them, small and large."""
    files = [b["slack_file"]["id"] for b in sheet["blocks"] if b["type"] == "image"]
    for file in [files[0], *chance.sample(files[1:], 3)]:
        seen.pictures += [await who.image(file, size) for size in THUMBNAILS]


async def at_the_viewer(town, root, name, mark, chance, seen) -> None:
    """The page, what it reads, some photographs; and a finding with a note."""
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


async def examined(town, plan, search, root, who, says, looks, marks, chance) -> Seen:
    """One examiner's turn up to the moment at which their opinion is locked."""
    seen = Seen()
    sheet = await open_sheet(who, root)
    seen.read(sheet, await who.messages(town.room("review"), root["ts"]))
    assert "initial_option" not in json.dumps(sheet), "an answer that this examiner did not give"
    await files_of(who, sheet, chance, seen)
    seen.read((await who.wait_for(who.home, 20))["blocks"])
    if looks:
        await who.close_view()
        await at_the_viewer(town, root, who.name, marks["note"], chance, seen)
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


async def pick(town, plan, search, says, shown) -> str | None:
    found = sorted((c for c in await candidates(town, search) if c["label"] in shown), key=lambda c: c["label"])
    truth = next((c["label"] for c in found if c["person"] == plan.probe.person), found[0]["label"])
    other = next(c["label"] for c in found if c["label"] != truth)
    return {"same": truth, "other": other}.get(says)


async def played(town, plan) -> list[str]:
    """What leaked in this journey, to whom."""
    chance, mark = random.Random(f"details {plan.number}"), plan.marks
    before = await calls_since(town, None)
    changes = {"basis": f"{play.BASIS} {mark['basis']}", "offence": f"PL 160.15 {mark['offence']}"}
    if chance.random() < 0.5:  # a sealed description, which the record may contradict or not
        heights = {"witness-height": chance.choice(["5'8-6'2", "4'8"]), "witness-marks": mark["witness"]}
        changes |= {"circumstances": ["witness"], "description": f"In a red cap, {mark['witness']}.", **heights}
    async with (
        town.person(plan.requester) as requester,
        town.person(plan.first) as first,
        town.person(plan.second) as second,
    ):
        _, search, wrong = await ask(town, requester, plan.probe, plan.purpose, **changes)
        assert wrong == {}, wrong
        root = await play.review_thread(first, town.room("review"), search)
        await stands(town, first, root)
        of_case = await of_the_case(town, plan, search)
        of_first = await identity(town, plan.first) | {mark["differences"], mark["note"]}
        theirs = {"differences": f"second{plan.number}", "note": f"second{plan.number}"}
        one = await examined(town, plan, search, root, first, plan.says[0], plan.looks[0], mark, chance)
        two = await examined(town, plan, search, root, second, plan.says[1], plan.looks[1], theirs, chance)
        rooms = {town.room("intake"), town.room("oversight"), *await directs(requester)}
        sent = to_examiners(await calls_since(town, before[-1] if before else None), rooms)
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


async def stands(town, who, root) -> None:
    """The candidates are in the thread."""

    async def both():
        return len(await who.messages(town.room("review"), root["ts"])) >= 2 or None

    await who.wait_for(both, 40)


async def directs(who) -> list[str]:
    return [channel["id"] for channel in await who.channels() if channel.get("is_im")]


@pytest.fixture(scope="module")
async def signed():
    """The same desk where Slack delivers by signed HTTP."""
    if JOURNEYS <= 6:
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


@pytest.mark.parametrize("number", range(int(FROM), min(int(TO), JOURNEYS)))
async def test_nothing_that_would_sway_an_examiner_reaches_one_before_both_opinions_are_locked(number, town, signed):
    assert await played(signed if signed and number % 4 == 0 else town, plan(number)) == []


def test_the_journeys_differ_in_everything_that_is_drawn():
    hundred = [plan(n) for n in range(100)]
    assert {p.purpose for p in hundred} == {p.code for p in PACK.purposes}
    assert len({p.says for p in hundred}) == 12
    assert len({(p.first, p.second) for p in hundred}) == 6
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
