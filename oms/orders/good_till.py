"""How long orders live: what ends with a day, at a date or at a time, and what goes on."""

from collections.abc import Iterator

from oms.domain.conditions import DayFigures
from oms.domain.events import DiscrepancyFound, Event, ExpiryPending, OrderRestated
from oms.domain.fix import GT_CORPORATE_ACTION, GT_RENEWAL, TimeInForce
from oms.domain.order import Order
from oms.domain.state import State
from oms.domain.values import average

OF_THE_DAY = frozenset({TimeInForce.DAY, TimeInForce.OPG, TimeInForce.CLS})
"""What ends with its day. Immediate orders are not among them: they ended, or are in doubt; or
they wait for their stop price, see `ends_with`."""


def day_figures(order: Order) -> DayFigures:
    """What the trading date had to work on and what it brought."""
    cum_qty, value = order.traded_since(order.day_since)
    return DayFigures(
        order_qty=order.order_qty - (order.cum_qty - cum_qty),
        cum_qty=cum_qty,
        avg_px=average(value, cum_qty),
    )


def ends_with(order: Order, trade_date: str) -> bool:
    """Whether the end of that trading date is the end of the order."""
    if order.time_in_force is TimeInForce.GTD:
        until = order.conditions.expire_date if order.conditions else ""
        return bool(until) and until <= trade_date
    waits = order.conditions is not None and order.conditions.stop_px is not None
    of_the_day = order.time_in_force in OF_THE_DAY or (order.time_in_force.immediate and waits)
    return of_the_day and order.trade_date <= trade_date


def due(state: State, at: int) -> Iterator[Event]:
    """Orders whose ExpireTime (126) has come: withdrawn where the venue does not end them."""
    for order_id, until in state.until.items():
        if at >= until:
            yield ExpiryPending(order_id=order_id)


def opened(state: State) -> Iterator[Event]:
    """A new trading date: what goes on is restated, what should have ended ends."""
    found = [state.orders[one] for one in state.open_orders]
    for order in sorted(found, key=lambda one: (one.created_at, one.order_id)):
        if order.expiring and not order.is_child:
            # Its venue refused the cancel, perhaps as it was closed: asked again.
            yield ExpiryPending(order_id=order.order_id)
        if order.is_child or not order.time_in_force.good_till or order.expiring:
            continue
        until = order.conditions.expire_date if order.conditions else ""
        if until and until < state.trade_date:
            yield ExpiryPending(order_id=order.order_id)
        else:
            yield restated(order, state.trade_date)
            if order.symbol in state.ex_dates:
                yield _too_early(order, state)


def _too_early(order: Order, state: State) -> DiscrepancyFound:
    """A date opens on which venues still trade the shares of before a split that was applied."""
    return DiscrepancyFound(
        order_id=order.order_id,
        field="effective_date",
        ours=state.ex_dates[order.symbol],
        theirs=state.trade_date,
    )


def restated(order: Order, trade_date: str) -> OrderRestated:
    """It goes on on that date, as it was or as a split has left it."""
    reason = GT_CORPORATE_ACTION if order.rebased else GT_RENEWAL
    return OrderRestated(order_id=order.order_id, trade_date=trade_date, restatement=reason)
