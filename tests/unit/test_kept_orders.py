"""Finished orders are packed, and nobody sees it: not those who ask, not the journal.

In memory as on disk: there is little that is not asked of both kinds of shelf.
"""

import gc
import sys
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.bench.flow import Flow
from oms.bench.load import OrderShape
from oms.domain.answers import TradeReported
from oms.domain.commands import SYSTEM, OpenTradingDate, OrderStatusRequest
from oms.domain.events import (
    DuplicateExecutionDropped,
    DuplicateOrderRefused,
    OrderAccepted,
    OrderStatusReported,
    RequestRefused,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.inquiries import TradeCaptureReportRequest
from oms.domain.kept_orders import Orders
from oms.domain.order import Order
from oms.domain.shelf import MemoryShelf, NewShelf
from oms.runtime.disk_shelf import DiskShelf
from oms.runtime.scratch import Scratch
from tests.support.baskets import listed, taken
from tests.support.checked_world import connected as checked_world
from tests.support.desk_model import ACTIONS, Desk
from tests.support.invariants import check_same, check_state
from tests.support.world import DATE, World, connected, of_type

NEVER_US = 10**18
ACTS = st.lists(
    st.tuples(st.integers(0, len(ACTIONS) - 1), st.integers(0, 999)), min_size=40, max_size=160
)
# What a finished order may cost, with its child, its trade and all its names: in memory, on disk.
MOST_BYTES_AN_ORDER = {"memory": 800, "disk": 50}


@pytest.fixture(params=["memory", "disk"], autouse=True)
def kind(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Every state's shelves are of that kind; on disk, nothing stays in memory for long."""
    shelf: NewShelf = MemoryShelf
    if request.param == "disk":
        scratch = Scratch(tmp_path_factory.mktemp("scratch"))

        def shelf() -> DiskShelf:
            return DiskShelf(scratch, buckets=2, write_every=1)

    monkeypatch.setattr(Orders.__init__, "__defaults__", (shelf,))
    return str(request.param)


def is_packed(world: World, order_id: str) -> bool:
    return order_id not in {one.order_id for one in world.state.orders.here()}


def filled() -> tuple[World, Order]:
    """c1, filled by XA's trade XA-n and packed; the child as it was then."""
    world = connected()
    world.state.orders.put_away_after_us = 0
    world.new("c1", "100")
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "100")
    world.new("c2", "100", price="99")
    assert is_packed(world, child.order_id)
    assert is_packed(world, child.parent_id)
    return world, child


def trade_of(child: Order) -> str:
    [(_, exec_id)] = child.executions
    return exec_id


def test_what_is_packed_is_as_it_was_and_is_packed_again() -> None:
    world, child = filled()
    again = world.state.orders[child.order_id]
    assert again is not child
    assert again == child
    assert repr(again) == repr(child)
    assert not is_packed(world, child.order_id)
    parent = world.order("c1")
    key = child.order_id, trade_of(child)
    assert parent.executions[key] is again.executions[key]
    world.tick(1)
    world.cancel("c3", "c2")
    assert is_packed(world, child.order_id)


def test_it_waits_a_while_before_it_is_packed() -> None:
    world = connected()
    world.new("c1", "100")
    child = world.child("c1")
    world.fill(child, "100")
    world.new("c2", "100", price="99")
    assert not is_packed(world, child.order_id)
    world.at += world.state.orders.put_away_after_us
    world.new("c3", "100", price="98")
    assert is_packed(world, child.order_id)


def test_a_quiet_moment_packs_a_portion() -> None:
    world = connected()
    for n in range(10):
        world.new(f"c{n}", "100", price=f"{99 - n}")
        world.fill(world.child(f"c{n}"), "100")
    world.state.put_away(world.at - 5_000, 100)
    known = len(world.state.orders.here())
    assert 0 < known < 20
    world.state.put_away(world.at, 2)
    assert len(world.state.orders.here()) == known - 4
    world.state.put_away(world.at, 100)
    assert world.state.orders.here() == []
    check_same(world.state, world.replayed())


def test_what_works_is_never_packed() -> None:
    world = connected()
    world.state.orders.put_away_after_us = 0
    for n in range(1, 20):
        world.new(f"c{n}", "100", price=f"{99 - n}")
        world.ack(world.child(f"c{n}"))
    assert len(world.state.orders.here()) == 2 * 19


def test_a_filled_order_with_a_part_still_at_a_venue_is_not_packed() -> None:
    world = checked_world()
    world.state.orders.put_away_after_us = 0
    first, second = world.split()
    world.fill(first, "100")
    assert not world.order("c1").is_open
    assert second.is_open
    world.state.put_away(world.at, 100)
    assert not is_packed(world, second.order_id)
    assert not is_packed(world, second.parent_id)


def test_an_order_of_a_list_is_packed_when_the_list_is_over() -> None:
    world = taken((listed(1, "100", "99"), listed(2, "200", "98")))
    world.state.orders.put_away_after_us = 0
    for name, packed in (("o1", False), ("o2", True)):
        child = world.child(name)
        world.fill(child, str(child.order_qty))
        world.state.put_away(world.at, 100)
        assert is_packed(world, child.parent_id) is packed


def test_the_same_trade_again_is_dropped() -> None:
    world, child = filled()
    world.fill(child, "100", exec_id=trade_of(child))
    [dropped] = of_type(world, DuplicateExecutionDropped)
    assert dropped.order_id == child.order_id
    assert world.order("c1").cum_qty == 100


def test_a_late_trade_is_booked() -> None:
    world, child = filled()
    world.fill(child, "5")
    [trade] = of_type(world, TradeExecuted)
    assert trade.parent_id == child.parent_id
    assert world.order("c1").cum_qty == 105
    assert world.state.positions["A1", "AAPL"].quantity == 105


def amended(exec_type: ExecType, **more: object) -> World:
    world, child = filled()
    ref = trade_of(child)
    world.send(
        world.report("XA", child.cl_ord_id, exec_type, OrdStatus.FILLED, exec_ref_id=ref, **more)
    )
    check_state(world.state)
    check_same(world.state, world.replayed())
    return world


def test_a_bust_of_its_trade() -> None:
    world = amended(ExecType.TRADE_CANCEL)
    assert of_type(world, TradeBusted)
    assert world.state.positions["A1", "AAPL"].quantity == 0


def test_a_correction_of_its_trade() -> None:
    world = amended(ExecType.TRADE_CORRECT, last_qty=Decimal(100), last_px=Decimal("99.5"))
    assert of_type(world, TradeCorrected)
    assert world.state.positions["A1", "AAPL"].cost == 9_950


@pytest.mark.parametrize("which", [0, 1])
def test_a_question_for_its_trade_by_the_exec_id_of_either_report(which: int) -> None:
    world, child = filled()
    [trade] = world.order("c1").executions.values()
    ref, told = trade.exec_id, [trade.report_id]
    world.send(
        world.report(
            *("XA", child.cl_ord_id, ExecType.TRADE_CANCEL, OrdStatus.FILLED), exec_ref_id=ref
        )
    )
    told.append(world.order("c1").executions[child.order_id, ref].report_id)
    world.cancel("c3", "c2")
    assert is_packed(world, child.order_id)
    for exec_id, found in ((told[which], 1), ("E1", 0)):
        world.send(
            TradeCaptureReportRequest(
                origin=world.origin("ALPHA"),
                trade_request_id="q1",
                request_type="0",
                exec_id=exec_id,
            )
        )
        assert len(of_type(world, TradeReported)) == found


def test_a_question_for_its_status() -> None:
    world, child = filled()
    world.send(OrderStatusRequest(origin=world.origin("ALPHA"), cl_ord_id="c1"))
    [told] = of_type(world, OrderStatusReported)
    assert told.order_id == child.parent_id


def test_a_cancel_that_comes_too_late() -> None:
    world, child = filled()
    world.cancel("c9", "c1")
    [refused] = of_type(world, RequestRefused)
    assert refused.order_id == child.parent_id


def test_its_cl_ord_id_is_taken() -> None:
    world, child = filled()
    world.new("c1", "70", price="98")
    [refused] = of_type(world, DuplicateOrderRefused)
    assert refused.order_id == child.parent_id
    world.new("c1", "100", poss_resend=True)
    assert of_type(world, OrderStatusReported)


def test_the_cl_ord_ids_of_its_requests_are_taken() -> None:
    world = connected()
    world.state.orders.put_away_after_us = 0
    world.new("c1", "100")
    child = world.child("c1")
    world.ack(child)
    world.cancel("c2", "c1")
    world.canceled(child, child.requests[0].cl_ord_id)
    world.new("c3", "100", price="99")
    assert is_packed(world, child.order_id)
    assert not dict.items(world.state.cl_ord_ids) - {(("ALPHA", "c3"), world.order("c3").order_id)}
    world.new("c2", "70", price="98")
    assert of_type(world, DuplicateOrderRefused)


def test_it_is_forgotten_with_the_date_after_the_next() -> None:
    world, child = filled()
    world.cancel("c3", "c2")
    for n, known in ((22, True), (23, False)):
        world.send(OpenTradingDate(origin=SYSTEM, trade_date=f"2026-09-{n}"))
        assert (child.order_id in world.state.orders) is known, DATE
        assert (("XA", trade_of(child)) in world.state.exec_ids) is known
    check_state(world.state)
    check_same(world.state, world.replayed())
    world.new("c1", "70")
    assert of_type(world, OrderAccepted)


def test_one_that_was_touched_since_is_forgotten_a_date_later() -> None:
    world, child = filled()
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    world.fill(child, "5")
    world.new("c4", "100", price="98")
    assert is_packed(world, child.order_id)
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-23"))
    assert child.order_id in world.state.orders
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-24"))
    assert child.order_id not in world.state.orders


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize(("after_us", "kept"), [(0, False), (1, True)])
def test_whichever_was_touched_last_says_when_both_are_forgotten(
    last: int, after_us: int, *, kept: bool
) -> None:
    world, child = filled()
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    world.cancel("c3", "c2")
    since, orders = world.state.trade_date_at, world.state.orders
    family = [orders[child.parent_id], orders[child.order_id]]
    family[last].updated_at = since + after_us
    world.state.put_away(world.at, 100)
    assert is_packed(world, child.order_id)
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-23"))
    assert (child.order_id in orders) is kept


def traffic(acts: list[tuple[int, int]], put_away_after_us: int) -> Desk:
    desk = Desk(lambda _: None)
    desk.world.state.orders.put_away_after_us = put_away_after_us
    for kind, n in acts:
        desk.act(kind, n)
    return desk


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS)
def test_the_journal_is_the_same_whether_orders_are_packed_or_not(
    acts: list[tuple[int, int]],
) -> None:
    at_once, never = traffic(acts, 0), traffic(acts, NEVER_US)
    assert at_once.world.journal == never.world.journal
    check_same(at_once.world.state, never.world.state)
    check_state(at_once.world.state, at_once.stubborn)


