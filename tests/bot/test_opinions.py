"""Who concluded what is told as it was: to the supervisor who decides, in the notice and on the lead sheet (M21, X1)."""

from dataclasses import replace

import pytest

from bot import leadsheet
from bot.views import request, review
from bot.views.lead import Beside
from policy import model as m
from policy.foils import shown_to
from tests import story as s
from tests.bot.test_notices import words
from tests.story import BEN, DANA, EVA, MARA, NOOR, SYSTEM

OF_K7, OF_P4 = "The ear lobes of one differ slightly.", "The left brow of the other is cut short."
K7_SAYS = replace(s.LEAD, differences=OF_K7)
P4_SAYS = replace(s.OTHER_LEAD, differences=OF_P4)
UNSURE = m.Conclude(m.Conclusion.INCONCLUSIVE, None, "", s.SHA)
ARBITER = s.pack().model_copy(
    update={"review": s.pack().review.model_copy(update={"disagreement": "arbiter"}), "foils": None}
)
DISSENTS = {
    "another candidate": (P4_SAYS, "1 did not (named another candidate)"),
    "nobody": (s.NO_LEAD, "1 did not (named nobody)"),
    "inconclusive": (UNSURE, "1 did not (found it inconclusive)"),
}


def agreed(dissent, pack=ARBITER):
    steps = [*s.TO_REVIEW, *s.says(K7_SAYS, EVA), *s.says(dissent, NOOR), *s.says(K7_SAYS, BEN), (s.LOOKED, SYSTEM)]
    return s.tell(steps, pack)[0]


def decided(search, pack=ARBITER):
    return s.tell([(s.APPROVE, MARA), (m.Acknowledge(), DANA)], pack, search)[0]


def sheet(search, pack=ARBITER) -> str:
    said = leadsheet.said(decided(search, pack), pack, {})
    return "\n".join(str(line) for part in ("differences", "comparison", "facts") for line in said[part])


def card(search) -> str:
    return words(review.decision(search, {})[1])


def notice(search, pack=ARBITER) -> str:
    return words(request.notice(decided(search, pack), pack, Beside())[1])


@pytest.mark.parametrize("what", DISSENTS)
def test_whoever_dissented_is_told_of_to_the_supervisor_in_the_notice_and_on_the_sheet(what):
    dissent, told = DISSENTS[what]
    search = agreed(dissent)
    assert f"3 examiners concluded, separately: 2 named candidate K7 as a possible match, {told}." in card(search)
    for text in (notice(search), sheet(search)):
        assert f"3 examiners concluded, separately: 2 named this person as possible, {told}." in text
    assert "Examiner 2. Did not name this person." in sheet(search)


def test_what_was_written_of_another_candidate_is_no_difference_of_the_lead():
    search = agreed(P4_SAYS)
    for text in (notice(search), sheet(search)):
        assert text.count(OF_K7) == 2
        assert OF_P4 not in text
    assert f"– Of candidate P4, by who named them instead: {OF_P4}" in card(search)


def test_what_a_dissenting_examiner_adds_later_says_whose_it_is():
    note = m.AppendNote("The scar is not there in the second photograph.")
    search, _ = s.tell([(note, NOOR), (replace(note, text="The scar is old."), EVA)], ARBITER, agreed(P4_SAYS))
    for text in (notice(search), sheet(search), card(search)):
        assert "Added later by an examiner who did not name this person: The scar is not there" in text
        assert "Added later: The scar is old." in text


def test_how_many_candidates_each_examiner_was_shown_is_told():
    pack = s.pack()
    pack = pack.model_copy(update={"foils": pack.foils.model_copy(update={"shown": 3})})
    people = tuple(m.Candidate(m.Label(f"Z{n}"), f"Z-{n}", (f"z{n}",), n + 4, 0.5 - n / 90) for n in range(17))
    steps = [*s.TO_REVIEW[:2], (m.RecordCandidates((*s.CANDIDATES, *people), {"k": 20}), SYSTEM), s.TO_REVIEW[3]]
    steps += [(m.OpenExamination(), EVA)]
    steps += [(m.AnswerCandidate(c.label, m.Support.DIFFERENT), EVA) for c in people]
    before, _ = s.tell([*steps, *s.says(K7_SAYS, EVA)], pack)
    opened = (s.tell([(m.OpenExamination(f"lot {n}"), NOOR)], pack, before)[0] for n in range(40))
    with_pick = next(one for one in opened if s.K7 in shown_to(one, NOOR.id))  # among look-alikes, or these alone
    compared = [(m.AnswerCandidate(c, m.Support.SAME if c == s.K7 else m.Support.DIFFERENT), NOOR)
                for c in shown_to(with_pick, NOOR.id)]  # fmt: skip
    search, told = s.tell([*compared, (K7_SAYS, NOOR), (s.LOOKED, SYSTEM)], pack, with_pick)
    assert s.refusals(told) == []
    for text in (notice(search, pack), sheet(search, pack), card(search)):
        assert "They were shown 20 and 3 of the 20." in text


def test_an_opinion_more_than_the_pack_asks_for_is_counted():
    pack = s.pack()
    search, _ = s.tell([(m.ReturnReview("One more."), MARA), *s.says(K7_SAYS, BEN)], pack, s.tell(s.AGREED, pack)[0])
    for text in (notice(search, pack), sheet(search, pack)):
        assert "3 examiners concluded, separately: 3 named this person as possible, nobody dissented." in text
