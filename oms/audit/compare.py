"""Read tables compared with the same tables made again from the journal."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg
from sqlalchemy import Table

from oms.store import tables

COMPARED: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        tables.orders,
        tables.child_orders,
        tables.order_cl_ord_ids,
        tables.order_conditions,
        tables.executions,
        tables.positions,
        tables.sent_notes,
        tables.sent_orders,
        tables.sessions,
        tables.disconnect_cancels,
        tables.risk_limits,
        tables.kill_switches,
        tables.orphans,
        tables.discrepancies,
        tables.disputes,
        tables.corporate_actions,
        tables.order_lists,
        tables.list_orders,
        tables.refusals,
    )
}

_ROWS_SHOWN = 100

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A derived row that is not what the journal says. key: the row's primary key as text.

    column is empty for a whole row that is missing or that the journal knows nothing of.
    """

    table: str
    key: str
    column: str
    stored: str
    recomputed: str

    def __str__(self) -> str:
        if not self.column:
            return f"{self.table} [{self.key}]: {self.stored}; {self.recomputed}"
        return (
            f"{self.table} [{self.key}] {self.column}: "
            f"is {self.stored}, the journal says {self.recomputed}"
        )


def prepare(connection: Connection) -> str:
    """Make an empty temporary twin of each table; return the schema of the real ones.

    Statements that name a table without its schema mean the twin from here on.
    """
    row = connection.execute("SELECT current_schema()").fetchone()
    assert row is not None
    schema = str(row[0])
    for name, table in COMPARED.items():
        connection.execute(
            f'CREATE TEMPORARY TABLE {name} (LIKE "{schema}".{name} INCLUDING DEFAULTS)'
        )
        connection.execute(f"ALTER TABLE pg_temp.{name} ADD PRIMARY KEY ({_key(table)})")
    return schema


def compare(
    connection: Connection,
    schema: str,
    name: str,
    rows: dict[str, int],
    differences: list[Difference],
) -> None:
    """Note how many rows the journal makes, and those in which the table differs from it."""
    table = COMPARED[name]
    columns = [column.name for column in table.columns]
    stored = ", ".join(f'stored."{column}"' for column in columns)
    made = ", ".join(f'made."{column}"' for column in columns)
    keys = [column.name for column in table.primary_key]
    order = ", ".join(f'coalesce(stored."{key}", made."{key}")' for key in keys)
    counted = connection.execute(f"SELECT count(*) FROM pg_temp.{name}").fetchone()  # noqa: S608
    assert counted is not None
    rows[name] = counted[0]
    found = connection.execute(
        f'SELECT {stored}, {made} FROM "{schema}".{name} AS stored'  # noqa: S608 -- our own names
        f" FULL JOIN pg_temp.{name} AS made USING ({_key(table)})"
        f" WHERE ROW({stored}) IS DISTINCT FROM ROW({made})"
        f" ORDER BY {order} LIMIT {_ROWS_SHOWN}"
    )
    for row in found:
        ours, theirs = row[: len(columns)], row[len(columns) :]
        differences.extend(_differences(table, columns, ours, theirs))


def _differences(
    table: Table, columns: list[str], stored: tuple[Any, ...], made: tuple[Any, ...]
) -> list[Difference]:
    places = [columns.index(column.name) for column in table.primary_key]
    present = stored if stored[places[0]] is not None else made
    key = ", ".join(str(present[place]) for place in places)
    if stored[places[0]] is None:
        texts = ("the row is missing", "the journal makes it")
        return [_difference(table.name, key, "", texts)]
    if made[places[0]] is None:
        texts = ("the row is there", "the journal knows nothing of it")
        return [_difference(table.name, key, "", texts)]
    return [
        _difference(table.name, key, column, (_shown(ours), _shown(theirs)))
        for column, ours, theirs in zip(columns, stored, made, strict=True)
        if ours != theirs
    ]


def _difference(table: str, key: str, column: str, texts: tuple[str, str]) -> Difference:
    stored, recomputed = texts
    return Difference(table=table, key=key, column=column, stored=stored, recomputed=recomputed)


def _shown(value: object) -> str:
    return "NULL" if value is None else repr(value) if isinstance(value, str) else str(value)


def _key(table: Table) -> str:
    return ", ".join(column.name for column in table.primary_key)
