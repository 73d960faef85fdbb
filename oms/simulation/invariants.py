"""What must hold of a State after every command, whatever was sent: each index against a scan."""

from dataclasses import fields
from decimal import Decimal

from oms.domain.kept_orders import CHILD_CL_ORD_ID, CL_ORD_ID, EXEC_ID, Name
from oms.domain.kept_orders import Orders as KeptOrders
from oms.domain.order import Order
from oms.domain.packing import Family, as_bytes, exec_ids_of, from_bytes, packed, unpacked
from oms.domain.state import Position, State
from oms.domain.values import ZERO
from oms.positions.book import book_trade, rebuild

Orders = dict[str, Order]

# Fields of State that `in_full` says.
_IN_FULL = ("orders", "cl_ord_ids", "child_cl_ord_ids", "venue_order_ids", "exec_ids")


def check_state(
    state: State,
    stubborn: frozenset[str] | set[str] = frozenset(),
    settled: dict[int, Family] | None = None,
) -> None:
    """Raise AssertionError for the first law that is broken.

    stubborn: children whose cancel their venue refused. settled: what was packed at the last look,
    by its identity: what still is, is as it was then, and is not looked at again.
    """
    # Copies of those that are packed, which stay so.
    orders, names = state.orders.in_full(settled or ())
    for order in orders.values():
        _check_quantities(order)
        if order.is_child:
            assert order.order_id in orders[order.parent_id].children
        else:
            _check_parent(state, orders, order, stubborn)
    _check_indexes(state, orders)
    _check_names(state.orders, orders, names)
    _check_positions(state)
    _check_working(state, orders)
    if settled is not None:
        settled.clear()
        settled |= {id(one): one for one in state.orders.families()}


def _check_quantities(order: Order) -> None:
    if order.executions:
        live = [one for one in order.executions.values() if not one.busted]
        if not order.rebasings:
            assert order.cum_qty == sum((one.last_qty for one in live), ZERO), order
        assert order.cum_qty == order.traded_since(0)[0], order
        assert order.traded_value == sum((one.last_qty * one.last_px for one in live), ZERO), order
    else:
        assert order.cum_qty == order.traded_value == ZERO, order
    if order.is_open:
        assert order.leaves_qty == order.order_qty - order.cum_qty > 0, order
    else:
        assert order.leaves_qty == 0, order
    assert not (order.requests and order.closed), order
    if order.waiting:
        assert order.requests, "what waits, waits for the answer to another"
        assert not order.is_child, order
        assert not order.closed, order


def _check_parent(
    state: State, orders: Orders, parent: Order, stubborn: frozenset[str] | set[str]
) -> None:
    children = [orders[one] for one in parent.children]
    assert parent.open_children == {one.order_id for one in children if one.is_live}, parent
    together = {key for child in children for key in child.executions}
    assert set(parent.executions) == together, parent
    if not parent.rebasings:  # a child that ended before a split stays in the shares of its day
        assert parent.cum_qty == sum((one.cum_qty for one in children), ZERO), parent
    doubts = [one.doubt_since for one in children if one.in_doubt]
    assert parent.doubt_since == min(doubts, default=0), parent
    pliant = [one for one in children if one.is_open and one.order_id not in stubborn]
    _check_coverage(state, parent, pliant)


def _check_coverage(state: State, parent: Order, working: list[Order]) -> None:
    """No child too many: each that is beyond the open quantity is being withdrawn or unknown.

    And none too few: what is open is in the market, waits in `held`, or is being settled.
    """
    in_market = sum((one.leaves_qty for one in working), ZERO)
    if in_market > parent.leaves_qty:
        for child in working:
            assert child.requests or child.in_doubt, (parent, child)
    settling = parent.requests or parent.expiring
    if parent.is_open and in_market < parent.leaves_qty and not settling:
        assert parent.order_id in state.held or parent.open_children, parent


def _check_indexes(state: State, orders: Orders) -> None:
    live = {one.order_id for one in orders.values() if one.is_live}
    assert state.open_orders == live
    assert live <= {one.order_id for one in state.orders.here()}, "what is packed is at rest"
    assert set(state.in_doubt) == {
        one.order_id for one in orders.values() if one.is_child and one.in_doubt
    }
    assert set(state.in_doubt) <= live
    assert set(state.awaiting) == {
        one.order_id
        for one in orders.values()
        if one.is_child and one.is_live and not one.in_doubt and (one.requests or not one.accepted)
    }
    for order_id in state.held:
        assert order_id in orders, order_id
        assert orders[order_id].is_open, orders[order_id]
        assert not orders[order_id].is_child
        _check_held(orders, orders[order_id])


