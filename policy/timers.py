"""What waits for whom, since when, until when, and when somebody above has to know (S9, S10). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policy import seats
from policy.authority import may
from policy.model import (
    Actor,
    AnswerCandidate,
    ApproveRequest,
    ChooseFace,
    Command,
    DecideLead,
    Label,
    OverrideQuality,
    Search,
    State,
)
from policy.morphology import Support
from policy.pack import Pack


class Stage(StrEnum):
    """What a search waits for people to do."""

    APPROVAL = "approval"
    FACE = "face"
    QUALITY = "quality"
    EXAMINATION = "examination"
    ARBITRATION = "arbitration"
    DECISION = "decision"


STAGES: Mapping[State, Stage] = {
    State.HELD: Stage.APPROVAL,
    State.FACE_NEEDED: Stage.FACE,
    State.QUALITY_HELD: Stage.QUALITY,
    State.IN_REVIEW: Stage.EXAMINATION,
    State.DISAGREED: Stage.ARBITRATION,
    State.AGREED: Stage.DECISION,
}
# Asked of the policy and never submitted: whoever could give the command is waited for.
QUESTIONS: Mapping[Stage, Command] = {
    Stage.APPROVAL: ApproveRequest(approve=True, reason="?"),
    Stage.FACE: ChooseFace(0),
    Stage.QUALITY: OverrideQuality(proceed=True, reason="?"),
    Stage.EXAMINATION: AnswerCandidate(Label(""), Support.NEITHER),
    Stage.ARBITRATION: AnswerCandidate(Label(""), Support.NEITHER),
    Stage.DECISION: DecideLead(approve=True, reason="?"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One search that waits."""

    search: Search
    stage: Stage
    since: datetime
    due: datetime
    escalates: datetime  # from then on the supervisors hear of it


def waiting(search: Search, since: datetime, pack: Pack) -> Waiting | None:
    """What the search waits for; None where it waits for nobody."""
    stage = STAGES.get(search.state)
    if stage is None:
        return None
    hours = timedelta(hours=pack.timers.hours()[stage.value])
    return Waiting(search, stage, since, since + hours, since + hours * pack.timers.escalation)


def for_whom(one: Waiting, by: Actor, pack: Pack, now: datetime) -> bool:
    """Whether it waits for `by`: an examination for those drawn or asked or at it, once it is due for whoever may."""
    if may(one.search, QUESTIONS[one.stage], by, pack, now):
        return False
    examined = one.stage in {Stage.EXAMINATION, Stage.ARBITRATION}
    return not examined or now >= one.due or seats.waits_for(one.search, by.id, pack)
