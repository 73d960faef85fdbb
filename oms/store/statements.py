"""The one SQL statement that writes a batch: an INSERT or UPDATE for each operation, in a WITH.

Rows travel by column: each column is one array (`oms.store.arrays`), unnested in the select list:
in FROM each would be spooled first.

Where every operation has a single row, as in a quiet market, their values are the parameters: an
array costs more per column than per row.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, cast

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
)

from oms.store.arrays import (
    SEPARATOR,
    SeparatorTakenError,
    clean,
    packer_of,
    unused_separator,
)
from oms.store.operations import OPERATIONS, Operation
from oms.store.rows import Row

Connection = psycopg.Connection[tuple[Any, ...]]

_ONE = " (one)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Rows as parameters of a statement's operations.

    forms: each operation's name, with a mark where every operation has a single row. One or the
    other for all, so that there are not too many statements to prepare. separator: of the texts.
    """

    forms: tuple[str, ...]
    separator: str
    parameters: list[bytes | None]


def pack(rows: Mapping[str, Sequence[Row]], separator: str = SEPARATOR) -> Packed:
    """The rows by operation, as parameters. Raises SeparatorTakenError."""
    parameters: list[bytes | None] = []
    forms = tuple(rows)
    if all(len(changed) == 1 for changed in rows.values()):
        for operation, (row,) in rows.items():
            parameters += map(_alone, row, _NULLABLE[operation])
        forms = tuple([operation + _ONE for operation in rows])
    else:
        for operation, changed in rows.items():
            columns = zip(*changed, strict=True)
            for (packer, _), values in zip(_PACKERS[operation], columns, strict=True):
                parameters.append(packer(values, separator))
    return Packed(forms=forms, separator=separator, parameters=parameters)


def other_separator(rows: Mapping[str, Sequence[Row]], *texts: Iterable[str]) -> str:
    """A separator that no text of the rows, and none of the texts, contains."""
    columns = (one for changed in rows.values() for row in changed for one in row)
    told = [one for one in columns if isinstance(one, str)]
    return unused_separator(itertools.chain(told, *texts))


def _alone(value: str | Decimal | int | None, nullable: bool) -> bytes | None:
    """A value as a parameter of its own; an empty text is NULL where that is allowed."""
    if isinstance(value, str):
        return clean(value).encode() if value or not nullable else None
    return None if value is None else str(value).encode()


# How an append's parameters before those of its operations travel: see append_statement.
_JOURNAL_FORMATS = [Format.TEXT] * 3 + [Format.BINARY] + [Format.TEXT] * 2
_JOURNAL_FORMATS += [Format.BINARY] * 2 + [Format.TEXT] * 2 + [Format.BINARY] * 2 + [Format.TEXT]

# The function, which raises the error, is called only by who leads no longer.
_LEADS = """
    SELECT CASE WHEN NOT EXISTS (
        SELECT FROM leadership WHERE shard = $1::text AND epoch = $2::bigint
    ) THEN require_leadership($1::text, $2::bigint) END"""

# Entries have consecutive numbers; $8 holds all hashes end to end, $13 separates texts.
_APPEND = """
    do_journal AS (
        INSERT INTO journal (seq, at, kind, type, order_id, session, epoch, msg_seq_num,
                             leader_epoch, payload, hash)
        SELECT told.seq,
               told.at,
               told.kind,
               told.type,
               told.order_id,
               told.session,
               told.epoch,
               told.msg_seq_num,
               $2::bigint,
               told.payload,
               substring($8::bytea FROM 32 * (told.seq - $3::bigint)::integer + 1 FOR 32)
        FROM (SELECT generate_series(
                         $3::bigint, $3::bigint + cardinality($4::timestamptz[]) - 1) AS seq,
                     unnest($4::timestamptz[]) AS at,
                     unnest(string_to_array($5::text, NULL)) AS kind,
                     unnest(string_to_array($6::text, $13::text)) AS type,
                     unnest($7::bytea[]) AS payload,
                     unnest(string_to_array($9::text, $13::text, '')) AS order_id,
                     unnest(string_to_array($10::text, $13::text, '')) AS session,
                     unnest($11::integer[]) AS epoch,
                     unnest($12::bigint[]) AS msg_seq_num) AS told
    )"""


