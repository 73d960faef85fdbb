"""New that waits for a venue's, where the client's profile wants it so (B.1.d, G.1.c, XA.1.c)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.domain.commands import OrderStatusRequest
from oms.domain.fix import ExecType, OrdStatus, OrdType, TimeInForce
from oms.domain.instrument import Reference
from oms.domain.profile import ClientProfile
from tests.support.desk_model import ACTIONS, Desk
from tests.support.invariants import check_same, check_state
from tests.support.terms_world import TermsWorld
from tests.support.world import REFERENCE, World, reports

NEW = (ExecType.NEW, OrdStatus.NEW)
PENDING_NEW = (ExecType.PENDING_NEW, OrdStatus.PENDING_NEW)


def reference(**knobs: bool) -> Reference:
    profile = replace(ClientProfile(new_awaits_venue=True), **knobs)  # type: ignore[arg-type]
    alpha = replace(REFERENCE.clients["ALPHA"], profile=profile)
    return replace(REFERENCE, clients={**REFERENCE.clients, "ALPHA": alpha})


def world_with(**knobs: bool) -> World:
    world = World(reference(**knobs))
    world.connect("XA", "XB")
    return world


def check(world: World) -> None:
    check_state(world.state)
    check_same(world.state, world.replayed())


def test_an_order_is_pending_until_a_venue_has_it() -> None:
    world = world_with()
    world.new("X")
    assert reports(world) == [PENDING_NEW]
    world.send(OrderStatusRequest(origin=world.origin("ALPHA"), cl_ord_id="X"))
    assert reports(world) == [(ExecType.ORDER_STATUS, OrdStatus.PENDING_NEW)]
    check(world)
    world.ack(world.child("X"))
    assert reports(world) == [NEW]
    world.ack(world.child("X"))
    assert reports(world) == [], "once"
    check(world)


def test_what_trades_first_has_no_new() -> None:
    world = world_with()
    world.new("X", "100")
    world.fill(world.child("X"), "100")
    assert reports(world) == [(ExecType.TRADE, OrdStatus.FILLED)]
    check(world)


def test_a_first_report_that_restates_nothing_tells_new() -> None:
    """Found by simulated seed 405: its client was told nothing at all."""
    world = world_with(pending_acks=False)
    world.new("X")
    assert reports(world) == []
    child = world.child("X")
    world.send(world.report("XA", child.cl_ord_id, ExecType.RESTATED, OrdStatus.NEW))
    assert reports(world) == [NEW]
    check(world)


def test_the_first_of_several_venues_tells_it() -> None:
    world = world_with()
    world.quote("XA", "99", "100", "60")
    world.quote("XB", "99", "100", "60")
    world.new("X", "100")
    assert len(world.order("X").children) == 2
    world.ack(world.child("X", 1))
    assert reports(world) == [NEW]
    world.ack(world.child("X", 0))
    assert reports(world) == []
    check(world)


@pytest.mark.parametrize("first", [ExecType.DONE_FOR_DAY, ExecType.CALCULATED])
def test_a_venue_that_has_done_with_it_at_once_leaves_new_to_the_next_one(first: ExecType) -> None:
    """Found by seed 72057 of the simulator: the client heard of its order from nobody."""
    world = world_with()
    world.new("X")
    begun = world.child("X")
    done = {"order_qty": Decimal(100), "leaves_qty": Decimal(0)}
    told = []
    for kind in dict.fromkeys((first, ExecType.CALCULATED)):
        status = OrdStatus(kind.value)
        world.send(world.report(begun.counterparty, begun.cl_ord_id, kind, status, **done))
        told += reports(world)
    again = world.child("X")
    assert again is not begun
    world.ack(again)
    told += reports(world)
    assert told == [NEW]
    check(world)


def test_a_cancel_may_come_before_it() -> None:
    world = world_with()
    world.new("X")
    world.cancel("Y", "X")
    assert reports(world) == [(ExecType.PENDING_CANCEL, OrdStatus.PENDING_CANCEL)]
    world.ack(world.child("X"))
    assert reports(world) == [(ExecType.NEW, OrdStatus.PENDING_CANCEL)]
    world.canceled(world.child("X"), world.child("X").requests[0].cl_ord_id)
    assert reports(world) == [(ExecType.CANCELED, OrdStatus.CANCELED)]
    check(world)


@pytest.mark.parametrize(
    ("knobs", "tif", "first", "then"),
    [
        ({"pending_acks": False}, TimeInForce.DAY, [], [NEW]),
        ({"new_for_immediate": False}, TimeInForce.IOC, [], []),
        ({"new_for_immediate": False}, TimeInForce.DAY, [PENDING_NEW], [NEW]),
        ({"new_awaits_venue": False}, TimeInForce.DAY, [NEW], []),
    ],
)
def test_it_goes_together_with_the_other_knobs(
    knobs: dict[str, bool],
    tif: TimeInForce,
    first: list[tuple[ExecType, OrdStatus]],
    then: list[tuple[ExecType, OrdStatus]],
) -> None:
    world = world_with(**knobs)
    world.new("X", tif=tif)
    assert reports(world) == first
    world.ack(world.child("X"))
    assert reports(world) == then
    check(world)


@pytest.mark.parametrize("pending_acks", [True, False])
def test_a_stop_that_we_hold_is_new_with_us_and_never_again(pending_acks: bool) -> None:
    world = TermsWorld(reference(pending_acks=pending_acks))
    world.connect("XA", "XB")
    world.ask("X", OrdType.STOP, stop_px=Decimal(105))
    assert reports(world) == ([PENDING_NEW] if pending_acks else []) + [NEW]
    world.replace("Y", "X", "80", None)
    assert reports(world)[-1] == (ExecType.REPLACED, OrdStatus.NEW)
    world.quote("XA", "104", "106", "500")
    assert reports(world) == [(ExecType.TRIGGERED, OrdStatus.NEW)]
    world.ack(world.child("Y"))
    assert reports(world) == []
    world.fill(world.child("Y"), "80", "106")
    assert reports(world) == [(ExecType.TRADE, OrdStatus.FILLED)]


def test_a_stop_whose_price_is_reached_waits_for_its_venue() -> None:
    world = TermsWorld(reference())
    world.connect("XA", "XB")
    world.quote("XA", "104", "106", "500")
    world.ask("X", OrdType.STOP, stop_px=Decimal(105))
    assert reports(world) == [PENDING_NEW, (ExecType.TRIGGERED, OrdStatus.PENDING_NEW)]
    world.ack(world.child("X"))
    assert reports(world) == [NEW]


ACTS = st.lists(
    st.tuples(st.integers(0, len(ACTIONS) - 1), st.integers(0, 999)), min_size=40, max_size=200
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS)
def test_any_traffic_keeps_every_law(acts: list[tuple[int, int]]) -> None:
    desk = Desk(lambda one: check_state(one.world.state, one.stubborn), reference())
    for kind, n in acts:
        desk.act(kind, n)
    desk.settle()
    check_same(desk.world.state, desk.world.replayed())
    for order in desk.world.state.orders.values():
        assert order.accepted or not any(
            desk.world.state.orders[one].accepted for one in order.children
        )
