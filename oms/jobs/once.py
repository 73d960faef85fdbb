"""Exactly once: a row of job_runs and an advisory lock for each job and date.

Whoever holds the lock runs the job; its effects and "done" are one transaction on the connection
that holds the lock. A runner that dies loses both: the row still says "running", the lock is free,
and the next process begins again. A failure is kept with its reason and tried again, later each
time, until the attempts are used up.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, RowMapping, create_engine, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from oms.store.postgres_urls import sqlalchemy_url
from oms.store.tables import job_runs

log = structlog.get_logger(__name__)

# Both ends notice within a minute that the other's machine is gone: a lock that nobody gives back
# keeps every other process from the job.
_CONNECTION: Final = {
    "connect_timeout": 5,
    "application_name": "plumbline jobs",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "options": (
        "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    ),
}

Work = Callable[[Connection], str]
"""Does the job in the transaction of its end; returns why it failed, empty when it did not."""


class Interrupted(Exception):
    """The process is asked to stop: the job is to begin again, and this was no attempt."""


class Outcome(StrEnum):
    """What became of an attempt. BUSY: another process runs it now. LATER: it is not due again."""

    DONE = "done"
    FAILED = "failed"
    ALREADY = "already"
    BUSY = "busy"
    LATER = "later"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When a failed job is tried again: after first_s, twice that, and so on up to longest_s."""

    first_s: float = 60.0
    longest_s: float = 1_800.0
    attempts: int = 24

    def due(self, row: RowMapping, now: datetime) -> bool:
        """Whether a failed row is to be tried again now."""
        if row["finished_at"] is None:
            return True
        doublings = min(max(row["attempts"] - 1, 0), 32)
        delay = min(self.first_s * 2.0**doublings, self.longest_s)
        return bool(now >= row["finished_at"] + timedelta(seconds=delay))


def jobs_engine(url: str) -> Engine:
    """Connections that are closed when given back, and with them their locks.

    Every transaction sees one moment.
    """
    return create_engine(
        sqlalchemy_url(url),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        connect_args=_CONNECTION,
    )


def plan(connection: Connection, job: str, day: date) -> None:
    """Note that the job is to run for that date, if nobody has yet."""
    values = {"job": job, "business_date": day, "state": "running", "attempts": 0}
    row = {**values, "started_at": datetime.now(UTC)}
    connection.execute(insert(job_runs).values(row).on_conflict_do_nothing())


def run_once(
    engine: Engine,
    job: str,
    day: date,
    work: Work,
    *,
    holder: str,
    retry: Retry,
    again: bool = False,
) -> Outcome:
    """Run the job for that date unless it is done or another runs it. again: even if it is done.

    Raises Interrupted from the work, and OperationalError when the database is away.
    """
    with engine.connect() as connection:
        keys = {"job": _lock_key(job), "day": day.toordinal()}
        with connection.begin():
            taken = text("SELECT pg_try_advisory_lock(:job, :day)")
            if not connection.execute(taken, keys).scalar_one():
                return Outcome.BUSY
        with connection.begin():
            row = _row(connection, job, day)
            refused = _refusal(row, retry, again=again)
            if refused is not None:
                return refused
            _begin(connection, job, day, holder)
        return _attempt(connection, job, day, work)


def _lock_key(job: str) -> int:
    """32 bits of the job's name, signed as PostgreSQL's integer is."""
    unsigned = zlib.crc32(job.encode())
    return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned


def _row(connection: Connection, job: str, day: date) -> RowMapping | None:
    query = select(job_runs).where(job_runs.c.job == job, job_runs.c.business_date == day)
    return connection.execute(query).mappings().one_or_none()


def _refusal(row: RowMapping | None, retry: Retry, *, again: bool) -> Outcome | None:
    if row is None or again:
        return None
    if row["state"] == "done":
        return Outcome.ALREADY
    if row["attempts"] >= retry.attempts:
        return Outcome.GIVEN_UP
    if row["state"] == "failed" and not retry.due(row, datetime.now(UTC)):
        return Outcome.LATER
    return None


def _begin(connection: Connection, job: str, day: date, holder: str) -> None:
    now = datetime.now(UTC)
    begun = {"state": "running", "started_at": now, "finished_at": None, "holder": holder}
    connection.execute(
        insert(job_runs)
        .values(job=job, business_date=day, attempts=1, **begun)
        .on_conflict_do_update(
            index_elements=[job_runs.c.job, job_runs.c.business_date],
            set_={**begun, "attempts": job_runs.c.attempts + 1},
        )
    )


def _attempt(connection: Connection, job: str, day: date, work: Work) -> Outcome:
    try:
        with connection.begin():
            error = work(connection)
            _end(connection, job, day, error)
    except Interrupted:
        with connection.begin():
            _set_back(connection, job, day)
        raise
    except OperationalError:
        raise
    except Exception as failure:
        log.exception("job.fault", job=job, date=day.isoformat())
        error = f"{type(failure).__name__}: {failure}"
        with connection.begin():
            _end(connection, job, day, error)
    if error:
        log.error("job.failed", job=job, date=day.isoformat(), error=error)
        return Outcome.FAILED
    log.info("job.done", job=job, date=day.isoformat())
    return Outcome.DONE


def _end(connection: Connection, job: str, day: date, error: str) -> None:
    state = "failed" if error else "done"
    ended = {"state": state, "finished_at": datetime.now(UTC), "error": error}
    _update(connection, job, day, ended)


def _set_back(connection: Connection, job: str, day: date) -> None:
    fewer = func.greatest(job_runs.c.attempts - 1, 0)
    _update(connection, job, day, {"attempts": fewer, "error": "interrupted by a stop"})


def _update(connection: Connection, job: str, day: date, values: dict[str, object]) -> None:
    mine = (job_runs.c.job == job, job_runs.c.business_date == day)
    connection.execute(update(job_runs).where(*mine).values(values))
