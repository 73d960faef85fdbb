"""`oms status`: what a desk has to know in the morning on one screen, and whether all is well."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.table import Table
from sqlalchemy import Connection

from oms.app.exits import Exit
from oms.app.operate import console, open_record, print_json, utc_text
from oms.app.sessions import state_of
from oms.queries.attention import (
    job_run,
    journal_began,
    latest_runs,
    open_disputes,
    open_orphans,
    unfinished_jobs,
)
from oms.queries.calendars import FIRM, next_session, sessions_of
from oms.queries.health import Health, health
from oms.queries.risk import list_kill_switches
from oms.queries.session_views import SessionView, views
from oms.queries.sessions import list_sessions
from oms.runtime.witness import seen_in
from oms.settings.model import Settings
from oms.settings.trading_date import trade_date_of

# Commands that wait for less are on their way.
_WAITS_LONG_S = 5
_LOOK_BACK = timedelta(days=14)
_AS_IT_SHOULD_BE = ("UP", "OUT_OF_HOURS")
_REMEMBERED = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at. hint: the command or page that tells or does more."""

    topic: str
    ok: bool
    text: str
    hint: str = ""


def show(settings: Settings, *, as_json: bool) -> int:
    """Print what was looked at; the exit code: 0 where all of it is well, else 1. Raises Stop."""
    with open_record(settings) as engine, engine.begin() as connection:
        lines = list(looked_at(settings, connection, datetime.now(UTC)))
    if as_json:
        for line in lines:
            print_json(asdict(line))
    else:
        table = Table("", "What", "How it stands", "More")
        for line in lines:
            table.add_row("ok" if line.ok else "LOOK", line.topic, line.text, line.hint)
        console().print(table)
    return Exit.OK if all(line.ok for line in lines) else Exit.FAILED


def looked_at(settings: Settings, connection: Connection, now: datetime) -> Iterator[Line]:
    """Everything, in the order in which it is to be seen to."""
    found = health(connection, settings.core.shard)
    seen = seen_in(settings.core.data_dir / settings.core.shard)
    yield _lead(found, seen.seq if seen is not None else 0)
    yield from _orders(found)
    yield from _sessions(
        list(views(settings, list_sessions(connection), now, led=found.led)), found, now
    )
    yield from _switches(connection)
    yield from _day(settings, connection, now)
    yield from _jobs(connection)
    yield from _reconciled(settings, connection)
    yield from _decisions(connection)


def _lead(found: Health, seen: int) -> Line:
    """seen: the last entry that a core of this machine knows to have been durable, or 0."""
    if found.led:
        text = f"{found.holder} leads, epoch {found.leader_epoch}, journal at {found.seq}"
        return Line(topic="core", ok=True, text=text)
    text = f"no core leads; the last was {found.holder or 'never there'}"
    hint = "is `oms core` or `oms serve` running? its log"
    if seen > found.seq:
        text += f"; the journal ends at {found.seq} and had {seen}: the database went back"
        hint = "the newer database, or oms db restored"
    return Line(topic="core", ok=False, text=text, hint=hint)


def _orders(found: Health) -> Iterator[Line]:
    waits = found.inbox_wait_s >= _WAITS_LONG_S
    text = f"{found.inbox_waiting} not taken by a core, the oldest for {_age(found.inbox_wait_s)}"
    yield Line(topic="commands", ok=not waits, text=text if waits else "none waits")
    doubt = found.unknown_orders > 0
    text = f"{found.open_orders} open"
    if doubt:
        since = _age(found.oldest_doubt_s or Decimal(0))
        text += f"; {found.unknown_orders} at venues in doubt, the oldest for {since}"
    hint = "GET /v1/orders?in_doubt=true; oms order resolve" if doubt else ""
    yield Line(topic="orders", ok=not doubt, text=text, hint=hint)


def _sessions(found: list[SessionView], core: Health, now: datetime) -> Iterator[Line]:
    clients = [one for one in found if one.kind == "client"]
    odd = [one for one in found if core.led and _to_be_seen_to(one, now)]
    for one in odd:
        text = state_of(one, now)
        waiting = one.row["waiting"] + one.row["undelivered"]
        if waiting:
            text += f"; messages that wait for it: {waiting}"
        if one.row["reset_request"]:
            text += f"; reset {one.row['reset_request']} waits for its approval"
        name = one.name
        yield Line(topic=f"{one.kind} {name}", ok=False, text=text, hint=f"oms session show {name}")
    if core.led and not odd:
        here = sum(one.status == "UP" for one in clients)
        text = (
            f"every venue that is open is in step; {here} of {len(clients)} clients are logged on"
        )
        yield Line(topic="sessions", ok=True, text=text)


