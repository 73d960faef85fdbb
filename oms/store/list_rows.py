"""Rows about lists of orders (baskets)."""

from oms.domain.baskets import (
    BasketFact,
    ListAccepted,
    ListCanceled,
    ListDone,
    ListExecutionBegan,
    ListStatusReported,
    ListStatusType,
    OrderList,
)
from oms.domain.state import State
from oms.store.rows import Row


class ListRows:
    """What a stretch of the journal makes of the tables order_lists and list_orders.

    Made when each fact is told: the state forgets the orders of a list one after the other.
    """

    __slots__ = ("_lists", "_orders")

    def __init__(self) -> None:
        self._lists: dict[int, Row] = {}
        self._orders: dict[tuple[int, int], Row] = {}

    def told(self, event: BasketFact, state: State) -> None:
        """A fact about a list, after it was folded."""
        known = state.lists.get((event.counterparty, event.list_id))
        if known is None or not known.seq:
            return
        if isinstance(event, ListAccepted | ListExecutionBegan | ListCanceled | ListDone):
            self._lists[known.seq] = _list_row(known)
        started = ListStatusType.EXEC_STARTED
        if isinstance(event, ListAccepted) or (
            isinstance(event, ListStatusReported) and event.status_type is started
        ):
            for row in _order_rows(known):
                self._orders[row[0], row[1]] = row

    def rows(self) -> dict[str, list[Row]]:
        """By operation."""
        return {
            "order_lists": list(self._lists.values()),
            "list_orders": list(self._orders.values()),
        }


def _list_row(known: OrderList) -> Row:
    return (
        known.seq,
        known.accepted_at,
        known.counterparty,
        known.list_id,
        known.session,
        known.trade_date or None,
        known.tot_no_orders,
        known.waits,
        known.begun_at or None,
        known.canceled_at or None,
        known.done_at or None,
    )


def _order_rows(known: OrderList) -> list[Row]:
    return [
        (
            known.seq,
            one.list_seq_no,
            one.cl_ord_id,
            one.account,
            one.symbol,
            one.side,
            one.order_qty,
            known.order_ids.get(one.cl_ord_id),
            known.came_with.get(one.cl_ord_id, known.seq),
        )
        for one in known.orders
    ]
