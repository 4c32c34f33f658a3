"""What waits for whom: the Home tab, reminders, and the supervisors' list. Nothing here tells of a requester (M17)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.views.blocks import (
    Block,
    View,
    actions,
    asked,
    button,
    context,
    divider,
    header,
    modal,
    section,
    select,
    text_input,
)
from policy.model import Search
from policy.timers import Stage, Waiting

Message = tuple[str, list[Block]]
MOST = 20  # a view holds 100 blocks
TO, REASON = "to", "reason"
STAGES = {
    Stage.APPROVAL: "A request waits for approval",
    Stage.FACE: "Say which face is meant",
    Stage.QUALITY: "A poor image waits for a decision",
    Stage.EXAMINATION: "An examination",
    Stage.ARBITRATION: "An examination",  # in the same words: nobody is to learn that others differed (M20)
    Stage.DECISION: "A decision on a lead",
}
WHERE = {
    Stage.APPROVAL: "The question stands in the supervisors' channel.",
    Stage.FACE: "The question stands beneath your photograph.",
    Stage.QUALITY: "The question stands in the supervisors' channel.",
    Stage.DECISION: "The question stands in the supervisors' channel.",
}
OF_EXAMINERS = frozenset({Stage.EXAMINATION, Stage.ARBITRATION})


def tab(mine: Sequence[tuple[Waiting, bool, bool]], now: datetime) -> View:
    """The Home tab: what waits for this person, the longest first; whether they have begun, and may give it back."""
    blocks: list[Block] = [header("What waits for you")]
    for one, begun, theirs in mine[:MOST]:
        blocks += _item(one, now, begun=begun, returnable=begun or theirs)
    if not mine:
        blocks.append(section("Nothing waits for you."))
    if len(mine) > MOST:
        blocks.append(context(f"And {len(mine) - MOST} more."))
    blocks.append(context(f"As of {now:%Y-%m-%d %H:%M} UTC; opened again, this is drawn anew. Times are in UTC."))
    return {"type": "home", "blocks": blocks}


def away() -> View:
    """While the record cannot be read."""
    told = "What waits for you cannot be read just now. Nothing is lost. Open this tab again in a minute."
    return {"type": "home", "blocks": [header("What waits for you"), section(told)]}


def _item(one: Waiting, now: datetime, *, begun: bool, returnable: bool) -> list[Block]:
    what = f"*{STAGES[one.stage]}*: {one.search.id}"
    told = [section(f"{what}\n{timer(one, now)}{' · you have begun' if begun else ''}")]
    if one.stage in OF_EXAMINERS:
        buttons = [button("Open my worksheet", "open_worksheet", one.search.id, style="primary")]
        buttons.append(button("Open the viewer", "open_viewer", one.search.id))
        if returnable:
            buttons.append(button("Give it back", "hand_back", one.search.id))
        return [*told, actions(*buttons), divider()]
    return [*told, context(WHERE[one.stage]), divider()]


def timer(one: Waiting, now: datetime) -> str:
    """How long it waits, and how long it may."""
    left = one.due - now
    if left > timedelta(0):
        return f"waits for {_span(now - one.since)} · due in {_span(left)}"
    return f"waits for {_span(now - one.since)} · *overdue by {_span(-left)}*"


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004 - two days


def reminder(one: Waiting) -> Message:
    """Where those work whom it waits for."""
    text = f"{STAGES[one.stage]} is overdue: {one.search.id}"
    return text, [section(f"*{text}.* It waits since {one.since:%Y-%m-%d %H:%M} UTC.")]


def escalation(one: Waiting) -> Message:
    """To the supervisors: it waits too long, and they may ask somebody for it."""
    text = f"Waiting too long: {one.search.id}"
    told = f"*{text}.* {STAGES[one.stage]}, since {one.since:%Y-%m-%d %H:%M} UTC."
    ask = [actions(button("Ask an examiner for it", "hand_over", one.search.id))] if one.stage in OF_EXAMINERS else []
    return text, [section(told), *ask]


def handed(search: Search) -> Message:
    """To the examiner who was drawn by lot, or whom a supervisor asked: which of the two is not said."""
    text = f"Examination {search.id} waits for you"
    return text, [
        section(f"*{text}.* It is the same as every other: on your own, and without haste."),
        actions(
            button("Open my worksheet", "open_worksheet", search.id, style="primary"),
            button("Open the viewer", "open_viewer", search.id),
            button("Give it back", "hand_back", search.id),
        ),
    ]


def settled(search: Search) -> Message:
    """What stands in place of `handed` once it is nothing to do for them any more: why is not said."""
    text = f"Examination {search.id} does not wait for you any more"
    return text, [section(f"*{text}.* Your opinion is locked, it was given back, or it is over.")]


def hand_back_form(search: Search) -> View:
    """An examiner says why; what they noted is shown to nobody."""
    blocks = [
        section(f"You give examination {search.id} back. Your answers stay on record and are shown to nobody."),
        asked(REASON, "Reason", text_input("answer", multiline=True, longest=1000)),
    ]
    return modal("hand_back", "Give it back", "Give it back", blocks, {"search": search.id})


def hand_over_form(search: Search, people: Mapping[str, str]) -> View:
    """A supervisor asks one of those who may examine it."""
    blocks = [
        section(f"Ask one examiner for examination {search.id}. They are told nothing of the request."),
        asked(TO, "Examiner", select("answer", "Choose one", dict(list(people.items())[:100]))),
        asked(REASON, "Reason", text_input("answer", multiline=True, longest=1000)),
    ]
    return modal("hand_over", "Ask an examiner", "Ask", blocks, {"search": search.id})


def queue(found: Sequence[Waiting], now: datetime) -> list[Block]:
    """To a supervisor alone: everything that waits, the longest first."""
    blocks: list[Block] = [header("What waits")]
    for one in found[:MOST]:
        text = f"{STAGES[one.stage]}: {one.search.id}\n{timer(one, now)}"
        ask = button("Ask an examiner for it", "hand_over", one.search.id) if one.stage in OF_EXAMINERS else None
        blocks.append(section(text, accessory=ask))
    if not found:
        blocks.append(section("Nothing waits for anybody."))
    return [*blocks, context(f"{len(found)} in all · as of {now:%Y-%m-%d %H:%M} UTC")]
