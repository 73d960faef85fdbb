"""A venue ends a child before it has told all of its fills: nothing is placed twice meanwhile."""

from decimal import Decimal

from oms.domain.events import OrderRouted, OrderStatusQueried
from oms.domain.fix import ExecType, OrdStatus, TimeInForce
from oms.domain.order import Order
from oms.domain.reasons import Reason
from tests.support.world import World


def ended(world: World, child: Order, exec_type: ExecType, ord_status: OrdStatus) -> None:
    """The child's end, with 80 of its 100 traded."""
    report = world.report(
        child.counterparty, child.cl_ord_id, exec_type, ord_status, cum_qty=Decimal(80)
    )
    world.send(report)


def working_child(time_in_force: TimeInForce) -> tuple[World, Order]:
    """50 of the 100 are told."""
    world = World()
    world.connect("XA", "XB")
    world.new("c1", "100", tif=time_in_force)
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "50", cum_qty=Decimal(50))
    return world, child


def routed(world: World) -> list[OrderRouted]:
    return [event for event in world.events if isinstance(event, OrderRouted)]


def test_a_cancel_that_counts_untold_fills_leaves_the_child_in_doubt() -> None:
    world, child = working_child(TimeInForce.IOC)
    ended(world, child, ExecType.CANCELED, OrdStatus.CANCELED)
    assert routed(world) == []
    assert (child.closed, child.doubt_reason) == (None, Reason.VENUE_DISAGREES)
    assert world.order("c1").in_doubt


def test_an_expiry_that_counts_untold_fills_leaves_the_child_in_doubt() -> None:
    world, child = working_child(TimeInForce.DAY)
    ended(world, child, ExecType.EXPIRED, OrdStatus.EXPIRED)
    assert (child.closed, child.doubt_reason) == (None, Reason.VENUE_DISAGREES)


def test_the_late_fills_and_the_venues_word_settle_it_and_only_the_rest_goes_elsewhere() -> None:
    world, child = working_child(TimeInForce.IOC)
    ended(world, child, ExecType.CANCELED, OrdStatus.CANCELED)
    world.fill(child, "30", cum_qty=Decimal(80))
    assert routed(world) == []
    assert child.in_doubt
    world.tick(3_000_000)
    [question] = [one for one in world.events if isinstance(one, OrderStatusQueried)]
    assert question.order_id == child.order_id
    status = world.report(
        child.counterparty,
        child.cl_ord_id,
        ExecType.ORDER_STATUS,
        OrdStatus.CANCELED,
        cum_qty=Decimal(80),
    )
    world.send(status)
    assert child.closed is OrdStatus.CANCELED
    [rest] = routed(world)
    assert rest.terms.order_qty == Decimal(20)


def test_late_fills_that_complete_the_child_need_no_more_words() -> None:
    world, child = working_child(TimeInForce.IOC)
    ended(world, child, ExecType.CANCELED, OrdStatus.CANCELED)
    world.fill(child, "50", cum_qty=Decimal(100))
    assert child.ord_status is OrdStatus.FILLED
    assert not child.in_doubt
    assert world.order("c1").ord_status is OrdStatus.FILLED
