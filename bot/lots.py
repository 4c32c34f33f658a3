"""Who examines is drawn by lot: among those who are certified and in the examiners' channel, the least busy first (S9).

The policy draws; here is found among whom, and chance.
"""

from collections import Counter
from collections.abc import Mapping

from bot import ids, store
from bot.acts import Acts
from bot.casework import SYSTEM
from bot.database import Conn
from policy import seats
from policy.authority import certified
from policy.model import Actor, DrawExaminers, Eligible, PersonId, Role, Search, State

DRAWS = frozenset({State.SEARCHED, State.IN_REVIEW, State.DISAGREED})


async def give_seats(acts: Acts, search: Search) -> Search:
    """Seats that are kept for nobody are kept for somebody, as far as anybody may: the search as it stands then."""
    given = search.asked_until is not None and not search.draws_again
    if given or search.state not in DRAWS or not acts.casework.pack_of(search).review.assigned:
        return search
    drawn = DrawExaminers(await eligible(acts, search), ids.draw())
    await acts.casework.submit(search.id, drawn, SYSTEM)
    return await acts.casework.look(search.id)


async def eligible(acts: Acts, search: Search) -> tuple[Eligible, ...]:
    """Everybody who could be drawn but for what keeps them from this search alone: the policy looks at that."""
    pack, now = acts.casework.pack_of(search), acts.casework.now()
    members = await acts.desk.members(acts.rooms.review)
    async with acts.pool.acquire() as conn:
        people, busy = await _examiners(conn, acts.team), await before_them(conn)
    return tuple(
        Eligible(actor.id, busy[actor.id])
        for account, actor in people.items()
        if account in members and certified(actor, pack, now)
    )


EXAMINERS = """
SELECT account.account, person.id, person.certified_until FROM casework.person
JOIN casework.account ON account.person = person.id AND account.team = $1
WHERE person.active AND 'examiner' = ANY (person.roles) ORDER BY person.id
"""


async def _examiners(conn: Conn, team: str) -> Mapping[str, Actor]:
    """Everybody on the roster who examines, by their account."""
    rows = await conn.fetch(EXAMINERS, team)
    examines = frozenset({Role.EXAMINER})
    return {row["account"]: Actor(PersonId(row["id"]), examines, row["certified_until"]) for row in rows}


OPEN = "SELECT body FROM casework.search WHERE outcome IS NULL AND state IN ('searched', 'in-review', 'disagreed')"


async def before_them(conn: Conn) -> Counter[PersonId]:
    """How many examinations are before each examiner: drawn or asked for, or begun."""
    found: Counter[PersonId] = Counter()
    for row in await conn.fetch(OPEN):
        search = store.SEARCH.validate_python(row["body"])
        begun = (e.examiner for e in search.examinations if e.conclusion is None)
        found.update({*seats.kept(search), *begun})
    return found
