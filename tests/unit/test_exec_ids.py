"""ExecIDs that a venue gives again: on a later date to another order, and where it may not."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ems.exec_ids import booked_as
from oms.domain.commands import SYSTEM, CloseTradingDay, OpenTradingDate
from oms.domain.events import (
    DiscrepancyFound,
    DuplicateExecutionDropped,
    OrderInDoubt,
    OrphanReported,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.instrument import DropCopy
from oms.domain.order import Order, add_execution
from oms.domain.reasons import Reason
from tests.support.invariants import check_same
from tests.support.world import DATE, REFERENCE, World, of_type

COPY = "XA-DC"
NEXT = "2026-09-22"


@pytest.fixture
def world() -> World:
    """An order of yesterday whose trade was E1; the date is the next one's."""
    made = World(replace(REFERENCE, drop_copies={COPY: DropCopy(session=COPY, venue="XA")}))
    made.connect("XA", "XB")
    made.new("y1")
    filled(made, "y1", "E1")
    made.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    made.send(OpenTradingDate(origin=SYSTEM, trade_date=NEXT))
    return made


def filled(world: World, name: str, exec_id: str, qty: str = "100") -> list[TradeExecuted]:
    """Of the order of that ClOrdID, told by its venue."""
    child = world.child(name)
    world.fill(child, qty, exec_id=exec_id, cum_qty=child.cum_qty + Decimal(qty))
    return of_type(world, TradeExecuted)


def amended(world: World, child: Order, kind: ExecType, named: str, exec_id: str) -> None:
    report = world.report(
        child.counterparty,
        child.cl_ord_id,
        kind,
        OrdStatus.FILLED,
        exec_ref_id=named,
        exec_id=exec_id,
        last_qty=Decimal(90),
        last_px=Decimal(100),
    )
    world.send(report)


def test_another_orders_trade_of_a_later_date_is_booked(world: World) -> None:
    world.new("t1")
    [trade] = filled(world, "t1", "E1")
    assert trade.exec_id == "E1"
    assert not of_type(world, DiscrepancyFound)
    assert (world.order("t1").cum_qty, world.order("y1").cum_qty) == (100, 100)
    assert world.state.position("A1", "AAPL").quantity == 200
    check_same(world.state, world.replayed())


@pytest.mark.parametrize("name", ["y1", "t1"])
def test_each_is_told_again_as_often_as_it_likes(world: World, name: str) -> None:
    world.new("t1")
    filled(world, "t1", "E1")
    assert filled(world, name, "E1") == []
    [dropped] = of_type(world, DuplicateExecutionDropped)
    assert dropped.order_id == world.child(name).order_id
    assert not of_type(world, DiscrepancyFound)
    assert world.state.position("A1", "AAPL").quantity == 200


@pytest.mark.parametrize("name", ["y1", "t1"])
def test_each_is_busted_and_corrected_by_itself(world: World, name: str) -> None:
    world.new("t1")
    filled(world, "t1", "E1")
    child = world.child(name)
    amended(world, child, ExecType.TRADE_CORRECT, "E1", f"{name}-C")
    assert [one.order_id for one in of_type(world, TradeCorrected)] == [child.order_id]
    amended(world, child, ExecType.TRADE_CANCEL, f"{name}-C", f"{name}-B")
    assert [one.order_id for one in of_type(world, TradeBusted)] == [child.order_id]
    left = {"y1": 100, "t1": 100} | {name: 0}
    assert {one: world.order(one).cum_qty for one in left} == left


def test_names_of_changes_are_given_again_too(world: World) -> None:
    amended(world, world.child("y1"), ExecType.TRADE_CORRECT, "E1", "E2")
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-23"))
    world.new("t1")
    filled(world, "t1", "E1")
    amended(world, world.child("t1"), ExecType.TRADE_CORRECT, "E1", "E2")
    assert [one.last_qty for one in of_type(world, TradeCorrected)] == [90]


def test_what_was_put_away_is_no_obstacle(world: World) -> None:
    world.tick(20_000_000)
    world.state.put_away(world.at, 100)
    world.new("t1")
    assert len(filled(world, "t1", "E1")) == 1
    world.state.put_away(world.at + 20_000_000, 100)
    for name in ("t1", "y1"):
        assert filled(world, name, "E1") == []
    assert world.state.position("A1", "AAPL").quantity == 200


