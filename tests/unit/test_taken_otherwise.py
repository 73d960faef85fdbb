"""A venue's first word is not of the order that we sent: flagged, and asked about if it matters."""

from decimal import Decimal

import pytest

from oms.domain.events import DiscrepancyFound, OrderInDoubt, OrderStatusQueried
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


def flagged(world: CheckedWorld) -> list[tuple[str, str, str]]:
    return [(one.field, one.ours, one.theirs) for one in world.of(DiscrepancyFound)]


def trade(world: CheckedWorld, child: Order, qty: str = "10", **said: object) -> None:
    """A fill at 100 in the venue's own words."""
    kind, status = ExecType.TRADE, OrdStatus.PARTIALLY_FILLED
    told = {"last_qty": Decimal(qty), "last_px": Decimal(100)} | said
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **told))


def confirm(world: CheckedWorld, child: Order, quantity: str) -> None:
    """The venue's answer to our question: that is its OrderQty."""
    leaves = Decimal(quantity) - child.cum_qty
    told = {"order_qty": Decimal(quantity), "leaves_qty": leaves}
    world.status(child, OrdStatus.PARTIALLY_FILLED, **told)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, []),
        ({"order_qty": Decimal("60.0"), "price": Decimal("101.00")}, []),
        ({"price": Decimal(105)}, [("Price (44)", "101", "105")]),
        ({"symbol": "MSFT"}, [("Symbol (55)", "AAPL", "MSFT")]),
        ({"side": Side.SELL}, [("Side (54)", "BUY", "SELL")]),
    ],
)
def test_a_trade_that_comes_before_any_new_is_compared_as_a_new_is(
    world: CheckedWorld, said: dict[str, object], told: list[tuple[str, str, str]]
) -> None:
    child = world.child("c1", 0)
    trade(world, child, **said)
    assert flagged(world) == told, "each once"
    assert child.cum_qty == 10, "it is booked all the same"
    assert child.accepted
    assert not child.in_doubt


def test_another_quantity_in_a_first_trade_is_asked_about_and_counts_when_confirmed(
    world: CheckedWorld,
) -> None:
    child = world.child("c1", 0)
    trade(world, child, order_qty=Decimal(50))
    assert flagged(world) == [("OrderQty (38)", "60", "50")]
    assert child.in_doubt
    world.tick(6_000_000)
    assert world.of(OrderStatusQueried)
    confirm(world, child, "50")
    assert not child.in_doubt
    assert child.order_qty == 50
    assert world.order("c1").order_qty == 90


def test_a_first_trade_that_fills_all_that_we_sent_leaves_nothing_to_ask(
    world: CheckedWorld,
) -> None:
    child = world.child("c1", 0)
    trade(world, child, "60", order_qty=Decimal(80))
    assert flagged(world) == [("OrderQty (38)", "60", "80")]
    assert child.is_filled
    assert not world.of(OrderInDoubt)


def test_only_the_first_word_is_compared(world: CheckedWorld) -> None:
    child = world.child("c1", 0)
    trade(world, child)
    trade(world, child, order_qty=Decimal(50), price=Decimal(105))
    assert flagged(world) == []
    assert not child.in_doubt
    assert news(world, child, order_qty=Decimal(50)) == [], "a New after it says nothing new"


@pytest.mark.parametrize(
    ("kind", "status", "leaves", "asked"),
    [
        (ExecType.STOPPED, OrdStatus.STOPPED, "50", True),
        (ExecType.SUSPENDED, OrdStatus.SUSPENDED, "50", True),
        (ExecType.TRIGGERED, OrdStatus.NEW, "50", True),
        (ExecType.DONE_FOR_DAY, OrdStatus.DONE_FOR_DAY, "50", True),
        (ExecType.DONE_FOR_DAY, OrdStatus.DONE_FOR_DAY, "0", False),
        (ExecType.CALCULATED, OrdStatus.CALCULATED, "0", False),
        (ExecType.CANCELED, OrdStatus.CANCELED, "0", False),
        (ExecType.EXPIRED, OrdStatus.EXPIRED, "0", False),
    ],
)
def test_a_first_word_of_any_kind_is_compared(
    world: CheckedWorld, kind: ExecType, status: OrdStatus, leaves: str, *, asked: bool
) -> None:
    child = world.child("c1", 0)
    said = {"order_qty": Decimal(50), "side": Side.SELL, "leaves_qty": Decimal(leaves)}
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **said))
    assert flagged(world) == [("Side (54)", "BUY", "SELL"), ("OrderQty (38)", "60", "50")]
    assert child.in_doubt is asked
    assert bool(world.of(OrderInDoubt)) is asked, "what is over is not asked about"


