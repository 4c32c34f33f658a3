"""The story, played by people at the workspace's doors: a photograph becomes a lead, and another one does not.

The examiners of the script know the cast by sight (`eyes`); the bot, the matcher and everybody else know nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.eyes import same_picture
from deploy.demo.system import System
from deploy.workspace.person import Person, RefusedError
from policy.model import Conclusion
from policy.morphology import Found, Support

__all__ = ["RefusedError", "same_picture"]

PICTURES = Path(__file__).parent / "cast" / "pictures"
Say = Callable[[str, str], None]
Json = dict[str, Any]

BASIS = "Till robbery on Fifth Avenue at 21:40; the person in this still took the cash drawer and ran towards the park."
REQUEST = {
    "case-number": "2026-075-001234",
    "timing": "has",
    "offence": "PL 160.15 robbery in the first degree",
    "basis": BASIS,
    "image-source": "cctv",
    "requester": "12345, 75 Pct Det Squad, Sgt. Alvarez",
    "attested": ["yes"],
}


@dataclass(frozen=True, slots=True)
class Probe:
    """A picture of the cast that a detective posts, and who is in it: known to the script alone."""

    path: Path
    person: str | None
    known: tuple[Path, ...]  # gallery photographs of that person


def probes() -> list[Probe]:
    """Those of the cast, in the order of its manifest."""
    here = PICTURES.parent
    gallery = [json.loads(line) for line in (here / "gallery.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [json.loads(line) for line in (here / "probes.jsonl").read_text(encoding="utf-8").splitlines()]
    return [
        Probe(
            here / row["probe"],
            row["person"],
            tuple(here / g["photo"] for g in gallery if g["person"] == row["person"]),
        )
        for row in rows
        if row.get("faces", 1) == 1
    ]


def probe_of(photo: Path, gallery: Path | None) -> Probe:
    """Somebody's own picture. The script knows the face where the picture's folder is named as one of the gallery's."""
    same = gallery / photo.resolve().parent.name if gallery and gallery.is_dir() else None
    known = tuple(p for p in sorted(same.iterdir()) if p.resolve() != photo.resolve()) if same and same.is_dir() else ()
    return Probe(photo, photo.resolve().parent.name if known else None, known)


async def story(system: System, say: Say, own: Probe | None = None) -> None:
    """One photograph of somebody enrolled, from the post to the lead; then one of somebody who is not.

    With a picture of one's `own`, that story alone: it ends without a lead where the script does not know the face.
    """
    if own:
        search = await _case(system, own, say, leads=bool(own.known))
        await _usage(system, say)
        await _verify(system, search, say)
        return
    enrolled = next(p for p in probes() if p.person)
    stranger = next(p for p in probes() if p.person is None)
    search = await _case(system, enrolled, say, leads=True)
    say("", "")
    await _case(system, stranger, say, leads=False)
    say("", "")
    await _usage(system, say)
    await _verify(system, search, say)


async def _case(system: System, probe: Probe, say: Say, *, leads: bool) -> str:
    page, rooms = system.page, system.channels
    async with (
        Person(page, "dana.ruiz") as dana,
        Person(page, "eva.lind") as eva,
        Person(page, "noor.haddad") as noor,
        Person(page, "mara.quinn") as mara,
    ):
        post, search = await request(dana, rooms["face-intake"], probe, say)
        thread = await review_thread(eva, rooms["face-review"], search)
        say("review", f"{search}: examiners are drawn by lot; each sees the candidates on a worksheet of their own")
        if leads:
            await self_review(dana, eva, rooms["face-review"], thread, say)
        for examiner in (eva, noor):
            picked = await examine(examiner, thread, probe if leads else None)
            say(examiner.name, f"concludes alone: {'possible match, candidate ' + picked if picked else 'nobody'}")
        if leads:
            await approve(mara, rooms["face-oversight"], search)
            say("mara.quinn", "approves it as an investigative lead, in writing")
        notice = await notice_of(dana, rooms["face-intake"], post["ts"], leads=leads)
        say("dana.ruiz", f"is told: {notice['text']}")
        if leads:
            await acknowledge(dana, notice)
            say("dana.ruiz", "acknowledges the limits, and only then receives the photograph")
    return search


async def request(who: Person, channel: str, probe: Probe, say: Say) -> tuple[Json, str]:
    """The photograph is posted and the form filled in: (the post, the search's id)."""
    post = await who.post_photo(channel, probe.path.read_bytes(), probe.path.name)
    say(who.name, f"posts {probe.path.name} in #face-intake")
    return post, await ask(who, channel, post, say)


async def ask(who: Person, channel: str, post: Json, say: Say) -> str:
    """The form of a posted photograph is filled in, wrongly at first, and sent: the search's id."""
    card = await who.wait_message(channel, lambda m: has(m, "start_request"), post["ts"])
    await who.click(card, "start_request")
    form = await who.wait_view(lambda v: v["callback_id"] == "request_form")
    await who.select(form, "answer", "suspect", block_id="purpose")
    await who.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
    wrong = await who.submit(REQUEST | {"purpose": "suspect", "case-number": "12"})
    say("form", f"a case number of the wrong form is refused beside the question: {wrong.get('case-number', wrong)}")
    wrong = await who.submit(REQUEST | {"purpose": "suspect"})
    if wrong:
        raise AssertionError(f"the form was refused: {wrong}")
    search = json.loads(form["private_metadata"])["search"]
    say(who.name, f"requests search {search}: purpose “suspect”, case {REQUEST['case-number']}")
    return search