def _check_names(kept: KeptOrders, orders: Orders, names: list[dict[Name, str]]) -> None:
    def owner_of(kind: int, name: Name) -> str | None:
        found = names[kind].get(name)
        # By a ClOrdID that was used again, of another order, which is settled.
        packed = kept.owner(kind, name) if found is None else None
        return found if packed is None else packed[3]

    for (_, cl_ord_id), order_id in names[CL_ORD_ID].items():
        known = orders[order_id] if order_id in orders else kept[order_id]
        assert not known.is_child, cl_ord_id
    for order in orders.values():
        kind = CHILD_CL_ORD_ID if order.is_child else CL_ORD_ID
        if order.cl_ord_id:  # nobody has named an external order to us
            owner = owner_of(kind, (order.counterparty, order.cl_ord_id))
            assert owner is not None, order
            # A bust makes one work again whose name may be another's by then.
            works_again = any(one.busted for one in order.executions.values())
            assert owner == order.order_id or works_again or not order.is_live, order
        for key in exec_ids_of(order):
            owner = owner_of(EXEC_ID, key)
            assert owner is not None, key
            assert owner in orders or owner in kept, key


def _check_held(orders: Orders, order: Order) -> None:
    """Something of it waits, but while it is settled what it comes to."""
    working = sum((orders[one].leaves_qty for one in order.open_children), ZERO)
    settling = order.requests or order.expiring
    assert settling or working < order.leaves_qty, order


def _check_positions(state: State) -> None:
    for key, position in state.positions.items():
        again = Position(account=key[0], symbol=key[1])
        if position.splits:
            again.trades, again.splits = position.trades, position.splits
            rebuild(again)
        for trade in () if position.splits else position.trades:
            if trade is not None:
                book_trade(again, *trade)
        for name in ("quantity", "cost", "realised", "bought", "sold", "sold_value"):
            assert getattr(position, name) == getattr(again, name), (key, name)
        assert position.quantity == position.bought - position.sold
        paid = position.bought_value - position.sold_value
        assert position.cost - position.realised == paid, position


def _check_working(state: State, orders: Orders) -> None:
    buy: dict[tuple[str, str], Decimal] = {}
    sell: dict[tuple[str, str], Decimal] = {}
    for order in orders.values():
        if not order.is_child:
            side = buy if order.side.sign > 0 else sell
            key = (order.account, order.symbol)
            side[key] = side.get(key, ZERO) + order.exposure
    for key, working in state.working.items():
        assert working.buy == buy.get(key, ZERO), key
        assert working.sell == sell.get(key, ZERO), key
    assert {key for key, value in (*buy.items(), *sell.items()) if value} <= set(state.working)


def _written(order: Order) -> list[str]:
    """Its fields as written; two sets that are equal may be written in different orders."""
    values = [getattr(order, one.name) for one in fields(order)]
    return [repr(sorted(one) if isinstance(one, (set, frozenset)) else one) for one in values]


def check_packing(state: State) -> None:
    """Whatever an order has come to, packing it loses nothing, to the last digit as written."""
    for order in state.orders.here():
        if not order.is_child:
            family = [order, *(state.orders[one] for one in order.children)]
            told = packed(family[0], family[1:])
            assert told is not None, order
            again = unpacked(from_bytes(as_bytes(told)))
            assert again == family
            assert [_written(one) for one in again] == [_written(one) for one in family]
            for child in again[1:]:
                for key, trade in child.executions.items():
                    assert trade is again[0].executions[key], "one Execution object for both"


def check_same(live: State, again: State) -> None:
    """Replaying the journal gives the live state, all of it but the market."""
    for one in fields(State):
        if one.name not in ("market", "reference", *_IN_FULL):
            assert getattr(live, one.name) == getattr(again, one.name), one.name
    (ours, names), (theirs, other_names) = live.orders.in_full(), again.orders.in_full()
    for name, mine, other in zip(_IN_FULL, (ours, *names), (theirs, *other_names), strict=True):
        assert mine == other, name
