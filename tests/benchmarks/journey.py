"""From photo posted to candidates posted, split by stage, through the running system.

    uv run python -m tests.benchmarks.journey [--searches N] [--json FILE]

The stages are read from what the system itself recorded: Slack's timestamps of the messages and the ledger's entries.
The form is filled in by a program at once, so its stage is what the system needs of it, not what a person takes.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
from itertools import pairwise
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from deploy.demo import play, system
from deploy.workspace.person import Director

STAGES = ("offered", "requested", "assessed", "searched", "posted", "total")


async def one(running: system.System, probe: play.Probe) -> dict[str, float]:
    """Milliseconds by stage of one search."""
    intake, review = running.channels["face-intake"], running.channels["face-review"]
    async with play.Person(running.page, "dana.ruiz") as dana, play.Person(running.page, "eva.lind") as eva:
        post, search = await play.request(dana, intake, probe, lambda who, what: None)
        await play.review_thread(eva, review, search)
        card = (await dana.messages(intake, post["ts"]))[1]
    entries = await recorded(running, search)
    marks = [
        float(post["ts"]),
        float(card["ts"]),
        *(entries[kind] for kind in ("SearchRequested", "PhotoAssessed", "SearchRun", "Posted")),
    ]
    spent = [(after - before) * 1000 for before, after in pairwise(marks)]
    return dict(zip(STAGES, [*spent, (marks[-1] - marks[0]) * 1000], strict=True))


async def recorded(running: system.System, search: str) -> dict[str, float]:
    """When the ledger recorded each kind of entry of the search: seconds since 1970."""
    conn = await asyncpg.connect(running.database_url("auditor"))
    try:
        query = "SELECT entry, recorded_at FROM ledger.entry WHERE stream = $1 ORDER BY seq"
        rows = await conn.fetch(query, f"search:{search}")
    finally:
        await conn.close()
    return {json.loads(bytes(row["entry"]))["kind"]: row["recorded_at"].timestamp() for row in rows}


async def measure(searches: int) -> list[dict[str, float]]:
    root = Path(tempfile.mkdtemp(prefix="leadgate-benchmark-"))
    probes = [p for p in play.probes() if p.person]
    try:
        async with system.running(root, workspace_options=("--control",)) as running:
            await Director(running.page)("rates", scale=50)  # Slack's rations are for days, not for one minute
            await one(running, probes[0])  # warms everything up
            return [await one(running, probes[n % len(probes)]) for n in range(searches)]
    finally:
        shutil.rmtree(root, ignore_errors=True)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--searches", type=int, default=8)
    words.add_argument("--json", type=Path)
    asked = words.parse_args()
    rows = asyncio.run(measure(asked.searches))
    table = Table("stage", "p50 ms", "max ms", title=f"photo posted to candidates posted, {len(rows)} searches")
    figures = {}
    for stage in STAGES:
        spent = [row[stage] for row in rows]
        figures[stage] = {"p50_ms": statistics.median(spent), "max_ms": max(spent)}
        table.add_row(stage, f"{figures[stage]['p50_ms']:.0f}", f"{figures[stage]['max_ms']:.0f}")
    Console().print(table)
    if asked.json:
        asked.json.write_text(json.dumps({"searches": len(rows), "stages": figures}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
