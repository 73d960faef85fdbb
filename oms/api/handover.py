"""A command becomes a row of command_inbox, once for each key and content."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from oms.api.connections import Connections, Row
from oms.domain.commands import Command
from oms.domain.values import micros
from oms.store.codec import encode
from oms.store.inbox_content import KeyTaken, content_hash

# A request repeated across the turn of the trading date is still that request, no second order.
_REPEATABLE: Final = timedelta(minutes=10)

_SEEN: Final = """
    SELECT * FROM command_inbox
    WHERE counterparty = %s AND key = %s AND (scope = %s OR created_at > now() - %s)
    ORDER BY id DESC LIMIT 1
"""
_HAND_OVER: Final = """
    WITH seen AS (
        SELECT * FROM command_inbox
        WHERE counterparty = %s AND key = %s AND (scope = %s OR created_at > now() - %s)
        ORDER BY id DESC LIMIT 1
    ), added AS (
        INSERT INTO command_inbox (counterparty, key, scope, command_type, body, body_hash)
        SELECT %s, %s, %s, %s, %s, %s WHERE NOT EXISTS (SELECT FROM seen)
        ON CONFLICT DO NOTHING
        RETURNING *
    )
    SELECT true AS fresh, * FROM added UNION ALL SELECT false, * FROM seen
"""
_FIND: Final = "SELECT * FROM command_inbox WHERE id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A command of the inbox, and the core's answer once done."""

    id: int
    counterparty: str
    done: bool
    accepted: bool | None
    reason: str
    order_id: str
    text: str
    first_seq: int | None


async def hand_over(
    connections: Connections, command: Command, key: str, trade_date: date
) -> tuple[Handed, bool]:
    """The command's row, durable, and whether it was there before.

    The key is the sender's for one trading date. Raises KeyTaken where it was used for another
    content there.
    """
    content = content_hash(command)
    name = type(command).__name__
    scope = trade_date.isoformat()
    mine = [command.origin.counterparty, key, scope]
    body = encode(_received_now(command))
    added = [*mine, name, body, content]
    rows = await connections.query(_HAND_OVER, [*mine, _REPEATABLE, *added])
    if not rows:
        # Somebody else has just sent the same key: a new statement sees what they committed.
        rows = await connections.query(_SEEN, [*mine, _REPEATABLE])
    row = rows[0]
    if bytes(row["body_hash"]) != content:
        raise KeyTaken(row["command_type"])
    return _handed(row), not row.get("fresh", False)


async def find(connections: Connections, inbox_id: int) -> Handed | None:
    """The command with that number."""
    rows = await connections.query(_FIND, [inbox_id])
    return _handed(rows[0]) if rows else None


async def order_row(connections: Connections, order_id: str) -> Row | None:
    """The client order of that number, as the read tables have it."""
    # Of columns with one name in both the latter counts.
    query = (
        "SELECT c.*, o.* FROM orders AS o LEFT JOIN order_conditions AS c USING (order_id)"
        " WHERE o.order_id = %s"
    )
    rows = await connections.query(query, [order_id])
    return rows[0] if rows else None


def _received_now(command: Command) -> Command:
    return replace(command, origin=replace(command.origin, received_at=micros(datetime.now(UTC))))


def _handed(row: Row) -> Handed:
    return Handed(
        id=row["id"],
        counterparty=row["counterparty"],
        done=row["state"] == "done",
        accepted=row["accepted"],
        reason=row["reason"],
        order_id=row["order_id"],
        text=row["answer_text"],
        first_seq=row["first_seq"],
    )
