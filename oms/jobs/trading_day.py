"""The jobs of a trading day, and which of them are due.

    calendars       once a local date, and at every start
    open_date       from the cut-off on: the core is told the trading date
    close_day       at end_of_day of each session of the firm's calendar: the core is told that it
                    is over. It also plans, for that date:
    recon:VENUE     of each venue that has a session: its statement against our record
    verify          the journal's chain

A date that was missed, because no process ran, is made up for in order of dates.
"""

import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import psycopg
import structlog
from sqlalchemy import Connection, func, select

from oms.audit.verify import verify
from oms.domain.commands import JOBS, CloseTradingDay, Command, OpenTradingDate
from oms.jobs.calendars import load_calendars
from oms.jobs.core_commands import send, wait_answer
from oms.jobs.metrics import JobMetrics
from oms.jobs.once import Outcome, Retry, Work, jobs_engine, plan, run_once
from oms.jobs.reconcile import RECON, Run, is_kept, reconcile, tell
from oms.jobs.stopping import Stopping
from oms.jobs.venue_files import Source
from oms.orders.good_till import OF_THE_DAY
from oms.queries.calendars import FIRM, next_session, sessions_of
from oms.queries.reloads import Reloads, Reread
from oms.settings.model import Settings, VenueSettings
from oms.settings.trading_date import trade_date_of
from oms.store.tables import job_runs, journal, orders

log = structlog.get_logger(__name__)

LONGEST_LOOK_BACK: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the jobs wait. answer_s: for the core. settle_s: for the day's orders to end."""

    poll_s: float = 5.0
    answer_s: float = 30.0
    settle_s: float = 60.0
    retry: Retry = field(default_factory=Retry)


def source_of(venue: VenueSettings, day: date) -> Source | None:
    """Where the venue's statement of that date is expected; None: it sends none."""
    trades = venue.trade_file_of(day.isoformat())
    if trades is None:
        return None
    return Source(trades=trades, orders=venue.order_file_of(day.isoformat()))


