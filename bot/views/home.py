"""An examiner's Home tab: how long each review has waited and how far they are, and nothing of what it is about."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.views.blocks import Block, View, button, context, divider, header, section
from policy.queue import Waiting

MOST = 40  # Slack takes a hundred blocks


def waiting(mine: Sequence[Waiting], now: datetime) -> View:
    """What waits for this examiner, longest first."""
    told = f"{_reviews(len(mine))} for you, longest first." if mine else "Nothing waits for you now."
    more = [context(f"{len(mine) - MOST} more come into view as these are done.")] if len(mine) > MOST else []
    last = context(f"As of {moment(now)}. Open this tab again to see what waits then.")
    return _home([section(told), divider(), *[_line(one, now) for one in mine[:MOST]], *more, last])


def for_others() -> View:
    """For whoever does not examine: where their work is."""
    return _home([section("Reviews that wait are shown here to examiners. What concerns you comes as a message.")])


def away() -> View:
    """While the record cannot be read."""
    return _home([section("What waits for you cannot be read just now. Nothing is lost. Open this tab again soon.")])


def _home(blocks: list[Block]) -> View:
    return {"type": "home", "blocks": [header("Waiting for examination"), *blocks]}


def _reviews(count: int) -> str:
    return "One review waits" if count == 1 else f"{count} reviews wait"


def _line(one: Waiting, now: datetime) -> Block:
    begun = f" · you answered {one.answered} of {one.candidates}" if one.answered else ""
    text = f"*{one.search}*\nwaits for {age(now - one.since)}, since {moment(one.since)}{begun}"
    return section(text, accessory=button("Open my worksheet", "open_worksheet", one.search))


def age(of: timedelta) -> str:
    """In the unit that a person would use."""
    minutes = max(0, int(of.total_seconds() // 60))
    hours, days = minutes // 60, minutes // (24 * 60)
    for count, unit in ((days, "day"), (hours, "hour"), (minutes, "minute")):
        if count:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "less than a minute"


def moment(at: datetime) -> str:
    """In the reader's own time zone; UTC where Slack cannot tell."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
