"""What examiners see of a photograph that may be prepared before it is searched. No requester, no case (M17)."""

from bot.views.blocks import Block, actions, button, context, header, literal, section
from policy.model import Search


def wanted(search: Search) -> tuple[str, list[Block]]:
    """Put to the examiners while a supervisor has still to say whether it is searched at all."""
    text = f"Photograph {search.id} may be prepared"
    face = next((f for f in search.faces if f.index == search.face), None)
    why = literal(", ".join(face.reasons) if face else "quality")
    return text, [
        header(f"Photograph {search.id}"),
        section(
            f"*The face is below the floor of what is searched* ({why}). It may be prepared: cropped, levelled, "
            "scaled, its brightness, contrast or gamma changed as a whole. Every step and every copy is kept."
        ),
        actions(
            button("Prepare at the viewer", "open_viewer", f"{search.id} preparation", style="primary"),
            button("I know somebody in this case", "declare_conflict", search.id),
        ),
        context("The copy is what is searched; the comparison is made against the photograph as it was received."),
    ]


def over(search: Search) -> tuple[str, list[Block]]:
    """The same message once it is decided."""
    steps = len(search.preparations)
    done = f"{steps} operations are recorded." if steps else "It was left as it was received."
    return f"Photograph {search.id}: the preparation is over", [
        section(f"*Photograph {search.id}*: the preparation is over. {done}")
    ]
