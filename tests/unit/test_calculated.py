"""A client order is Calculated when all that has traded of it is, at whichever venues."""

from decimal import Decimal

from oms.domain.fix import ExecType, OrdStatus
from oms.domain.order import Order
from tests.support.checked_world import CheckedWorld, connected


def calculated(world: CheckedWorld, child: Order) -> OrdStatus | None:
    """The mark of c1 when the venue has reported that of its child."""
    kind, status = ExecType.CALCULATED, OrdStatus.CALCULATED
    figures = {"cum_qty": child.cum_qty, "leaves_qty": Decimal(0)}
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **figures))
    return world.order("c1").mark


def test_an_order_is_calculated_when_all_that_has_traded_of_it_is() -> None:
    world = connected()
    first, second = world.split()
    world.fill(first, "60")
    world.fill(second, "40")
    assert calculated(world, first) is None
    assert calculated(world, second) is OrdStatus.CALCULATED


def test_what_has_not_traded_of_it_need_not_be_calculated() -> None:
    world = connected()
    first, second = world.split()
    world.fill(first, "60")
    world.canceled(second)
    world.cancel("c2", "c1")
    third = world.child("c1")
    world.canceled(third, third.requests[0].cl_ord_id)
    assert not world.order("c1").is_open
    assert calculated(world, first) is OrdStatus.CALCULATED
