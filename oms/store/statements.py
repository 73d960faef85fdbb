"""The one SQL statement that writes a batch: an INSERT or UPDATE for each operation, in a WITH.

Rows travel by column: each column is one array in PostgreSQL's text form, made by joining, which
runs in C and is several times cheaper than dumping values one by one. The arrays are unnested in
the select list: in FROM each would be spooled first. Payloads and hashes travel as one run of bytes
each.

Where every operation has a single row, as in a quiet market, their values are the parameters: an
array costs more per column than per row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
)

from oms.store import tables
from oms.store.rows import Row

_ONE = " (one)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of write. body reads the rows as `new` with these columns."""

    columns: tuple["Column[Any]", ...]
    body: str


def clean(text: str) -> str:
    """The text as the database holds it: PostgreSQL's text has no zero character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def joined_numbers(values: Iterable[int | Decimal]) -> str:
    """Numbers and sequencer stamps as one parameter."""
    return f"{{{','.join(map(str, values))}}}"


def joined_optional_numbers(values: Iterable[int | Decimal | None]) -> str:
    """Numbers as one parameter, None as NULL."""
    return f"{{{','.join(['NULL' if one is None else str(one) for one in values])}}}"


def joined_flags(values: Iterable[bool]) -> str:
    """Booleans as one parameter."""
    return f"{{{','.join(['t' if one else 'f' for one in values])}}}"


def joined_texts(values: Sequence[str]) -> str:
    """Texts as one parameter."""
    told = '","'.join(values)
    if "\\" in told or "\0" in told or told.count('"') != 2 * len(values) - 2:
        told = '","'.join(map(_escaped, values))
    return f'{{"{told}"}}'


def joined_optional_texts(values: Sequence[str | None]) -> str:
    """Texts as one parameter, None and the empty ones as NULL."""
    told = ",".join([f'"{one}"' if one else "NULL" for one in values])
    quotes = 2 * (len(values) - values.count(None) - values.count(""))
    if "\\" in told or "\0" in told or told.count('"') != quotes:
        told = ",".join([f'"{_escaped(one)}"' if one else "NULL" for one in values])
    return f"{{{told}}}"


def _escaped(text: str) -> str:
    """What stands between the quotes of an array's element."""
    return clean(text).replace("\\", "\\\\").replace('"', '\\"')


def pack(rows: Mapping[str, Sequence[Row]]) -> tuple[tuple[str, ...], list[bytes | None]]:
    """The forms of these operations, for a statement, and the parameters that they take.

    A form is the operation's name, with a mark where every operation has a single row. One or the
    other for all, so that there are not too many statements to prepare.
    """
    parameters: list[bytes | None] = []
    if all(len(changed) == 1 for changed in rows.values()):
        for operation, (row,) in rows.items():
            parameters += map(_alone, row, _NULLABLE[operation])
        return tuple([operation + _ONE for operation in rows]), parameters
    for operation, changed in rows.items():
        columns = zip(*changed, strict=True)
        for packer, values in zip(_PACKERS[operation], columns, strict=True):
            parameters.append(packer(values).encode())
    return tuple(rows), parameters


def _alone(value: str | Decimal | int | None, nullable: bool) -> bytes | None:
    """A value as a parameter of its own; an empty text is NULL where that is allowed."""
    if isinstance(value, str):
        return clean(value).encode() if value or not nullable else None
    return None if value is None else str(value).encode()


def _packer(column: "Column[Any]") -> Callable[[Sequence[Any]], str]:
    match column.type:
        case Boolean():
            return joined_flags
        case Numeric() | Integer() | BigInteger() | DateTime():
            return joined_optional_numbers if column.nullable else joined_numbers
        case _:
            return joined_optional_texts if column.nullable else joined_texts


# Parameters of an append before those of its operations.
JOURNAL_PARAMETERS = 14

# The function, which raises the error, is called only by who leads no longer.
_LEADS = """
    SELECT CASE WHEN NOT EXISTS (
        SELECT FROM leadership WHERE shard = $1::text AND epoch = $2::bigint
    ) THEN require_leadership($1::text, $2::bigint) END"""

# Entries have consecutive numbers; $7 holds all payloads and $8 all hashes end to end.
_APPEND = """
    do_journal AS (
        INSERT INTO journal (seq, at, kind, type, order_id, session, epoch, msg_seq_num,
                             leader_epoch, payload, hash)
        SELECT told.seq,
               to_timestamp(told.at / 1e6),
               told.kind,
               told.type,
               told.order_id,
               told.session,
               told.epoch,
               told.msg_seq_num,
               $2::bigint,
               substring($7::bytea FROM told.start FOR told.length),
               substring($8::bytea FROM 32 * (told.seq - $3::bigint)::integer + 1 FOR 32)
        FROM (SELECT generate_series($3::bigint, $3::bigint + cardinality($4::float8[]) - 1) AS seq,
                     unnest($4::float8[]) AS at,
                     unnest($5::bpchar[]) AS kind,
                     unnest($6::text[]) AS type,
                     unnest($9::integer[]) AS start,
                     unnest($10::integer[]) AS length,
                     unnest($11::text[]) AS order_id,
                     unnest($12::text[]) AS session,
                     unnest($13::integer[]) AS epoch,
                     unnest($14::bigint[]) AS msg_seq_num) AS told
    )"""


