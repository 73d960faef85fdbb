"""What venues answer when they are asked how orders stand, and when they are asked again."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from ems.resync import RESYNC_TIMEOUT_US
from oms.domain.commands import OrderCancelReject
from oms.domain.events import (
    CancelRejected,
    DiscrepancyFound,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderInDoubt,
    OrderRejected,
    OrderReplaced,
    OrderStatusQueried,
    OrphanReported,
    ReplaceRejected,
    ResyncCompleted,
    ResyncStarted,
)
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus
from oms.domain.order import Order
from oms.domain.reasons import Reason
from tests.support.checked_world import CheckedWorld, connected
from tests.support.world import REFERENCE

UNKNOWN_ORDER = "5"


def mass(world: CheckedWorld, child: Order | None, total: int | None, **more: object) -> None:
    """One report of XA's answer to the mass status request."""
    fields: dict[str, object] = {
        "mass_status_req_id": world.state.session("XA").resync_id,
        "tot_num_reports": total,
        "leaves_qty": Decimal(100),
    }
    status = more.pop("status", OrdStatus.NEW)
    assert isinstance(status, OrdStatus)
    named = child.cl_ord_id if child else str(more.pop("named", ""))
    world.send(world.report("XA", named, ExecType.ORDER_STATUS, status, **(fields | more)))


def two_at_xa() -> tuple[CheckedWorld, Order, Order]:
    """Two orders at XA, whose session was lost and is back, and is asked for all."""
    world = CheckedWorld()
    world.connect("XA")
    world.new("c1")
    world.new("c2")
    world.ack(world.child("c1"))
    world.ack(world.child("c2"))
    world.disconnect("XA")
    world.connect_only("XA")
    return world, world.child("c1"), world.child("c2")


def test_a_venue_has_told_all_when_it_has_told_as_many_as_it_said() -> None:
    world, first, second = two_at_xa()
    mass(world, first, 2)
    assert world.of(OrderConfirmed)
    assert not world.of(ResyncCompleted)
    mass(world, second, 2)
    [done] = world.of(ResyncCompleted)
    assert done.reported == 2


def test_an_answer_to_the_question_before_the_last_does_not_count() -> None:
    world, first, second = two_at_xa()
    before = world.state.session("XA").resync_id
    world.disconnect("XA")
    world.connect_only("XA")
    mass(world, first, 2, mass_status_req_id=before)
    mass(world, second, 2)
    assert not world.state.session("XA").ready
    mass(world, first, 2)
    assert [one.reported for one in world.of(ResyncCompleted)] == [2]


def test_orders_without_a_cl_ord_id_count_each() -> None:
    world, first, second = two_at_xa()
    for order_id in ("V1", "V2"):
        mass(world, None, 4, order_id=order_id)
    mass(world, first, 4)
    assert not world.of(ResyncCompleted)
    mass(world, second, 4)
    assert world.of(ResyncCompleted)


def test_what_a_venue_leaves_out_is_asked_one_by_one() -> None:
    world, first, second = two_at_xa()
    mass(world, first, 1)
    assert world.of(ResyncCompleted)
    assert [one.order_id for one in world.of(OrderStatusQueried)] == [second.order_id]


def test_a_mass_status_of_an_order_that_is_not_ours_is_an_orphan_and_of_none_is_not() -> None:
    world, *_ = two_at_xa()
    mass(world, None, 3, named="stranger")
    assert [one.cl_ord_id for one in world.of(OrphanReported)] == ["stranger"]
    mass(world, None, 0, status=OrdStatus.REJECTED)
    assert not world.of(OrphanReported)
    assert world.of(ResyncCompleted)


def test_no_answer_to_the_mass_status_request_is_asked_again() -> None:
    world = CheckedWorld()
    world.connect_only("XA")
    world.tick(RESYNC_TIMEOUT_US)
    assert not world.of(ResyncStarted)
    world.tick(1)
    assert [one.session for one in world.of(ResyncStarted)] == ["XA"]
    world.tick(1)
    assert not world.of(ResyncStarted)


def test_a_session_that_is_in_step_is_not_asked() -> None:
    world = CheckedWorld()
    world.connect("XA")
    world.disconnect("XA")
    world.tick(10 * RESYNC_TIMEOUT_US)
    assert not world.of(ResyncStarted), "it is not there"
    world.connect("XA")
    world.tick(10 * RESYNC_TIMEOUT_US)
    assert not world.of(ResyncStarted), "it has told all"


def test_silence_is_doubt_when_the_venues_time_is_over() -> None:
    world = connected()
    world.new("c1")
    timeout_us = REFERENCE.venues["XA"].ack_timeout_ms * 1000
    world.tick(timeout_us - 1)
    assert not world.of(OrderInDoubt)
    world.tick(1)
    [doubt] = world.of(OrderInDoubt)
    assert (doubt.reason, doubt.order_id) == (Reason.NOT_ACKNOWLEDGED, world.child("c1").order_id)


