"""How far a face may be trusted: the matcher measures, the pack's limits make a tier and reasons of it (M8). Pure."""

from collections.abc import Mapping

from policy.schema import Limit, Quality

TIERS = ("good", "limited", "poor", "unsuitable")  # best first


def tier(measures: Mapping[str, float], quality: Quality) -> tuple[str, tuple[str, ...]]:
    """The tier, and the codes of the limits that the face does not keep, in the pack's order.

    `measures`: every one of the pack's, by name. Hints are among the reasons and lower no tier.
    """
    broken = [limit for limit in quality.limits if _worst(limit, measures[limit.measure]) > 0]
    faults = [limit for limit in broken if not limit.hint]
    worst = max((_worst(limit, measures[limit.measure]) for limit in faults), default=0)
    if len(faults) >= quality.faults_for_poor:
        worst = max(worst, TIERS.index("poor"))
    return TIERS[worst], tuple(limit.code for limit in broken)


def _worst(limit: Limit, value: float) -> int:
    """The best tier that this value leaves, as its place among TIERS."""
    bounds = ((limit.least.good, limit.most.good), (limit.least.limited, limit.most.limited))
    bounds = (*bounds, (limit.least.poor, limit.most.poor))
    failed = [
        place
        for place, (least, most) in enumerate(bounds, start=1)
        if (least is not None and not value >= least) or (most is not None and not value <= most)
    ]
    return max(failed, default=0)  # what is no number keeps no limit
