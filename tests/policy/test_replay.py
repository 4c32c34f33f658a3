"""Recorded requests under another pack."""

from dataclasses import replace

import pytest

from policy import model as m
from policy.replay import replayed
from tests import story as s

RECORDED, _ = s.tell([(s.ASK, s.DANA)])


def one(search: m.Search, name: str):
    (verdict,) = replayed([search], s.pack(name))
    return verdict


def test_under_its_own_pack_a_recorded_request_is_accepted_again():
    assert one(RECORDED, "nypd-2020").verdict == "accepted"


@pytest.mark.parametrize(
    ("name", "under", "verdict", "rules"),
    [
        ("detroit-2024", "violent-crime", "refused", ("field:offence",)),
        ("fbi-ngi-ips", "investigation", "refused", ("field:ori",)),
        ("virginia-2026", "suspect", "accepted", ()),
        ("maryland-2024", "listed-crime", "refused", ("field:crime",)),
        ("washington-2020", "warrant", "refused", ("field:warrant-number",)),
        ("massachusetts-2020", "court-order", "refused", ("field:order-number",)),
        ("eu-aiact-post-rbi", "first-identification", "refused", ("field:objective-facts",)),
    ],
)
def test_what_another_law_would_have_wanted_is_named(name, under, verdict, rules):
    found = one(RECORDED, name)
    assert (found.search, found.purpose, found.under) == (RECORDED.id, "suspect", under)
    assert (found.verdict, found.rules) == (verdict, rules)
    assert len(found.reasons) == len(rules)


def test_a_use_that_the_other_pack_does_not_know_is_refused_as_such():
    found = one(replace(RECORDED, purpose="imminent-threat"), "detroit-2024")
    assert (found.verdict, found.under, found.rules) == ("refused", "", ("authorised-purpose",))
    assert found.reasons == ("“imminent-threat” is not an authorised use under detroit-2024@1.0.0.",)


def test_what_would_have_been_held_says_by_how_many_or_why():
    robbery = replace(RECORDED, fields={**RECORDED.fields, "offence": "robbery"})
    minor = replace(RECORDED, fields={**RECORDED.fields, "circumstances": "minor"})
    assert one(robbery, "detroit-2024").reasons == ("2 have to approve it first.",)
    assert one(minor, "nypd-2020").reasons == ("The person may be a minor: a supervisor has to approve it.",)
    assert {one(robbery, "detroit-2024").verdict, one(minor, "nypd-2020").verdict} == {"held"}


def test_of_several_like_purposes_the_mildest_counts():
    found = one(
        replace(RECORDED, purpose="missing-victim-witness", fields={"basis": s.BASIS, "image-source": "phone"}),
        "virginia-2026",
    )
    assert (found.under, found.verdict) == ("victim", "accepted")


def test_every_refusal_is_told_and_in_the_order_of_the_form():
    found = one(replace(RECORDED, fields={}), "fbi-ngi-ips")
    assert found.rules == ("field:ori", "field:basis", "field:image-source")
