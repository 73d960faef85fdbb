"""A day of the journal as JSON lines that prove themselves: who has the file can check the chain.

The first line says what the chain goes on from, each further one is an entry with its payload byte
for byte and its hash, the last one counts them: a file that is cut off is seen to be.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any, Final, TextIO

import msgspec
from sqlalchemy import Connection, select

from oms.domain.values import micros
from oms.store.batch import GENESIS, entry_hash
from oms.store.tables import journal

# Far more than an entry of the longest message takes, however much of it is escaped.
LONGEST_LINE: Final = 1 << 26


class ExportBroken(ValueError):
    """Lines that are no complete, unchanged export; the message names the line and the rule."""


def export_day(connection: Connection, day: date) -> Iterator[str]:
    """The lines, without their ends, of all entries stamped on that UTC date."""
    begin, end = (datetime.combine(day, moment, UTC) for moment in (time.min, time.max))
    column = journal.c
    query = select(journal).where(column.at.between(begin, end)).order_by(column.seq)
    count, last = 0, GENESIS
    result = connection.execution_options(yield_per=1_000).execute(query)
    for row in result.mappings():
        if not count:
            last = _hash_before(connection, row["seq"])
            yield _line({"date": day.isoformat(), "previous_hash": last.hex()})
        count, last = count + 1, bytes(row["hash"])
        yield _line(
            {
                "seq": row["seq"],
                "at": micros(row["at"]),
                "kind": row["kind"],
                "type": row["type"],
                "payload": bytes(row["payload"]).decode(),
                "hash": last.hex(),
            }
        )
    if not count:
        yield _line({"date": day.isoformat(), "previous_hash": ""})
    yield _line({"entries": count, "last_hash": last.hex() if count else ""})


def lines_in(file: TextIO) -> Iterator[str]:
    """The lines of a file that may be anything, without end too. Raises ExportBroken."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise ExportBroken(f"line {number}: must have at most {LONGEST_LINE} characters")
        yield line


def check_export(lines: Iterable[str]) -> int:
    """How many entries the export has, each as it was chained. Raises ExportBroken."""
    number, count, last = 0, -1, b""
    closed = False
    for number, text in enumerate(lines, start=1):
        if closed:
            raise ExportBroken(f"line {number}: must be the end")
        try:
            line = msgspec.json.decode(text)
            if count < 0:
                count, last = 0, bytes.fromhex(line["previous_hash"])
            elif "entries" in line:
                closed = True
                if line["entries"] != count:
                    raise ExportBroken(f"line {number}: must count {count} entries")
            else:
                count, last = count + 1, _checked(number, line, last)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ExportBroken):
                raise
            raise ExportBroken(f"line {number}: must be a line of an export: {error}") from None
    if not closed:
        raise ExportBroken(f"line {number}: the last line counts the entries: the file is cut off")
    return count


def _checked(number: int, line: dict[str, Any], last: bytes) -> bytes:
    told = (line["seq"], line["at"], line["kind"], line["type"], line["payload"].encode())
    found = entry_hash(last, *told)
    if found.hex() != line["hash"]:
        raise ExportBroken(f"line {number}: entry {line['seq']}: the hash does not fit")
    return found


def _hash_before(connection: Connection, seq: int) -> bytes:
    column = journal.c
    query = select(column.hash).where(column.seq < seq).order_by(column.seq.desc()).limit(1)
    found = connection.execute(query).scalar_one_or_none()
    return GENESIS if found is None else bytes(found)


def _line(values: dict[str, Any]) -> str:
    return msgspec.json.encode(values).decode()
