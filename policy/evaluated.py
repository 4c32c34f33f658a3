"""Whether a recognition model has been through what a pack asks of it (M45). Pure."""

from collections.abc import Mapping

from policy.schema import Evaluation

# What a model pack's own `evaluation` says where NIST has evaluated it: the lowest true-positive rate among the
# demographic groups of the report, between 0 and 1.
LOWEST = "nist_lowest_true_positive_rate"


def unmet(asked: Evaluation, found: Mapping[str, float]) -> str | None:
    """Why this model may not be used, in a sentence; None where it may. `found` is the model pack's `evaluation`."""
    if not asked.nist_required:
        return None
    if LOWEST not in found:
        return "The policy allows only recognition models that NIST has evaluated, and nothing says that this one was."
    lowest = asked.lowest_true_positive_rate
    if lowest is not None and not lowest <= found[LOWEST] <= 1:
        return (
            f"The policy asks for a true-positive rate of at least {lowest:.0%} in every demographic group, and this "
            f"recognition model's lowest is {found[LOWEST]:.1%}."
        )
    return None