def test_on_one_date_one_of_two_orders_is_in_doubt(world: World) -> None:
    world.new("t1")
    filled(world, "t1", "E2")
    world.new("t2")
    assert filled(world, "t2", "E2") == []
    [found] = of_type(world, DiscrepancyFound)
    assert found.field == "ExecID (17)"
    [doubt] = of_type(world, OrderInDoubt)
    assert (doubt.order_id, doubt.reason) == (
        world.child("t2").order_id,
        Reason.VENUE_DISAGREES,
    )
    assert world.order("t2").cum_qty == 0


def test_a_wrong_name_on_one_date_is_no_doubt_where_all_that_is_counted_is_booked(
    world: World,
) -> None:
    world.new("t1")
    filled(world, "t1", "E2")
    world.new("t2")
    filled(world, "t2", "E3", "40")
    child = world.child("t2")
    world.fill(child, "60", exec_id="E2", cum_qty=child.cum_qty)
    assert [one.field for one in of_type(world, DiscrepancyFound)] == ["ExecID (17)"]
    assert not child.in_doubt


def test_a_drop_copy_may_count_anew_as_well(world: World) -> None:
    world.new("t1")
    world.new("t2")
    for name, booked in (("t1", 1), ("t1", 0)):
        child = world.child(name)
        fields = {"exec_id": "D1", "last_qty": Decimal(10), "last_px": Decimal(100)}
        partly = OrdStatus.PARTIALLY_FILLED
        world.send(world.report(COPY, child.cl_ord_id, ExecType.TRADE, partly, **fields))
        assert len(of_type(world, TradeExecuted)) == booked
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-23"))
    world.new("u1")
    world.send(world.report(COPY, world.child("u1").cl_ord_id, ExecType.TRADE, partly, **fields))
    assert [one.order_id for one in of_type(world, TradeExecuted)] == [world.child("u1").order_id]


@pytest.mark.parametrize(("of_today", "held"), [(True, 1), (False, 0)])
def test_a_strangers_trade_of_today_is_held_under_a_name_of_yesterday(
    world: World, *, of_today: bool, held: int
) -> None:
    fields = {"exec_id": "E1", "last_qty": Decimal(10), "last_px": Decimal(100)}
    at = world.state.trade_date_at
    fields["transact_time"] = at if of_today else at - 1  # type: ignore[assignment]
    world.send(world.report("XA", "nobody", ExecType.TRADE, OrdStatus.FILLED, **fields))
    assert len(of_type(world, OrphanReported)) == held
    assert len(of_type(world, DuplicateExecutionDropped)) == 1 - held


def test_a_strangers_trade_under_a_name_of_today_is_dropped(world: World) -> None:
    world.new("t1")
    filled(world, "t1", "E2")
    fields = {"exec_id": "E2", "last_qty": Decimal(10), "last_px": Decimal(100)}
    fields["transact_time"] = world.at  # type: ignore[assignment]
    world.send(world.report("XA", "nobody", ExecType.TRADE, OrdStatus.FILLED, **fields))
    [dropped] = of_type(world, DuplicateExecutionDropped)
    assert dropped.order_id == world.child("t1").order_id
    assert not world.state.orphans


def test_two_orders_at_one_venue_for_one_client_order_may_have_one_name(world: World) -> None:
    """Of different dates, as where its rest is sent there again."""
    world.new("t1")
    filled(world, "t1", "E2", "40")
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-23"))
    parent, child = world.order("t1"), world.child("t1")
    again = replace(child, order_id=f"{parent.order_id}-2", executions={})
    again.cum_qty = again.traded_value = Decimal(0)
    assert booked_as(world.state, again, "XA", "E2") is None
    trade = replace(child.executions[child.order_id, "E2"], child_id=again.order_id)
    for order in (again, parent):
        add_execution(order, trade)
    assert [one.child_id for one in parent.executions.values()] == [
        child.order_id,
        again.order_id,
    ]