@lru_cache(maxsize=1024)
def append_statement(forms: tuple[str, ...]) -> bytes:
    """SQL that appends entries and does these operations; it fails if the leader's epoch is over.

    Parameters: shard, leader epoch, first seq, then times, kinds, types, payloads, hashes, starts
    and lengths of payloads, order ids, sessions, epochs, MsgSeqNums; then those of the operations.
    """
    parts = [_APPEND, *_parts(forms, JOURNAL_PARAMETERS)]
    return f"WITH {','.join(parts)} {_LEADS}".encode()


@lru_cache(maxsize=1024)
def projection_statement(forms: tuple[str, ...]) -> bytes:
    """SQL that does these operations alone."""
    return f"WITH {','.join(_parts(forms, 0))} SELECT 1".encode()


def _parts(forms: Iterable[str], taken: int) -> Iterator[str]:
    for form in forms:
        name = form.removesuffix(_ONE)
        operation = OPERATIONS[name]
        numbers = [f"${taken + n}" for n in range(1, len(operation.columns) + 1)]
        taken += len(numbers)
        new = _one_row(operation, numbers) if form != name else _many_rows(operation, numbers)
        yield f"do_{name} AS ({operation.body.format(new=new)})"


def _one_row(operation: Operation, numbers: Iterable[str]) -> str:
    """The row of an operation as a table `new` with typed columns."""
    columns = zip(operation.columns, numbers, strict=True)
    typed = [f'{_single(column, number)} AS "{column.name}"' for column, number in columns]
    return f"(SELECT {', '.join(typed)}) AS new"


def _many_rows(operation: Operation, numbers: Iterable[str]) -> str:
    """The rows of an operation as a table `new` with typed columns."""
    columns = zip(operation.columns, numbers, strict=True)
    typed = [f'{_unnested(column, number)} AS "{column.name}"' for column, number in columns]
    return f"(SELECT {', '.join(typed)}) AS new"


def _unnested(column: "Column[Any]", parameter: str) -> str:
    unnested = f"unnest({parameter}::{_type(column)}[])"
    return _moment(unnested) if isinstance(column.type, DateTime) else unnested


def _single(column: "Column[Any]", parameter: str) -> str:
    value = f"{parameter}::{_type(column)}"
    return _moment(value) if isinstance(column.type, DateTime) else value


def _moment(micros: str) -> str:
    # Exact from 1970 to 2100: a double is off by less than half a microsecond, and rounded.
    return f"to_timestamp({micros} / 1e6)"


def _type(column: "Column[Any]") -> str:
    """The type in which a value of the column travels."""
    match column.type:
        case Boolean():
            return "boolean"
        case Numeric():
            return "numeric"
        case BigInteger():
            return "bigint"
        case Integer():
            return "integer"
        case Date():
            return "date"
        case DateTime():
            return "float8"
        case LargeBinary():
            raise TypeError(f"{column} has to travel as bytes")
        case _:
            return "text"


def _new(table: Table) -> Operation:
    """Rows that cannot be there yet."""
    return Operation(columns=tuple(table.columns), body=_into(table))


def _insert(table: Table) -> Operation:
    """Rows that are written once; the first one of a key stays."""
    return Operation(columns=tuple(table.columns), body=f"{_into(table)} ON CONFLICT DO NOTHING")


def _upsert(table: Table) -> Operation:
    """Rows that may be there already."""
    keys = [column.name for column in table.primary_key]
    changing = [one.name for one in table.columns if one.name not in keys]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in changing)
    target = ", ".join(keys)
    return Operation(
        columns=tuple(table.columns),
        body=f"{_into(table)} ON CONFLICT ({target}) DO UPDATE SET {changes}",
    )


def _update(table: Table, *, fixed: frozenset[str]) -> Operation:
    """Rows that are there: all but their key and the columns in `fixed`, which never change."""
    keys = table.primary_key.columns.keys()
    columns = [one for one in table.columns if one.name in keys or one.name not in fixed]
    changes = ", ".join(
        f'"{one.name}" = new."{one.name}"' for one in columns if one.name not in keys
    )
    matches = " AND ".join(f"old.{name} = new.{name}" for name in keys)
    return Operation(
        columns=tuple(columns),
        body=f"UPDATE {table.name} AS old SET {changes} FROM {{new}} WHERE {matches}",  # noqa: S608
    )


