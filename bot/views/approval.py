"""What supervisors and executives see of a request that somebody has to approve before anything is searched."""

from collections.abc import Sequence

from bot.views.blocks import (
    Block,
    View,
    actions,
    asked,
    button,
    context,
    header,
    literal,
    modal,
    quoted,
    section,
    select,
    text_input,
)
from bot.views.cases import case
from policy import intake
from policy.approval import path
from policy.model import Outcome, Search, State
from policy.pack import FormField, Pack
from policy.schema import Ban

MOST_ANSWERS = 12


def question(search: Search, pack: Pack) -> tuple[str, list[Block]]:
    """Put to the supervisors: what is asked, and why it is held."""
    if search.state is State.QUALITY_HELD:
        return _quality(search)
    purpose = pack.purpose(search.purpose)
    text = f"Approval needed: search {search.id}"
    why = [*_urgency(search, pack), *(literal(concern) for concern in search.concerns)]
    return text, [
        header(f"Approval of {search.id}"),
        section(f"*{literal(purpose.label if purpose else search.purpose)}* · {case(search)}"),
        section("\n".join(f"• {one}" for one in why or ["The policy asks for an approval first."])),
        *_answers(search, pack),
        actions(*_buttons(search)),
        context(_still(search)),
        context(f"Pack {search.pack} · whoever asked may not approve; whoever approves does not examine"),
    ]


def _urgency(search: Search, pack: Pack) -> list[str]:
    """An emergency that was searched already, or one that waits because something in it gives cause for concern."""
    if search.approval_due is not None:
        due = f"{search.approval_due:%Y-%m-%d %H:%M} UTC"
        return [f"An emergency: searched already. Without an approval by {due} its result is quarantined."]
    if path(search.purpose, pack):
        return ["An emergency, and it waits for you: nothing is searched before the approval."]
    return []


def _still(search: Search) -> str:
    """How many approvals there are, and what it still takes."""
    given = len(search.approvals)
    needed = f"{given} of {search.approvers} approvals given"
    if search.repositories and search.allowed_until is None:
        return f"{needed} · and an executive has to allow the photographs asked for: {', '.join(search.repositories)}"
    if search.allowed_until is not None:
        return f"{needed} · an executive allowed {', '.join(search.repositories)} until {search.allowed_until:%Y-%m-%d}"
    return needed


def _buttons(search: Search) -> list[Block]:
    buttons = [
        button("Approve", "approve_request", search.id, style="primary"),
        button("Do not approve", "reject_request", search.id, style="danger"),
    ]
    if search.repositories and search.allowed_until is None:
        buttons.append(button("Allow exceptional photographs", "allow_repository", search.id))
        buttons.append(button("Do not allow them", "deny_repository", search.id))
    return [*buttons, button("I know somebody in this case", "declare_conflict", search.id)]


def _answers(search: Search, pack: Pack) -> list[Block]:
    """What the requester wrote, as plain text; supervisors may see all of it."""
    purpose = pack.purpose(search.purpose)
    given = {**search.fields, intake.REPOSITORIES: ",".join(search.repositories)}
    fields = intake.asked(pack, purpose, given) if purpose else ()
    fields = sorted(fields, key=lambda field: field is not intake.EXCEPTION)  # first what an executive decides on
    blocks: list[Block] = []
    for field in [f for f in fields if search.fields.get(f.name)][:MOST_ANSWERS]:
        blocks += [context(f"*{literal(field.label)}*"), quoted(_in_words(field, search.fields[field.name]))]
    return blocks


def _in_words(field: FormField, answer: str) -> str:
    if not field.options:
        return answer
    return "; ".join(field.options.get(code, code) for code in intake.chosen(answer))


def _quality(search: Search) -> tuple[str, list[Block]]:
    face = next((f for f in search.faces if f.index == search.face), None)
    reasons = ", ".join(face.reasons) if face else ""
    measured = f"Tier “{face.tier}”, {face.inter_eye_px:.0f} pixels between the eyes." if face else ""
    text = f"Poor image: search {search.id}"
    return text, [
        header(f"Poor image of {search.id}"),
        section(f"The face is below the floor of what can be compared ({literal(reasons or 'quality')}). {measured}"),
        actions(
            button("See the photograph", "open_viewer", f"{search.id} quality"),
            button("Let it through", "override_quality", search.id),
            button("Close as unsuitable", "refuse_quality", search.id, style="primary"),
        ),
        context("Nothing is searched before that. What you decide, and why, prints on the record."),
    ]


WHAT = {
    "approve_request": ("approve this request", "Approve"),
    "reject_request": ("not approve this request", "Do not approve"),
    "allow_repository": ("allow photographs that are otherwise out of reach", "Allow"),
    "deny_repository": ("not allow photographs that are otherwise out of reach", "Do not allow"),
    "override_quality": ("let a poor image through", "Let it through"),
    "refuse_quality": ("close the search as unsuitable", "Close it"),
    "recall_lead": ("recall this lead: nobody may use it any more", "Recall"),
    "declare_conflict": ("stand aside from this search for good", "Stand aside"),
    "withdraw_search": ("withdraw this search: it ends, and nobody is shown what it found", "Withdraw"),
}


def reason_form(search: str, action: str, longest: int = 7, bans: Sequence[Ban] = ()) -> View:
    """Every one of these needs a reason in writing; a permission ends, after `longest` days at most."""
    what, submit = WHAT[action]
    blocks = [section(f"You are about to {what}: search {search}.")]
    if action == "approve_request":
        blocks += [
            section(f"*Never permitted:* {literal(ban.text)} Say in the reason why this is not it.") for ban in bans
        ]
    blocks.append(asked("reason", "Reason", text_input("answer", multiline=True, longest=2000)))
    if action == "allow_repository":
        numbers = [*(n for n in DAYS if n < longest), longest]
        days = {str(n): "1 day" if n == 1 else f"{n} days" for n in numbers}
        blocks.append(asked(PERMITTED_FOR, "Permitted for", select("answer", "Choose one", days, str(longest))))
    return modal("approval", "In writing", submit, blocks, {"search": search, "action": action})


PERMITTED_FOR = "days"
DAYS = (1, 3, 7, 14, 30, 60)


def settled(search: Search) -> tuple[str, list[Block]]:
    """The question once it is answered."""
    if search.outcome is Outcome.WITHDRAWN:
        text = f"Search {search.id} was withdrawn"
        return text, [section(f"*{text}* by whoever asked for it. Nothing is asked of you any more.")]
    by = ", ".join(str(approval.by) for approval in search.approvals) or str(search.refused_by or "a supervisor")
    text = f"Search {search.id}: the question is settled"
    return text, [section(f"*Search {search.id}*: settled by {literal(by)}. The record has the reason.")]