def test_a_question_without_an_answer_is_put_again_less_and_less_often() -> None:
    world = connected()
    world.new("c1")
    world.tick(6_000_000)
    assert [one.attempt for one in world.of(OrderStatusQueried)] == [1]
    for attempt, wait_us in enumerate((4, 8, 16, 32, 60, 60, 60, 60), start=2):
        world.tick(wait_us * 1_000_000 - 1)
        assert not world.of(OrderStatusQueried), attempt
        world.tick(1)
        assert [one.attempt for one in world.of(OrderStatusQueried)] == [attempt]


def test_a_venue_that_is_away_is_not_asked() -> None:
    world = connected()
    world.new("c1")
    venue = world.child("c1").counterparty
    world.disconnect(venue)
    world.tick(60_000_000)
    assert not world.of(OrderStatusQueried)


@pytest.mark.parametrize(
    ("status", "reason", "end"),
    [
        (OrdStatus.CANCELED, "", OrderCanceled),
        (OrdStatus.EXPIRED, "", OrderExpired),
        (OrdStatus.DONE_FOR_DAY, "", OrderExpired),
        (OrdStatus.REJECTED, "0", OrderRejected),
    ],
)
def test_an_end_that_the_status_tells_is_the_orders_end(
    status: OrdStatus, reason: str, end: type[object]
) -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.status(child, status, leaves_qty=Decimal(0), ord_rej_reason=reason, text="so it is")
    [event] = [one for one in world.of(end) if getattr(one, "order_id", "") == child.order_id]
    assert getattr(event, "text", "") == "so it is"
    assert not child.is_open


def test_not_found_is_said_once() -> None:
    world = connected()
    child = world.working()
    world.status(child, OrdStatus.REJECTED, ord_rej_reason=UNKNOWN_ORDER)
    [doubt] = world.of(OrderInDoubt)
    assert doubt.reason is Reason.VENUE_DISAGREES
    world.status(child, OrdStatus.REJECTED, ord_rej_reason=UNKNOWN_ORDER)
    assert not world.of(OrderInDoubt)
    assert child.is_open


@pytest.mark.parametrize(
    ("status", "leaves", "revives"),
    [
        (OrdStatus.NEW, "100", True),
        (OrdStatus.NEW, "1", True),
        (OrdStatus.NEW, "0", False),
        (OrdStatus.CANCELED, "100", False),
        (OrdStatus.CANCELED, "0", False),
    ],
)
def test_a_closed_order_that_the_venue_shows_at_work_is_open_again(
    status: OrdStatus, leaves: str, *, revives: bool
) -> None:
    world = connected()
    child = world.working()
    world.canceled(child)
    world.status(child, status, leaves_qty=Decimal(leaves), cum_qty=Decimal(0))
    assert bool(world.of(OrderConfirmed)) is revives
    assert child.is_open is revives


@pytest.mark.parametrize("told", [Decimal(80), None])
def test_a_replace_without_an_answer_is_settled_by_filled(told: Decimal | None) -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    request = child.requests[0].cl_ord_id
    world.fill(child, "80")
    world.tick(6_000_000)
    world.status(child, OrdStatus.FILLED, cl_ord_id=request, order_qty=told, cum_qty=Decimal(80))
    assert not world.of(DiscrepancyFound)
    assert (child.ord_status, child.order_qty) == (OrdStatus.FILLED, 80)


def test_filled_under_a_cancels_name_with_less_than_was_asked_is_flagged() -> None:
    world = connected()
    child = world.working()
    world.cancel("c2", "c1")
    request = child.requests[0].cl_ord_id
    world.fill(child, "80")
    world.status(child, OrdStatus.FILLED, cl_ord_id=request, cum_qty=Decimal(80))
    [flagged] = world.of(DiscrepancyFound)
    assert (flagged.field, flagged.theirs) == ("OrdStatus (39)", "FILLED")
    assert child.in_doubt


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda w: w.cancel("c2", "c1"), CancelRejected),
        (lambda w: w.replace("c2", "c1", "80"), ReplaceRejected),
    ],
)
def test_a_request_that_the_venue_does_not_show_did_not_reach_it(
    ask: Callable[[CheckedWorld], object], kind: type[CancelRejected | ReplaceRejected]
) -> None:
    world = connected()
    child = world.working()
    ask(world)
    asked = child.requests[0].cl_ord_id
    world.tick(6_000_000)
    assert child.in_doubt
    world.status(child, OrdStatus.NEW, order_qty=Decimal(100))
    [refused] = [one for one in world.of(kind) if one.order_id == child.order_id]
    assert (refused.reason, refused.cl_ord_id) == (Reason.STALE, asked)
    assert asked not in [one.cl_ord_id for one in child.requests]


