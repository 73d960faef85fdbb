"""Reconciliation and audit from a shell: runs and breaks, an order's life, exports."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

from rich.table import Table
from sqlalchemy import Engine

from oms.app.exits import Exit, Stop, complain
from oms.app.operate import console, open_record, print_json, utc_text
from oms.app.timeline_text import lines_of
from oms.audit.export import ExportBroken, check_export, export_day, lines_in
from oms.audit.timeline import AmbiguousOrder, UnknownOrder, timeline
from oms.jobs.reconcile import reconcile_now
from oms.jobs.trading_day import source_of
from oms.jobs.venue_files import Source
from oms.queries.paging import Window
from oms.queries.recon import get_run, list_breaks, list_runs
from oms.reconciliation.statement import fault_of_day
from oms.settings.model import Settings, VenueSettings

_RUNS_SHOWN = 20
_LONGEST_ID = 256


def reconcile(
    settings: Settings, day_text: str, source: Path | None, venue: str, *, as_json: bool = False
) -> int:
    """Reconcile a day, print the runs; the exit code. Raises Stop."""
    day = _date(day_text)
    fault = fault_of_day(day, datetime.now(UTC).date())
    if fault:
        raise Stop(Exit.USAGE, f"date = {day}: {fault}")
    chosen = _venues(settings, venue, source)
    runs = []
    with open_record(settings) as engine:
        for one in chosen:
            where = source_of(one, day) if source is None else _beside(source)
            runs.append(reconcile_now(engine, one.name, day, where))
        for run in runs:
            _show_run(engine, run.run_id, as_json=as_json)
    if any(run.error for run in runs):
        return Exit.NO_STATEMENT
    return Exit.FAILED if any(run.breaks for run in runs) else Exit.OK


def show_recon(settings: Settings, run_id: str, *, as_json: bool = False) -> None:
    """Print the latest runs, or one with its breaks. Raises Stop."""
    if run_id and not (run_id.isascii() and run_id.isdigit() and len(run_id) < 19):
        raise Stop(Exit.USAGE, f"run_id = {run_id}: must be a run's number")
    with open_record(settings) as engine:
        if run_id:
            _show_run(engine, int(run_id), as_json=as_json)
            return
        with engine.begin() as connection:
            runs = list_runs(connection, window=Window(limit=_RUNS_SHOWN)).rows
    if as_json:
        for run in runs:
            print_json(run)
        return
    table = Table("Run", "Date", "Venue", "State", "Orders", "Trades", "Breaks", "Begun (UTC)", "")
    for run in runs:
        begun = utc_text(run["started_at"])
        numbers = (str(run[name]) for name in ("orders_checked", "trades_checked", "breaks"))
        about = (str(run["trade_date"]), run["venue"], run["state"])
        table.add_row(str(run["run_id"]), *about, *numbers, begun, run["error"])
    console().print(table)


def show_order(settings: Settings, order_id: str, *, as_json: bool = False) -> None:
    """Print one order's life. Raises Stop."""
    if not 0 < len(order_id) <= _LONGEST_ID or not order_id.isprintable():
        shown = order_id[:40].encode("unicode_escape").decode()
        rule = f"must be 1 to {_LONGEST_ID} printable characters"
        raise Stop(Exit.USAGE, f"order_id = {shown}: {rule}")
    with open_record(settings) as engine, engine.begin() as connection:
        try:
            entries = timeline(connection, order_id)
        except (UnknownOrder, AmbiguousOrder) as error:
            raise Stop(Exit.FAILED, str(error)) from None
    if as_json:
        for entry in entries:
            print_json(entry)
        return
    out = console()
    for line in lines_of(entries):
        out.print(line, markup=False, soft_wrap=True)


def export(settings: Settings, day_text: str, out: Path | None) -> None:
    """Write a day of the journal; a file appears whole or not at all. Raises Stop."""
    day = _date(day_text)
    if day >= datetime.now(UTC).date():
        complain(f"date = {day}: is not over in UTC; what comes yet is not in the export")
    with open_record(settings) as engine, engine.begin() as connection, _output(out) as file:
        for line in export_day(connection, day):
            file.write(line + "\n")


