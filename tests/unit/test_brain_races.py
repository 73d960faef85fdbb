"""What crosses on the wire, and what a desk fears: each race with its one right end."""

from decimal import Decimal

import pytest

from oms.domain.commands import EngageKillSwitch, OrderCancelReject
from oms.domain.events import (
    CancelPending,
    DiscrepancyFound,
    OrderRejected,
    OrderRouted,
    TradeExecuted,
)
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdStatus,
    TimeInForce,
)
from tests.support.checked_world import OPERATOR, CheckedWorld, connected


@pytest.fixture
def world() -> CheckedWorld:
    return connected()


def test_a_cancel_that_crosses_the_last_fill_is_too_late(world: CheckedWorld) -> None:
    child = world.working()
    world.cancel("c2", "c1")
    world.fill(child, "100")
    assert world.told() == [
        ("c1", "TRADE", "PENDING_CANCEL"),
        ("c2", "CANCEL_REJECT", "FILLED"),
    ]
    world.refused(child, CxlRejReason.TOO_LATE_TO_CANCEL)
    assert world.told() == []


def test_fills_that_cross_a_cancel_which_the_server_began_are_told_as_what_they_are(
    world: CheckedWorld,
) -> None:
    """Pending Cancel confirms a client's own request: no refusal would ever end this one."""
    child = world.working()
    world.send(EngageKillSwitch(origin=OPERATOR, level="FIRM", subject="*", reason="test"))
    assert world.order("c1").ord_status is OrdStatus.PENDING_CANCEL
    world.fill(child, "40")
    assert world.told() == [("c1", "TRADE", "PARTIALLY_FILLED")]
    world.fill(child, "60")
    assert world.told() == [("c1", "TRADE", "FILLED")]
    world.refused(child, CxlRejReason.TOO_LATE_TO_CANCEL)
    assert world.told() == []


def test_a_venue_that_refuses_a_cancel_for_it_ended_the_order_is_waited_for(
    world: CheckedWorld,
) -> None:
    """The rest is not wanted elsewhere, and the cancel of the client is not refused."""
    child = world.working()
    world.cancel("c2", "c1")
    world.send(
        OrderCancelReject(
            origin=world.origin("XA"),
            order_id="V",
            cl_ord_id=child.requests[0].cl_ord_id,
            orig_cl_ord_id=child.cl_ord_id,
            ord_status=OrdStatus.CANCELED,
            cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL,
            response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        )
    )
    assert world.told() == []
    assert child.in_doubt
    world.send(world.report("XA", child.cl_ord_id, ExecType.CANCELED, OrdStatus.CANCELED))
    assert world.told() == [("c2", "CANCELED", "CANCELED")]
    assert not world.of(OrderRouted)


def test_a_larger_replace_that_crosses_the_last_fill_waits_for_the_venue(
    world: CheckedWorld,
) -> None:
    child = world.working()
    world.replace("c2", "c1", "150")
    world.fill(child, "100")
    assert world.told() == [("c1", "TRADE", "PENDING_REPLACE")]
    assert not world.of(OrderRouted)
    world.replaced(child, "150")
    assert world.told() == [("c2", "REPLACED", "PARTIALLY_FILLED")]
    assert child.leaves_qty == 50
    assert not world.of(OrderRouted)


def test_when_the_venue_refuses_that_replace_what_it_adds_is_routed_anew(
    world: CheckedWorld,
) -> None:
    child = world.working()
    world.replace("c2", "c1", "150")
    world.fill(child, "100")
    world.refused(child, CxlRejReason.TOO_LATE_TO_CANCEL)
    assert world.told() == [("c2", "REPLACED", "PARTIALLY_FILLED")]
    [routed] = world.of(OrderRouted)
    assert routed.terms.order_qty == 50


def test_a_replace_given_up_that_took_effect_after_all_is_adopted(world: CheckedWorld) -> None:
    child = world.working()
    world.replace("c2", "c1", "150")
    request = child.requests[0].cl_ord_id
    world.refused(child)
    world.send(
        world.report("XA", request, ExecType.REPLACED, OrdStatus.NEW, order_qty=Decimal(150))
    )
    assert world.of(DiscrepancyFound)
    assert child.order_qty == 150
    assert world.order("c1").order_qty == 100
    assert world.of(CancelPending), "50 more than is open: withdrawn"


def test_a_partial_fill_then_the_venues_cancel_goes_on_elsewhere(world: CheckedWorld) -> None:
    child = world.working()
    world.fill(child, "30")
    world.canceled(child)
    [routed] = world.of(OrderRouted)
    assert (routed.terms.counterparty, routed.terms.order_qty) == ("XB", Decimal(70))
    second = world.child("c1")
    world.canceled(second)
    assert world.told() == [("c1", "CANCELED", "CANCELED")]
    assert world.order("c1").leaves_qty == 0


