"""Who examines is drawn by lot; nobody chooses their colleague, and no examination waits for ever (S9)."""

from collections import Counter
from datetime import timedelta

import pytest

from policy import model as m
from policy import seats
from policy.timers import for_whom, waiting
from policy.workflow import decide
from tests import story as s
from tests.story import BEN, DANA, EVA, MARA, NOOR, OMNI, SYSTEM, VERA

EVERYBODY = tuple(m.Eligible(by.id, 0) for by in (EVA, NOOR, BEN, OMNI))
ARBITER = s.pack().model_copy(update={"review": s.pack().review.model_copy(update={"disagreement": "arbiter"})})
WHOEVER = s.pack().model_copy(update={"review": s.pack().review.model_copy(update={"assigned": False})})
OPEN = m.OpenExamination()
HOURS = timedelta(hours=s.pack().timers.examination)


def draw(*names: m.Actor, chance: str = "") -> s.Step:
    """Those can be drawn, and nobody else."""
    return m.DrawExaminers(tuple(m.Eligible(by.id, 0) for by in names), chance), SYSTEM


def at(search, command, by, now=s.NOON, rules=None):
    return decide(search, command, by, rules or s.pack(), now)


def opened(*names: m.Actor, rules=None) -> m.Search:
    """Those were drawn before the examination was opened."""
    return s.tell([*s.TO_REVIEW[:3], draw(*names), s.TO_REVIEW[3]], rules)[0]


def whose(search, now=s.NOON, rules=None) -> set[str]:
    one = waiting(search, s.NOON, rules or s.pack())
    assert one is not None
    return {by.id for by in (EVA, NOOR, BEN) if for_whom(one, by, rules or s.pack(), now)}


def may_sit(search, now=s.NOON, rules=None) -> set[str]:
    return {by.id for by in (EVA, NOOR, BEN) if not s.refusals(list(at(search, OPEN, by, now, rules)))}


def test_who_is_drawn_follows_from_the_chance_that_was_brought():
    def lot(chance: str) -> tuple[str, ...]:
        return s.tell([*s.TO_REVIEW[:3], (m.DrawExaminers(EVERYBODY, chance), SYSTEM)])[1][-1].examiners

    assert lot("one") == lot("one")
    assert len({lot(f"chance {n}") for n in range(30)}) > 3


def test_as_many_as_are_needed_are_drawn_and_it_is_recorded_among_how_many():
    _, told = s.tell([*s.TO_REVIEW[:3], (m.DrawExaminers(EVERYBODY, "chance"), SYSTEM)])
    drawn = told[-1]
    assert isinstance(drawn, m.ExaminersDrawn)
    assert len(set(drawn.examiners)) == 2
    assert (drawn.among, drawn.short, drawn.until) == (4, 0, s.NOON + HOURS)


def test_chance_alone_says_who_among_those_who_are_equally_busy():
    search, _ = s.tell(s.TO_REVIEW[:3])
    often = Counter(seats.drawn(search, EVERYBODY, str(n), s.pack(), s.NOON).examiners for n in range(600))
    assert len(often) == 6
    assert all(60 <= n <= 140 for n in often.values()), often  # 100 each


def test_whoever_has_the_least_before_them_is_drawn_first():
    search, _ = s.tell(s.TO_REVIEW[:3])
    busy = [m.Eligible(by.id, n) for by, n in ((EVA, 3), (NOOR, 0), (BEN, 1))]
    assert {seats.drawn(search, busy, str(n), s.pack(), s.NOON).examiners for n in range(50)} == {("ben", "noor")}


def test_nobody_is_drawn_who_asked_approved_stands_aside_or_is_not_certified_for_it():
    conflict = (m.DeclareConflict("A neighbour of mine."), OMNI)
    search, told = s.tell([*s.TO_REVIEW[:3], conflict, draw(OMNI, EVA, m.Actor(DANA.id, EVA.roles))])
    assert (search.asked, told[-1].short) == ((EVA.id,), 1)


def test_whoever_was_not_drawn_is_told_so_and_sees_nothing_of_it():
    search = opened(EVA, NOOR)
    assert (may_sit(search), whose(search)) == ({"eva", "noor"}, {"eva", "noor"})
    for command in (OPEN, m.AnswerCandidate(s.K7, m.Support.SAME), s.LEAD):
        (refused,) = at(search, command, BEN)
        assert refused.rule == "drawn-by-lot"
        assert not [name for name in ("eva", "noor", "Eva", "Noor") if name in refused.reason]


def test_once_it_is_due_whoever_may_takes_it_over():
    search = opened(EVA, NOOR)
    assert may_sit(search, s.NOON + HOURS - timedelta(seconds=1)) == {"eva", "noor"}
    assert may_sit(search, s.NOON + HOURS) == whose(search, s.NOON + HOURS) == {"eva", "noor", "ben"}


def test_whoever_sat_down_when_they_might_goes_on():
    search, _ = s.tell([(m.HandOver(BEN.id, "Eva is in court."), MARA), (OPEN, BEN)], search=opened(EVA, NOOR))
    back, _ = s.tell([(m.HandBack("I am ill today."), EVA), draw(NOOR, OMNI)], search=search)
    assert may_sit(back) == {"noor", "ben"}