async def review_thread(who: Person, channel: str, search: str) -> Json:
    """The head of the review thread, once a worksheet can be opened from it."""
    return await who.wait_message(channel, lambda m: has(m, "open_worksheet") and search in m["text"], timeout=40)


async def self_review(requester: Person, examiner: Person, room: str, root: Json, say: Say) -> None:
    """The requester, let into the examiners' room, tries to examine their own search, and is refused."""
    await examiner.invite(room, requester.name)
    await requester.click(root, "open_worksheet")
    told = await requester.wait_view(lambda v: bool(v["blocks"]))
    if told.get("callback_id") == "worksheet":
        raise AssertionError("the requester was given a worksheet")
    say(requester.name, f"tries to examine their own search: {told['blocks'][0]['text']['text']}")
    await requester.close_view()
    await requester.leave(room)


async def examine(who: Person, root: Json, probe: Probe | None) -> str | None:
    """Every candidate is answered and the opinion locked; answers the label that was found possible."""
    await who.click(root, "open_worksheet")
    sheet = await who.wait_view(lambda v: v.get("callback_id") == "worksheet")
    picked: str | None = None
    for label, file in candidates(sheet):
        shown = await who.image(file)
        possible = probe is not None and any(same_picture(shown, known) for known in probe.known)
        picked = label if possible else picked
        support = Support.SAME if possible else Support.DIFFERENT
        await who.select(sheet, f"answer_{label}", support.value, block_id=f"candidate_{label}")
    await who.wait_view(lambda v: "Every candidate is answered" in json.dumps(v["blocks"]))
    conclusion = f"{Conclusion.POSSIBLE_MATCH} {picked}" if picked else Conclusion.NO_POSSIBLE_MATCH.value
    differences = "The light falls from the side and the mouth is open here; neither excludes." if picked else ""
    wrong = await lock(who, {"conclusion": conclusion, "differences": differences})
    if wrong:
        raise AssertionError(f"the opinion was refused: {wrong}")
    await who.close_view()
    return picked


async def lock(who: Person, opinion: Json) -> dict[str, str]:
    """The opinion is locked, after the comparison that is asked for where somebody is named: what was wrong with it."""
    wrong = await who.submit(opinion)
    if wrong or not str(opinion["conclusion"]).startswith(Conclusion.POSSIBLE_MATCH):
        return wrong
    form = await who.wait_view(lambda v: v.get("callback_id") == "checklist")
    asked = [b["block_id"] for b in form["blocks"] if b["type"] == "input"]
    return await who.submit(dict.fromkeys(asked, Found.SIMILAR.value) | {asked[-1]: Found.NOT_COMPARABLE.value})


def candidates(sheet: Json) -> list[tuple[str, str]]:
    """(label, file id) of each candidate on the sheet, in the examiner's own order."""
    pictures = [b for b in sheet["blocks"] if b["type"] == "image" and b["alt_text"].startswith("Candidate ")]
    return [(b["alt_text"].removeprefix("Candidate "), b["slack_file"]["id"]) for b in pictures]


async def approve(who: Person, channel: str, search: str) -> None:
    asked = await who.wait_message(channel, lambda m: search in m["text"] and has(m, "approve_lead"))
    await who.click(asked, "approve_lead")
    await who.wait_view(lambda v: v.get("callback_id") == "decide_lead")
    wrong = await who.submit({"reason": "Two sound examinations; differences considered and explained."})
    if wrong:
        raise AssertionError(f"the decision was refused: {wrong}")


async def notice_of(who: Person, channel: str, thread: str, *, leads: bool) -> Json:
    words = "INVESTIGATIVE LEAD ONLY" if leads else "NO POSSIBLE MATCH"
    return await who.wait_message(channel, lambda m: words in m["text"], thread, timeout=30)


async def acknowledge(who: Person, notice: Json) -> Json:
    """The lead is acknowledged; answers the direct message with its photograph, and no earlier one."""
    buttons = [e for block in notice["blocks"] for e in block.get("elements", [])]
    search = next(e["value"] for e in buttons if e.get("action_id") == "acknowledge_lead")
    await who.click(notice, "acknowledge_lead")

    async def direct() -> Json | None:
        for channel in await who.channels():
            if channel.get("is_im"):
                for message in await who.messages(channel["id"]):
                    if f"INVESTIGATIVE LEAD ONLY. Arrest photograph of search {search}" in message["text"]:
                        return message
        return None

    return await who.wait_for(direct, 20)


async def _usage(system: System, say: Say) -> None:
    async with Person(system.page, "mara.quinn") as mara:
        room = system.channels["face-oversight"]
        await mara.command(room, "/face-usage")
        told = await mara.wait_message(room, lambda m: bool(m.get("is_ephemeral")))
        lines = [b["text"]["text"].replace("\n", ": ") for b in told["blocks"] if b["type"] == "section"]
        say("/face-usage", "; ".join(lines))


async def _verify(system: System, search: str, say: Say) -> None:
    """An auditor, with a login that can only read, recomputes the whole ledger."""
    env = {"LEADGATE_DATABASE_URL": system.database_url("auditor")}
    vkey = str(system.root / "ledger.vkey")
    status, said = await system.command("ledger", "verify", "--vkey", vkey, env=env)
    for line in said.strip().splitlines():
        say("auditor", line)
    if status:
        raise AssertionError(f"the ledger does not hold after search {search}")


def has(message: Json, action: str) -> bool:
    """Whether the message shows a button of that action, in a row of its own or beside a text."""
    shown = [e for b in message.get("blocks") or [] for e in (*b.get("elements", []), b.get("accessory") or {})]
    return any(element.get("action_id") == action for element in shown)
