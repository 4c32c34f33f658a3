"""`leadgate retention`: what is kept how long, legal holds, and what went."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from bot import database, retention
from bot.casework import known_packs
from bot.database import Conn
from deploy.the_record import for_the_record
from policy.model import SearchId
from policy.pack import parse

app = typer.Typer(no_args_is_help=True)
console = Console(markup=False, highlight=False)  # what people typed is no markup
T = TypeVar("T")
Url = Annotated[str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database", show_default=False)]
By = Annotated[str, typer.Option(callback=for_the_record, help="your name")]
Reason = Annotated[str, typer.Option(callback=for_the_record, help="the order or the case that asks for it")]


@app.command("due")
def due(url: Url) -> None:
    """Lists what the next daily run deletes. Nothing is changed."""

    async def ask(conn: Conn) -> list[retention.Due]:
        packs = {name: parse(text, name) for name, text in await known_packs(conn)}
        return await retention.due(conn, packs, datetime.now(UTC))

    table = Table("search", "class", "kept for", "over since")
    for one in _with(url, ask):
        table.add_row(one.search, one.of, f"{one.days} days", f"{one.since:%Y-%m-%d}")
    console.print(table if table.row_count else "Nothing is due.")


@app.command("held")
def held(url: Url) -> None:
    """Lists the legal holds."""
    table = Table("search", "reason", "by", "since")
    for row in _with(url, retention.held):
        table.add_row(row["search"], row["reason"], row["held_by"], f"{row['held_at']:%Y-%m-%d %H:%M}")
    console.print(table if table.row_count else "Nothing is held.")


@app.command("hold")
def hold(search: str, reason: Reason, by: By, url: Url) -> None:
    """Nothing of this search is deleted until it is released, whatever the pack says."""
    if not _with(url, lambda conn: retention.hold(conn, SearchId(search), reason, by, datetime.now(UTC))):
        _refused(f"There is no search {search}, or it is held already.")
    console.print(f"{search} is held.")


@app.command("release")
def release(search: str, reason: Reason, by: By, url: Url) -> None:
    """The hold is over; what is past its time goes with the next daily run."""
    if not _with(url, lambda conn: retention.release(conn, SearchId(search), reason, by, datetime.now(UTC))):
        _refused(f"{search} is not held.")
    console.print(f"{search} is held no longer.")


def _refused(why: str) -> None:
    typer.echo(f"leadgate: {why} Nothing was changed.", err=True)
    raise typer.Exit(2)


def _with(url: str, work: Callable[[Conn], Awaitable[T]]) -> T:
    async def run() -> T:
        pool = await database.connect(url, name="leadgate-retention")
        try:
            async with pool.acquire() as conn, conn.transaction():
                return await work(conn)
        finally:
            await pool.close()

    return asyncio.run(run())
