"""Recorded requests under another pack."""

from dataclasses import replace

import pytest

from policy import model as m
from policy.cases import complete
from policy.replay import ERASED, replayed
from tests import story as s

RECORDED, _ = s.tell([(s.ASK, s.DANA)])


def one(search: m.Search, name: str):
    (verdict,) = replayed([search], s.pack(name))
    return verdict


def test_under_its_own_pack_a_recorded_request_is_accepted_again():
    assert one(RECORDED, "nypd-2020").verdict == "accepted"


@pytest.mark.parametrize(
    ("name", "under", "verdict", "asked"),
    [
        ("fbi-ngi-ips", "investigation", "accepted", ["ori"]),
        ("virginia-2026", "suspect", "accepted", []),
        ("maryland-2024", "listed-crime", "accepted", ["crime"]),
        ("washington-2020", "warrant", "accepted", ["warrant-number"]),
        ("massachusetts-2020", "court-order", "accepted", ["order-number"]),
        ("eu-aiact-post-rbi", "first-identification", "accepted", ["objective-facts"]),
    ],
)
def test_what_another_form_asks_is_no_refusal(name, under, verdict, asked):
    """Nobody put these questions to the requester, or put them with other answers to choose from."""
    found = one(RECORDED, name)
    assert (found.search, found.purpose, found.under) == (RECORDED.id, "suspect", under)
    labels = {field.name: field.label for field in s.pack(name).fields(s.pack(name).purpose(under))}
    assert (found.verdict, found.rules, found.asked) == (verdict, (), tuple(labels[one] for one in asked))


def test_what_another_law_forbids_is_a_refusal_beside_what_it_asks():
    """Detroit lets nobody match a still out of a recording (directive 307.5)."""
    found = one(RECORDED, "detroit-2024")
    assert (found.verdict, found.rules, found.asked) == ("refused", ("field:image-source",), ("Offence",))


def test_an_answer_that_another_law_refuses_is_a_refusal():
    drawn = replace(RECORDED, fields={**RECORDED.fields, "image-source": "drawn"})
    found = one(drawn, "fbi-ngi-ips")
    assert (found.verdict, found.rules, len(found.asked)) == ("refused", ("field:image-source",), 1)


def test_a_use_that_the_other_pack_does_not_know_is_refused_as_such():
    found = one(replace(RECORDED, purpose="imminent-threat"), "detroit-2024")
    assert (found.verdict, found.under, found.rules) == ("refused", "", ("authorised-purpose",))
    assert found.reasons == ("“imminent-threat” is not an authorised use under detroit-2024@1.1.0.",)


def test_what_would_have_been_held_says_by_how_many_or_why():
    robbery = replace(RECORDED, fields={**RECORDED.fields, "offence": "robbery", "image-source": "social"})
    minor = replace(RECORDED, fields={**RECORDED.fields, "circumstances": "minor"})
    assert one(robbery, "detroit-2024").reasons == ("2 have to approve it first.",)
    assert one(minor, "nypd-2020").reasons == ("The person may be a minor: a supervisor has to approve it.",)
    assert {one(robbery, "detroit-2024").verdict, one(minor, "nypd-2020").verdict} == {"held"}


def test_of_several_like_purposes_the_mildest_counts():
    found = one(
        replace(
            RECORDED,
            purpose="missing-victim-witness",
            fields={"basis": s.BASIS, "image-source": "phone", "requester": s.ASKER},
        ),
        "virginia-2026",
    )
    assert (found.under, found.verdict) == ("victim", "accepted")


def test_of_what_was_erased_nothing_is_said():
    """Its words are past their time; that they are missing is nobody's fault."""
    found = one(replace(RECORDED, fields={}, case_number="purged"), "fbi-ngi-ips")
    assert (found.verdict, found.rules, found.reasons) == ("erased", (), (ERASED,))


def test_every_refusal_is_told_and_in_the_order_of_the_form():
    fields = {"basis": "see report", "image-source": "drawn"}
    found = one(replace(RECORDED, fields=fields), "fbi-ngi-ips")
    assert (found.rules, len(found.reasons)) == (("field:basis", "field:image-source"), 2)


@pytest.mark.parametrize(
    ("name", "purpose"),
    [("nypd-2020", "imminent-threat"), ("eu-aiact-post-rbi", "urgent"), ("massachusetts-2020", "emergency")],
)
def test_an_emergency_that_ran_at_once_is_no_held_request_under_its_own_pack(name, purpose):
    ask = complete(s.pack(name), purpose)
    ran, _ = s.tell([(ask, s.DANA)], s.pack(name))
    assert (ran.state, one(ran, name).verdict) == (m.State.REQUESTED, "accepted")
    minor = replace(ran, fields={**ran.fields, "circumstances": "minor"})
    assert one(minor, name).verdict == "held"


def test_a_class_that_the_other_pack_does_not_search_is_refused():
    beyond = {"repositories-reason": "The man in the still wore the ankle tag of somebody on parole."}
    ask = replace(s.ASK, fields={**s.FIELDS, **beyond}, repositories=("parole",))
    parole, _ = s.tell([(ask, s.DANA)])
    assert one(parole, "utah-2021").rules == ("repository",)
