"""A packed family is as it was to the last object, and is found by every name that it ever had."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.conditions import Conditions
from oms.domain.events import (
    DuplicateExecutionDropped,
    DuplicateOrderRefused,
    OrphanReported,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.instrument import DropCopy
from oms.domain.packing import (
    Family,
    as_bytes,
    may_have_traded,
    may_have_traded_of,
    packed,
    unpacked,
)
from oms.domain.profile import ClientProfile, ClOrdIdScope
from tests.support.checked_world import CheckedWorld
from tests.support.invariants import check_state
from tests.support.world import REFERENCE

COPY = "XA-DC"


@pytest.fixture
def world() -> CheckedWorld:
    """c1, working at a venue that is copied; what ends is packed at once."""
    copies = {COPY: DropCopy(session=COPY, venue="XA")}
    made = CheckedWorld(replace(REFERENCE, drop_copies=copies))
    made.connect("XA")
    made.working()
    return made


def put_away(world: CheckedWorld) -> None:
    known = world.child("c1").order_id
    world.state.put_away(world.at, 100)
    assert known not in {one.order_id for one in world.state.orders.here()}


def corrected(world: CheckedWorld, **more: object) -> None:
    """XA's trade t1 of 100, which it corrects to 100 at 99 as t2."""
    child = world.child("c1")
    figures = {"exec_ref_id": "t1", "last_qty": Decimal(100), "last_px": Decimal(99)} | more
    kind, status = ExecType.TRADE_CORRECT, OrdStatus.FILLED
    world.send(world.report("XA", child.cl_ord_id, kind, status, exec_id="t2", **figures))


def family(world: CheckedWorld, name: str) -> Family:
    made = packed(world.order(name), [world.child(name)])
    assert made is not None
    return made


def replaced(world: CheckedWorld) -> None:
    world.replace("c2", "c1", "60")
    world.replaced(world.child("c1"), "60")
    world.fill(world.child("c2"), "60")


def canceled(world: CheckedWorld) -> None:
    world.cancel("c2", "c1")
    child = world.child("c1")
    world.canceled(child, child.requests[0].cl_ord_id)


def conditions_lost(world: CheckedWorld) -> None:
    world.child("c1").conditions = Conditions(min_qty=Decimal(5))


@pytest.mark.parametrize("happened", [replaced, canceled, conditions_lost])
def test_what_was_asked_first_is_kept_beside_what_it_became(
    world: CheckedWorld, happened: Callable[[CheckedWorld], None]
) -> None:
    happened(world)
    child = world.child("c1")
    parent = world.state.orders[child.parent_id]
    made = packed(parent, [child])
    assert made is not None
    assert repr(unpacked(made)) == repr([parent, child])


def test_the_first_cl_ord_id_of_a_replaced_order_is_taken(world: CheckedWorld) -> None:
    replaced(world)
    put_away(world)
    world.new("c1", "70", price="98")
    assert world.of(DuplicateOrderRefused)


def test_a_law_of_names_holds_where_a_later_order_of_that_name_lies_packed() -> None:
    """The simulator's checkers do not look again at what lies as it lay."""
    profile = ClientProfile(cl_ord_id_scope=ClOrdIdScope.WORKING)
    clients = {"ALPHA": replace(REFERENCE.clients["ALPHA"], profile=profile)}
    world = CheckedWorld(replace(REFERENCE, clients=clients))
    world.connect("XA")
    first, second = [filled(world) for _ in range(2)]
    assert first != second
    world.state.put_away(world.at, 100)
    settled: dict[int, Family] = {}
    check_state(world.state, settled=settled)
    assert world.state.orders[first].cl_ord_id == "c1", "opened, as by a late report"
    check_state(world.state, settled=settled)
    assert world.order("c1").order_id == second


def filled(world: CheckedWorld) -> str:
    world.fill(world.working(), "100")
    return world.order("c1").order_id


def test_a_venue_may_name_it_by_what_we_called_it_first(world: CheckedWorld) -> None:
    named = world.child("c1").cl_ord_id
    replaced(world)
    put_away(world)
    figures = {"last_qty": Decimal(5), "last_px": Decimal(100)}
    kind, status = ExecType.TRADE, OrdStatus.FILLED
    world.send(world.report("XA", named, kind, status, order_id="other", **figures))
    assert not world.of(OrphanReported)
    assert world.of(TradeExecuted)


def test_a_correction_that_is_repeated_is_known_by_its_own_exec_id(world: CheckedWorld) -> None:
    world.fill(world.child("c1"), "100", exec_id="t1")
    corrected(world)
    put_away(world)
    world.fill(world.child("c1"), "100", "99", exec_id="t2")
    assert world.of(DuplicateExecutionDropped)
    assert not world.of(TradeExecuted)


def test_a_copys_trade_that_is_repeated_is_known_by_the_copys_exec_id(world: CheckedWorld) -> None:
    child = world.child("c1")
    world.fill(child, "100", exec_id="t1")
    for times in range(2):
        figures = {"last_qty": Decimal(100), "last_px": Decimal(100), "exec_id": "d1"}
        kind, status = ExecType.TRADE, OrdStatus.FILLED
        world.send(world.report(COPY, child.cl_ord_id, kind, status, **figures))
        assert len(world.of(DuplicateExecutionDropped)) == times
        put_away(world)


def test_only_those_with_a_trade_and_the_text_may_have_traded(world: CheckedWorld) -> None:
    world.fill(world.working("c5"), "100")
    canceled(world)
    untraded, traded = family(world, "c1"), family(world, "c5")
    for one, mark, may in ((untraded, b"c1", 0), (traded, b"c5", 1), (traded, b"nobody's", 0)):
        assert may_have_traded(one, [mark]) is bool(may)
        assert may_have_traded_of([as_bytes(one)], [mark]) == [as_bytes(one)] * may


def test_a_text_that_no_trade_can_have_finds_none(world: CheckedWorld) -> None:
    world.fill(world.child("c1"), "100")
    put_away(world)
    assert not list(world.state.orders.traded("\udcff"))


def test_a_name_is_whose_it_was_first(world: CheckedWorld) -> None:
    parent = world.order("c1").order_id
    world.fill(world.child("c1"), "100")
    put_away(world)
    names = world.state.cl_ord_ids
    assert names["ALPHA", "c1"] == parent
    assert names.setdefault(("ALPHA", "c9"), parent) == parent
    assert names.setdefault(("ALPHA", "c9"), "another") == parent
