"""A bust or a correction told again is dropped; one that leaves nothing to work ends its order."""

from decimal import Decimal

import pytest

from oms.domain.events import (
    DuplicateExecutionDropped,
    OrderCanceled,
    TradeBusted,
    TradeCorrected,
)
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.order import Order
from tests.support.checked_world import CheckedWorld, connected


def amended(world: CheckedWorld, child: Order, kind: ExecType, price: str, leaves: str) -> None:
    """The trade t1 of 100, taken back or corrected to 100 at that price, as t2."""
    figures = {"last_qty": Decimal(100), "last_px": Decimal(price), "leaves_qty": Decimal(leaves)}
    said = figures | {"exec_ref_id": "t1", "exec_id": "t2"}
    status = OrdStatus.PARTIALLY_FILLED
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **said))


@pytest.mark.parametrize("kind", [ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT])
def test_what_is_told_again_is_dropped_as_its_orders(kind: ExecType) -> None:
    world = connected()
    child = world.working()
    world.fill(child, "100", exec_id="t1")
    amended(world, child, kind, "99", "100")
    assert world.of(TradeBusted) or world.of(TradeCorrected)
    amended(world, child, kind, "99", "100")
    [dropped] = world.of(DuplicateExecutionDropped)
    assert (dropped.order_id, dropped.exec_id) == (child.order_id, "t2")


def test_a_filled_order_whose_price_is_corrected_stays_filled() -> None:
    world = connected()
    child = world.working()
    world.fill(child, "100", exec_id="t1")
    amended(world, child, ExecType.TRADE_CORRECT, "99", "0")
    assert not world.of(OrderCanceled)
    assert world.order("c1").ord_status is OrdStatus.FILLED


def test_an_order_at_work_is_not_ended_by_a_correction() -> None:
    world = connected()
    child = world.working()
    world.fill(child, "60", exec_id="t1")
    said = {"exec_ref_id": "t1", "last_qty": Decimal(50), "last_px": Decimal(100)}
    kind, status = ExecType.TRADE_CORRECT, OrdStatus.PARTIALLY_FILLED
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **said))
    assert not world.of(OrderCanceled)
    assert (child.is_open, child.cum_qty) == (True, 50)


def test_what_its_venue_does_not_work_again_ends_and_nobody_asked_for_it() -> None:
    world = connected()
    child = world.working()
    world.fill(child, "100", exec_id="t1")
    amended(world, child, ExecType.TRADE_CANCEL, "100", "0")
    [canceled] = [one for one in world.of(OrderCanceled) if one.order_id == child.order_id]
    assert canceled.cl_ord_id == ""
