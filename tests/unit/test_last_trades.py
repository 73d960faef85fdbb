"""What a price is measured against: the last trade that still counts, not one that was busted."""

from decimal import Decimal

import pytest

from oms.domain.commands import SYSTEM, SetRiskLimit
from oms.domain.events import OrderAccepted
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.last_trades import LastTrades
from oms.domain.order import Order
from tests.support.world import World, of_type


@pytest.fixture
def world() -> World:
    """A collar, and one order with trades at 100 and, by mistake, at 500."""
    world = World()
    world.connect("XA")
    limit = {"rule": "PRICE_COLLAR", "level": "FIRM", "subject": "*", "value": Decimal(10_000)}
    world.send(SetRiskLimit(origin=SYSTEM, **limit))  # type: ignore[arg-type]
    world.new("c1", price="101", qty="100")
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "10", "101", exec_id="good")
    world.fill(child, "10", "500", exec_id="wrong")
    return world


def measured(world: World, price: str) -> Decimal:
    """How far from the reference price an order at `price` is, in basis points."""
    world.new(f"at {world.at}", price=price, qty="1")
    return of_type(world, OrderAccepted)[-1].figures[0].measured


def amended(world: World, child: Order, exec_type: ExecType, **more: object) -> None:
    world.send(
        world.report(
            "XA", child.cl_ord_id, exec_type, OrdStatus.PARTIALLY_FILLED, side=child.side, **more
        )
    )


def test_a_busted_trade_is_no_price(world: World) -> None:
    assert measured(world, "500") == 0
    child = world.child("c1")
    amended(world, child, ExecType.TRADE_CANCEL, exec_ref_id="wrong")
    assert measured(world, "101") == 0
    amended(world, child, ExecType.TRADE_CANCEL, exec_ref_id="good")
    assert measured(world, "100") == 0, "the configured reference price is what is left"
    assert world.replayed() == world.state


def test_a_corrected_trade_is_the_price_that_it_was_corrected_to(world: World) -> None:
    more = {"exec_ref_id": "wrong", "last_qty": Decimal(10), "last_px": Decimal(102)}
    amended(world, world.child("c1"), ExecType.TRADE_CORRECT, **more)
    assert measured(world, "102") == 0
    more |= {"exec_ref_id": "good", "last_px": Decimal(90)}
    amended(world, world.child("c1"), ExecType.TRADE_CORRECT, **more)
    assert measured(world, "102") == 0, "the other trade was the last one"


def test_after_a_split_the_price_in_new_shares_counts_until_the_next_trade() -> None:
    trades = LastTrades()
    trades.add("AAPL", ("A1", 0), Decimal(90))
    trades.restate("AAPL", Decimal(30))
    assert trades.px("AAPL") == 30
    trades.add("AAPL", ("A1", 1), Decimal(31))
    assert trades.px("AAPL") == 31


def test_other_trades_are_not_the_same() -> None:
    some, others = LastTrades(), LastTrades()
    assert some == others
    some.add("AAPL", ("A1", 0), Decimal(90))
    assert some != others


def test_more_busts_than_are_remembered_leave_the_configured_price(world: World) -> None:
    child = world.child("c1")
    names = [f"more {n}" for n in range(12)]
    for name in names:
        world.fill(child, "1", "300", exec_id=name)
    for name in reversed(names):
        amended(world, child, ExecType.TRADE_CANCEL, exec_ref_id=name)
    assert measured(world, "100") == 0
