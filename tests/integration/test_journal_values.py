"""Whatever a row holds arrives in the database exactly: any text, any number, one row or many."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, Numeric

from oms.domain.values import micros, utc
from oms.store import tables
from oms.store.arrays import clean
from oms.store.statements import project
from tests.support.postgres import Databases

# Characters that mean something to the packing are likely, and so are empty texts.
TEXTS = st.text(
    st.one_of(
        st.sampled_from("\x00\x01\x1d\x1e\x1f'\"\\{},%$"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=8,
)
DECIMALS = st.decimals(
    min_value=Decimal("-1e25"), max_value=Decimal("1e25"), allow_nan=False, places=12
) | st.sampled_from([Decimal("1E+5"), Decimal("-0.00"), Decimal("1E-20")])
TABLES = [tables.child_orders, tables.positions, tables.sent_notes, tables.refusals]


def values_of(column: "Column[Any]") -> st.SearchStrategy[Any]:
    match column.type:
        case Boolean():
            some = st.booleans()
        case Numeric():
            some = DECIMALS
        case Integer() | BigInteger():
            some = st.integers(-(2**31), 2**31 - 1)
        case DateTime():
            some = st.integers(0, 4_102_444_800_000_000)
        case Date():
            some = st.dates().map(str)
        case _:
            some = TEXTS
    return some | st.none() if column.nullable else some


def rows_of(table: Any) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Up to five rows with different keys."""
    places = [list(table.columns).index(column) for column in table.primary_key]
    row = st.tuples(*(values_of(column) for column in table.columns))
    return st.lists(
        row,
        min_size=1,
        max_size=5,
        unique_by=lambda one: tuple(clean(str(one[place])) for place in places),
    )


def as_stored(value: Any, column: "Column[Any]") -> Any:
    """What a row's value reads as."""
    if isinstance(value, str):
        if column.nullable and not value:
            return None
        return clean(value)
    if isinstance(column.type, DateTime) and value is not None:
        return utc(value)
    return value


@pytest.fixture(scope="module")
def write(
    migrated_databases: Databases,
) -> Iterator[Callable[[Any, list[tuple[Any, ...]]], set[tuple[Any, ...]]]]:
    url = migrated_databases.take()
    with psycopg.connect(url) as connection:

        def write_rows(table: Any, rows: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            with connection.transaction(force_rollback=True):
                project(connection, {table.name: rows})
                return set(connection.execute(f"SELECT {names} FROM {table.name}").fetchall())

        yield write_rows
    migrated_databases.drop(url)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_rows_arrive_exactly(
    write: Callable[[Any, list[tuple[Any, ...]]], set[tuple[Any, ...]]],
    table: Any,
    data: st.DataObject,
) -> None:
    rows = data.draw(rows_of(table))
    expected = {
        tuple(as_stored(value, column) for value, column in zip(row, table.columns, strict=True))
        for row in rows
    }
    found = {
        tuple(
            str(value) if isinstance(column.type, Date) and value is not None else value
            for value, column in zip(row, table.columns, strict=True)
        )
        for row in write(table, rows)
    }
    assert found == expected


@given(at=st.integers(0, 4_102_444_800_000_000))
@settings(max_examples=200, deadline=None)
def test_stamps_survive_the_division_that_carries_them(at: int) -> None:
    # What to_timestamp does with a double: subtract PostgreSQL's epoch, round to microseconds.
    seconds = at / 1e6 - 946_684_800
    assert round(seconds * 1e6) + 946_684_800_000_000 == at
    assert micros(utc(at)) == at