def _to_be_seen_to(one: SessionView, now: datetime) -> bool:
    """A client may be away as it likes, unless its session was lost. One that is not configured
    would have been told something; whoever leaves for good is not looked at for ever.
    """
    if one.kind == "removed":
        return bool(now - one.row["undelivered_since"] < _REMEMBERED)
    if one.row["reset_request"]:
        return True
    if one.kind == "client" and one.status == "DOWN":
        return bool(one.row["closed_cause"] == "LOST")
    return one.status not in _AS_IT_SHOULD_BE


def _switches(connection: Connection) -> Iterator[Line]:
    engaged = list_kill_switches(connection)
    for one in engaged:
        text = f"engaged by {one['user_name']} at {_utc(one['at'])}: {one['reason']}"
        topic = f"kill switch {one['level']} {one['subject']}"
        yield Line(topic=topic, ok=False, text=text, hint="oms kill release")
    if not engaged:
        yield Line(topic="kill switches", ok=True, text="none is engaged")


def _day(settings: Settings, connection: Connection, now: datetime) -> Iterator[Line]:
    day = settings.trading_day
    wanted = next_session(connection, FIRM, trade_date_of(day, now))
    run = job_run(connection, "open_date", wanted) if wanted else None
    opened = run is not None and run["state"] == "done"
    text = "none is known yet"
    if wanted:
        text = f"{wanted} is open" if opened else f"{wanted} has not been opened"
    hint = "" if opened else "is `oms jobs` running?"
    yield Line(topic="trading date", ok=opened, text=text, hint=hint)
    last = _due_last(settings, connection, now)
    if last is None:
        return
    run = job_run(connection, "close_day", last)
    closed = run is not None and run["state"] == "done"
    text = f"{last} is closed" if closed else f"{last} has not been closed"
    hint = "" if closed else "is `oms jobs` running?"
    yield Line(topic="end of day", ok=closed, text=text, hint=hint)


def _due_last(settings: Settings, connection: Connection, now: datetime) -> date | None:
    """The last trading date that is over, of those since the journal began."""
    day = settings.trading_day
    zone = ZoneInfo(day.time_zone)
    began = journal_began(connection)
    if began is None:
        return None
    today = now.astimezone(zone).date()
    first = max(trade_date_of(day, began["at"]), today - _LOOK_BACK)
    due = sessions_of(connection, FIRM, first, today)
    over = [one for one in due if datetime.combine(one, day.end_of_day, zone) <= now]
    return over[-1] if over else None


def _jobs(connection: Connection) -> Iterator[Line]:
    undone = unfinished_jobs(connection)
    for one in undone:
        text = f"{one['business_date']}: {one['state']}, attempt {one['attempts']}"
        text += f": {one['error']}" if one["error"] else ""
        yield Line(topic=f"job {one['job']}", ok=False, text=text)
    if not undone:
        yield Line(topic="jobs", ok=True, text="all are done")
    verified = job_run(connection, "verify")
    text = "not yet, it follows the first end of day"
    if verified is not None:
        at = _utc(verified["finished_at"])
        text = f"of {verified['business_date']} verified at {at}"
    yield Line(topic="journal", ok=True, text=text, hint="oms audit verify")


def _reconciled(settings: Settings, connection: Connection) -> Iterator[Line]:
    known = {one.name for one in settings.venues}
    for run in latest_runs(connection):
        if run["venue"] not in known:
            continue
        ok = run["state"] == "done" and not run["breaks"]
        told = f": {run['error']}" if run["error"] else f", {run['breaks']} breaks"
        text = f"{run['trade_date']}: {run['state']}{told}"
        hint = "" if ok else f"oms recon show {run['run_id']}"
        yield Line(topic=f"reconciliation {run['venue']}", ok=ok, text=text, hint=hint)


def _decisions(connection: Connection) -> Iterator[Line]:
    orphans, disputes = open_orphans(connection), open_disputes(connection)
    text = f"{orphans} wait for a decision" if orphans else "none waits for a decision"
    hint = "oms orphans list" if orphans else ""
    yield Line(topic="orphans", ok=not orphans, text=text, hint=hint)
    text = f"{disputes} trades are disputed by their clients" if disputes else "none"
    hint = "GET /v1/disputes?is_open=true" if disputes else ""
    yield Line(topic="disputes", ok=not disputes, text=text, hint=hint)


def _utc(moment: datetime) -> str:
    return f"{utc_text(moment)} UTC"


def _age(seconds: Decimal) -> str:
    return str(timedelta(seconds=int(seconds)))
