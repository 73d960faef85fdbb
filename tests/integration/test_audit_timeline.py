"""One order's life out of the journal, and a day's export that proves itself."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, create_engine, func, select, text

from oms.audit.export import ExportBroken, check_export, export_day
from oms.audit.timeline import (
    AmbiguousOrder,
    EntryKind,
    TimelineEntry,
    UnknownOrder,
    find_order,
    timeline,
)
from oms.domain.values import utc
from oms.store.postgres_urls import APP_ROLE, role_url, sqlalchemy_url
from oms.store.tables import child_orders, executions, journal, orders
from tests.support.book import START
from tests.support.written import write_day


@pytest.fixture(scope="module")
def day_url(migrated_databases: object) -> Iterator[str]:
    """One database with a day in it, for all tests here: they only read."""
    url = migrated_databases.take()  # type: ignore[attr-defined]
    write_day(url, orders=60, seed=9)
    yield url
    migrated_databases.drop(url)  # type: ignore[attr-defined]


@pytest.fixture
def connection(day_url: str) -> Iterator[Connection]:
    engine = create_engine(sqlalchemy_url(role_url(day_url, APP_ROLE)))
    with engine.connect() as found:
        yield found
    engine.dispose()


def traded_order(connection: Connection) -> str:
    """A client order with most to tell: several executions at several children."""
    column = executions.c
    query = select(column.parent_id).group_by(column.parent_id).order_by(func.count().desc())
    return str(connection.execute(query.limit(1)).scalar_one())


def of(entries: list[TimelineEntry], kind: EntryKind) -> list[TimelineEntry]:
    return [one for one in entries if one.kind is kind]


def test_everything_about_the_order_is_there_and_in_order(connection: Connection) -> None:
    order_id = traded_order(connection)
    found = timeline(connection, order_id)
    children = select(child_orders.c.order_id).where(child_orders.c.parent_id == order_id)
    ids = [order_id, *connection.execute(children).scalars()]
    assert len(ids) > 1
    column = journal.c
    events = select(column.seq).where(column.kind == "E", column.order_id.in_(ids))
    told = [one.seq for one in of(found, EntryKind.EVENT)]
    assert set(connection.execute(events).scalars()) <= set(told)
    assert told == sorted(told)
    for entry in of(found, EntryKind.EVENT):
        before = max(one.seq for one in of(found, EntryKind.COMMAND) if one.seq < entry.seq)
        between = select(func.count()).where(
            column.kind == "C", column.seq > before, column.seq < entry.seq
        )
        assert connection.execute(between).scalar_one() == 0, entry
    messages = text(
        "SELECT direction, session, msg_seq_num, seq, msg_type, text FROM fix_messages"
        " WHERE order_id = ANY(:ids)"
    )
    expected = {
        (way, session, number, seq, kind, told.replace("\x01", "|"))
        for way, session, number, seq, kind, told in connection.execute(messages, {"ids": ids})
    }
    told_messages = of(found, EntryKind.FIX_IN) + of(found, EntryKind.FIX_OUT)
    ways = {EntryKind.FIX_IN: "in", EntryKind.FIX_OUT: "out"}
    assert {way for way, *_ in expected} == {"in", "out"}
    assert expected <= {
        (ways[one.kind], one.session, one.msg_seq_num, one.seq, one.type, one.text)
        for one in told_messages
    }
    assert all("\x01" not in one.text and one.text.startswith("8=FIX") for one in told_messages)


def test_a_decision_shows_its_figures_its_quotes_and_who_asked(connection: Connection) -> None:
    found = timeline(connection, traded_order(connection))
    accepted = next(one for one in found if one.type == "OrderAccepted")
    rules = {figure["rule"] for figure in accepted.detail["figures"]}
    assert "MAX_ORDER_QTY" in rules
    routed = next(one for one in found if one.type == "OrderRouted")
    assert {seen["venue"] for seen in routed.detail["quotes"]} == {"XONE", "XTWO"}
    command = next(one for one in found if one.type == "NewOrderSingle")
    assert command.who == "ALPHA, session ALPHA, CLIENT"
    assert "raw" not in command.detail["origin"]
    asked = found[found.index(command) - 1]
    assert (asked.kind, asked.seq, asked.session) == (EntryKind.FIX_IN, command.seq, "ALPHA")
    assert accepted.who.startswith("core, leadership ")
    assert [accepted.at, routed.at] == [command.at] * 2
    assert utc(command.at).tzinfo is not None


def test_an_order_is_found_by_any_of_its_names(connection: Connection) -> None:
    row = connection.execute(
        text(
            "SELECT n.order_id, n.cl_ord_id, c.order_id AS child FROM order_cl_ord_ids n"
            " JOIN orders o USING (order_id) JOIN child_orders c ON c.parent_id = o.order_id"
            " WHERE n.counterparty = 'ALPHA' AND n.cl_ord_id <> o.cl_ord_id LIMIT 1"
        )
    ).one()
    for name in row:
        assert find_order(connection, name) == row.order_id, name
    assert timeline(connection, row.cl_ord_id) == timeline(connection, row.order_id)


def test_a_name_that_is_nobodys_or_several_orders_is_refused(
    connection: Connection, day_url: str
) -> None:
    with pytest.raises(UnknownOrder) as unknown:
        timeline(connection, "nobody")
    assert str(unknown.value) == "nobody: no order has this OrderID or ClOrdID"
    engine = create_engine(sqlalchemy_url(day_url))
    with engine.connect() as owner:
        ids = sorted(owner.execute(select(orders.c.order_id).limit(2)).scalars())
        owner.execute(orders.update().where(orders.c.order_id.in_(ids)).values(cl_ord_id="TWIN"))
        with pytest.raises(AmbiguousOrder) as twins:
            timeline(owner, "TWIN")
        owner.rollback()
    engine.dispose()
    assert twins.value.order_ids == ids


def test_an_order_closed_by_the_days_end_shows_why(connection: Connection) -> None:
    query = select(journal.c.order_id).where(journal.c.type == "ExpiryPending").limit(1)
    found = timeline(connection, connection.execute(query).scalar_one())
    types = [one.type for one in found]
    closing = types.index("CloseTradingDay")
    assert types[closing : closing + 2] == ["CloseTradingDay", "TradingDayClosed"]
    assert "ExpiryPending" in types[closing:]
    assert found[closing].who == "system, SYSTEM"


def test_an_export_proves_itself(connection: Connection) -> None:
    day = utc(START).date()
    lines = list(export_day(connection, day))
    stored = connection.execute(select(func.count()).select_from(journal)).scalar_one()
    assert check_export(lines) == stored == len(lines) - 2


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_there_are_have_nothing(
    connection: Connection, day: date
) -> None:
    lines = list(export_day(connection, day))
    assert len(lines) == 2
    assert check_export(lines) == 0


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda lines: lines[:-1], "the file is cut off"),
        (lambda lines: lines[:5] + lines[6:], "line 6: entry 6: the hash does not fit"),
        (lambda lines: [*lines, lines[-1]], "must be the end"),
        (lambda lines: [lines[0], lines[1].replace("2026", "2027"), *lines[2:]], "line 2: entry 1"),
        (lambda lines: [*lines[:3], "?", *lines[3:]], "line 4: must be a line of an export"),
        (lambda lines: [lines[0], lines[-1]], "line 2: must count 0 entries"),
        (lambda _: [], "the file is cut off"),
    ],
)
def test_an_export_that_was_touched_is_refused(
    connection: Connection, spoil: object, rule: str
) -> None:
    lines = list(export_day(connection, utc(START).date()))
    assert callable(spoil)
    with pytest.raises(ExportBroken) as broken:
        check_export(spoil(lines))
    assert rule in str(broken.value)


def test_a_day_without_entries_exports_as_such(connection: Connection) -> None:
    lines = list(export_day(connection, utc(0).date()))
    assert check_export(lines) == 0
