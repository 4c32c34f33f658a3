"""How easily a stranger is taken for the lead: for supervisors, who decide, and for nobody who looks at faces (X6)."""

from bot.views.blocks import Block, quoted, section
from policy.model import Label, Search

FEW = 0.05  # below, it is no information how much below


def key(label: Label) -> str:
    """Under which name the search's evidence has the figure of a candidate."""
    return f"look_alikes:{label}"


def risk(search: Search, label: Label) -> list[Block]:
    """How many strangers may look as much like the probe as this candidate does; no score and no rank (M17)."""
    found, people = search.evidence.get(key(label)), search.evidence.get("gallery_people", 0)
    if found is None:
        return [section("*Look-alikes:* too few people were compared to say how easily a stranger is found.")]
    number = f"fewer than {FEW}" if float(found) < FEW else f"about {float(found):.1f}"
    tier = next((face.tier for face in search.faces if face.index == search.face), "not recorded")
    return [
        section(f"*Look-alikes:* {number} strangers can be expected to look as much like the submitted image."),
        quoted(
            f"From how everybody else of {int(people):,} people in the gallery compares with this image, whose quality "
            f"tier is {tier}. Examiners are not told. A figure near 1 or above: weigh the lead as one of several."
        ),
    ]
