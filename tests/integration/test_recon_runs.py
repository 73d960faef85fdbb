"""Runs over a database with a day in it: what is read, what is compared, what is kept."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select

from oms.domain.values import decimal_text, utc
from oms.jobs.once import jobs_engine
from oms.jobs.reconcile import Run, reconcile
from oms.jobs.venue_files import Source
from oms.reconciliation.statement import ORDER_COLUMNS, TRADE_COLUMNS
from oms.store.postgres_urls import APP_ROLE, role_url
from oms.store.tables import child_orders, executions, recon_breaks, recon_runs
from tests.support.book import START, VENUES
from tests.support.written import write_day

VENUE = VENUES[0]
DAY = utc(START).date()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    write_day(database_url, orders=60, seed=4)
    found = jobs_engine(role_url(database_url, APP_ROLE))
    yield found
    found.dispose()


def text_of(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([columns, *rows, ("TRAILER", len(rows))])
    return out.getvalue()


def honest_trades(connection: Connection) -> list[tuple[object, ...]]:
    """The venue's rows, had it heard and said what we did."""
    found = []
    query = select(executions).where(executions.c.venue == VENUE).order_by(executions.c.seq)
    for row in connection.execute(query).mappings():
        corrected = row["latest_exec_id"] != row["exec_id"]
        status = "BUSTED" if row["busted"] else "CORRECTED" if corrected else "NEW"
        at = row["transact_time"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        about = (row["exec_id"], row["order_id"], f"V{row['order_id']}", row["symbol"], row["side"])
        amounts = (decimal_text(row["last_qty"]), decimal_text(row["last_px"]))
        found.append((*about, *amounts, at, status))
    return found


def honest_orders(connection: Connection) -> list[tuple[object, ...]]:
    found = []
    query = select(child_orders).where(child_orders.c.venue == VENUE)
    for row in connection.execute(query).mappings():
        status = row["ord_status"]
        if row["is_open"]:
            status = "1" if row["cum_qty"] else "0"
        elif row["cum_qty"] >= row["order_qty"]:
            status = "2"
        about = (row["cl_ord_id"], row["venue_order_id"], row["symbol"], row["side"])
        price = decimal_text(row["price"])
        amounts = (decimal_text(row[name]) for name in ("cum_qty", "leaves_qty"))
        found.append((*about, decimal_text(row["order_qty"]), price, *amounts, status))
    return found


def write_files(engine: Engine, directory: Path) -> Source:
    with engine.begin() as connection:
        trades, orders = honest_trades(connection), honest_orders(connection)
    assert len(trades) > 10
    assert len(orders) > 10
    source = Source(trades=directory / "trades.csv", orders=directory / "orders.csv")
    source.trades.write_text(text_of(TRADE_COLUMNS, trades))
    assert source.orders is not None
    source.orders.write_text(text_of(ORDER_COLUMNS, orders))
    return source


def run(engine: Engine, source: Source | None, day: date = DAY) -> Run:
    with engine.begin() as connection:
        return reconcile(connection, VENUE, day, source)


def breaks_of(engine: Engine, run_id: int) -> list[tuple[object, ...]]:
    column = recon_breaks.c
    query = (
        select(column.n, column.kind, column.exec_id, column.field, column.evidence)
        .where(column.run_id == run_id)
        .order_by(column.n)
    )
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(query)]


def kept(engine: Engine, run_id: int) -> dict[str, object]:
    with engine.begin() as connection:
        query = select(recon_runs).where(recon_runs.c.run_id == run_id)
        return dict(connection.execute(query).mappings().one())


def test_an_honest_statement_agrees(engine: Engine, tmp_path: Path) -> None:
    found = run(engine, write_files(engine, tmp_path))
    assert (found.error, breaks_of(engine, found.run_id)) == ("", [])
    row = kept(engine, found.run_id)
    assert row["state"] == "done"
    assert row["source"] == f"{tmp_path}/trades.csv {tmp_path}/orders.csv"
    assert len(str(row["source_sha256"]).split()) == 2
    with engine.begin() as connection:
        trades, orders = len(honest_trades(connection)), len(honest_orders(connection))
    assert (row["trades_checked"], row["orders_checked"]) == (trades, orders)
    assert row["journal_seq"]


def test_a_statement_that_lies_gives_the_same_breaks_each_time(
    engine: Engine, tmp_path: Path
) -> None:
    source = write_files(engine, tmp_path)
    lines = source.trades.read_text().splitlines(keepends=True)
    live = [n for n, line in enumerate(lines) if line.endswith(",NEW\n")]
    missing, dearer = lines[live[0]], lines[live[1]].split(",")
    lines[live[1]] = ",".join([*dearer[:6], "1.23", *dearer[7:]])
    lines[live[2]] = lines[live[2]] * 2
    lines[live[0]] = ""
    source.trades.write_text("".join(lines))
    first, second = run(engine, source), run(engine, source)
    assert first.run_id != second.run_id
    found = breaks_of(engine, first.run_id)
    assert found == breaks_of(engine, second.run_id)
    assert {(kind, exec_id, field) for _, kind, exec_id, field, _ in found} == {
        ("MISSING_THERE", missing.split(",")[0], ""),
        ("PRICE", dearer[0], "last_px"),
        ("DUPLICATE", lines[live[2]].split(",")[0], "exec_id"),
    }
    assert [n for n, *_ in found] == [1, 2, 3]
    price = next(evidence for _, kind, *_, evidence in found if kind == "PRICE")
    assert isinstance(price, dict)
    assert price["their_trade"]["last_px"] == "1.23"
    assert price["our_trade"]["journal_seq"] > 0
    assert kept(engine, first.run_id)["breaks"] == 3


def test_another_date_misses_nothing_of_this_one(engine: Engine, tmp_path: Path) -> None:
    source = Source(trades=tmp_path / "none.csv", orders=None)
    source.trades.write_text(text_of(TRADE_COLUMNS, []))
    assert run(engine, source, date(2020, 1, 1)).breaks == 0
    with engine.begin() as connection:
        due = [row for row in honest_trades(connection) if row[-1] != "BUSTED"]
    assert run(engine, source).breaks == len(due)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda path: path.unlink(), "cannot be read: No such file or directory"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read: Is a directory"),
        (lambda path: path.write_text(""), "the file is cut off"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "the file is cut off"),
        (lambda path: path.write_bytes(b"\xff\xfe\n"), "must be UTF-8"),
        (lambda path: path.write_text("<html>\n</html>\n"), "line 1: must be the header"),
    ],
)
@pytest.mark.parametrize("name", ["trades.csv", "orders.csv"])
def test_a_file_that_is_no_statement_fails_the_run(
    engine: Engine, tmp_path: Path, name: str, spoil: object, rule: str
) -> None:
    source = write_files(engine, tmp_path)
    assert callable(spoil)
    spoil(tmp_path / name)
    found = run(engine, source)
    assert found.error.startswith(f"{tmp_path / name}: ")
    assert rule in found.error
    row = kept(engine, found.run_id)
    assert (row["state"], row["error"], row["breaks"]) == ("failed", found.error, 0)


def test_a_statement_of_another_date_fails_the_run(engine: Engine, tmp_path: Path) -> None:
    source = write_files(engine, tmp_path)
    found = run(engine, source, date(2026, 1, 1))
    assert "must be on 2026-01-01" in found.error


def test_a_venue_without_files_fails_the_run(engine: Engine) -> None:
    found = run(engine, None)
    assert found.error == f"venues.{VENUE}.trade_file_dir: is not set: there is no statement"
    at = kept(engine, found.run_id)["finished_at"]
    assert isinstance(at, datetime)
