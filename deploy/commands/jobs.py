"""`leadgate jobs`: what the durable queue holds, and what an operator does about jobs that failed too often."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot import database, queue

app = typer.Typer(no_args_is_help=True)
Url = Annotated[str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database", show_default=False)]


@app.command("dead")
def dead(url: Url) -> None:
    """Lists the jobs that failed too often. They are safe, and wait."""
    table = Table("job", "kind", "key", "attempts", "last error", "since")
    for row in asyncio.run(_dead(url)):
        table.add_row(*(str(row[name]) for name in ("id", "kind", "key", "attempts", "last_error", "finished_at")))
    Console().print(table if table.row_count else "No job has failed too often.")


@app.command("retry")
def retry(job: int, url: Url) -> None:
    """Tries a dead job again; it looks first at what its earlier attempts did."""
    kind = asyncio.run(_revive(url, job))
    if kind is None:
        typer.echo(f"leadgate: job {job} is not among the dead. Nothing was changed.", err=True)
        raise typer.Exit(2)
    typer.echo(f"Job {job} ({kind}) will be tried again.")


async def _dead(url: str) -> list[queue.Row]:
    pool = await database.connect(url, name="leadgate-jobs")
    try:
        async with pool.acquire() as conn:
            return await queue.dead(conn)
    finally:
        await pool.close()


async def _revive(url: str, job: int) -> str | None:
    pool = await database.connect(url, name="leadgate-jobs")
    try:
        async with pool.acquire() as conn:
            return await queue.revive(conn, job)
    finally:
        await pool.close()
