"""A venue's New that is not the order that we sent: flagged, and asked about where it matters."""

from decimal import Decimal

import pytest

from oms.domain.events import DiscrepancyFound, OrderStatusQueried
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.order import Order
from tests.support.checked_world import CheckedWorld, connected


@pytest.fixture
def world() -> CheckedWorld:
    """An order of 100 at 101 whose first child is for 60."""
    world = connected()
    world.quote("XA", "99", "100", "60")
    world.quote("XB", "99", "100.01", "500")
    world.new("c1", "100", "101")
    return world


def news(world: CheckedWorld, child: Order, **said: object) -> list[tuple[str, str, str]]:
    """What is flagged of the venue's New."""
    world.send(
        world.report(child.counterparty, child.cl_ord_id, ExecType.NEW, OrdStatus.NEW, **said)
    )
    return [(one.field, one.ours, one.theirs) for one in world.of(DiscrepancyFound)]


@pytest.mark.parametrize(
    ("said", "flagged"),
    [
        ({}, []),
        ({"order_qty": Decimal("60.0"), "price": Decimal("101.00")}, []),
        ({"price": Decimal(105)}, [("Price (44)", "101", "105")]),
        ({"symbol": "MSFT"}, [("Symbol (55)", "AAPL", "MSFT")]),
        ({"side": Side.SELL}, [("Side (54)", "BUY", "SELL")]),
        ({"side": None}, [("Side (54)", "BUY", "another")]),
    ],
)
def test_each_field_that_differs_is_flagged(
    world: CheckedWorld, said: dict[str, object], flagged: list[tuple[str, str, str]]
) -> None:
    child = world.child("c1", 0)
    assert news(world, child, **said) == flagged
    assert child.accepted
    assert not child.in_doubt


def test_short_and_long_sales_are_one_side_to_a_venue() -> None:
    world = connected()
    world.new("c1", side=Side.SELL_SHORT)
    assert news(world, world.child("c1"), side=Side.SELL) == []


def test_another_quantity_is_asked_about_and_what_the_venue_confirms_counts(
    world: CheckedWorld,
) -> None:
    child = world.child("c1", 0)
    assert news(world, child, order_qty=Decimal(50)) == [("OrderQty (38)", "60", "50")]
    assert child.in_doubt
    world.tick(6_000_000)
    assert world.of(OrderStatusQueried)
    world.send(
        world.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.ORDER_STATUS,
            OrdStatus.NEW,
            order_qty=Decimal(50),
            leaves_qty=Decimal(50),
        )
    )
    assert not child.in_doubt
    assert child.order_qty == 50
    assert world.order("c1").order_qty == 90, "as with any quantity that a venue restates"


def test_a_trade_that_comes_first_is_compared_by_itself(world: CheckedWorld) -> None:
    child = world.child("c1", 0)
    world.fill(child, "10", "100", order_qty=Decimal(50))
    assert [one.field for one in world.of(DiscrepancyFound)] == []
