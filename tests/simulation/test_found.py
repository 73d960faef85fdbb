"""What the simulator found: each defect as the shortest case that shows it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.commands import (
    SYSTEM,
    EngageKillSwitch,
    OrderCancelReject,
    ReleaseKillSwitch,
)
from oms.domain.events import (
    CancelPending,
    CancelRejected,
    DiscrepancyFound,
    OrderHeld,
    OrderResent,
    OrderRouted,
)
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus
from oms.domain.instrument import DropCopy
from oms.domain.order import Order
from oms.domain.profile import ClientProfile
from tests.support.checked_world import CheckedWorld, connected
from tests.support.world import REFERENCE

OPERATOR = replace(SYSTEM, user="kim")


@pytest.mark.parametrize("level", ["FIRM", "ACCOUNT", "SESSION"])
def test_a_kill_switch_keeps_an_order_from_being_sent_again(level: str) -> None:
    """Found by seed 12. It had been routed, and was lost on its way, before the switch."""
    world: CheckedWorld = connected()
    world.new("c1")
    child = world.child("c1")
    world.disconnect("XA")
    subject = {"FIRM": "*", "ACCOUNT": "A1", "SESSION": "ALPHA"}[level]
    switch = EngageKillSwitch(
        origin=OPERATOR, level=level, subject=subject, reason="test", cancel_open_orders=False
    )
    world.send(switch)
    world.back("XA")
    world.status(child, OrdStatus.REJECTED, ord_rej_reason="5")
    assert not world.of(OrderResent)
    assert child.closed
    assert world.of(OrderHeld)
    world.send(ReleaseKillSwitch(origin=OPERATOR, level=level, subject=subject, reason="test"))
    assert world.of(OrderRouted)


def test_an_order_of_which_all_is_at_work_again_is_held_no_more() -> None:
    """Found by seed 10660. Its child was given up, and its venue worked it after all."""
    world: CheckedWorld = connected()
    world.new("c1")
    child = world.child("c1")
    world.disconnect("XA")
    killed = {"level": "FIRM", "subject": "*", "reason": "test"}
    world.send(EngageKillSwitch(origin=OPERATOR, **killed, cancel_open_orders=False))
    world.back("XA")
    world.status(child, OrdStatus.REJECTED, ord_rej_reason="5")
    assert world.order("c1").order_id in world.state.held
    kind, status = ExecType.NEW, OrdStatus.NEW
    world.send(world.report("XA", child.cl_ord_id, kind, status, leaves_qty=Decimal(100)))
    assert child.is_open
    assert not world.state.held
    world.canceled(child)
    assert world.of(OrderHeld), "what is free again waits, and says so"


def test_an_order_of_which_a_late_fill_left_nothing_to_place_is_held_no_more() -> None:
    """Found beside seed 10660. One of two children ended, and had traded before."""
    world: CheckedWorld = connected()
    _, second = world.split()
    killed = {"level": "FIRM", "subject": "*", "reason": "test"}
    world.send(EngageKillSwitch(origin=OPERATOR, **killed, cancel_open_orders=False))
    world.canceled(second)
    assert world.order("c1").order_id in world.state.held
    world.fill(second, "30")
    assert world.order("c1").order_id in world.state.held, "ten wait still"
    world.fill(second, "10")
    assert not world.state.held


def test_a_replace_without_an_answer_that_the_last_fill_shows_is_settled() -> None:
    """Found by seed 19. The venue reduced the order, did not say so, and filled it."""
    world: CheckedWorld = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    request = child.requests[0].cl_ord_id
    world.fill(child, "80")
    world.tick(6_000_000)
    assert child.in_doubt
    world.status(
        child, OrdStatus.FILLED, cl_ord_id=request, order_qty=Decimal(80), cum_qty=Decimal(80)
    )
    assert not child.in_doubt
    assert child.ord_status is OrdStatus.FILLED
    assert world.told() == [("c2", "REPLACED", "FILLED")]


def test_a_fill_does_not_settle_what_the_venue_said_of_the_whole_order() -> None:
    """Found by seed 1043. Its cancel was lost with a reset of the session, its fill told again."""
    world: CheckedWorld = connected()
    child = world.working()
    world.disconnect("XA")
    world.back("XA")
    world.status(child, OrdStatus.CANCELED, cum_qty=Decimal(40), leaves_qty=Decimal(0))
    assert child.in_doubt
    world.fill(child, "40")
    assert child.in_doubt, "it is asked once more"
    world.status(child, OrdStatus.CANCELED, leaves_qty=Decimal(0))
    assert child.closed is OrdStatus.CANCELED
    assert child.cum_qty == 40


def replace_given_up() -> tuple[CheckedWorld, Order, str]:
    """A child of 100, and the ClOrdID of its replace to 80, which was taken for lost."""
    world: CheckedWorld = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    request = child.requests[0].cl_ord_id
    world.disconnect("XA")
    world.back("XA")
    world.status(child, OrdStatus.NEW, order_qty=Decimal(100))
    assert not child.requests
    return world, child, request


def test_a_replace_given_up_that_the_status_shows_is_adopted() -> None:
    """Found by seed 2174. It was taken for lost, and the venue took it up later, without a word."""
    world, child, request = replace_given_up()
    world.disconnect("XA")
    world.back("XA")
    world.status(
        child, OrdStatus.NEW, cl_ord_id=request, order_qty=Decimal(80), leaves_qty=Decimal(80)
    )
    assert child.order_qty == 80
    assert world.of(DiscrepancyFound)


def test_a_replace_given_up_that_left_nothing_to_fill_is_adopted() -> None:
    """Found by seed 21, with sessions that have hours. The venue took it up after it was taken for
    lost, filled the order by it, and both reports fell into a reset.
    """
    world, child, request = replace_given_up()
    world.fill(child, "80")
    world.disconnect("XA")
    world.back("XA")
    world.status(
        child, OrdStatus.FILLED, cl_ord_id=request, order_qty=Decimal(80), cum_qty=Decimal(80)
    )
    assert not child.in_doubt
    assert child.ord_status is OrdStatus.FILLED


def test_a_refusal_that_says_filled_of_what_is_open_here_leaves_doubt() -> None:
    """Found by seed 21, with sessions that have hours. A replace that left nothing to fill had been
    lost, and the cancel of the rest was refused.
    """
    world: CheckedWorld = connected()
    child = world.working()
    world.cancel("c2", "c1")
    request = child.requests[0]
    refusal = OrderCancelReject(
        origin=world.origin("XA"),
        order_id="V1",
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=request.orig_cl_ord_id,
        ord_status=OrdStatus.FILLED,
        cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL,
        response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        text="no",
    )
    world.send(refusal)
    assert child.in_doubt
    assert world.of(CancelRejected)


def test_a_quantity_that_the_venue_has_given_the_order_itself_is_adopted() -> None:
    """Found by seed 196, with sessions that have hours. Its restatement was lost in a reset."""
    world: CheckedWorld = connected()
    child = world.working()
    world.disconnect("XA")
    world.back("XA")
    world.status(child, OrdStatus.NEW, order_qty=Decimal(70), leaves_qty=Decimal(70))
    assert (child.order_qty, child.leaves_qty, child.in_doubt) == (70, 70, False)
    assert world.order("c1").order_qty == 70


def test_a_fill_that_ends_at_the_venue_what_is_open_here_leaves_doubt() -> None:
    """Found by seed 10883. The venue's cut of the quantity was lost: the rest was shown as open."""
    world: CheckedWorld = connected()
    child = world.working()
    report = world.report(
        "XA",
        child.cl_ord_id,
        ExecType.TRADE,
        OrdStatus.FILLED,
        last_qty=Decimal(60),
        last_px=Decimal(100),
        order_qty=Decimal(60),
        cum_qty=Decimal(60),
    )
    world.send(report)
    assert (child.cum_qty, child.in_doubt) == (60, True)
    filled = {"order_qty": Decimal(60), "cum_qty": Decimal(60)}
    world.status(child, OrdStatus.FILLED, **filled)
    assert (child.order_qty, child.is_live, child.in_doubt) == (60, False, False)
    assert not world.order("c1").in_doubt


