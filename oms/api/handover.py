"""A command becomes a row of command_inbox, once for each key and content."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from oms.domain.commands import Command, Origin
from oms.domain.values import micros
from oms.store.codec import encode
from oms.store.tables import command_inbox

# A request repeated across the turn of the trading date is still that request, and no second order.
_REPEATABLE: Final = timedelta(minutes=10)


class KeyTaken(ValueError):
    """The key was used for another content."""


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


def hand_over(engine: Engine, command: Command, key: str, trade_date: date) -> tuple[Handed, bool]:
    """The command's row, durable, and whether it was there before.

    The key is the sender's for one trading date. Raises KeyTaken where it was used for another
    content there.
    """
    content = _content_hash(command)
    counterparty = command.origin.counterparty
    column = command_inbox.c
    mine = (column.counterparty == counterparty, column.key == key)
    with engine.begin() as connection:
        recent = func.now() - _REPEATABLE
        seen = (
            select(command_inbox)
            .where(*mine, or_(column.scope == trade_date.isoformat(), column.created_at > recent))
            .order_by(column.id.desc())
            .limit(1)
        )
        row = connection.execute(seen).mappings().one_or_none()
        if row is None:
            added = (
                insert(command_inbox)
                .values(
                    counterparty=counterparty,
                    scope=trade_date.isoformat(),
                    key=key,
                    command_type=type(command).__name__,
                    body=encode(_received_now(command)),
                    body_hash=content,
                )
                .on_conflict_do_nothing()
                .returning(command_inbox)
            )
            fresh = connection.execute(added).mappings().one_or_none()
            if fresh is not None:
                return _handed(fresh), False
            # Somebody else has just sent the same key: a new statement sees what they committed.
            row = connection.execute(seen).mappings().one()
    if bytes(row["body_hash"]) != content:
        raise KeyTaken(f"was used for another {row['command_type']} or with other content")
    return _handed(row), True


def find(connection: Connection, inbox_id: int) -> Handed | None:
    """The command with that number."""
    query = select(command_inbox).where(command_inbox.c.id == inbox_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _handed(row)


def _content_hash(command: Command) -> bytes:
    """Of what is asked for, whoever of the same counterparty asks."""
    origin = Origin(channel=command.origin.channel, counterparty=command.origin.counterparty)
    text = type(command).__name__.encode() + b"\0" + encode(replace(command, origin=origin))
    return hashlib.sha256(text).digest()


def _received_now(command: Command) -> Command:
    return replace(command, origin=replace(command.origin, received_at=micros(datetime.now(UTC))))


def _handed(row: RowMapping) -> Handed:
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
