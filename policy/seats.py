"""Who is to examine: drawn by lot among those who may, those with the least before them first (S9). Pure.

Whoever clicks first would otherwise examine, and two who agreed to do so could always have each other. The seats stay
with those who were drawn until their time is over, or one of them gives it back; a supervisor may ask somebody besides.
Where fewer may examine than are needed, the seats left over are open to whoever may.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from policy.model import Eligible, ExaminersDrawn, PersonId, Search, State
from policy.pack import Pack


def needed(search: Search, pack: Pack) -> int:
    """How many opinions have to be locked before it can go on."""
    if search.state is State.DISAGREED:
        return 1
    return max(0, pack.review.examiners + len(search.returned) - len(_locked(search)))


def kept(search: Search) -> tuple[PersonId, ...]:
    """Those who were drawn or asked and are still waited for; nobody once it is over."""
    if search.outcome is not None:
        return ()
    done = {*_locked(search), *search.conflicted}
    return tuple(person for person in search.asked if person not in done)


def unfilled(search: Search, pack: Pack) -> int:
    """How many seats are kept for nobody."""
    return max(0, needed(search, pack) - len(kept(search)))


def sits(search: Search, person: PersonId) -> bool:
    """Whether they have begun, and neither locked an opinion nor gave it back."""
    mine = next((e for e in search.examinations if e.examiner == person), None)
    if mine is None:
        return person in search.shown and person not in search.handed_back
    return mine.conclusion is None


def taken(search: Search, person: PersonId, pack: Pack) -> bool:
    """Whether as many others sit there already as are needed."""
    everybody = {*search.shown, *(e.examiner for e in search.examinations)}
    return sum(sits(search, one) for one in everybody - {person}) >= needed(search, pack)


def closed_to(search: Search, person: PersonId, pack: Pack, now: datetime) -> bool:
    """Whether the seats are kept for others. Their time is over without any timer."""
    if sits(search, person) or person in kept(search):
        return False
    if search.draws_again:
        return True
    return search.asked_until is not None and now < search.asked_until and not unfilled(search, pack)


def waits_for(search: Search, person: PersonId, pack: Pack) -> bool:
    """Whether it is theirs to do: they have begun, were drawn or asked, or a seat is anybody's."""
    return sits(search, person) or person in kept(search) or unfilled(search, pack) > 0


def drawn(search: Search, eligible: Sequence[Eligible], draw: str, pack: Pack, now: datetime) -> ExaminersDrawn:
    """The seats are kept for those whom the lot names; `draw` is chance from outside."""
    free = [one for one in eligible if one.person not in {*kept(search), *search.handed_back}]
    lot = sorted(free, key=lambda one: (one.before_them, sha256(f"{draw} {one.person}".encode()).digest()))
    seats = unfilled(search, pack)
    named = tuple(sorted(one.person for one in lot[:seats]))
    until = now + timedelta(hours=pack.timers.examination)
    return ExaminersDrawn(named, until, len(free), seats - len(named))


def _locked(search: Search) -> tuple[PersonId, ...]:
    return tuple(e.examiner for e in search.examinations if e.conclusion is not None)
