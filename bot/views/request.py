"""What a requester sees: the card in the thread of the photograph, and the form."""

from collections.abc import Mapping, Sequence

from bot.views import aftermath, lead
from bot.views import context as context_view
from bot.views.blocks import (
    Block,
    View,
    actions,
    asked,
    button,
    checkboxes,
    context,
    date_input,
    image,
    literal,
    modal,
    plain,
    quoted,
    section,
    select,
    text_input,
)
from policy import intake
from policy.authority import stoppable
from policy.model import Outcome, Search, SearchId, State
from policy.pack import FormField, Pack, Purpose

PURPOSE, CASE_NUMBER, ATTESTED = "purpose", "case-number", "attested"
REPOSITORIES = intake.REPOSITORIES
ANSWER = "answer"  # every input's action id; the block id names the question
LEAD_ONLY = "_What comes back is an investigative lead only, never an identification, never probable cause._"


def offer(search: SearchId, file: str, owner: str) -> tuple[str, list[Block]]:
    """The reply beneath a posted photograph: only whoever posted it may go on."""
    text = "Photograph received. Nothing is searched until a request is made."
    value = f"{search} {file} {owner}"
    return text, [
        section(f"*Photograph received.* Nothing is searched until <@{owner}> says for which case and which purpose."),
        actions(button("Request a search", "start_request", value, style="primary")),
        context(f"{search} · {LEAD_ONLY}"),
    ]


def not_for_search(reason: str) -> tuple[str, list[Block]]:
    return literal(reason), [section(literal(reason))]


STAGES = {
    State.HELD: "Waiting for approval; nothing is searched before that",
    State.REQUESTED: "Reading the photograph",
    State.FACE_NEEDED: "Waiting for you to say which face is meant",
    State.QUALITY_HELD: "The image is poor; waiting for a supervisor",
    State.ASSESSED: "Searching the gallery",
    State.SEARCHED: "Opening the examination",
    State.IN_REVIEW: "Being examined",
    State.DISAGREED: "Being examined by one more examiner",
    State.AGREED: "With a supervisor for decision",
    State.LEAD: "Closed: see the notice below",
    State.CLOSED: "Closed: see the notice below",
}
ORDER = tuple(STAGES)


def card(search: Search, pack: Pack) -> tuple[str, list[Block]]:
    """How far the search is. Says nothing of candidates or examiners."""
    purpose = pack.purpose(search.purpose)
    opinions = sum(e.conclusion is not None for e in search.examinations)
    stage = STAGES[search.state]
    if search.state is State.IN_REVIEW:
        stage = f"{stage}: {opinions} of {pack.review.examiners} examiners have concluded"
    text = f"Search {search.id}: {stage}"
    return text, [
        section(
            f"*Search {search.id}* · {stage}\n"
            f"{literal(purpose.label if purpose else search.purpose)} · case {literal(search.case_number)}"
        ),
        *([actions(button("Withdraw this search", "withdraw_search", search.id))] if stoppable(search) else []),
        context(f"Requested by the person who posted the photograph · pack {search.pack} · {LEAD_ONLY}"),
    ]