def test_an_ioc_remainder_tries_the_next_venue_once(world: CheckedWorld) -> None:
    world.new("c1", "100", tif=TimeInForce.IOC)
    first = world.child("c1")
    report = world.report(
        first.counterparty,
        first.cl_ord_id,
        ExecType.TRADE,
        OrdStatus.CANCELED,
        last_qty=Decimal(40),
        last_px=Decimal(100),
        cum_qty=Decimal(40),
    )
    world.send(report)
    [routed] = world.of(OrderRouted)
    assert (routed.terms.counterparty, routed.terms.order_qty) == ("XB", Decimal(60))
    world.canceled(world.child("c1"))
    assert world.told() == [("c1", "CANCELED", "CANCELED")]
    assert world.order("c1").cum_qty == 40


def test_a_bust_while_a_cancel_is_pending(world: CheckedWorld) -> None:
    child = world.working()
    world.fill(child, "60", exec_id="t1")
    world.cancel("c2", "c1")
    bust = world.report(
        "XA",
        child.cl_ord_id,
        ExecType.TRADE_CANCEL,
        OrdStatus.NEW,
        exec_ref_id="t1",
        leaves_qty=Decimal(100),
    )
    world.send(bust)
    assert world.told() == [("c1", "TRADE_CANCEL", "PENDING_CANCEL")]
    world.canceled(child, child.requests[0].cl_ord_id)
    assert world.told() == [("c2", "CANCELED", "CANCELED")]
    assert world.order("c1").cum_qty == 0


def test_a_bust_of_an_order_still_at_work_goes_back_to_work(world: CheckedWorld) -> None:
    first, second = world.split()
    world.fill(first, "60", exec_id="t1")
    bust = world.report(
        "XA", first.cl_ord_id, ExecType.TRADE_CANCEL, OrdStatus.CANCELED, exec_ref_id="t1"
    )
    world.send(bust)
    [routed] = world.of(OrderRouted)
    assert routed.terms.order_qty == 60
    assert second.is_open


def test_a_bust_that_reopens_a_child_of_a_cancelled_order_withdraws_it(
    world: CheckedWorld,
) -> None:
    first, second = world.split()
    world.fill(first, "60", exec_id="t1")
    world.cancel("c2", "c1")
    world.canceled(second, second.requests[0].cl_ord_id)
    assert world.order("c1").closed is OrdStatus.CANCELED
    bust = world.report(
        "XA",
        first.cl_ord_id,
        ExecType.TRADE_CANCEL,
        OrdStatus.NEW,
        exec_ref_id="t1",
        leaves_qty=Decimal(60),
    )
    world.send(bust)
    assert [one.order_id for one in world.of(CancelPending)] == [first.order_id]


def test_an_excess_fill_withdraws_what_is_now_too_much(world: CheckedWorld) -> None:
    first, second = world.split()
    world.fill(first, "70")
    assert world.of(TradeExecuted)[0].excess
    assert [one.order_id for one in world.of(CancelPending)] == [second.order_id]
    world.canceled(second, second.requests[0].cl_ord_id)
    [routed] = world.of(OrderRouted)
    assert routed.terms.order_qty == 30


def test_a_late_fill_withdraws_what_went_elsewhere_in_its_place(world: CheckedWorld) -> None:
    first = world.working()
    world.canceled(first)
    second = world.child("c1")
    world.ack(second)
    world.fill(first, "30")
    assert world.of(TradeExecuted)[0].late
    assert [one.order_id for one in world.of(CancelPending)] == [second.order_id]
    world.canceled(second, second.requests[0].cl_ord_id)
    [routed] = world.of(OrderRouted)
    assert routed.terms.order_qty == 70


def test_a_cancel_that_overtakes_a_replace_answers_both(world: CheckedWorld) -> None:
    child = world.working()
    world.replace("c2", "c1", "150")
    world.cancel("c3", "c2")
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert [(one[0], one[1]) for one in world.told()] == [
        ("c2", "CANCEL_REJECT"),
        ("c3", "CANCELED"),
    ]


def test_a_refused_cancel_does_not_answer_the_replace_before_it(world: CheckedWorld) -> None:
    child = world.working()
    world.replace("c2", "c1", "150")
    world.cancel("c3", "c2")
    cancel = child.requests[1].cl_ord_id
    world.send(
        OrderCancelReject(
            origin=world.origin("XA"),
            order_id="V",
            cl_ord_id=cancel,
            orig_cl_ord_id=child.cl_ord_id,
            ord_status=OrdStatus.PENDING_REPLACE,
            cxl_rej_reason=CxlRejReason.ALREADY_PENDING,
            response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        )
    )
    assert world.told() == [("c3", "CANCEL_REJECT", "PENDING_REPLACE")]
    world.replaced(child, "150")
    assert world.told() == [("c2", "REPLACED", "NEW")]


def test_two_venues_that_refuse_in_turn_end_the_order(world: CheckedWorld) -> None:
    world.new("c1")
    for _ in range(2):
        child = world.child("c1")
        refused = world.report(
            child.counterparty, child.cl_ord_id, ExecType.REJECTED, OrdStatus.REJECTED, text="no"
        )
        world.send(refused)
    assert world.told() == [("c1", "REJECTED", "REJECTED")]
    assert world.of(OrderRejected)[0].text == "XB: no"
