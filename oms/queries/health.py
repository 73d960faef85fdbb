"""Health: who leads, how far the journal is, what waits and what is in doubt."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, literal_column, select, text

from oms.store.leader import lock_key
from oms.store.tables import (
    child_orders,
    command_inbox,
    journal,
    leadership,
    orders,
    sessions,
)

_U32 = (1 << 32) - 1
# One session holds the lock while it leads; PostgreSQL shows a 64-bit key as two halves.
_LED = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid::bigint = :high AND objid::bigint = :low)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """led: a process holds the shard's lead now; the server takes it from one that is silent.

    inbox_wait_s: age of the oldest command that no core has taken. Ages by the database's clock.
    """

    led: bool
    leader_epoch: int
    holder: str
    since: datetime | None
    seq: int
    journal_age_s: Decimal | None
    open_orders: int
    unknown_orders: int
    oldest_doubt_s: Decimal | None
    inbox_waiting: int
    inbox_wait_s: Decimal
    sessions_up: int
    sessions_down: int


def is_led(connection: Connection, shard: str) -> bool:
    """Whether a process holds the lead of the shard."""
    key = lock_key(shard)
    halves = {"high": key >> 32 & _U32, "low": key & _U32}
    return bool(connection.execute(_LED, halves).scalar_one())


def health(connection: Connection, shard: str) -> Health:
    """The figures of this moment."""
    lead = (
        connection.execute(select(leadership).where(leadership.c.shard == shard))
        .mappings()
        .one_or_none()
    )
    tip = (
        connection.execute(
            select(journal.c.seq, _age(journal.c.at).label("age"))
            .order_by(journal.c.seq.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    open_orders = connection.execute(
        select(func.count()).select_from(orders).where(orders.c.is_open)
    ).scalar_one()
    doubt = connection.execute(
        select(func.count(), _age(func.min(child_orders.c.doubt_since))).where(
            child_orders.c.in_doubt
        )
    ).one()
    waiting = connection.execute(
        select(
            func.count(),
            func.coalesce(_age(func.min(command_inbox.c.created_at)), literal_column("0::numeric")),
        ).where(command_inbox.c.state == "new")
    ).one()
    led = is_led(connection, shard)
    # Of a core that has died nobody has written that its sessions are down.
    is_up = sessions.c.logged_on & literal(led)
    known, up = connection.execute(select(func.count(), func.count().filter(is_up))).one()
    return Health(
        led=led,
        leader_epoch=lead["epoch"] if lead else 0,
        holder=lead["holder"] if lead else "",
        since=lead["since"] if lead else None,
        seq=tip["seq"] if tip else 0,
        journal_age_s=tip["age"] if tip else None,
        open_orders=open_orders,
        unknown_orders=doubt[0],
        oldest_doubt_s=doubt[1],
        inbox_waiting=waiting[0],
        inbox_wait_s=Decimal(waiting[1]),
        sessions_up=up,
        sessions_down=known - up,
    )


def _age(moment: ColumnElement[datetime]) -> ColumnElement[Any]:
    return func.extract("epoch", func.clock_timestamp() - moment)