def form(
    pack: Pack,
    search: SearchId,
    file: str,
    owner: str,
    place: Mapping[str, str],
    answers: Mapping[str, str],
    told: Sequence[str] = (),
) -> View:
    """The request form: it asks what the purpose and the answers so far require, and nothing else.

    `answers` are those given so far, by block id: typed just now, or kept from a form that was closed. `told` is what
    was wrong with them, where it cannot stand beside a question.
    """
    purpose = pack.purpose(answers.get(PURPOSE, ""))
    chosen = purpose.code if purpose else None
    purposes = {p.code: p.label for p in pack.purposes}
    blocks: list[Block] = [
        *([quoted("\n".join([NOT_ACCEPTED, *(f"• {reason}" for reason in told)]))] if told else []),
        asked(PURPOSE, "Authorised purpose", select(ANSWER, "Choose one", purposes, chosen), dispatch=True),
    ]
    data = _meta(search, file, owner, place)
    if purpose is None:
        blocks.append(context("These are the only uses the policy authorises. The form goes on once you choose one."))
        return modal("request_form", "Request a search", "Continue", blocks, data) | {"notify_on_close": True}
    blocks.append(context(literal(purpose.text)))
    blocks.append(_case_number(purpose, answers.get(CASE_NUMBER, "")))
    deciding = {field.when.field for field in pack.fields(purpose) if field.when}
    due = intake.asked(pack, purpose, answers)
    of_the_pack = [field for field in due if field is not intake.EXCEPTION]
    blocks += [_question(field, answers.get(field.name, ""), dispatch=field.name in deciding) for field in of_the_pack]
    if pack.repositories.exceptional:
        blocks.append(_repositories(pack, answers.get(REPOSITORIES, "")))
    if intake.EXCEPTION in due:
        blocks.append(_question(intake.EXCEPTION, answers.get(intake.EXCEPTION.name, ""), dispatch=False))
    blocks.append(asked(ATTESTED, pack.attestation, _attest(answers)))
    blocks.append(context(LEAD_ONLY))
    return modal("request_form", "Request a search", "Request", blocks, data) | {"notify_on_close": True}


NOT_ACCEPTED = "This request was not accepted. Nothing is searched by it:"


def _attest(answers: Mapping[str, str]) -> Block:
    return checkboxes(ANSWER, {"yes": "I attest to this"}, intake.chosen(answers.get(ATTESTED, "")))


def _repositories(pack: Pack, answer: str) -> Block:
    """Classes of photographs that are otherwise out of reach (M42)."""
    options = {code: f"{code.replace('-', ' ')} photographs".capitalize() for code in pack.repositories.exceptional}
    hint = "Searched only where an executive allows it in writing, until a date."
    element = checkboxes(ANSWER, options, intake.chosen(answer))
    return asked(REPOSITORIES, "Beyond arrest photographs", element, hint=hint, optional=True, dispatch=True)


def _case_number(purpose: Purpose, typed: str) -> Block:
    hint = purpose.case_number_hint
    element = text_input(ANSWER, multiline=False, placeholder=hint, longest=100, typed=typed)
    return asked(CASE_NUMBER, purpose.case_number_label, element, hint=hint)


def _meta(search: SearchId, file: str, owner: str, place: Mapping[str, str]) -> dict[str, str]:
    return {
        "search": search,
        "file": file,
        "owner": owner,
        "channel": place["channel"],
        "thread": place["thread"],
    }


def _question(field: FormField, answer: str, *, dispatch: bool) -> Block:
    match field.kind:
        case "choice":
            element = select(ANSWER, "Choose one", field.options, answer)
        case "checks":
            element = checkboxes(ANSWER, field.options, intake.chosen(answer))
        case "date":
            element = date_input(ANSWER, answer)
        case "text" | "narrative":
            element = text_input(ANSWER, multiline=field.kind == "narrative", typed=answer)
    return asked(field.name, field.label, element, hint=field.hint, optional=not field.required, dispatch=dispatch)


def face_question(search: Search, file: str | None) -> tuple[str, list[Block]]:
    """Several faces: the requester says which; the others are never searched (M5)."""
    text = f"Search {search.id}: there are several faces in the photograph. Which one is meant?"
    buttons = [
        button(f"Face {face.index + 1}", f"choose_face_{face.index}", f"{search.id} {face.index}")
        for face in search.faces[:24]
    ]
    return text, [
        section(f"*{len(search.faces)} faces were found.* Which one do you ask about? The others are not searched."),
        *([image(file, "The photograph with a number on each face")] if file else []),
        actions(*buttons, *([] if file else [_viewer(search, "faces")])),
        context(f"{search.id} · only the person who requested this search may choose"),
    ]


