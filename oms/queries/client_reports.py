"""What a client is told of its orders, from any point on: for who has missed some of it.

The journal is the outbox, so each report is computed again from the same facts by the code that
made it for FIX, and has the same ExecID; orders that came by REST are told of in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, func, select

from oms.core import replay
from oms.domain.effects import SendExecutionReport, SendOrderCancelReject
from oms.domain.events import (
    CancelPending,
    CancelRejected,
    DuplicateOrderRefused,
    Event,
    OrderAccepted,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderRestated,
    OrderTriggered,
    ReplacePending,
    ReplaceRejected,
    RequestRefused,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.instrument import Reference
from oms.domain.standing_events import OrderMarked, PriceRestated, QuantityRestated
from oms.domain.state import State
from oms.domain.values import micros
from oms.outbound import effects_of
from oms.queries.journal import tip
from oms.queries.paging import Row, Scope, rows_of
from oms.store.codec import decode
from oms.store.tables import child_orders, journal, orders

Report = SendExecutionReport | SendOrderCancelReject

# How many journal entries are looked through for one page, whosever they are.
STRETCH: Final = 50_000
# Stands for the session of orders that came by REST: what came by none is told to nobody.
_REST: Final = "REST"
# What is told of an order; answers to questions about its status are not missed by anybody.
_TELLING: Final = (
    OrderAccepted,
    OrderAcknowledged,
    OrderRefused,
    OrderRejected,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    OrderTriggered,
    OrderRestated,
    CancelPending,
    ReplacePending,
    CancelRejected,
    ReplaceRejected,
    RequestRefused,
    TradeExecuted,
    TradeBusted,
    TradeCorrected,
    DuplicateOrderRefused,
    OrderMarked,
    QuantityRestated,
    PriceRestated,
)
_NAMES: Final = [one.__name__ for one in _TELLING]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Reports in the journal's order. after: where the next page begins; more: it is not empty as
    far as is known.
    """

    reports: list[Report]
    after: int
    more: bool


def reports_after(
    connection: Connection, reference: Reference, after: int, *, scope: Scope, limit: int
) -> Reports:
    """What was told behind the journal's number `after`: all reports of at most `limit` events."""
    last = tip(connection)
    end = min(after + STRETCH, last)
    told = _telling(connection, after, end, scope, limit + 1)
    if len(told) > limit:
        told = told[:limit]
        end = told[-1]["seq"]
    elif not told and end < last:
        # Numbers were left out where the database was restored.
        end = connection.scalar(select(func.min(journal.c.seq)).where(journal.c.seq > end)) - 1
    wanted = {row["seq"] for row in told}
    reports = list(_reports(connection, reference, told, wanted)) if told else []
    reports.sort(key=lambda report: report.event_seq)
    return Reports(reports=reports, after=max(after, end), more=end < last)


def _telling(connection: Connection, after: int, end: int, scope: Scope, limit: int) -> list[Row]:
    """The events of this stretch that tell something of an order in scope, and whose it is."""
    entry, child = journal.c, child_orders.c
    family = func.coalesce(child.parent_id, entry.order_id)
    query = (
        select(entry.seq, family.label("family"))
        .select_from(
            journal.outerjoin(child_orders, child.order_id == entry.order_id).join(
                orders, orders.c.order_id == family
            )
        )
        .where(entry.seq > after, entry.seq <= end, entry.kind == "E", entry.type.in_(_NAMES))
        .where(scope.orders())
        .order_by(entry.seq)
        .limit(limit)
    )
    return rows_of(connection, query)


def _reports(
    connection: Connection, reference: Reference, told: list[Row], wanted: set[int]
) -> Iterator[Report]:
    """Each order's life is folded by itself, and tells what it told then."""
    state = State(reference=reference)
    for row in _lives(connection, {one["family"] for one in told}, told[-1]["seq"]):
        event = decode(row["type"], row["payload"])
        seq, at = row["seq"], micros(row["at"])
        named = _for_somebody(event)  # type: ignore[arg-type]
        replay(state, seq, at, named)
        if seq in wanted:
            for effect in effects_of(state, seq, named):
                if isinstance(effect, SendExecutionReport | SendOrderCancelReject):
                    yield effect


def _lives(connection: Connection, families: set[str], end: int) -> list[Row]:
    """All events of these orders and their children up to that number, in order."""
    child = child_orders.c
    children = connection.scalars(select(child.order_id).where(child.parent_id.in_(families)))
    # One list of names: with a choice of two the index of the journal would not be used.
    names = [*families, *children]
    entry = journal.c
    query = (
        select(entry.seq, entry.at, entry.type, entry.payload)
        .where(entry.order_id.in_(names), entry.kind == "E", entry.seq <= end)
        .order_by(entry.seq)
    )
    return rows_of(connection, query)


def _for_somebody(event: Event) -> Event:
    """The event with a session, where what it is about came by none."""
    match event:
        case OrderAccepted() | OrderRefused():
            return replace(event, terms=replace(event.terms, session=event.terms.session or _REST))
        case RequestRefused() | DuplicateOrderRefused():
            return replace(event, session=event.session or _REST)
        case _:
            return event