def _delete(table: Table) -> Operation:
    matches = " AND ".join(f"old.{one.name} = new.{one.name}" for one in table.primary_key)
    return Operation(
        columns=tuple(table.primary_key.columns),
        body=f"DELETE FROM {table.name} AS old USING {{new}} WHERE {matches}",  # noqa: S608
    )


def _into(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {{new}}"  # noqa: S608


def _nullable(column: "Column[Any]") -> "Column[Any]":
    return Column(column.name, column.type, nullable=True)


_NEVER = "client venue parent_id account symbol side ord_type time_in_force trade_date"
ORDER_FIXED: Final = frozenset([*_NEVER.split(), "created_at"])
_EXECUTIONS = tables.executions.c

TRADE_CHANGES: Final = Operation(
    columns=(
        _EXECUTIONS.venue,
        _EXECUTIONS.exec_id,
        _EXECUTIONS.order_id,
        _nullable(_EXECUTIONS.last_qty),
        _nullable(_EXECUTIONS.last_px),
        _EXECUTIONS.busted,
        _nullable(_EXECUTIONS.latest_exec_id),
        _EXECUTIONS.changed_at,
        Column("renamed", Text, nullable=True),
    ),
    body="""
        UPDATE executions AS old SET
            original_qty = CASE WHEN new.last_qty IS NULL THEN old.original_qty
                           ELSE coalesce(old.original_qty, old.last_qty) END,
            original_px = CASE WHEN new.last_px IS NULL THEN old.original_px
                          ELSE coalesce(old.original_px, old.last_px) END,
            last_qty = coalesce(new.last_qty, old.last_qty),
            last_px = coalesce(new.last_px, old.last_px),
            busted = old.busted OR new.busted,
            latest_exec_id = coalesce(new.latest_exec_id, old.latest_exec_id),
            changed_at = coalesce(new.changed_at, old.changed_at),
            exec_id = coalesce(new.renamed, old.exec_id),
            told_by = CASE WHEN new.renamed IS NULL THEN old.told_by ELSE '' END
        FROM {new}
        WHERE (old.venue, old.exec_id, old.order_id) = (new.venue, new.exec_id, new.order_id)
    """,
)

_INBOX = tables.command_inbox.c

ANSWERS: Final = Operation(
    columns=(
        _INBOX.id,
        _INBOX.first_seq,
        _INBOX.accepted,
        _INBOX.reason,
        _INBOX.order_id,
        _INBOX.answer_text,
        _INBOX.answered_at,
    ),
    body="""
        UPDATE command_inbox AS old SET
            state = 'done', first_seq = new.first_seq, accepted = new.accepted,
            reason = new.reason, order_id = new.order_id, answer_text = new.answer_text,
            answered_at = new.answered_at
        FROM {new} WHERE old.id = new.id
    """,
)

# What was read of a session stays read, unless its numbers started again.
_SESSIONS: Final = Operation(
    columns=tuple(tables.sessions.columns),
    body=_upsert(tables.sessions).body.replace(
        '= excluded."inbound"',
        "= CASE WHEN excluded.epoch = sessions.epoch"
        " THEN greatest(excluded.inbound, sessions.inbound) ELSE excluded.inbound END",
    ),
)

OPERATIONS: Final[dict[str, Operation]] = {
    "orders": _new(tables.orders),
    "order_changes": _update(tables.orders, fixed=ORDER_FIXED),
    "child_orders": _new(tables.child_orders),
    "child_order_changes": _update(tables.child_orders, fixed=ORDER_FIXED),
    "order_cl_ord_ids": _insert(tables.order_cl_ord_ids),
    "order_conditions": _upsert(tables.order_conditions),
    "executions": _insert(tables.executions),
    "trade_changes": TRADE_CHANGES,
    "positions": _upsert(tables.positions),
    "sent_notes": _new(tables.sent_notes),
    "sent_orders": _new(tables.sent_orders),
    "sessions": _SESSIONS,
    "risk_limits": _upsert(tables.risk_limits),
    "removed_limits": _delete(tables.risk_limits),
    "kill_switches": _upsert(tables.kill_switches),
    "released_switches": _delete(tables.kill_switches),
    "orphans": _upsert(tables.orphans),
    "discrepancies": _insert(tables.discrepancies),
    "disputes": _upsert(tables.disputes),
    "corporate_actions": _upsert(tables.corporate_actions),
    "order_lists": _upsert(tables.order_lists),
    "list_orders": _upsert(tables.list_orders),
    "refusals": _insert(tables.refusals),
    "disconnect_cancels": _insert(tables.disconnect_cancels),
    "answers": ANSWERS,
}

_PACKERS: Final = {
    name: tuple(map(_packer, operation.columns)) for name, operation in OPERATIONS.items()
}

_NULLABLE: Final = {
    name: tuple(bool(column.nullable) for column in operation.columns)
    for name, operation in OPERATIONS.items()
}