def test_a_quantity_of_the_venues_that_ends_the_child_settles_the_clients_cancel() -> None:
    """Found by seed 86. A drop copy had told the fills that come to what the order is cut to."""
    world: CheckedWorld = connected()
    child = world.working()
    world.fill(child, "60")
    world.cancel("c2", "c1")
    kind, status = ExecType.RESTATED, OrdStatus.PARTIALLY_FILLED
    world.send(world.report("XA", child.cl_ord_id, kind, status, order_qty=Decimal(60)))
    assert not child.is_live
    assert not world.order("c1").requests
    assert not world.order("c1").is_live


def test_a_drop_copys_fill_ends_no_doubt_while_the_venue_is_away() -> None:
    """Found by seed 1040. Its venue had said that it does not know the order, and went away."""
    copies = {"XAC": DropCopy(session="XAC", venue="XA")}
    world = CheckedWorld(replace(REFERENCE, drop_copies=copies))
    world.connect("XA", "XB")
    world.new("c1")
    child = world.child("c1")
    world.tick(6_000_000)
    world.status(child, OrdStatus.REJECTED, ord_rej_reason="5")
    world.disconnect("XA")
    figures = {"last_qty": Decimal(10), "last_px": Decimal(100), "leaves_qty": Decimal(90)}
    kind, status = ExecType.TRADE, OrdStatus.PARTIALLY_FILLED
    world.send(world.report("XAC", child.cl_ord_id, kind, status, **figures))
    assert (child.cum_qty, child.in_doubt) == (10, True)
    world.back("XA")
    world.status(child, OrdStatus.PARTIALLY_FILLED)
    assert not child.in_doubt


