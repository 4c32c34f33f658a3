"""A snapshot belongs to one gallery and is served for no other."""

import asyncpg

from matcher import gallery


async def test_two_galleries_are_told_apart_even_where_one_is_a_copy_of_the_other(database, postgres):
    copy = f"{database.name}_copy"
    admin = await asyncpg.connect(postgres.url())
    await admin.execute(f"CREATE DATABASE {copy} TEMPLATE {database.name}")
    told = []
    for name in (database.name, copy):
        conn = await asyncpg.connect(postgres.url(name))
        told += [await gallery.identity(conn), await gallery.identity(conn)]
        await conn.close()
    await admin.execute(f"DROP DATABASE {copy}")
    await admin.close()
    assert told[0] == told[1] != told[2] == told[3]
