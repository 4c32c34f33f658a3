"""What examiners and supervisors see. No score, no rank, no name, no record, no requester (M17)."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from bot.views import context as record
from bot.views import lead
from bot.views.blocks import (
    Block,
    View,
    actions,
    asked,
    button,
    context,
    divider,
    header,
    literal,
    modal,
    pictured,
    plain,
    quoted,
    section,
    select,
    text_input,
)
from bot.views.cases import case
from bot.views.look_alikes import risk
from policy.leads import concluded, supporting
from policy.model import Candidate, Conclusion, Examination, Label, Note, Search, State
from policy.morphology import Answer, Support

PAGE = 20  # candidates on one page of the worksheet; a view holds 100 blocks
MOST_OF_A_CASE = 40
CONCLUSION, DIFFERENCES = "conclusion", "differences"
SUPPORT_WORDS = {  # the scale is an examiner's own; others are told three words at most
    Support.SAME_STRONGLY: "One person: strong support",
    Support.SAME: "One person: support",
    Support.SAME_WEAKLY: "One person: limited support",
    Support.NEITHER: "No support either way",
    Support.DIFFERENT_WEAKLY: "Two people: limited support",
    Support.DIFFERENT: "Two people: support",
    Support.DIFFERENT_STRONGLY: "Two people: strong support",
}
CONCLUSION_WORDS = {
    Conclusion.INCONCLUSIVE: "Inconclusive",
    Conclusion.NO_POSSIBLE_MATCH: "No possible match",
}
PROBE, PREPARED = "probe", "prepared"
PREPARED_WORDS = "Prepared copy: searched with, not decided on"


def root(search: Search, files: Mapping[str, str]) -> tuple[str, list[Block]]:
    """The head of a review thread, in the restricted channel; the worksheet can be opened once all stands there.

    Candidates stand nowhere in common: whoever saw more of them than their own sheet shows could tell a pick among
    foils from its foils (X1).
    """
    text = f"Examination {search.id}"
    return text, [
        header(f"Examination {search.id}"),
        section(
            "Compare the submitted image with each candidate *on your own*. Software always returns somebody: three "
            "of four examinations rightly end without a lead. Do not discuss it before the examination is over."
        ),
        *pictured(files, PROBE, "Submitted image"),
        *pictured(files, PREPARED, PREPARED_WORDS),
        *([_open(search)] if search.state in {State.IN_REVIEW, State.DISAGREED} else []),
        context("The candidates stand on your own worksheet and at the viewer, in an order that is yours alone."),
    ]


def order(search: Search, seed: str) -> list[Candidate]:
    """The candidates in the order in which one examiner sees them, seeded for that examiner alone."""
    mixed = sorted(search.candidates, key=lambda c: c.label)
    random.Random(seed).shuffle(mixed)
    return mixed


def worksheet(
    search: Search,
    mine: Examination | None,
    files: Mapping[str, str],
    seed: str,
    page_asked: int = 0,
    typed: str = "",
    *,
    taken: bool = False,
) -> View:
    """One examiner's private sheet: each candidate is answered, then the conclusion locks the opinion."""
    ordered = order(search, seed)
    pages = max(1, -(-len(ordered) // PAGE))
    page = min(max(page_asked, 0), pages - 1)
    answers, support = (mine.answers, mine.support) if mine else ({}, {})
    blocks = [*pictured(files, PROBE, "Submitted image"), *pictured(files, PREPARED, PREPARED_WORDS)]
    if taken:
        blocks.append(section(TAKEN))
    blocks.append(_progress(search, answers))
    if PROBE not in files:
        blocks.append(_at_the_viewer(search, "The photographs are at the viewer.", ""))
    for candidate in ordered[page * PAGE : (page + 1) * PAGE]:
        blocks += _candidate(candidate, files, support.get(candidate.label))
    if pages > 1:
        blocks.append(_pager(search, page, pages))
    blocks.append(divider())
    blocks += _conclusion(search, answers, typed)
    return modal(
        "worksheet",
        "Examination",
        "Lock my opinion",
        blocks,
        {"search": search.id, "page": page, "probe": search.photo_sha256 if PROBE in files else ""},
    )


TAKEN = (
    "As many examiners as are needed have begun this one already. You may leave it to them, or go on: the opinions "
    "that are locked first count, and later ones can no longer be given."
)


def _progress(search: Search, answers: Mapping[Label, Answer]) -> Block:
    left = len(search.candidates) - len(answers)
    done = "Every candidate is answered." if left == 0 else f"{left} of {len(search.candidates)} candidates still open."
    return context(f"{done} Answers are kept as you choose them; only you can see them.")


def _candidate(candidate: Candidate, files: Mapping[str, str], support: Support | None) -> list[Block]:
    words = {s.value: w for s, w in SUPPORT_WORDS.items()}
    choice = select(f"answer_{candidate.label}", "What is seen supports", words, support.value if support else None)
    held = len(candidate.photos)
    more = f"\n{held} photographs: the viewer shows every one." if held > 1 else ""
    return [
        *pictured(files, candidate.label, f"Candidate {candidate.label}"),
        section(f"Candidate {candidate.label}{more}", accessory=choice, block_id=f"candidate_{candidate.label}"),
    ]


def _pager(search: Search, page: int, pages: int) -> Block:
    turns: list[Block] = []
    if page > 0:
        turns.append(button("Previous page", "page_back", f"{search.id} {page - 1}"))
    if page < pages - 1:
        turns.append(button("Next page", "page_on", f"{search.id} {page + 1}"))
    return actions(*turns)


def _conclusion(search: Search, answers: Mapping[Label, Answer], typed: str) -> list[Block]:
    possible = sorted(label for label, answer in answers.items() if answer is Answer.POSSIBLE)
    choices = {f"possible-match {label}": f"Possible match: candidate {label}" for label in possible}
    choices |= {c.value: words for c, words in CONCLUSION_WORDS.items()}
    return [
        asked(
            CONCLUSION,
            "Your conclusion",
            select("answer", "Choose once every candidate is answered", dict(list(choices.items())[:100])),
            hint="A possible match names one candidate for whom there is support, and not limited support alone.",
        ),
        asked(
            DIFFERENCES,
            "Differences considered",
            text_input("answer", multiline=True, longest=2000, typed=typed),
            hint="At least one, for a possible match: what differs, and why it does not exclude.",
            optional=True,
        ),
        context(f"Examination {search.id} · once locked, an opinion cannot be changed"),
    ]


def read_conclusion(value: str) -> tuple[Conclusion, Label | None]:
    """What a chosen option of the worksheet says."""
    word, _, label = value.partition(" ")
    return Conclusion(word), Label(label) if label else None


def locked(search: Search) -> View:
    """After the opinion is locked."""
    return {
        "type": "modal",
        "title": plain("Examination", 24),
        "close": plain("Close", 24),
        "blocks": [
            section(f"*Your opinion on {search.id} is locked.* Thank you. You will not be told what others concluded.")
        ],
    }


def called(search: Search, *, open_to_all: bool) -> tuple[str, list[Block]]:
    """In the thread: a seat is free. Why it is, and which opinion it would be, is said to nobody."""
    text = f"Examination {search.id} waits for an examiner"
    whom = (
        "Nobody was drawn for it: whoever may examine it and has not yet can open it."
        if open_to_all
        else "Whoever was drawn by lot or asked for it has been told."
    )
    return text, [section(f"*{text}*, on the same terms as every other. {whom}"), _open(search)]


def _open(search: Search) -> Block:
    return actions(
        button("Open my worksheet", "open_worksheet", search.id, style="primary"),
        button("Open the viewer", "open_viewer", search.id),
        button("I know somebody in this case", "declare_conflict", search.id),
    )


def _at_the_viewer(search: Search, told: str, sight: str) -> Block:
    """A sentence with the button that opens the viewer."""
    return section(told, accessory=button("Open the viewer", "open_viewer", f"{search.id} {sight}".strip()))


def viewer_link(address: str, code: str, *, taken: bool = False) -> View:
    """The one-time link to the viewer and its code, in a modal that only the person who asked for it can see."""
    link = button("Open the viewer", "follow_viewer", "once", style="primary") | {"url": address}
    told = (
        "The photographs, side by side. The link is yours alone: it works once, within five minutes. "
        "Every view is recorded."
    )
    return {
        "type": "modal",
        "title": plain("Viewer", 24),
        "close": plain("Close", 24),
        "blocks": [
            *([section(TAKEN)] if taken else []),
            section(told),
            actions(link),
            section(f"Code: *{code[:3]} {code[3:]}*"),
            context("The page asks for the code where your browser has not been yours at the viewer within the hour."),
        ],
    }


def over(search: Search) -> tuple[str, list[Block]]:
    """The head of the thread once nobody can add to it."""
    text = f"Examination {search.id} is over"
    shown = [button("What is on record", "see_context", search.id)] if search.lead else []
    add = button("Add to my opinion", "add_note", search.id)
    thanks = section("*This examination is over.* Thank you.")
    return text, [header(f"Examination {search.id}"), thanks, actions(*shown, add)]


def note_form(search: Search) -> View:
    """For an examiner whose opinion is locked: it stays, and this stands beside it (M22)."""
    blocks = [
        section(f"Your opinion on {search.id} stays as you locked it. What you add stands beside it on the record."),
        asked("note", "What should be known", text_input("answer", multiline=True, longest=2000)),
    ]
    return modal("add_note", "Add to my opinion", "Add", blocks, {"search": search.id})


def decision(search: Search, files: Mapping[str, str]) -> tuple[str, list[Block]]:
    """Put to the supervisors: both opinions are locked and name the same candidate."""
    label = search.lead
    assert label is not None, "agreed without a candidate"
    text = f"Decision needed on search {search.id}"
    return text, [
        header(f"Decision on {search.id}"),
        section(
            f"{lead.judged(search, f'candidate {label} as a possible match')} {lead.shown(search)} "
            f"Purpose {literal(search.purpose)}, {case(search)}."
        ),
        *pictured(files, PROBE, "Submitted image"),
        *pictured(files, label, f"Candidate {label}"),
        section(f"*Differences considered, of candidate {label}*"),
        *[quoted(f"– {one.differences}") for one in supporting(search)],
        *_dissent(search),
        *_added(search),
        *record.for_decision(search),
        *risk(search, label),
        actions(
            button("Approve as a lead", "approve_lead", search.id, style="primary"),
            button("Do not approve", "reject_lead", search.id, style="danger"),
            button("Ask one more examiner", "return_review", search.id),
            button("Open the viewer", "open_viewer", f"{search.id} decision"),
        ),
        context("A supervisor who examined or requested cannot decide. A lead is never an identification."),
    ]


def _dissent(search: Search) -> list[Block]:
    """What those who named somebody else wrote of that other candidate: a supervisor weighs it, a lead is not told."""
    others = [one for one in concluded(search) if one.candidate not in {None, search.lead}]
    return [quoted(f"– Of candidate {one.candidate}, by who named them instead: {one.differences}") for one in others]


def _added(search: Search) -> list[Block]:
    if not search.notes:
        return []
    return [section("*Added after locking*"), *[quoted(f"– {note}") for note in lead.notes(search)]]


def added(search: Search, note: Note) -> tuple[str, list[Block]]:
    """To the supervisors, of a lead that was issued: what an examiner has since said beside their opinion."""
    text = f"An examiner added to their opinion on search {search.id}"
    recall = actions(button("Recall this lead", "recall_lead", search.id))
    return text, [section(f"*{text}*, after the lead was issued."), quoted(f"– {note.text}"), recall]


def returned(search: Search) -> tuple[str, list[Block]]:
    """In the place of the question, while one more examiner compares (M23)."""
    text = f"Search {search.id} is with one more examiner"
    return text, [section(f"*{text}.* The decision is asked for here again once that opinion is locked.")]


def again(search: Search) -> tuple[str, list[Block]]:
    """Beneath the question, which was edited and so called nobody."""
    text = f"Decision needed on search {search.id}: one more opinion is locked"
    return text, [section(f"*{text}.* The question above is open again.")]


def return_form(search: Search) -> View:
    blocks = [
        section(
            f"Search {search.id}: one more examiner compares, blind like those before. A lead then needs them, too."
        ),
        asked("reason", "Reason", text_input("answer", multiline=True, longest=2000)),
    ]
    return modal("return_review", "One more examiner", "Ask", blocks, {"search": search.id})


def decision_form(search: Search, *, approve: bool) -> View:
    what = "approve this as an investigative lead" if approve else "not approve a lead"
    blocks = [
        section(f"You are about to {what}, search {search.id}."),
        *(record.questions(search) if approve else []),
        asked("reason", "Reason", text_input("answer", multiline=True, longest=2000)),
    ]
    data = {"search": search.id, "approve": approve}
    return modal("decide_lead", "Decision", "Approve" if approve else "Do not approve", blocks, data)


def decided(search: Search) -> tuple[str, list[Block]]:
    text = f"Search {search.id} is decided"
    recall = [actions(button("Recall this lead", "recall_lead", search.id))] if search.state is State.LEAD else []
    return text, [section(f"*Search {search.id} is decided.* The requester has been told."), *recall]


def usage(rows: Sequence[Mapping[str, object]], labels: Mapping[str, str], since: str, until: str) -> list[Block]:
    """Counts by purpose and outcome, for supervisors. No image, no case, no person (M33)."""
    blocks = [header("Use of facial recognition"), context(f"Requested from {since} to before {until}, UTC")]
    if not rows:
        return [*blocks, section("Nothing was requested in this period.")]
    by_purpose: dict[str, list[str]] = {}
    for row in rows:
        by_purpose.setdefault(str(row["purpose"]), []).append(f"{literal(str(row['outcome']))}: {row['searches']}")
    total = sum(int(str(row["searches"])) for row in rows)
    lines = [section(f"*{literal(labels.get(p, p))}*\n{' · '.join(counts)}") for p, counts in by_purpose.items()]
    return [*blocks, *lines[:45], context(f"{total} searches in all · outcomes as in the ledger")]


def of_case(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str], number: str) -> list[Block]:
    """The searches of a case, for supervisors and auditors. No image, no person (M33)."""
    blocks = [header("Searches of a case"), context(f"Case {literal(number)}")]
    if not rows:
        return [*blocks, section("Nothing on record was requested under this number.")]
    for row in rows[:MOST_OF_A_CASE]:
        came = f"outcome {row['outcome']}" if row["outcome"] else f"open: {row['state']}"
        what = literal(labels.get(row["purpose"], row["purpose"]))
        blocks.append(section(f"*{row['id']}* · {row['requested_at']:%Y-%m-%d %H:%M} UTC\n{what} · {came}"))
    told = f"{min(len(rows), MOST_OF_A_CASE)} of {len(rows)} searches, the latest first"
    return [*blocks, context(f"{told} · `leadgate ledger` has all that is on record of each")]


def telling(text: str) -> View:
    """One sentence in a modal, for somebody who clicked what they may not or what is over."""
    return {
        "type": "modal",
        "title": plain("Leadgate", 24),
        "close": plain("Close", 24),
        "blocks": [{"type": "section", "text": plain(text, 3000)}],
    }
