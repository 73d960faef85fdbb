"""A command for the core by command_inbox, once for each key, and the wait for its answer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.dialects.postgresql import insert

from oms.domain.commands import Command
from oms.store.codec import encode
from oms.store.inbox_content import KeyTaken, content_hash
from oms.store.tables import command_inbox

_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreAnswer:
    """What the core said; reason and text are its refusal's."""

    accepted: bool
    reason: str
    text: str
    order_id: str
    seq: int


def send(engine: Engine, command: Command, *, key: str, scope: str = "") -> int:
    """The inbox number of the command, durable; of the one sent before under the same key.

    Raises KeyTaken where the key was used for another content.
    """
    content = content_hash(command)
    column = command_inbox.c
    counterparty = command.origin.counterparty
    added = (
        insert(command_inbox)
        .values(
            counterparty=counterparty,
            scope=scope,
            key=key,
            command_type=type(command).__name__,
            body=encode(command),
            body_hash=content,
        )
        .on_conflict_do_nothing()
        .returning(column.id)
    )
    same = (column.counterparty == counterparty, column.key == key, column.scope == scope)
    with engine.begin() as connection:
        number = connection.execute(added).scalar_one_or_none()
        if number is not None:
            return int(number)
    sent = select(column.id, column.body_hash, column.command_type).where(*same)
    with engine.begin() as connection:
        row = connection.execute(sent).one()
    if bytes(row.body_hash) != content:
        raise KeyTaken(row.command_type)
    return int(row.id)


def answer_of(engine: Engine, number: int) -> CoreAnswer | None:
    """The core's answer, None while there is none."""
    query = select(command_inbox).where(command_inbox.c.id == number)
    with engine.begin() as connection:
        row = connection.execute(query).mappings().one()
    if row["state"] != "done":
        return None
    return CoreAnswer(
        accepted=bool(row["accepted"]),
        reason=row["reason"],
        text=row["answer_text"],
        order_id=row["order_id"],
        seq=row["first_seq"] or 0,
    )


def wait_answer(
    engine: Engine, number: int, *, timeout_s: float, give_up: Callable[[], bool] = lambda: False
) -> CoreAnswer | None:
    """The core's answer, None if there is none in time or `give_up` says so."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = answer_of(engine, number)
        if found is not None or give_up() or time.monotonic() >= deadline:
            return found
        time.sleep(_LOOK_S)
