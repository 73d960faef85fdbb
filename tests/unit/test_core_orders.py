"""A client order's life through the brain: routing, fills, cancel, replace, duplicates, doubt."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import (
    Channel,
    NewOrderSingle,
    OrderCancelReject,
    Origin,
    SessionLoggedOn,
)
from oms.domain.events import (
    DuplicateExecutionDropped,
    DuplicateOrderRefused,
    OrderHeld,
    OrderRefused,
    OrderRouted,
    OrderStatusReported,
    OrphanReported,
    RequestRefused,
    TradeExecuted,
)
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from oms.domain.reasons import Reason
from tests.support.world import REFERENCE, World, connected, of_type, reports


def test_order_is_accepted_routed_filled_and_positions_move() -> None:
    world = connected()
    world.new("c1", "100", "100.50")
    assert reports(world) == [(ExecType.NEW, OrdStatus.NEW)]
    [sent] = [one for one in world.effects if isinstance(one, fx.SendNewOrderSingle)]
    assert (sent.session, sent.order_qty, sent.price) == ("XA", Decimal(100), Decimal("100.50"))
    child = world.child("c1")
    world.ack(child)
    assert reports(world) == []
    world.fill(child, "40", "100.25")
    assert reports(world) == [(ExecType.TRADE, OrdStatus.PARTIALLY_FILLED)]
    world.fill(child, "60", "100.50")
    assert reports(world) == [(ExecType.TRADE, OrdStatus.FILLED)]
    order = world.order("c1")
    assert (order.cum_qty, order.leaves_qty) == (Decimal(100), Decimal(0))
    assert order.avg_px == Decimal("100.4")
    position = world.state.positions["A1", "AAPL"]
    assert (position.quantity, position.cost) == (Decimal(100), Decimal(10040))
    assert world.state.open_orders == set()
    assert world.state.working["A1", "AAPL"].buy == 0


def test_router_splits_by_price_after_fees() -> None:
    world = connected()
    world.quote("XA", "99", "100", size="60")
    world.quote("XB", "99", "100.01", size="500")
    world.new("c1", "100", "101")
    legs = [(one.terms.counterparty, one.terms.order_qty) for one in of_type(world, OrderRouted)]
    assert legs == [("XA", Decimal(60)), ("XB", Decimal(40))]


def test_order_waits_for_a_venue_and_goes_when_it_is_resynchronised() -> None:
    world = World()
    world.new("c1")
    assert of_type(world, OrderHeld)
    world.send(SessionLoggedOn(origin=replace(world.origin("XB"), msg_seq_num=0)))
    assert not of_type(world, OrderRouted)
    world.resync_done("XB")
    [routed] = of_type(world, OrderRouted)
    assert routed.terms.counterparty == "XB"


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_what_may_not_wait_is_refused_without_new_where_no_venue_is_connected(
    tif: TimeInForce,
) -> None:
    world = World()
    world.new("c1", tif=tif)
    assert reports(world) == [(ExecType.REJECTED, OrdStatus.REJECTED)]
    [refused] = of_type(world, OrderRefused)
    assert refused.reason is Reason.NO_VENUE_CONNECTED


def test_a_plain_order_that_no_venue_takes_is_refused_without_new() -> None:
    day_only = {
        name: replace(one, times_in_force=frozenset({TimeInForce.DAY}))
        for name, one in REFERENCE.venues.items()
    }
    world = World(replace(REFERENCE, venues=day_only))
    world.connect("XA", "XB")
    world.new("c1", tif=TimeInForce.FOK)
    assert reports(world) == [(ExecType.REJECTED, OrdStatus.REJECTED)]
    [refused] = of_type(world, OrderRefused)
    assert refused.text == "TimeInForce (59) = 4 (FOK): not taken by any venue of AAPL (XA, XB)"


def test_a_refused_child_goes_to_the_next_venue_then_the_order_ends() -> None:
    world = connected()
    world.new("c1")
    first = world.child("c1")
    world.send(
        world.report(first.counterparty, first.cl_ord_id, ExecType.REJECTED, OrdStatus.REJECTED)
    )
    second = world.child("c1")
    assert (first.counterparty, second.counterparty) == ("XA", "XB")
    world.send(
        world.report(second.counterparty, second.cl_ord_id, ExecType.REJECTED, OrdStatus.REJECTED)
    )
    assert reports(world) == [(ExecType.REJECTED, OrdStatus.REJECTED)]


def test_duplicate_cl_ord_id_is_refused_and_the_order_lives() -> None:
    world = connected()
    world.new("c1")
    world.new("c1")
    assert of_type(world, DuplicateOrderRefused)
    assert reports(world) == [(ExecType.REJECTED, OrdStatus.NEW)]
    assert world.order("c1").is_open
    world.new("c1", poss_resend=True)
    assert of_type(world, OrderStatusReported)
    world.new("c1", "999", poss_resend=True)
    assert of_type(world, DuplicateOrderRefused)


def test_same_exec_id_is_booked_once() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "30", exec_id="same")
    world.fill(child, "30", exec_id="same")
    assert of_type(world, DuplicateExecutionDropped)
    assert world.order("c1").cum_qty == 30


def test_early_late_and_excess_fills_are_booked_and_flagged() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.fill(child, "30")
    assert of_type(world, TradeExecuted)[0].early
    world.cancel("c2", "c1")
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert world.order("c1").ord_status is OrdStatus.CANCELED
    world.fill(child, "90")
    [trade] = of_type(world, TradeExecuted)
    assert trade.late
    assert trade.excess
    assert world.order("c1").cum_qty == 120
    assert world.state.positions["A1", "AAPL"].quantity == 120


def test_cancel_reaches_the_venue_and_comes_back() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.cancel("c2", "c1")
    assert reports(world) == [(ExecType.PENDING_CANCEL, OrdStatus.PENDING_CANCEL)]
    [request] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.canceled(child, request.cl_ord_id)
    [report] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (report.cl_ord_id, report.orig_cl_ord_id) == ("c2", "c1")
    assert (report.exec_type, report.ord_status) == (ExecType.CANCELED, OrdStatus.CANCELED)


def test_cancel_that_the_venue_refuses_leaves_the_order_working() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.cancel("c2", "c1")
    world.send(
        OrderCancelReject(
            origin=world.origin(child.counterparty),
            order_id="v",
            cl_ord_id=child.requests[-1].cl_ord_id,
            orig_cl_ord_id=child.cl_ord_id,
            ord_status=OrdStatus.NEW,
            cxl_rej_reason=CxlRejReason.BROKER_OPTION,
            response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
            text="no",
        )
    )
    [reject] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReject)]
    assert (reject.cl_ord_id, reject.ord_status) == ("c2", OrdStatus.NEW)
    assert world.order("c1").requests == ()


def test_fill_while_cancel_is_pending_reports_pending_cancel_then_too_late() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.cancel("c2", "c1")
    world.fill(child, "100")
    assert reports(world) == [(ExecType.TRADE, OrdStatus.PENDING_CANCEL)]
    [reject] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReject)]
    assert (reject.cxl_rej_reason, reject.ord_status) == (
        CxlRejReason.TOO_LATE_TO_CANCEL,
        OrdStatus.FILLED,
    )


def test_replace_of_one_working_child_is_native() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.replace("c2", "c1", "150", "101")
    [request] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReplaceRequest)]
    world.send(
        world.report(
            child.counterparty,
            request.cl_ord_id,
            ExecType.REPLACED,
            OrdStatus.NEW,
            orig_cl_ord_id=child.cl_ord_id,
            order_qty=Decimal(150),
            price=Decimal(101),
        )
    )
    order = world.order("c1")
    assert (order.cl_ord_id, order.order_qty, order.price) == ("c2", Decimal(150), Decimal(101))
    assert (child.order_qty, child.price) == (Decimal(150), Decimal(101))


def test_replace_with_two_children_withdraws_them_and_routes_anew() -> None:
    world = connected()
    world.quote("XA", None, "100", size="60")
    world.quote("XB", None, "100", size="60")
    world.new("c1", "100", "100")
    children = [world.child("c1", 0), world.child("c1", 1)]
    for child in children:
        world.ack(child)
    world.replace("c2", "c1", "80", "100")
    for child in children:
        world.canceled(child, child.requests[-1].cl_ord_id)
    order = world.order("c1")
    assert (order.order_qty, order.cl_ord_id) == (Decimal(80), "c2")
    assert sum(one.terms.order_qty for one in of_type(world, OrderRouted)) == 80


def test_replace_below_cum_qty_is_refused() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "60")
    world.replace("c2", "c1", "50")
    [refused] = of_type(world, RequestRefused)
    assert refused.reason is Reason.BELOW_CUM_QTY
    assert "OrderQty (38) = 50: must not be below CumQty 60" in refused.text


def test_bust_takes_the_trade_back_everywhere() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "100", exec_id="t1")
    world.send(
        world.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.TRADE_CANCEL,
            OrdStatus.CANCELED,
            exec_ref_id="t1",
        )
    )
    assert reports(world) == [
        (ExecType.TRADE_CANCEL, OrdStatus.NEW),
        (ExecType.CANCELED, OrdStatus.CANCELED),
    ]
    assert world.order("c1").cum_qty == 0
    assert world.state.positions["A1", "AAPL"].quantity == 0
    assert not of_type(world, OrderRouted)


def test_report_for_an_unknown_order_is_kept_as_an_orphan() -> None:
    world = connected()
    world.send(
        world.report(
            "XA",
            "nobody",
            ExecType.TRADE,
            OrdStatus.FILLED,
            last_qty=Decimal(5),
            last_px=Decimal(1),
        )
    )
    [orphan] = of_type(world, OrphanReported)
    assert (orphan.cl_ord_id, orphan.last_qty) == ("nobody", Decimal(5))


def test_a_rest_order_cancelled_over_fix_is_answered_over_fix() -> None:
    world = connected()
    world.send(
        NewOrderSingle(
            origin=Origin(channel=Channel.REST, counterparty="ALPHA", user="key"),
            cl_ord_id="r1",
            account="A1",
            symbol="AAPL",
            side=Side.BUY,
            order_qty=Decimal(100),
            ord_type=OrdType.LIMIT,
            price=Decimal(100),
        )
    )
    assert reports(world) == []
    child = world.child("r1")
    world.ack(child)
    world.cancel("c2", "r1")
    assert reports(world) == [(ExecType.PENDING_CANCEL, OrdStatus.PENDING_CANCEL)]
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert reports(world) == [(ExecType.CANCELED, OrdStatus.CANCELED)]