class TradingDay:
    """Does what is due. `sweep` may be called at any time, in any number of processes."""

    def __init__(
        self,
        settings: Settings,
        url: str,
        metrics: JobMetrics,
        *,
        holder: str,
        pace: Pace,
        stopping: Stopping,
        reread: Reread | None = None,
    ) -> None:
        self._settings = settings
        self._url = url
        self._engine = jobs_engine(url)
        self._metrics = metrics
        self._holder = holder
        self._pace = pace
        self._stopping = stopping
        self._venues: dict[str, VenueSettings] = {}
        self._calendars_of = date.min
        self._reloads = Reloads(self._engine, settings, reread) if reread is not None else None
        self._take_over(settings)
        self._given_up: set[tuple[str, date]] = set()
        # Runs whose commit has not been answered: they are told of once it is known.
        self._untold: list[Run] = []
        # What waits for the core alone is never given up.
        self._for_ever = replace(pace.retry, attempts=sys.maxsize)

    def sweep(self) -> None:
        """Every job that is due now. Raises Interrupted, and OperationalError."""
        reloaded = self._reloads.look() if self._reloads is not None else None
        if reloaded is not None:
            self._take_over(reloaded)
        self._tell_runs()
        now = datetime.now(UTC)
        self._load_calendars(now.astimezone(self._zone).date())
        self._open_date(now)
        for day in self._unclosed(now):
            self._run("close_day", day, partial(self._close, day), retry=self._for_ever)
        for job, day in self._planned():
            if job.startswith(RECON):
                self._reconcile(job, day)
            elif job == "verify":
                self._run(job, day, self._verify)
        with self._engine.begin() as connection:
            self._metrics.refresh(connection)

    def _take_over(self, settings: Settings) -> None:
        """Venues that are gone stay known for what is planned of them."""
        self._settings = settings
        self._venues |= {venue.name: venue for venue in settings.venues}
        self._metrics.known_venues([venue.name for venue in settings.venues])
        self._calendars_of = date.min

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._settings.trading_day.time_zone)

    def _run(
        self, job: str, day: date, work: Work, *, retry: Retry | None = None, again: bool = False
    ) -> Outcome:
        self._stopping.check()
        outcome = run_once(
            self._engine,
            job,
            day,
            work,
            holder=self._holder,
            retry=retry or self._pace.retry,
            again=again,
        )
        if outcome in {Outcome.DONE, Outcome.FAILED}:
            self._metrics.attempt(outcome.value)
        if outcome is Outcome.GIVEN_UP and (job, day) not in self._given_up:
            self._given_up.add((job, day))
            self._metrics.attempt(outcome.value)
            log.error("job.given_up", job=job, date=day.isoformat())
        return outcome

    def _load_calendars(self, today: date) -> None:
        if self._calendars_of == today:
            return

        def load(connection: Connection) -> str:
            load_calendars(connection, self._settings, today)
            return ""

        first = self._calendars_of == date.min
        if self._run("calendars", today, load, again=first) in {Outcome.DONE, Outcome.ALREADY}:
            self._calendars_of = today

    def _open_date(self, now: datetime) -> None:
        date_now = trade_date_of(self._settings.trading_day, now)
        with self._engine.begin() as connection:
            day = next_session(connection, FIRM, date_now)
        if day is not None:
            command = OpenTradingDate(origin=JOBS, trade_date=day.isoformat())
            tell = partial(self._open, command, day)
            self._run("open_date", day, tell, retry=self._for_ever)

    def _open(self, command: Command, day: date, _: Connection) -> str:
        return self._tell_core(command, "open", day)

    def _unclosed(self, now: datetime) -> list[date]:
        """Sessions whose end has come, from the first that this journal saw, not closed yet."""
        with self._engine.begin() as connection:
            first_at = connection.execute(
                select(journal.c.at).order_by(journal.c.seq).limit(1)
            ).scalar_one_or_none()
            if first_at is None:
                return []
            first = trade_date_of(self._settings.trading_day, first_at)
            last = now.astimezone(self._zone).date()
            first = max(first, last - LONGEST_LOOK_BACK)
            closed = set(
                connection.execute(
                    select(job_runs.c.business_date).where(
                        job_runs.c.job == "close_day", job_runs.c.state == "done"
                    )
                ).scalars()
            )
            days = sessions_of(connection, FIRM, first, last)
        return [day for day in days if day not in closed and self.end_of(day) <= now]

    def end_of(self, day: date) -> datetime:
        """When that trading day ends."""
        return datetime.combine(day, self._settings.trading_day.end_of_day, self._zone)

    def _close(self, day: date, connection: Connection) -> str:
        command = CloseTradingDay(origin=JOBS, trade_date=day.isoformat())
        error = self._tell_core(command, "eod", day)
        if error:
            return error
        self._await_expiry(day)
        for venue in self._settings.venues:
            if not sessions_of(connection, venue.name, day, day):
                continue
            if source_of(venue, day) is None:
                log.warning("recon.no_statement_expected", venue=venue.name)
                continue
            plan(connection, f"{RECON}{venue.name}", day)
        plan(connection, "verify", day)
        return ""

    def _tell_core(self, command: Command, key: str, day: date) -> str:
        number = send(self._engine, command, key=key, scope=day.isoformat())
        answer = wait_answer(
            self._engine,
            number,
            timeout_s=self._pace.answer_s,
            give_up=lambda: self._stopping.asked,
        )
        self._stopping.check()
        if answer is None:
            return f"the core does not answer; the command is queued as {number}"
        return "" if answer.accepted else f"the core refused: {answer.text}"

    def _await_expiry(self, day: date) -> None:
        """Until the day's orders are out of the market, or long enough: the rest shows later."""
        open_orders = select(func.count()).where(
            orders.c.is_open,
            orders.c.time_in_force.in_([one.value for one in OF_THE_DAY]),
            orders.c.trade_date <= day,
        )

        def settled() -> bool:
            with self._engine.begin() as connection:
                return connection.execute(open_orders).scalar_one() == 0

        if not self._stopping.wait_until(settled, self._pace.settle_s):
            log.warning("trading_day.orders_still_open", date=day.isoformat())

    def _planned(self) -> list[tuple[str, date]]:
        column = job_runs.c
        query = (
            select(column.job, column.business_date)
            .where(column.state != "done", column.job.like(f"{RECON}%") | (column.job == "verify"))
            .order_by(column.business_date, column.job)
        )
        with self._engine.begin() as connection:
            return [(job, day) for job, day in connection.execute(query)]

    def _reconcile(self, job: str, day: date) -> None:
        self._run(job, day, partial(self._recon, job.removeprefix(RECON), day))
        self._tell_runs()

    def _recon(self, name: str, day: date, connection: Connection) -> str:
        venue = self._venues.get(name)
        if venue is None:
            return f"venue {name}: is not configured any more"
        run = reconcile(connection, name, day, source_of(venue, day))
        self._untold.append(run)
        return run.error

    def _tell_runs(self) -> None:
        """Of those that are in the database; what is not there has been undone with its attempt."""
        if not self._untold:
            return
        with self._engine.begin() as connection:
            kept = [run for run in self._untold if is_kept(connection, run)]
        self._untold.clear()
        for run in kept:
            self._metrics.run(run)
            tell(run)

    def _verify(self, _: Connection) -> str:
        try:
            report = verify(self._url)
        except psycopg.OperationalError as error:
            # Of a connection of its own; where all are lost, the end of this attempt tells.
            return f"the database went away: {str(error).strip().partition(chr(10))[0]}"
        self._metrics.chain_ok.set(report.ok)
        self._metrics.verified_seq.set(report.last_seq)
        if report.ok:
            return ""
        log.error("audit.not_verified", faults=report.fault_count, rows=len(report.differences))
        return (
            f"the journal has {report.fault_count} faults, {len(report.differences)} derived rows"
            f" differ from it; ask: oms audit verify"
        )