def test_names_whose_hashes_are_the_same_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_for_all(_: object) -> int:
        return 7

    monkeypatch.setattr("oms.domain.kept_orders.hash", one_for_all, raising=False)
    world, child = filled()
    assert world.state.order_of("ALPHA", "c0") is None
    assert world.order("c1").order_id == child.parent_id
    assert world.state.child_of("XA", child.cl_ord_id) == child
    assert world.state.exec_ids.get(("XB", trade_of(child))) is None


def test_a_finished_order_takes_little_memory(kind: str) -> None:
    flow = Flow(
        shape=OrderShape(symbols=("AAPL", "MSFT"), account="ACC1"),
        leader_epoch=1,
        seq=0,
        previous_hash=bytes(32),
    )
    flow.opened()
    flow.state.orders.put_away_after_us = 0
    sizes = []
    for orders in (320, 1_600):
        for _ in range(orders // 32):
            flow.sealed(flow.round(32))
        sizes.append(size_of(flow.state.orders, flow.state.positions))
    assert (sizes[1] - sizes[0]) / 1_600 < MOST_BYTES_AN_ORDER[kind]
    assert len(flow.state.orders.here()) < 300


def size_of(*roots: object) -> int:
    """All that can be reached from these, each once, but for what the program is made of."""
    shared = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, Enum, Callable)
    seen: set[int] = set()
    waiting = list(roots)
    total = 0
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and not isinstance(one, shared):
            seen.add(id(one))
            total += sys.getsizeof(one)
            waiting += gc.get_referents(one)
    return total


def test_there_are_no_orders_in_a_book_of_none() -> None:
    orders = Orders()
    assert orders.get("nobody") is None
    assert "nobody" not in orders
    assert orders.names[0].get(("ALPHA", "c1")) is None
    with pytest.raises(KeyError):
        orders["nobody"]
    with pytest.raises(KeyError):
        orders.names[0]["ALPHA", "c1"]