def test_a_drop_copys_fill_does_not_settle_what_the_venue_said_of_the_whole_order() -> None:
    """Found by seed 253, with reloads. Its cancel was lost with a reset; the fill came by the copy
    and made the counts agree.
    """
    copies = {"XAC": DropCopy(session="XAC", venue="XA")}
    world = CheckedWorld(replace(REFERENCE, drop_copies=copies))
    world.connect("XA", "XB")
    child = world.working()
    world.disconnect("XA")
    world.back("XA")
    over = {"cum_qty": Decimal(40), "leaves_qty": Decimal(0)}
    world.status(child, OrdStatus.CANCELED, **over)
    assert child.in_doubt
    figures = {"last_qty": Decimal(40), "last_px": Decimal(100)}
    kind, status = ExecType.TRADE, OrdStatus.PARTIALLY_FILLED
    world.send(world.report("XAC", child.cl_ord_id, kind, status, **figures))
    assert (child.cum_qty, child.in_doubt) == (40, True)
    world.status(child, OrdStatus.CANCELED, **over)
    assert (child.closed, child.in_doubt) == (OrdStatus.CANCELED, False)


def test_new_is_told_by_the_venue_that_keeps_the_order() -> None:
    """Found by seed 38. The first venue's only word was that it has done with the order."""
    profile = ClientProfile(new_awaits_venue=True, pending_acks=False)
    client = replace(REFERENCE.clients["ALPHA"], profile=profile)
    world = CheckedWorld(replace(REFERENCE, clients={"ALPHA": client}))
    world.connect("XA", "XB")
    world.new("c1")
    first = world.child("c1")
    done = OrdStatus.DONE_FOR_DAY
    world.send(world.report(first.counterparty, first.cl_ord_id, ExecType.DONE_FOR_DAY, done))
    assert world.told() == []
    second = world.child("c1")
    assert second is not first
    world.ack(second)
    assert world.told() == [("c1", "NEW", "NEW")]


def test_what_we_closed_on_our_word_comes_back_by_any_report_that_shows_it_at_work() -> None:
    """Found by seed 145. The venue had it after all, and first said that it is suspended."""
    world: CheckedWorld = connected()
    world.new("c1")
    child = world.child("c1")
    world.disconnect("XA")
    world.cancel("c2", "c1")
    world.back("XA")
    world.status(child, OrdStatus.REJECTED, ord_rej_reason="5")
    assert child.closed
    kind, status = ExecType.SUSPENDED, OrdStatus.SUSPENDED
    world.send(world.report("XA", child.cl_ord_id, kind, status, leaves_qty=Decimal(100)))
    assert child.is_open
    assert [one.order_id for one in world.of(CancelPending)] == [child.order_id]


def test_a_lost_order_that_is_too_much_by_now_is_not_sent_again() -> None:
    """Found by seed 5623. While it was in doubt, a late fill of the order before it came in."""
    world: CheckedWorld = connected()
    first = world.working()
    world.canceled(first)
    second = world.child("c1")
    assert second is not first
    world.disconnect(second.counterparty)
    world.fill(first, "30")
    world.back(second.counterparty)
    world.status(second, OrdStatus.REJECTED, ord_rej_reason="5")
    assert not world.of(OrderResent)
    [routed] = world.of(OrderRouted)
    assert routed.terms.order_qty == 70


def test_a_refused_duplicate_does_not_settle_how_an_order_ended() -> None:
    """Found by seed 700142. Its venue ended it with fills that it had not told, and refused what
    was sent again: the order showed as open, without doubt.
    """
    world = connected()
    child = world.working()
    over = {"cum_qty": Decimal(10), "leaves_qty": Decimal(0)}
    world.send(world.report("XA", child.cl_ord_id, ExecType.CANCELED, OrdStatus.CANCELED, **over))
    assert child.in_doubt
    again = {"ord_rej_reason": "6"}
    for status in (OrdStatus.CANCELED, OrdStatus.REJECTED):
        world.send(world.report("XA", child.cl_ord_id, ExecType.REJECTED, status, **again))
        assert child.in_doubt
