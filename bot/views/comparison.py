"""The morphological comparison in chat: one question for each component of the face, and no answer given beforehand."""

from collections.abc import Mapping

from bot.views.blocks import View, asked, context, modal, radio, section
from policy.model import Label, SearchId
from policy.morphology import Component, Found

FORM = "checklist"
BLOCK = "component_"

# Top to bottom, as the practice asks; listed components are used where visible (E3149-26).
COMPONENTS: Mapping[Component, str] = {
    Component.SKIN: "Skin",
    Component.OUTLINE: "Head and face outline",
    Component.PROPORTION: "Composition and proportion",
    Component.HAIRLINE: "Hairline and baldness",
    Component.FOREHEAD: "Forehead",
    Component.EYEBROWS: "Eyebrows",
    Component.EYES: "Eyes",
    Component.CHEEKS: "Cheeks",
    Component.NOSE: "Nose",
    Component.EARS: "Ears",
    Component.MOUTH: "Mouth",
    Component.CHIN: "Chin and jaw",
    Component.NECK: "Neck",
    Component.FACIAL_HAIR: "Facial hair",
    Component.LINES: "Facial lines",
    Component.SCARS: "Scars",
    Component.MARKS: "Marks",
    Component.ALTERATIONS: "Alterations: tattoo, piercing, make-up",
}
FINDINGS: Mapping[Found, str] = {
    Found.SIMILAR: "Similar",
    Found.DIFFERENT: "Different",
    Found.EXPLAINABLE: "Explainable",
    Found.NOT_COMPARABLE: "Not comparable",
}


def in_words(components: Mapping[Component, Found]) -> list[str]:
    """What one examiner found, a sentence per kind of finding; nothing where nothing was compared."""
    found = {of: [COMPONENTS[c].lower() for c in COMPONENTS if components.get(c) is of] for of in FINDINGS}
    return [f"{FINDINGS[of]}: {', '.join(names)}." for of, names in found.items() if names]


def sheet(search: SearchId, candidate: Label, probe: str, found: Mapping[Component, Found]) -> View:
    """Every component, with what this examiner found before, at the viewer or here."""
    words = {finding.value: word for finding, word in FINDINGS.items()}
    blocks = [
        section(
            f"*One step before you lock your opinion:* compare candidate {candidate} with the submitted image, "
            "component by component. The viewer has the same list beside the photographs."
        )
    ]
    for component, name in COMPONENTS.items():
        noted = found.get(component)
        blocks.append(asked(BLOCK + component, name, radio("answer", words, noted.value if noted else None)))
    blocks.append(context(f"Examination {search}. Once locked, an opinion cannot be changed"))
    return modal(
        FORM, "Comparison", "Lock my opinion", blocks, {"search": search, "candidate": candidate, "probe": probe}
    )


def read(values: Mapping[str, str]) -> dict[Component, Found]:
    """What the form says."""
    return {c: Found(value) for c in Component if (value := values.get(BLOCK + c, ""))}
