"""A face's tier is what the pack's limits make of what the matcher measured (M8)."""

import pytest

from policy.quality import tier
from policy.schema import Bounds, Limit, Quality

HERE = "a test"


def quality(**more) -> Quality:
    limits = (
        Limit(code="eyes", measure="inter-eye-distance", least=Bounds(good=45, limited=24, poor=12), source=HERE),
        Limit(code="dark", measure="exposure", least=Bounds(good=35), most=Bounds(good=225), source=HERE),
        Limit(code="turned", measure="yaw", most=Bounds(good=45), source=HERE),
        Limit(code="screen", measure="recapture", most=Bounds(good=0.8), hint=True, source=HERE),
    )
    return Quality(accepted_tiers=("good",), faults_for_poor=3, limits=limits, source=HERE, **more)


GOOD = {"inter-eye-distance": 60.0, "exposure": 120.0, "yaw": 5.0, "recapture": 0.5}
STORIES = {
    "nothing wrong": ({}, "good", ()),
    "exactly at a limit": ({"inter-eye-distance": 45.0}, "good", ()),
    "rather far away": ({"inter-eye-distance": 44.9}, "limited", ("eyes",)),
    "far away": ({"inter-eye-distance": 20.0}, "poor", ("eyes",)),
    "a speck": ({"inter-eye-distance": 8.0}, "unsuitable", ("eyes",)),
    "too dark": ({"exposure": 20.0}, "limited", ("dark",)),
    "too bright": ({"exposure": 240.0}, "limited", ("dark",)),
    "two faults": ({"exposure": 20.0, "yaw": 60.0}, "limited", ("dark", "turned")),
    "three faults together": (
        {"inter-eye-distance": 40.0, "exposure": 20.0, "yaw": 60.0},
        "poor",
        ("eyes", "dark", "turned"),
    ),
    "a hint is told and lowers nothing": ({"recapture": 2.0}, "good", ("screen",)),
    "a hint is none of the faults": (
        {"recapture": 2.0, "exposure": 20.0, "yaw": 60.0},
        "limited",
        ("dark", "turned", "screen"),
    ),
    "what is no number keeps no limit": ({"inter-eye-distance": float("nan")}, "unsuitable", ("eyes",)),
}


@pytest.mark.parametrize("story", STORIES)
def test_the_tier_follows_from_the_limits(story):
    changed, expected, reasons = STORIES[story]
    assert tier(GOOD | changed, quality()) == (expected, reasons)


def test_another_pack_makes_another_tier_of_the_same_face():
    strict = quality().model_copy(
        update={"limits": (Limit(code="eyes", measure="inter-eye-distance", least=Bounds(good=90), source=HERE),)}
    )
    assert (tier(GOOD, quality())[0], tier(GOOD, strict)[0]) == ("good", "limited")
