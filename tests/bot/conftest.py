"""The door on a database of its own, with the people of the story on the roster."""

import pytest

from bot import people
from bot.casework import Casework, register
from tests import story as s

TEAM = "T1"


@pytest.fixture
async def casework(pool):
    """The door under nypd-2020, at noon."""
    pack = s.pack()
    text = s.text_of()
    async with pool.acquire() as conn, conn.transaction():
        await register(conn, pack, text)
        for actor in s.EVERYBODY:
            if actor.roles and actor is not s.SYSTEM:
                person = people.Person(
                    actor.id, actor.id.title(), actor.roles, actor.certified_until, TEAM, f"U{actor.id}"
                )
                await people.enrol(conn, person)
    return Casework(pool, {}, pack, lambda: s.NOON, b"k" * 32)