def test_asking_twice_is_asking_once_and_asking_another_is_not():
    ask = {who.id: (m.HandOver(who.id, "Eva is in court."), MARA) for who in (BEN, NOOR)}
    asked, _ = s.tell([ask[BEN.id]], search=opened(EVA))
    assert s.tell([ask[BEN.id]], search=asked) == (asked, [])
    both, _ = s.tell([ask[NOOR.id]], search=asked)
    assert (both.handed, both.asked) == ((BEN.id, NOOR.id), (EVA.id, BEN.id, NOOR.id))
    assert s.tell([ask[NOOR.id]], search=both) == (both, [])
    again, _ = s.tell([ask[BEN.id]], search=both)
    assert again.handed == (BEN.id, NOOR.id, BEN.id)


def test_whoever_gave_back_what_they_were_asked_for_can_be_asked_anew():
    ask = m.HandOver(BEN.id, "Eva is in court."), MARA
    search, _ = s.tell([ask, (m.HandBack("I am ill today."), BEN), ask], search=opened(EVA, NOOR))
    assert search.handed == (BEN.id, BEN.id)


def test_a_seat_that_was_given_back_is_kept_until_another_was_drawn_for_it():
    search, _ = s.tell([(m.HandBack("I am ill today."), EVA)], search=opened(EVA, NOOR))
    assert (search.asked, may_sit(search)) == ((NOOR.id,), {"noor"})
    again, _ = s.tell([draw(EVA, NOOR, BEN)], search=search)
    assert (set(again.asked), may_sit(again)) == ({"noor", "ben"}, {"noor", "ben"})


def test_a_seat_that_nobody_can_be_drawn_for_is_open_to_whoever_may():
    search, told = s.tell(
        [draw(EVA, NOOR)], search=s.tell([(m.HandBack("I am ill."), EVA)], None, opened(EVA, NOOR))[0]
    )
    assert told[-1] == m.ExaminersDrawn((), s.NOON + HOURS, 0, 1)
    assert may_sit(search) == {"eva", "noor", "ben"}


@pytest.mark.parametrize("desk", [(), (EVA,)])
def test_a_small_desk_examines_all_the_same(desk):
    search = opened(*desk)
    assert may_sit(search) == whose(search) == {"eva", "noor", "ben"}
    done, _ = s.tell([*s.says(s.LEAD, EVA), *s.says(s.LEAD, NOOR)], search=search)
    assert done.state is m.State.AGREED


def test_a_third_opinion_is_drawn_too_and_nobody_slips_in_before():
    steps = [*s.says(s.LEAD, EVA), *s.says(s.OTHER_LEAD, NOOR)]
    differ, _ = s.tell(steps, ARBITER, opened(EVA, NOOR, rules=ARBITER))
    assert (differ.state, may_sit(differ, rules=ARBITER)) == (m.State.DISAGREED, set())
    called, _ = s.tell([draw(EVA, NOOR, BEN)], ARBITER, differ)
    assert may_sit(called, rules=ARBITER) == whose(called, rules=ARBITER) == {"ben"}


def test_a_supervisor_who_wants_one_more_opinion_does_not_choose_whose():
    agreed, _ = s.tell([*s.AGREED[4:], (m.ReturnReview("The light differs."), MARA)], search=opened(EVA, NOOR))
    assert may_sit(agreed) == set()
    called, _ = s.tell([draw(BEN)], search=agreed)
    assert may_sit(called) == {"ben"}


def test_whoever_declares_a_conflict_leaves_their_seat_to_another_draw():
    search, _ = s.tell([(m.DeclareConflict("A neighbour of mine."), EVA)], search=opened(EVA, NOOR))
    assert (search.asked, search.draws_again) == ((NOOR.id,), True)
    bystander, _ = s.tell([(m.DeclareConflict("A neighbour of mine."), BEN)], search=opened(EVA, NOOR))
    assert not bystander.draws_again


def test_a_draw_is_made_once():
    search = opened(EVA, NOOR)
    assert at(search, *draw(BEN, OMNI)) == ()


def test_where_the_pack_says_so_whoever_sits_down_first_examines():
    search = opened(EVA, NOOR, rules=WHOEVER)
    assert (search.asked, search.asked_until) == ((), None)
    assert may_sit(search, rules=WHOEVER) == {"eva", "noor", "ben"}


def test_whom_a_supervisor_asks_sits_down_beside_those_who_were_drawn():
    search, _ = s.tell([(m.HandOver(BEN.id, "Eva is in court."), VERA)], search=opened(EVA, NOOR))
    assert may_sit(search) == whose(search) == {"eva", "noor", "ben"}


def test_that_as_many_sit_there_as_are_needed_is_known_and_those_who_left_do_not_count():
    search = s.tell([*s.TO_REVIEW, (OPEN, EVA)])[0]
    assert not seats.taken(search, BEN.id, s.pack())
    full, _ = s.tell([*s.answers(NOOR), (OPEN, BEN)], search=search)
    assert seats.taken(full, BEN.id, s.pack())
    assert seats.taken(full, EVA.id, s.pack())
    left, _ = s.tell([(m.HandBack("Called to court."), NOOR)], search=full)
    assert not seats.taken(left, EVA.id, s.pack())
    one, _ = s.tell([*s.answers(NOOR), (s.NO_LEAD, NOOR)], search=full)
    assert seats.taken(one, BEN.id, s.pack())