def test_an_end_told_twice_is_flagged_once(world: CheckedWorld) -> None:
    child = world.child("c1", 0)
    for times in (1, 0):
        kind, status = ExecType.CANCELED, OrdStatus.CANCELED
        said = {"order_qty": Decimal(50)}
        world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **said))
        assert len(flagged(world)) == times


def test_a_first_restatement_has_its_quantity_for_news(world: CheckedWorld) -> None:
    child = world.child("c1", 0)
    kind, status = ExecType.RESTATED, OrdStatus.NEW
    said = {"order_qty": Decimal(50), "symbol": "MSFT"}
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **said))
    assert flagged(world) == [("Symbol (55)", "AAPL", "MSFT")]
    assert child.order_qty == 50
    assert not child.in_doubt


@pytest.mark.parametrize("kind", [ExecType.PENDING_NEW, ExecType.REJECTED])
def test_what_tells_of_no_order_there_is_not_compared(world: CheckedWorld, kind: ExecType) -> None:
    child = world.child("c1", 0)
    status = OrdStatus(kind.value)
    said = {"order_qty": Decimal(50), "symbol": "?"}
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **said))
    assert flagged(world) == []


def test_a_status_that_comes_first_is_compared_and_its_quantity_counts(
    world: CheckedWorld,
) -> None:
    child = world.child("c1", 0)
    world.tick(6_000_000)
    assert child.in_doubt
    told = {"order_qty": Decimal(50), "leaves_qty": Decimal(50), "price": Decimal(105)}
    world.status(child, OrdStatus.NEW, symbol="", **told)
    assert flagged(world) == [("OrderQty (38)", "60", "50"), ("Price (44)", "101", "105")]
    assert not child.in_doubt
    assert child.order_qty == 50


def test_a_status_that_nobody_asked_for_and_comes_first_is_asked_about(
    world: CheckedWorld,
) -> None:
    child = world.child("c1", 0)
    world.status(child, OrdStatus.NEW, order_qty=Decimal(50), leaves_qty=Decimal(50))
    assert flagged(world) == [("OrderQty (38)", "60", "50")]
    assert child.in_doubt
    confirm(world, child, "50")
    assert child.order_qty == 50


def test_a_status_that_nobody_asked_for_and_says_what_we_sent_leaves_no_question(
    world: CheckedWorld,
) -> None:
    child = world.child("c1", 0)
    world.status(child, OrdStatus.NEW, order_qty=Decimal(60))
    assert child.accepted
    assert not world.of(OrderInDoubt)


@pytest.mark.parametrize("again", [False, True])
def test_fills_that_are_not_told_are_flagged_once_where_the_last_one_bundles_the_end(
    world: CheckedWorld, *, again: bool
) -> None:
    child = world.child("c1", 0)
    world.ack(child)
    if again:
        world.fill(child, "10", exec_id="T", cum_qty=Decimal(10))
    world.send(
        world.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.TRADE,
            OrdStatus.CANCELED,
            exec_id="T",
            last_qty=Decimal(10),
            last_px=Decimal(100),
            cum_qty=Decimal(40),
        )
    )
    found = [(one.field, one.ours, one.theirs) for one in world.of(DiscrepancyFound)]
    assert found == [("CumQty (14)", "10", "40")]
    assert [one.order_id for one in world.of(OrderInDoubt)] == [child.order_id]
