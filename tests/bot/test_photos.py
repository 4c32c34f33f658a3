"""Photographs at rest: sealed under a key of their search, and what was altered does not open."""

import pytest

from bot import drafts, photos
from bot.photos import PhotoSealError
from policy.model import PersonId, SearchId

KEK, OTHER_KEK = b"k" * 32, b"o" * 32
ONE, TWO = SearchId("LG-AAAAAAAAAAAA"), SearchId("LG-BBBBBBBBBBBB")
PICTURE = b"\xff\xd8\xff a photograph " * 50


async def test_a_photograph_opens_as_it_was_received_and_does_not_lie_in_the_clear(pool):
    async with pool.acquire() as conn:
        digest = await photos.keep(conn, KEK, ONE, "original", PICTURE)
        row = await conn.fetchrow("SELECT sha256, sealed FROM casework.photo")
        assert (row["sha256"], digest) == (digest, photos.sha256(PICTURE))
        assert b"photograph" not in row["sealed"]
        assert await photos.opened(conn, KEK, ONE, "original") == PICTURE
        assert await photos.opened(conn, KEK, ONE, "copy") is None


async def test_a_photograph_kept_twice_is_the_first_one(pool):
    async with pool.acquire() as conn:
        await photos.keep(conn, KEK, ONE, "original", PICTURE)
        await photos.keep(conn, KEK, ONE, "original", b"another")
        assert await photos.opened(conn, KEK, ONE, "original") == PICTURE


TAMPERED = {
    "a changed byte": "UPDATE casework.photo SET sealed = set_byte(sealed, 5, 255 - get_byte(sealed, 5))",
    "another hash": "UPDATE casework.photo SET sha256 = repeat('0', 64)",
    "another kind": "UPDATE casework.photo SET kind = 'copy'",
    "another search": "UPDATE casework.photo SET search = 'LG-BBBBBBBBBBBB'",
}


@pytest.mark.parametrize("name", TAMPERED)
async def test_a_photograph_that_was_altered_or_moved_does_not_open(name, pool, superuser):
    async with pool.acquire() as conn:
        await photos.keep(conn, KEK, ONE, "original", PICTURE)
        await photos.keep(conn, KEK, TWO, "copy", b"a key for the other search")
        await superuser.execute("DELETE FROM casework.photo WHERE search = 'LG-BBBBBBBBBBBB'")
        await superuser.execute(TAMPERED[name])
        search, kind = (await conn.fetchrow("SELECT search, kind FROM casework.photo")).values()
        with pytest.raises(PhotoSealError):
            await photos.opened(conn, KEK, search, kind)


async def test_destroying_a_searchs_key_shreds_its_photographs(pool, superuser):
    async with pool.acquire() as conn:
        await photos.keep(conn, KEK, ONE, "original", PICTURE)
        await superuser.execute("DELETE FROM casework.seal_key")
        with pytest.raises(PhotoSealError):
            await photos.opened(conn, KEK, ONE, "original")


async def test_a_draft_is_found_by_whoever_typed_it_alone(pool):
    dana, sam = PersonId("dana"), PersonId("sam")
    async with pool.acquire() as conn:
        await drafts.keep(conn, KEK, ONE, dana, {"basis": "typed", "offence": ""})
        assert await drafts.opened(conn, KEK, ONE, dana) == {"basis": "typed"}
        assert await drafts.opened(conn, KEK, ONE, sam) == {}
        await drafts.keep(conn, KEK, ONE, dana, {"basis": "typed again"})
        assert await drafts.opened(conn, KEK, ONE, dana) == {"basis": "typed again"}
        await drafts.forget(conn, ONE, dana)
        assert await drafts.opened(conn, KEK, ONE, dana) == {}