def check(path: Path) -> None:
    """Check an export. Raises Stop."""
    try:
        with path.open(encoding="utf-8") as file:
            count = check_export(lines_in(file))
    except OSError as error:
        raise Stop(Exit.FAILED, f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Stop(Exit.FAILED, f"{path}: must be text in UTF-8") from None
    except ExportBroken as error:
        raise Stop(Exit.FAILED, f"{path}: {error}") from None
    console().print(f"{count} entries, each as it was chained")


def _venues(settings: Settings, name: str, source: Path | None) -> list[VenueSettings]:
    known = ", ".join(one.name for one in settings.venues) or "none is configured"
    if name:
        chosen = [one for one in settings.venues if one.name == name]
        if not chosen:
            raise Stop(Exit.USAGE, f"venue = {name}: must be one of {known}")
        return chosen
    if source is None:
        if not settings.venues:
            raise Stop(Exit.USAGE, "venues: none is configured")
        return list(settings.venues)
    chosen = [one for one in settings.venues if source.name.startswith(f"{one.name}-")]
    if not chosen:
        raise Stop(Exit.USAGE, f"venue: say with --venue whose file {source} is ({known})")
    return [max(chosen, key=lambda one: len(one.name))]


def _beside(source: Path) -> Source:
    orders = source.with_name(f"{source.stem}-orders{source.suffix}")
    return Source(trades=source, orders=orders if orders.exists() else None)


def _show_run(engine: Engine, run_id: int, *, as_json: bool) -> None:
    with engine.begin() as connection:
        run = get_run(connection, run_id)
        if run is None:
            raise Stop(Exit.FAILED, f"run_id = {run_id}: there is no such run")
        breaks, cursor = [], ""
        while True:
            page = list_breaks(connection, run_id=run_id, window=Window(cursor=cursor, limit=1_000))
            breaks += page.rows
            cursor = page.next
            if not cursor:
                break
    if as_json:
        found = [{str(name): one for name, one in row.items()} for row in breaks]
        print_json({**run, "found": found})
        return
    out = console()
    title = f"Run {run_id}: {run['venue']} {run['trade_date']}, {run['state']}"
    counts = f"{run['orders_checked']} orders and {run['trades_checked']} trades compared"
    told = run["error"] or f"{counts}, {run['breaks']} breaks"
    out.print(f"{title}: {told}", markup=False, soft_wrap=True)
    if not breaks:
        return
    table = Table("#", "Break", "Order", "ClOrdID", "ExecID", "Field", "Ours", "Theirs", "Evidence")
    for one in breaks:
        names = (one[name] for name in ("order_id", "cl_ord_id", "exec_id", "field"))
        sides = (one["ours"], one["theirs"], _evidence(one["evidence"]))
        table.add_row(str(one["n"]), one["kind"], *names, *sides)
    out.print(table)


def _evidence(evidence: Mapping[str, Mapping[str, Any]]) -> str:
    """Where both sides say it: our journal entries, the lines of their files."""
    found = []
    for name, record in sorted(evidence.items()):
        if "journal_seq" in record:
            found.append(f"{name.replace('_', ' ')}: journal {record['journal_seq']}")
        if "line" in record:
            found.append(f"{name.replace('_', ' ')}: line {record['line']}")
    return ", ".join(found)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Stop(Exit.USAGE, f"date = {text}: must be a date like 2026-01-31") from None


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            # A device or a pipe is written to, not put aside for a file of its name.
            with path.open("w", encoding="utf-8") as file:
                yield file
        else:
            with _whole_or_nothing(path) as file:
                yield file
    except OSError as error:
        raise Stop(Exit.FAILED, f"{path}: cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def _whole_or_nothing(path: Path) -> Iterator[TextIO]:
    draft = path.with_name(f"{path.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