@pytest.mark.parametrize("status", [OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE])
def test_a_request_that_the_venue_shows_as_pending_waits(status: OrdStatus) -> None:
    world = connected()
    child = world.working()
    world.cancel("c2", "c1")
    world.tick(6_000_000)
    world.status(child, status)
    assert child.requests
    assert not world.of(CancelRejected)


def test_a_replace_that_the_status_shows_took_effect() -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    request = child.requests[0].cl_ord_id
    world.tick(6_000_000)
    world.status(child, OrdStatus.NEW, cl_ord_id=request, order_qty=Decimal(80))
    replaced = {one.order_id: one.order_qty for one in world.of(OrderReplaced)}
    assert replaced == {child.order_id: 80, child.parent_id: 80}


@pytest.mark.parametrize(
    ("reason", "status", "doubt"),
    [
        (CxlRejReason.BROKER_OPTION, OrdStatus.NEW, ""),
        (CxlRejReason.UNKNOWN_ORDER, OrdStatus.NEW, "does not know the order"),
        (CxlRejReason.TOO_LATE_TO_CANCEL, OrdStatus.FILLED, "has not told by what"),
        (CxlRejReason.TOO_LATE_TO_CANCEL, OrdStatus.CANCELED, "has not told its end"),
    ],
)
def test_a_refused_cancel_leaves_doubt_where_it_says_more_than_no(
    reason: CxlRejReason, status: OrdStatus, doubt: str
) -> None:
    world = connected()
    child = world.working()
    world.cancel("c2", "c1")
    _refuse(world, child, reason, status)
    assert [one.text.endswith(doubt) for one in world.of(OrderInDoubt)] == [True] * bool(doubt)


@pytest.mark.parametrize("status", [OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.DONE_FOR_DAY])
def test_a_replace_that_is_refused_as_its_order_has_ended_leaves_doubt(status: OrdStatus) -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    _refuse(world, child, CxlRejReason.TOO_LATE_TO_CANCEL, status)
    assert world.told() == [("c2", "CANCEL_REJECT", "NEW")]
    assert [one.text.endswith("has not told its end") for one in world.of(OrderInDoubt)] == [True]
    world.status(child, status, leaves_qty=Decimal(0))
    assert not child.is_open


def _refuse(world: CheckedWorld, child: Order, reason: CxlRejReason, status: OrdStatus) -> None:

    world.send(
        OrderCancelReject(
            origin=world.origin(child.counterparty),
            order_id="V",
            cl_ord_id=child.requests[0].cl_ord_id,
            orig_cl_ord_id=child.cl_ord_id,
            ord_status=status,
            cxl_rej_reason=reason,
            response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
            text="no",
        )
    )


def test_what_did_not_reach_its_venue_and_is_not_wanted_ends_on_our_word() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.disconnect(child.counterparty)
    world.cancel("c2", "c1")
    world.back(child.counterparty)
    world.status(child, OrdStatus.REJECTED, ord_rej_reason=UNKNOWN_ORDER)
    [canceled] = [one for one in world.of(OrderCanceled) if one.order_id == child.order_id]
    assert (canceled.cl_ord_id, canceled.reason) == ("", Reason.STALE)
    assert world.told() == [("c2", "CANCELED", "CANCELED")]


def test_a_lost_session_is_the_doubt_of_what_was_in_doubt_for_silence() -> None:
    world = connected()
    world.new("c1")
    world.tick(6_000_000)
    child = world.child("c1")
    assert child.doubt_reason is Reason.NOT_ACKNOWLEDGED
    world.disconnect(child.counterparty)
    assert child.doubt_reason is Reason.SESSION_LOST
    other = world.working("c2")
    world.status(other, OrdStatus.REJECTED, ord_rej_reason=UNKNOWN_ORDER)
    assert other.doubt_reason is Reason.VENUE_DISAGREES
    world.disconnect(other.counterparty)
    assert other.doubt_reason is Reason.VENUE_DISAGREES, "it has said so"


@pytest.mark.parametrize("cum_qty", ["20", "30"])
def test_a_count_that_differs_of_an_order_that_is_over_is_noted_and_no_doubt(cum_qty: str) -> None:
    world = connected()
    child = world.working()
    world.fill(child, "10")
    world.canceled(child)
    world.status(child, OrdStatus.CANCELED, cum_qty=Decimal(cum_qty), leaves_qty=Decimal(0))
    [flagged] = world.of(DiscrepancyFound)
    assert (flagged.field, flagged.ours, flagged.theirs) == ("CumQty (14)", "10", cum_qty)
    assert not world.of(OrderInDoubt)
