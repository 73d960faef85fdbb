"""A venue's status, held against what we have: taken over, settled, or flagged."""

from decimal import Decimal

import pytest

from ems import resync
from oms.domain.events import (
    CancelRejected,
    DiscrepancyFound,
    OrderCanceled,
    OrderConfirmed,
    OrderReplaced,
    OrderStatusQueried,
)
from oms.domain.fix import OrdStatus
from oms.domain.order import Order
from oms.domain.reasons import Reason
from tests.support.checked_world import CheckedWorld, connected


def lost(world: CheckedWorld, child: Order) -> None:
    """Its venue was away and is back, and has not told of the child."""
    world.disconnect(child.counterparty)
    world.back(child.counterparty)
    assert child.in_doubt


def flagged(world: CheckedWorld) -> list[str]:
    return [one.field for one in world.of(DiscrepancyFound)]


def test_the_first_question_after_a_logon_is_attempt_one() -> None:
    world = connected()
    child = world.working()
    lost(world, child)
    assert [one.attempt for one in world.of(OrderStatusQueried)] == [1]


@pytest.mark.parametrize("asked", ["cancel", "replace", ""])
def test_a_canceled_in_a_status_ends_our_cancel_where_there_is_one(asked: str) -> None:
    world = connected()
    child = world.working()
    if asked == "cancel":
        world.cancel("c2", "c1")
    elif asked == "replace":
        world.replace("c2", "c1", "80")
    name = child.requests[0].cl_ord_id if asked == "cancel" else ""
    world.status(child, OrdStatus.CANCELED, leaves_qty=Decimal(0))
    [canceled] = [one for one in world.of(OrderCanceled) if one.order_id == child.order_id]
    assert canceled.cl_ord_id == name
    assert canceled.reason is (Reason.NONE if name else Reason.VENUE_CLOSED_ORDER)


def test_a_status_that_ends_doubt_was_nobodys_decision() -> None:
    world = connected()
    child = world.working()
    lost(world, child)
    world.status(child, OrdStatus.NEW)
    assert [one.user for one in world.of(OrderConfirmed)] == [""]


@pytest.mark.parametrize(("told", "taken"), [("0", "100"), ("1", "1"), ("120", "120")])
def test_a_quantity_that_only_the_status_tells_is_taken_over(told: str, taken: str) -> None:
    world = connected()
    child = world.working()
    lost(world, child)
    world.status(child, OrdStatus.NEW, order_qty=Decimal(told), leaves_qty=Decimal(told))
    assert child.order_qty == Decimal(taken)


def test_a_quantity_that_a_request_on_its_way_may_explain_is_not_taken_over() -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    lost(world, child)
    world.status(child, OrdStatus.PENDING_REPLACE, order_qty=Decimal(80))
    assert child.order_qty == 100
    assert child.requests


def test_a_cut_that_made_the_order_a_filled_one_is_taken_over_without_doubt() -> None:
    world = connected()
    child = world.working()
    world.fill(child, "60")
    told = {"order_qty": Decimal(60), "leaves_qty": Decimal(0)}
    world.status(child, OrdStatus.FILLED, **told)
    assert not flagged(world)
    assert child.order_qty == 60
    assert child.is_filled


def test_a_replace_given_up_that_made_the_order_a_filled_one_is_taken_over() -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "60")
    name = child.requests[0].cl_ord_id
    world.refused(child)
    world.fill(child, "60")
    told = {"order_qty": Decimal(60), "leaves_qty": Decimal(0)}
    world.status(child, OrdStatus.FILLED, cl_ord_id=name, **told)
    assert [one.order_qty for one in world.of(OrderReplaced)] == [60]
    assert (child.cl_ord_id, child.order_qty) == (name, 60)


def test_a_cancel_on_its_way_does_not_explain_a_filled_order() -> None:
    world = connected()
    child = world.working()
    world.fill(child, "60")
    world.cancel("c2", "c1")
    told = {"order_qty": Decimal(60), "leaves_qty": Decimal(0)}
    world.status(child, OrdStatus.FILLED, **told)
    assert flagged(world) == ["OrdStatus (39)"]


@pytest.mark.parametrize(("asked", "flags"), [("60", []), ("80", ["OrdStatus (39)"])])
def test_a_replace_explains_a_filled_order_up_to_its_quantity(asked: str, flags: list[str]) -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", asked)
    world.fill(child, "60")
    name = child.requests[0].cl_ord_id
    world.status(child, OrdStatus.FILLED, cl_ord_id=name, leaves_qty=Decimal(0))
    assert flagged(world) == flags


def test_of_two_requests_one_was_carried_out_and_the_other_lost() -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    world.cancel("c3", "c1")
    replacing, canceling = [one.cl_ord_id for one in child.requests]
    lost(world, child)
    told = {"order_qty": Decimal(80), "leaves_qty": Decimal(80)}
    world.status(child, OrdStatus.NEW, cl_ord_id=replacing, **told)
    assert (child.cl_ord_id, child.order_qty) == (replacing, 80)
    [refused] = [one for one in world.of(CancelRejected) if one.order_id == child.order_id]
    assert (refused.cl_ord_id, refused.reason) == (canceling, Reason.STALE)


def test_what_is_in_doubt_already_does_not_go_out_of_sight_again() -> None:
    world = connected()
    child = world.working()
    assert not list(resync.out_of_sight(world.state, child)), "its session is up"
    world.disconnect(child.counterparty)
    assert child.in_doubt
    assert not list(resync.out_of_sight(world.state, child))
