"""The fold of the events about lists of orders, and of what happens to the orders of a list."""

from collections import deque
from typing import Final, assert_never

from oms.domain.baskets import (
    BasketFact,
    ListAccepted,
    ListCanceled,
    ListDone,
    ListExecutionBegan,
    ListFragmentTaken,
    ListKey,
    ListRefused,
    ListStatusReported,
    OrderList,
)
from oms.domain.order import Order
from oms.domain.state import State

RATE_MEMORY: Final = 100_000


def fold_basket(state: State, seq: int, at: int, event: BasketFact) -> None:
    """Change what is known of the list."""
    key = (event.counterparty, event.list_id)
    match event:
        case ListFragmentTaken():
            _take_fragment(state, seq, key, event)
        case ListAccepted():
            parts = state.lists.get(key)
            state.lists[key] = OrderList(
                counterparty=event.counterparty,
                session=event.session,
                list_id=event.list_id,
                trade_date=event.trade_date,
                tot_no_orders=len(event.orders),
                orders=event.orders,
                waits=event.waits,
                seq=seq,
                accepted_at=at,
                came_with=parts.came_with if parts is not None and parts.awaits_more else {},
            )
        case ListRefused():
            # Parts of it that came before are refused with it.
            known = state.lists.get(key)
            if known is not None and known.awaits_more:
                del state.lists[key]
        case ListExecutionBegan():
            state.lists[key].begun_at = at
            state.lists[key].session = event.session
            state.lists_at_work[key] = None
        case ListCanceled():
            known = state.lists[key]
            known.canceled_at = known.canceled_at or at
            if not known.begun:
                state.lists_at_work[key] = None
        case ListDone():
            state.lists[key].done_at = at
            state.lists_at_work.pop(key, None)
            for order_id in state.lists[key].order_ids.values():
                state.orders.finished.append((at, order_id))
        case ListStatusReported():
            pass
        case _:
            assert_never(event)


def _take_fragment(state: State, seq: int, key: ListKey, event: ListFragmentTaken) -> None:
    came_with = {one.cl_ord_id: seq for one in event.orders}
    known = state.lists.get(key)
    if known is not None and known.awaits_more:
        known.orders += event.orders
        known.came_with |= came_with
        return
    state.lists[key] = OrderList(
        counterparty=event.counterparty,
        session=event.session,
        list_id=event.list_id,
        trade_date=state.trade_date,
        tot_no_orders=event.tot_no_orders,
        orders=event.orders,
        came_with=came_with,
    )


def join_list(state: State, order: Order, at: int) -> None:
    """A new order is one of a list; it counts for the message rate as one that came by itself."""
    count_message(state, order.counterparty, at)
    known = state.lists.get((order.counterparty, order.first_terms.list_id))
    if known is not None:
        known.order_ids[order.first_terms.cl_ord_id] = order.order_id
        follow_order(state, order, live=order.is_live)


def follow_order(state: State, order: Order, *, live: bool) -> None:
    """Note whether the order still keeps its list at work."""
    terms = order.first_terms
    key = (order.counterparty, terms.list_id)
    known = state.lists.get(key)
    # A list of an earlier date may have had that name.
    if known is None or known.order_ids.get(terms.cl_ord_id) != order.order_id:
        return
    if live:
        known.open.add(order.order_id)
        state.lists_at_work[key] = None
    else:
        known.open.discard(order.order_id)


def count_message(state: State, counterparty: str, at: int) -> None:
    """Note a message for the rate limit; what is older than a second is forgotten."""
    times = state.message_times.get(counterparty)
    if times is None:
        times = state.message_times[counterparty] = deque(maxlen=RATE_MEMORY)
    times.append(at)
    while times and times[0] <= at - 1_000_000:
        times.popleft()


def forget_lists(state: State) -> None:
    """A new trading date: what is over or never began is forgotten, and orders that are gone."""
    for key, known in list(state.lists.items()):
        if not known.open:
            del state.lists[key]
            state.lists_at_work.pop(key, None)
            continue
        left = [one for one in known.orders if _is_known(state, known.order_ids.get(one.cl_ord_id))]
        if len(left) < len(known.orders):
            known.orders = tuple(left)
            kept = {one.cl_ord_id for one in left}
            known.order_ids = {name: one for name, one in known.order_ids.items() if name in kept}


def _is_known(state: State, order_id: str | None) -> bool:
    return order_id is None or order_id in state.orders