def notice(search: Search, pack: Pack, beside: lead.Beside) -> tuple[str, list[Block]]:
    """The notice that ends a search: lead, no lead, unsuitable or withdrawn."""
    match search.outcome:
        case Outcome.POSSIBLE_MATCH:
            return _lead(search, pack, beside)
        case Outcome.NO_POSSIBLE_MATCH:
            return _no_lead(search, pack, beside)
        case Outcome.UNSUITABLE:
            title, body = _titled(pack.notices.unsuitable)
        case Outcome.WITHDRAWN:
            title, body = "WITHDRAWN.", "The search was withdrawn at the requester's wish."
        case Outcome.REJECTED:
            title, body = "NOT APPROVED.", "The request was not approved. This says nothing about any person."
        case Outcome.ERROR:
            title, body = "FAULT.", "The search could not be finished."
        case Outcome.KNOWN_ANSWER | None:
            raise AssertionError("a notice before the end")
    text = f"{literal(title)} {literal(search.reason)}"
    return text, [
        section(f"*{literal(title)}* {literal(body)}\n{literal(search.reason)}"),
        context(f"Search {search.id} · The request is recorded and disclosable."),
    ]


def _titled(words: str) -> tuple[str, str]:
    """The first sentence of a notice, which stands out, and the others."""
    title, _, rest = words.partition(". ")
    return f"{title.rstrip('.')}.", rest


def _bold(words: str) -> str:
    title, rest = _titled(words)
    return f"*{literal(title)}* {literal(rest)}"


def withheld(search: Search, why: str) -> tuple[str, list[Block]]:
    """In the place of a notice, while nobody may see or use the result (M41)."""
    text = f"WITHHELD. {literal(why)}"
    answer = search.recalled and search.acknowledged_at and search.recall_acknowledged_at is None
    return text, [
        section(f"*WITHHELD.* {literal(why)}"),
        *([actions(button("Nothing of it is left", "acknowledge_recall", search.id))] if answer else []),
        *(aftermath.done_before(search) if search.acknowledged_at else []),
        context(
            f"Search {search.id} · Do not act on anything that came of it. The request is recorded and disclosable."
        ),
    ]


def _lead(search: Search, pack: Pack, beside: lead.Beside) -> tuple[str, list[Block]]:
    """L1 to L5 and L10 in the pack's own words, the others as they are for this search."""
    text = "INVESTIGATIVE LEAD ONLY. This is not an identification."
    handling = (lead.expiry(search), lead.contact(search))
    return text, [
        section(_bold(pack.notices.lead)),
        section("\n".join(f"• {literal(duty)}" for duty in (*pack.notices.duties, *handling))),
        *_limits(search, pack, lead.age_gap(search, beside.taken)),
        _examined(
            f"{lead.carried(search)}. {lead.judged(search, 'this person as possible')} {lead.shown(search)}",
            lead.earlier(search, beside.earlier),
        ),
        section("*Differences that the examiners considered*"),
        *[quoted(f"– {one}") for one in lead.differences(search)],
        *[quoted(f"– {one}") for one in lead.notes(search)[:MOST_NOTES]],
        *_contradictions(search),
        actions(
            button(
                "Acknowledge and see the photograph",
                "acknowledge_lead",
                search.id,
                style="primary",
                confirm={
                    "title": plain("Before you see it", 100),
                    "text": plain(pack.notices.acknowledgement, 300),
                    "confirm": plain("I will comply", 30),
                    "deny": plain("Not now", 30),
                },
            )
        ),
        context(f"Search {search.id} · case {literal(search.case_number)} · pack {search.pack}"),
    ]


MOST_NOTES = 10


def _limits(search: Search, pack: Pack, age: Sequence[str] = ()) -> list[Block]:
    """L6 and L7. A message holds less than a sheet: of a long lineage, the sheet has every step and its hashes."""
    told = [lead.image_limits(search), *lead.edits(search, hashes=False), *age]
    return [section(f"*Limits.* {literal(pack.notices.limits)}"), quoted("\n".join(f"• {one}" for one in told))]


def _examined(compared: str, earlier: Sequence[str]) -> Block:
    """L8."""
    return quoted(f"Examined: {compared}\nEarlier searches: {' '.join(earlier)}")


