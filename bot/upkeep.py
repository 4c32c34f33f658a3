"""What comes round by itself, once a day: what is over is purged, and those who have to act are reminded.

The day's job is ordered by whoever looks first and runs once, however many workers there are; each search is purged in
a transaction of its own, each reminder is a job of its own.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta

import structlog

from bot import aftermath, drafts, ids, queue, retention, store
from bot.casework import Casework
from bot.database import Conn, Pool
from bot.desk import Desk
from bot.people import account_of
from bot.queue import Job, Lease
from bot.views import upkeep
from policy.model import PersonId, SearchId
from policy.schema import Report

log = structlog.get_logger()

BEFORE = (1, 7, 30)  # days before a certification ends, at which its owner is told


def orders(now: datetime) -> Job:
    """The job of the day."""
    return Job("daily", now.date().isoformat(), {})


def begins(every: str, day: date) -> bool:
    """Whether a period of this kind begins on `day`, so that the report on the one before is due. Pure."""
    match every:
        case "week":
            return day.isoweekday() == 1
        case "quarter":
            return day.day == 1 and day.month in {1, 4, 7, 10}
        case "year":
            return (day.month, day.day) == (1, 1)
        case "two-years":
            return (day.month, day.day) == (1, 1) and day.year % 2 == 0
        case _:
            return False  # a breach has no period: the pack's document says what is due then, and nobody is reminded


class Upkeep:
    """The errands of the day. Built by the composition root."""

    def __init__(
        self, casework: Casework, pool: Pool, desk: Desk, team: str, oversight: str, clock: Callable[[], datetime]
    ) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._team = team
        self._oversight = oversight
        self._clock = clock

    def by_kind(self) -> Mapping[str, Callable[[Lease], Awaitable[None]]]:
        return {
            "daily": self.daily,
            "purge-refused": self.purge_refused,
            "remind-certification": self.remind_certification,
            "remind-report": self.remind_report,
            "tell-cases-refused": self.tell_cases_refused,
        }

    async def order(self) -> None:
        """The day's job is in the queue."""
        await self._casework.remember(orders(self._clock()))

    async def daily(self, lease: Lease) -> None:
        """What is over has gone, and the reminders of the day are ordered."""
        now = self._clock()
        async with self._pool.acquire() as conn:
            every = await retention.due(conn, self._casework.packs, now)
        for search in dict.fromkeys(one.search for one in every):
            await self._purge(search, now)
        await self._purge_logs(now)
        async with self._pool.acquire() as conn, conn.transaction():
            for job in (*await ending(conn, now), *await aftermath.due(conn, now), *self._reports(now.date())):
                await queue.enqueue(conn, job)
            await queue.complete(conn, lease)

    async def purge_refused(self, lease: Lease) -> None:
        """What was found on a request that nobody approved is gone, where the pack says so."""
        await self._purge(SearchId(lease.payload["search"]), self._clock())
        await self._casework.finish(lease)

    async def _purge(self, search: SearchId, now: datetime) -> None:
        """Everything of it that is due, as it stands now: it may have gone, or be held, since somebody looked."""
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, search)
            every = await retention.due(conn, self._casework.packs, now, search)
            for one in every:
                await retention.purge(conn, one, now)
        if every:
            log.info("retention.purged", search=search, count=len(every))

    async def _purge_logs(self, now: datetime) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await retention.purge_logs(conn, self._casework.active, now)
            log.info("drafts.gone", drafts=await drafts.sweep(conn, now))

    def _reports(self, day: date) -> list[Job]:
        return [
            Job("remind-report", f"{report.code}:{day}", {"code": report.code, "day": day.isoformat()})
            for report in self._casework.active.reports
            if begins(report.every, day)
        ]

    async def remind_certification(self, lease: Lease) -> None:
        """Whoever it is, and the supervisors, know when the certification ends (M40)."""
        person, until = PersonId(lease.payload["person"]), datetime.fromisoformat(lease.payload["until"])
        async with self._pool.acquire() as conn:
            account = await account_of(conn, self._team, person)
        if account is not None:
            channel = await self._desk.direct_channel(account)
            key = ids.post_key(lease.key, "certification")
            await self._desk.post(key, channel, upkeep.certification(until), again=lease.again)
        told = upkeep.certification_of(account, person, until)
        await self._desk.post(ids.post_key(lease.key, "told"), self._oversight, told, again=lease.again)
        await self._casework.finish(lease)

    async def remind_report(self, lease: Lease) -> None:
        """The supervisors know which report is due, to whom, and what it tells."""
        day = date.fromisoformat(lease.payload["day"])
        reports: dict[str, Report] = {report.code: report for report in self._casework.active.reports}
        if report := reports.get(lease.payload["code"]):
            message = upkeep.report_due(report, self._casework.active.id, day)
            await self._desk.post(ids.post_key(lease.key, "report"), self._oversight, message, again=lease.again)
        await self._casework.finish(lease)

    async def tell_cases_refused(self, lease: Lease) -> None:
        """The supervisors know that no case number is checked, and what an administrator can do."""
        key = ids.post_key(lease.key, "cases-refused")
        await self._desk.post(key, self._oversight, upkeep.cases_refused(lease.payload["status"]), again=lease.again)
        await self._casework.finish(lease)


ENDING = """
SELECT id, certified_until FROM casework.person
WHERE active AND cardinality(roles) > 0 AND certified_until > $1 AND certified_until <= $2 ORDER BY id
"""


async def ending(conn: Conn, now: datetime) -> list[Job]:
    """A reminder for everybody whose certification ends soon: at most one for each of the days in `BEFORE`."""
    rows = await conn.fetch(ENDING, now, now + timedelta(days=max(BEFORE)))
    return [_reminder(row["id"], row["certified_until"], now) for row in rows]


def _reminder(person: str, until: datetime, now: datetime) -> Job:
    days = next(days for days in BEFORE if until - now <= timedelta(days=days))
    payload = {"person": person, "until": until.isoformat()}
    return Job("remind-certification", f"{person}:{until.date()}:{days}", payload)
