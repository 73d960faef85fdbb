"""Whatever a list holds and whatever happens to it, its orders fare as if each had come alone."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.baskets import ListDone, ListOrder, ListStatusRequest
from oms.domain.commands import SYSTEM, SetRiskLimit
from oms.domain.fix import OrdStatus, Side, TimeInForce
from oms.domain.order import Order
from oms.orders.baskets import single
from tests.support.baskets import ask, listed, send_list, statuses
from tests.support.world import World, connected

ORDERS = st.lists(
    st.builds(
        dict,
        qty=st.sampled_from(["1", "60", "100", "0", "2.5"]),
        price=st.sampled_from(["99", "100", "101", "100.005", None]),
        side=st.sampled_from(Side),
        symbol=st.sampled_from(["AAPL", "AAPL", "AAPL", "AAPL", "HALT", "NONE"]),
        account=st.sampled_from(["A1", "A1", "A2", "B1"]),
        tif=st.sampled_from([TimeInForce.DAY, TimeInForce.DAY, TimeInForce.IOC]),
        taken=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["ack", "fill", "fill", "end", "cancel", "granted"]),
        st.integers(0, 7),
        st.sampled_from(["1", "30", "100"]),
    ),
    max_size=40,
)


def world_of(limit: int) -> World:
    """Two venues with quotes, an order that has taken a ClOrdID, and a limit for each account."""
    world = connected()
    world.quote("XA", "99", "100", "60")
    world.quote("XB", "99", "100.01", "500")
    world.new("used", "1", "50")
    for account in ("A1", "A2"):
        world.send(
            SetRiskLimit(
                origin=SYSTEM,
                rule="MAX_POSITION",
                level="ACCOUNT",
                subject=account,
                value=Decimal(limit),
            )
        )
    return world


def made(asked: list[dict[str, Any]]) -> list[ListOrder]:
    orders = []
    for number, one in enumerate(asked, start=1):
        values = dict(one)
        # One of them has a ClOrdID that is in use.
        taken = values.pop("taken") and number == 1
        orders.append(listed(number, cl_ord_id="used" if taken else "", **values))
    return orders


def happens(world: World, names: list[str], deed: str, n: int, qty: str) -> None:
    """One thing that a venue or the client does to one of the orders, where it can."""
    name = names[n % len(names)]
    order = world.state.order_of("ALPHA", name)
    children = [] if order is None else [world.state.orders[one] for one in order.children]
    open_children = [one for one in children if one.is_open]
    if order is None or not open_children:
        return
    child = open_children[0]
    if deed == "ack" and not child.accepted:
        world.ack(child)
    elif deed == "fill":
        world.fill(child, str(min(Decimal(qty), child.leaves_qty)), "100")
    elif deed == "end":
        world.canceled(child)
    elif deed == "cancel" and order.is_open:
        world.cancel(f"x-{name}-{world.state.seq}", name)
    elif deed == "granted" and child.requests:
        world.canceled(child, child.requests[-1].cl_ord_id)


def fared(world: World, order: Order | None) -> tuple[object, ...]:
    """All of an order but its ids, stamps and list."""
    if order is None:
        return ()
    children = [world.state.orders[one] for one in order.children]
    return (
        order.first_terms.content,
        order.ord_status,
        order.cum_qty,
        order.leaves_qty,
        order.avg_px,
        order.closed_reason,
        len(order.requests),
        [(one.counterparty, one.order_qty, one.cum_qty, one.ord_status) for one in children],
    )


@settings(max_examples=200, deadline=None)
@given(asked=ORDERS, deeds=DEEDS, limit=st.sampled_from([50, 200, 10_000]))
def test_orders_of_a_list_fare_as_if_each_had_come_alone(
    asked: list[dict[str, Any]], deeds: list[tuple[str, int, str]], limit: int
) -> None:
    orders = made(asked)
    names = [one.cl_ord_id for one in orders]
    basket, singles = world_of(limit), world_of(limit)
    send_list(basket, orders)
    for one in orders:
        singles.send(single(one, singles.origin("ALPHA")))
    for deed in deeds:
        happens(basket, names, *deed)
        happens(singles, names, *deed)
    for name in names:
        ours, theirs = basket.order(name), singles.order(name)
        assert fared(basket, ours) == fared(singles, theirs)
    assert basket.state.working == singles.state.working
    assert {key: one.quantity for key, one in basket.state.positions.items()} == {
        key: one.quantity for key, one in singles.state.positions.items()
    }
    mine = [one for one in names if one != "used"]
    open_now = any(basket.order(one).is_live for one in mine)
    told = [entry for _, _, entry in basket.journal if isinstance(entry, ListDone)]
    assert len(told) == (0 if open_now else 1)
    replayed = basket.replayed()
    replayed.market = basket.state.market
    assert replayed == basket.state


@settings(max_examples=60, deadline=None)
@given(asked=ORDERS, deeds=DEEDS)
def test_what_a_status_says_adds_up(
    asked: list[dict[str, Any]], deeds: list[tuple[str, int, str]]
) -> None:
    orders = made(asked)
    names = [one.cl_ord_id for one in orders]
    world = world_of(10_000)
    send_list(world, orders)
    for deed in deeds:
        happens(world, names, *deed)
    ask(world, ListStatusRequest)
    [status] = statuses(world)
    assert [one.cl_ord_id for one in status.orders] == names
    for asked_for, one in zip(orders, status.orders, strict=True):
        total = one.cum_qty + one.leaves_qty + one.cxl_qty
        rejected = one.ord_status is OrdStatus.REJECTED
        assert bool(one.ord_rej_reason) == rejected
        assert total == (0 if rejected else asked_for.order_qty)
    over = all(one.leaves_qty == 0 for one in status.orders)
    assert (status.order_status == "6") == over
