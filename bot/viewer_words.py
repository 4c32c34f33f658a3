"""What the viewer says on top of its page, by why somebody is there."""

from collections.abc import Mapping

from bot.sights import Sight

TITLES: Mapping[Sight, str] = {
    Sight.EXAMINATION: "Examination",
    Sight.DECISION: "Decision on a lead",
    Sight.QUALITY: "Decision on quality",
    Sight.FACES: "Which face is meant",
    Sight.PREPARATION: "Preparation",
    Sight.LEAD: "Investigative lead",
}
TOLD: Mapping[Sight, str] = {
    Sight.EXAMINATION: "The conclusion is given on your worksheet, in Slack.",
    Sight.DECISION: "The examiners agree on this candidate. The decision is given in Slack, with a reason.",
    Sight.QUALITY: (
        "This photograph is below the floor of what can be compared. Whether it is searched all the same is decided in "
        "Slack, with a reason."
    ),
    Sight.FACES: "Each face has a number. Say in Slack which one is meant; the others are not searched.",
    Sight.PREPARATION: (
        "The latest copy is what will be searched; the original stays, and every comparison is made against it. Each "
        "operation changes the whole picture and is recorded with your name. Only a photograph below the floor of "
        "quality is prepared: any other is searched as it was received."
    ),
    Sight.LEAD: (
        "INVESTIGATIVE LEAD ONLY. The person in the submitted image may be the person in this arrest photograph. This "
        "is not an identification. It does not by itself justify arrest, search, or an identification procedure."
    ),
}
