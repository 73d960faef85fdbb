"""Lost venues, kill switches, the end of the day, repeated requests: each with its right end."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import (
    SYSTEM,
    CloseTradingDay,
    EngageKillSwitch,
    NewOrderSingle,
    OpenTradingDate,
    OrderCancelReplaceRequest,
    OrderMassCancelRequest,
    ReleaseKillSwitch,
    ResolveOrder,
    SequenceReset,
    SessionLoggedOn,
)
from oms.domain.events import (
    CancelPending,
    DiscrepancyFound,
    DuplicateOrderRefused,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderHeld,
    OrderInDoubt,
    OrderReplaced,
    OrderResent,
    OrderRouted,
    OrderStatusReported,
    ReplaceRejected,
    ResyncStarted,
)
from oms.domain.fix import (
    ExecType,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from oms.domain.reasons import Reason
from tests.support.checked_world import OPERATOR, REST, CheckedWorld, connected
from tests.support.invariants import check_same


@pytest.fixture
def world() -> CheckedWorld:
    return connected()


@pytest.mark.parametrize("arrived", [True, False])
def test_a_replace_in_flight_when_the_venue_is_lost(world: CheckedWorld, *, arrived: bool) -> None:
    child = world.working()
    world.replace("c2", "c1", "150")
    wanted = child.requests[0].cl_ord_id
    world.disconnect("XA")
    world.back("XA")
    assert child.in_doubt
    if arrived:
        world.status(child, OrdStatus.NEW, cl_ord_id=wanted, order_qty=Decimal(150))
        assert world.told() == [("c2", "REPLACED", "NEW")]
        assert child.order_qty == 150
    else:
        world.status(child, OrdStatus.NEW)
        assert world.told() == [("c2", "CANCEL_REJECT", "NEW")]
        assert child.order_qty == 100


def test_a_fill_or_kill_goes_whole_to_one_venue_after_the_other(world: CheckedWorld) -> None:
    world.quote("XA", "99", "100", "60")
    world.quote("XB", "99", "100", "50")
    world.new("c1", "100", "100", tif=TimeInForce.FOK)
    assert [one.terms.order_qty for one in world.of(OrderRouted)] == [Decimal(100)]
    world.canceled(world.child("c1"))
    assert [one.terms.order_qty for one in world.of(OrderRouted)] == [Decimal(100)]
    world.canceled(world.child("c1"))
    assert world.told() == [("c1", "CANCELED", "CANCELED")]


def test_a_child_that_is_too_much_and_unknown_is_withdrawn_when_it_is_known(
    world: CheckedWorld,
) -> None:
    first, second = world.split()
    world.disconnect(second.counterparty)
    world.fill(first, "100")
    assert world.order("c1").ord_status is OrdStatus.FILLED
    assert not world.of(CancelPending)
    world.back(second.counterparty)
    world.status(second, OrdStatus.NEW)
    assert [one.order_id for one in world.of(CancelPending)] == [second.order_id]


def test_a_kill_switch_during_resync_withdraws_when_the_venue_has_spoken(
    world: CheckedWorld,
) -> None:
    child = world.working()
    world.disconnect("XA")
    world.send(SessionLoggedOn(origin=replace(world.origin("XA"), msg_seq_num=0)))
    world.send(EngageKillSwitch(origin=OPERATOR, level="FIRM", subject="*", reason="test"))
    assert not [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.resync_done("XA")
    world.status(child, OrdStatus.NEW)
    assert [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.canceled(child, child.requests[0].cl_ord_id)
    assert world.told() == [("c1", "CANCELED", "CANCELED")]


def test_a_venue_that_refuses_a_forced_cancel_is_not_told_to_the_client(
    world: CheckedWorld,
) -> None:
    child = world.working()
    world.send(EngageKillSwitch(origin=OPERATOR, level="FIRM", subject="*", reason="test"))
    world.refused(child)
    assert world.told() == []
    assert world.order("c1").is_open


def test_a_kill_switch_holds_what_would_be_routed_and_its_release_sends_it(
    world: CheckedWorld,
) -> None:
    child = world.working()
    world.send(
        EngageKillSwitch(
            origin=OPERATOR, level="ACCOUNT", subject="A1", reason="t", cancel_open_orders=False
        )
    )
    world.canceled(child)
    [held] = world.of(OrderHeld)
    assert (held.reason, held.text) == (
        Reason.KILL_SWITCH,
        "waits for the kill switch at ACCOUNT A1",
    )
    release = ReleaseKillSwitch(origin=OPERATOR, level="ACCOUNT", subject="A1", reason="t")
    world.send(release)
    assert len(world.of(OrderRouted)) == 1


@pytest.mark.parametrize("filled", [True, False])
def test_a_cancel_while_the_child_is_unknown(world: CheckedWorld, *, filled: bool) -> None:
    child = world.working()
    world.disconnect("XA")
    world.cancel("c2", "c1")
    assert world.told() == [("c2", "PENDING_CANCEL", "PENDING_CANCEL")]
    world.back("XA")
    if filled:
        world.fill(child, "100")
        assert world.told()[-1] == ("c2", "CANCEL_REJECT", "FILLED")
    else:
        world.status(child, OrdStatus.NEW)
        [sent] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
        world.canceled(child, sent.cl_ord_id)
        assert world.told() == [("c2", "CANCELED", "CANCELED")]


def test_an_order_that_never_reached_its_venue_is_not_sent_there_after_its_cancel(
    world: CheckedWorld,
) -> None:
    world.new("c1")
    child = world.child("c1")
    world.disconnect("XA")
    world.cancel("c2", "c1")
    world.back("XA")
    world.status(child, OrdStatus.REJECTED, ord_rej_reason="5")
    assert not world.of(OrderResent)
    assert world.told() == [("c2", "CANCELED", "CANCELED")]
    new = world.report("XA", child.cl_ord_id, ExecType.NEW, OrdStatus.NEW, leaves_qty=Decimal(100))
    world.send(new)  # but it had reached it
    assert world.of(OrderConfirmed)
    assert world.of(CancelPending)


def test_a_not_found_to_an_old_question_says_nothing(world: CheckedWorld) -> None:
    world.new("c1")
    child = world.child("c1")
    world.disconnect("XA")
    world.send(SessionLoggedOn(origin=replace(world.origin("XA"), msg_seq_num=0)))
    world.status(child, OrdStatus.REJECTED, ord_rej_reason="5")
    assert world.events == []
    assert child.in_doubt


def test_the_end_of_the_day_waits_for_what_is_unknown(world: CheckedWorld) -> None:
    child = world.working()
    world.disconnect("XA")
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=world.state.trade_date))
    assert world.told() == []
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-23"))
    world.back("XA")
    world.status(child, OrdStatus.EXPIRED, leaves_qty=Decimal(0))
    assert world.told() == [("c1", "EXPIRED", "EXPIRED")]


def test_a_replace_that_the_end_of_the_day_overtakes_is_answered(world: CheckedWorld) -> None:
    child = world.working()
    world.replace("c2", "c1", "50")
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=world.state.trade_date))
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert world.told() == [
        ("c2", "CANCEL_REJECT", "PENDING_REPLACE"),
        ("c1", "EXPIRED", "EXPIRED"),
    ] or world.told() == [("c2", "CANCEL_REJECT", "NEW"), ("c1", "EXPIRED", "EXPIRED")]


def test_a_reset_of_a_venues_numbers_in_mid_day_asks_for_everything(world: CheckedWorld) -> None:
    child = world.working()
    world.send(SequenceReset(origin=replace(world.origin("XA"), msg_seq_num=0)))
    assert [one.order_id for one in world.of(OrderInDoubt)] == [child.order_id]
    assert world.of(ResyncStarted)
    assert not world.state.session("XA").ready
    world.new("c2")
    assert {one.terms.counterparty for one in world.of(OrderRouted)} == {"XB"}


def test_a_reset_of_a_clients_numbers_leaves_its_orders_alone(world: CheckedWorld) -> None:
    world.working()
    world.send(SequenceReset(origin=replace(world.origin("ALPHA"), msg_seq_num=0)))
    assert len(world.events) == 1
    assert world.order("c1").is_open


def test_a_replace_below_what_the_children_hold_withdraws_and_routes_the_rest(
    world: CheckedWorld,
) -> None:
    first, second = world.split()
    world.fill(first, "20")
    world.replace("c2", "c1", "30", "101")
    assert len(world.of(CancelPending)) == 2
    world.canceled(first, first.requests[0].cl_ord_id)
    assert world.told() == []
    world.fill(second, "5")
    assert world.told() == [("c1", "TRADE", "PENDING_REPLACE")]
    world.canceled(second, second.requests[0].cl_ord_id)
    assert world.told() == [("c2", "REPLACED", "PARTIALLY_FILLED")]
    [routed] = world.of(OrderRouted)
    assert routed.terms.order_qty == 5


def test_a_child_in_doubt_while_a_replace_withdraws_is_withdrawn_when_known(
    world: CheckedWorld,
) -> None:
    first, second = world.split()
    world.replace("c2", "c1", "50", "101")
    world.disconnect(second.counterparty)
    world.canceled(first, first.requests[0].cl_ord_id)
    assert world.order("c1").requests
    world.back(second.counterparty)
    world.status(second, OrdStatus.NEW)
    assert [one.order_id for one in world.of(CancelPending)] == [second.order_id]
    world.canceled(second, second.requests[-1].cl_ord_id)
    assert world.told() == [("c2", "REPLACED", "NEW")]


def test_a_held_order_is_replaced_cancelled_and_expired() -> None:
    world = CheckedWorld()
    world.new("c1")
    world.new("d1")
    assert world.of(OrderHeld)
    world.replace("c2", "c1", "50")
    assert world.told() == [("c2", "PENDING_REPLACE", "PENDING_REPLACE"), ("c2", "REPLACED", "NEW")]
    assert world.of(OrderReplaced)
    assert world.of(OrderHeld)
    world.cancel("c3", "c2")
    assert world.told()[-1] == ("c3", "CANCELED", "CANCELED")
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=world.state.trade_date))
    assert world.told() == [("d1", "EXPIRED", "EXPIRED")]
    assert world.of(OrderExpired)
    assert not world.state.held


def test_mass_cancel_over_rest_takes_what_matches(world: CheckedWorld) -> None:
    world.working("c1")
    world.working("c2")
    world.new("b1", client="BETA", account="B1")
    request = OrderMassCancelRequest(origin=REST, cl_ord_id="m1", side=Side.SELL)
    world.send(request)
    assert not world.of(CancelPending)
    world.send(replace(request, cl_ord_id="m2", side=None))
    children = [one for one in world.of(CancelPending) if world.state.orders[one.order_id].is_child]
    assert len(children) == 2
    assert world.order("b1", "BETA").requests == ()
    assert world.told() == []


def test_the_same_order_over_rest_is_answered_and_another_refused(world: CheckedWorld) -> None:
    order = NewOrderSingle(
        origin=REST,
        cl_ord_id="r1",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(10),
        ord_type=OrdType.LIMIT,
        price=Decimal(100),
    )
    world.send(order)
    world.send(order)
    assert world.of(OrderStatusReported)
    world.send(replace(order, order_qty=Decimal(11)))
    assert world.of(DuplicateOrderRefused)
    assert world.order("r1").order_qty == 10


def test_a_cancel_that_was_lost_with_its_venue_is_sent_again(world: CheckedWorld) -> None:
    child = world.working()
    world.cancel("c2", "c1")
    world.disconnect("XA")
    world.back("XA")
    world.status(child, OrdStatus.NEW)
    assert world.told() == []
    [sent] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.canceled(child, sent.cl_ord_id)
    assert world.told() == [("c2", "CANCELED", "CANCELED")]


def test_a_repeated_replace_is_answered_and_one_of_other_content_refused(
    world: CheckedWorld,
) -> None:
    world.working()
    replace_it = OrderCancelReplaceRequest(
        origin=replace(world.origin("ALPHA"), msg_seq_num=0, poss_resend=True),
        cl_ord_id="c2",
        orig_cl_ord_id="c1",
        order_qty=Decimal(150),
        price=Decimal(100),
    )
    world.send(replace_it)
    world.send(replace_it)
    assert world.of(OrderStatusReported)
    world.send(replace(replace_it, order_qty=Decimal(151)))
    assert world.told() == [("c2", "CANCEL_REJECT", "PENDING_REPLACE")]
    world.replaced(world.child("c1"), "150")
    world.send(replace_it)
    assert world.of(OrderStatusReported)
    world.send(replace(replace_it, price=Decimal(99)))
    assert world.told() == [("c2", "CANCEL_REJECT", "NEW")]


def test_a_clordid_of_yesterday_belongs_to_todays_order(world: CheckedWorld) -> None:
    child = world.working()
    world.fill(child, "100")
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    today = world.working("today")
    world.cancel("c1", "today")
    world.refused(today)
    assert world.told() == [("c1", "CANCEL_REJECT", "NEW")]
    world.cancel("x", "today")
    world.canceled(today, today.requests[0].cl_ord_id)
    assert world.told() == [("x", "CANCELED", "CANCELED")]


def test_a_humans_word_against_the_venues_fact(world: CheckedWorld) -> None:
    world.new("c1")
    child = world.child("c1")
    world.disconnect("XA")
    world.send(
        ResolveOrder(
            origin=OPERATOR,
            order_id=child.order_id,
            outcome=OrdStatus.CANCELED,
            reason="by phone",
        )
    )
    assert len(world.of(OrderRouted)) == 1
    world.back("XA")
    world.status(child, OrdStatus.NEW, leaves_qty=Decimal(100))
    assert world.of(DiscrepancyFound)
    assert world.of(CancelPending)


def test_a_stale_replace_and_all_of_this_replays(world: CheckedWorld) -> None:
    child = world.working()
    world.replace("c2", "c1", "150")
    world.tick(6_000_000)
    assert child.in_doubt
    world.status(child, OrdStatus.NEW)
    assert world.of(ReplaceRejected)
    world.fill(child, "100")
    assert not world.of(OrderCanceled)
    check_same(world.state, world.replayed())