def _contradictions(search: Search) -> list[Block]:
    """L9: what the arrest record contradicts, and how that was resolved."""
    told = context_view.on_the_lead(search)
    return [section("*Contradictory facts*"), *[quoted(f"– {one}") for one in told]] if told else []


def _no_lead(search: Search, pack: Pack, beside: lead.Beside) -> tuple[str, list[Block]]:
    text = "NO POSSIBLE MATCH REPORTED. This excludes no one."
    return text, [
        section(_bold(pack.notices.no_lead)),
        *_limits(search, pack),
        _examined(lead.compared(search), lead.earlier(search, beside.earlier)),
        quoted(f"Restricted: do not forward. {lead.contact(search)}"),
        context(f"Search {search.id} · {literal(search.reason)} · preserve this record and disclose it"),
    ]


ARREST_PHOTOGRAPH = "Arrest photograph. Investigative lead only, not an identification."


def please_delete(search: Search) -> tuple[str, list[Block]]:
    """Beneath a photograph that the bot may not take away itself."""
    yours = "received, sealed and is safe" if search.photo_sha256 else "not searched, and the desk has no copy"
    told = (
        f"*This workspace keeps no photographs.* Yours was {yours}. Slack lets only you delete what you posted: please "
        "delete the photograph above now. That it was asked is recorded."
    )
    return f"Search {search.id}: please delete the photograph you posted", [section(told)]


def deleted(search: Search) -> tuple[str, list[Block]]:
    """The same message once they did."""
    text = f"Search {search.id}: the photograph is no longer in Slack"
    left = " The sealed one is safe." if search.photo_sha256 else ""
    return text, [section(f"*Thank you.* The photograph is no longer in Slack.{left}")]


def still_there(search: Search) -> tuple[str, list[Block]]:
    """For the supervisors: what nobody but its owner can delete was left where none may stand."""
    text = f"The photograph of search {search.id} still stands in Slack"
    return text, [section(f"*{text}.* Whoever posted it was asked to delete it two hours ago. Please see to it.")]


def _viewer(search: Search, sight: str) -> Block:
    return button("Open the viewer", "open_viewer", f"{search.id} {sight}")


def photograph(search: Search, file: str | None, taken: str) -> tuple[str, list[Block]]:
    """The arrest photograph, to the requester alone and only after the acknowledgement (M25)."""
    text = f"INVESTIGATIVE LEAD ONLY. Arrest photograph of search {search.id}."
    return text, [
        section(
            "*INVESTIGATIVE LEAD ONLY.* The person in the submitted image may be the person in this arrest photograph. "
            "This is not an identification. It does not by itself justify arrest, search, or an identification "
            "procedure."
        ),
        *([image(file, ARREST_PHOTOGRAPH)] if file else [actions(_viewer(search, "lead"))]),
        aftermath.doors(search),
        context(f"Search {search.id} · {literal(taken)} · do not forward, do not show to a witness"),
    ]


def lead_sheet(search: Search) -> str:
    """What stands above the lead sheet, to the requester alone."""
    return (
        f"Lead sheet of search {search.id}, for the case file. Restricted: do not forward. It is taken away here after "
        "three days; the viewer has it then, as long as the lead stands."
    )


def addressed_to(account: str) -> Block:
    """Says for whom the notice is, so that Slack tells them."""
    return section(f"<@{account}>")


def face_chosen(search: Search) -> tuple[str, list[Block]]:
    """The face question once it is answered."""
    if search.face is None:
        return f"Search {search.id}: closed", [section("This search is closed; no face was chosen.")]
    told = f"Face {search.face + 1} was chosen. The others are not searched."
    return told, [section(told)]


def no_photograph(search: Search) -> tuple[str, list[Block]]:
    """The arrest photograph may not be shown any more: the record it belongs to was sealed or expunged."""
    text = f"The arrest photograph of search {search.id} may not be shown any more."
    return text, [
        section(f"*{text}* Its record was sealed or expunged since the search. Do not act on this lead; ask the unit.")
    ]