@lru_cache(maxsize=1024)
def append_statement(forms: tuple[str, ...]) -> bytes:
    """SQL that appends entries and does these operations; it fails if the leader's epoch is over.

    Parameters: shard, leader epoch, first seq, then times, kinds, types, payloads, hashes, order
    ids, sessions, epochs, MsgSeqNums; the separator; then those of the operations.
    """
    parts = [_APPEND, *_parts(forms, len(_JOURNAL_FORMATS))]
    return f"WITH {','.join(parts)} {_LEADS}".encode()


@lru_cache(maxsize=1024)
def append_formats(forms: tuple[str, ...]) -> list[Format]:
    """How the parameters of that statement travel."""
    return [*_JOURNAL_FORMATS, *_formats(forms)]


def project(connection: Connection, rows: Mapping[str, Sequence[Row]]) -> None:
    """Do these operations alone, with tables as the connection's search path names them."""
    try:
        packed = pack(rows)
    except SeparatorTakenError:
        packed = pack(rows, other_separator(rows))
    statement = f"WITH {','.join(_parts(packed.forms, 1))} SELECT $1::text".encode()
    # None is a NULL, which the annotation leaves out.
    parameters = cast("list[bytes]", [packed.separator.encode(), *packed.parameters])
    formats = [Format.TEXT, *_formats(packed.forms)]
    result = connection.pgconn.exec_params(statement, parameters, param_formats=formats)
    if result.status != ExecStatus.TUPLES_OK:
        raise error_from_result(result)


def _formats(forms: Iterable[str]) -> Iterator[Format]:
    for form in forms:
        for _, binary in _PACKERS[form.removesuffix(_ONE)]:
            yield Format.BINARY if binary and not form.endswith(_ONE) else Format.TEXT


def _parts(forms: Iterable[str], taken: int) -> Iterator[str]:
    """taken: how many parameters there are before, the last of them the separator."""
    separator = f"${taken}::text"
    for form in forms:
        name = form.removesuffix(_ONE)
        operation = OPERATIONS[name]
        numbers = [f"${taken + n}" for n in range(1, len(operation.columns) + 1)]
        taken += len(numbers)
        if form != name:
            new = _one_row(operation, numbers)
        else:
            new = _many_rows(operation, numbers, separator)
        yield f"do_{name} AS ({operation.body.format(new=new)})"


def _one_row(operation: Operation, numbers: Iterable[str]) -> str:
    """The row of an operation as a table `new` with typed columns."""
    columns = zip(operation.columns, numbers, strict=True)
    typed = [f'{_single(column, number)} AS "{column.name}"' for column, number in columns]
    return f"(SELECT {', '.join(typed)}) AS new"


def _many_rows(operation: Operation, numbers: Iterable[str], separator: str) -> str:
    """The rows of an operation as a table `new` with typed columns."""
    columns = list(zip(operation.columns, numbers, strict=True))
    told = [f'{_unnested(one, number, separator)} AS "{one.name}"' for one, number in columns]
    typed = [f'{_typed(one)} AS "{one.name}"' for one, _ in columns]
    return f"(SELECT {', '.join(typed)} FROM (SELECT {', '.join(told)}) AS told) AS new"  # noqa: S608


def _unnested(column: "Column[Any]", parameter: str, separator: str) -> str:
    if _type(column) not in {"text", "date"}:
        return f"unnest({parameter}::{_array_type(column)}[])"
    null = ", ''" if column.nullable else ""
    return f"unnest(string_to_array({parameter}::text, {separator}{null}))"


def _typed(column: "Column[Any]") -> str:
    """The column as it is unnested, in its type."""
    name = f'told."{column.name}"'
    match _type(column):
        case "date":
            return f"{name}::date"
        case "text" if not column.nullable:
            # A single empty text is split into none.
            return f"coalesce({name}, '')"
        case _:
            return name


def _array_type(column: "Column[Any]") -> str:
    return "timestamptz" if isinstance(column.type, DateTime) else _type(column)


def _single(column: "Column[Any]", parameter: str) -> str:
    value = f"{parameter}::{_type(column)}"
    if isinstance(column.type, DateTime):
        # Exact from 1970 to 2100: a double is off by less than half a microsecond, and rounded.
        return f"to_timestamp({value} / 1e6)"
    return value


def _type(column: "Column[Any]") -> str:
    """The type in which a value of the column travels by itself."""
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


_PACKERS: Final = {
    name: tuple(map(packer_of, operation.columns)) for name, operation in OPERATIONS.items()
}

_NULLABLE: Final = {
    name: tuple(bool(column.nullable) for column in operation.columns)
    for name, operation in OPERATIONS.items()
}
