"""A trade that a drop copy tells first: of which order, how much too much, what it sets off."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from oms.domain.commands import NewOrderSingle
from oms.domain.conditions import Conditions
from oms.domain.events import (
    DiscrepancyFound,
    OrderAcknowledged,
    OrderInDoubt,
    OrderTriggered,
    OrphanReported,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.instrument import DropCopy
from oms.domain.order import Order
from oms.domain.orphan_events import TradeMatched
from oms.domain.orphans import OrphanKind, TradeIds, copy_id
from oms.domain.reasons import Reason
from tests.support.invariants import check_same
from tests.support.world import REFERENCE, World, of_type

COPY = "XA-DC"
PARTLY = OrdStatus.PARTIALLY_FILLED


@pytest.fixture
def world() -> World:
    """One order, c1, at the venue that is copied; nothing is said of it yet."""
    stops = replace(REFERENCE.venues["XA"], ord_types=frozenset(OrdType))
    venues = REFERENCE.venues | {"XA": stops}
    copies = {COPY: DropCopy(session=COPY, venue="XA")}
    made = World(replace(REFERENCE, venues=venues, drop_copies=copies))
    made.connect("XA", "XB")
    made.new("c1")
    return made


def copied(world: World, child: Order, qty: str = "10", **more: Any) -> TradeExecuted | None:
    """A fill at 100 that the drop copy tells."""
    fields: dict[str, Any] = {
        "last_qty": Decimal(qty),
        "last_px": Decimal(100),
        "leaves_qty": Decimal(50),
    }
    fields |= more
    cl_ord_id = fields.pop("cl_ord_id", child.cl_ord_id)
    kind = fields.pop("kind", ExecType.TRADE)
    world.send(world.report(COPY, cl_ord_id, kind, PARTLY, **fields))
    trades = of_type(world, TradeExecuted)
    return trades[0] if trades else None


def test_the_first_word_of_an_order_may_be_a_copys_trade(world: World) -> None:
    child = world.child("c1")
    first = copied(world, child, order_id="V-7")
    [told] = of_type(world, OrderAcknowledged)
    assert (told.implied, told.source, told.venue_order_id) == (True, COPY, "V-7")
    assert first is not None
    assert (first.early, first.late, first.excess) == (True, False, False)
    second = copied(world, child, "11")
    assert not of_type(world, OrderAcknowledged)
    assert second is not None
    assert (second.early, second.late, second.excess) == (False, False, False)


@pytest.mark.parametrize(("qty", "excess"), [("90", False), ("91", True)])
def test_what_a_copy_tells_beyond_the_order_is_in_excess(
    world: World, qty: str, *, excess: bool
) -> None:
    child = world.child("c1")
    copied(world, child, "10")
    trade = copied(world, child, qty)
    assert trade is not None
    assert trade.excess is excess


def test_what_a_copy_tells_of_a_closed_order_is_late(world: World) -> None:
    child = world.child("c1")
    world.ack(child)
    world.canceled(child)
    trade = copied(world, child)
    assert trade is not None
    assert (trade.late, trade.excess) == (True, False)


def test_a_copys_trade_says_that_the_venue_triggered_a_stop(world: World) -> None:
    world.send(
        NewOrderSingle(
            origin=world.origin("ALPHA"),
            cl_ord_id="s1",
            account="A1",
            symbol="AAPL",
            side=Side.BUY,
            order_qty=Decimal(100),
            ord_type=OrdType.STOP,
            price=None,
            time_in_force=TimeInForce.DAY,
            conditions=Conditions(stop_px=Decimal(100)),
        )
    )
    child = world.child("s1")
    assert child.ord_type is OrdType.STOP
    world.ack(child)
    copied(world, child)
    assert child.order_id in [one.order_id for one in of_type(world, OrderTriggered)]
    copied(world, child, "11")
    assert not of_type(world, OrderTriggered)


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"symbol": "MSFT"}, "Symbol (55) is MSFT, not AAPL"),
        ({"side": Side.SELL}, "Side (54) is SELL, not BUY"),
        ({"side": None}, "Side (54) is another, not BUY"),
    ],
)
def test_a_copys_trade_that_does_not_fit_its_order_is_asked_and_not_booked(
    world: World, fields: dict[str, Any], asked: str
) -> None:
    child = world.child("c1")
    assert copied(world, child, **fields) is None
    [orphan] = of_type(world, OrphanReported)
    assert (orphan.kind, orphan.text, orphan.order_id) == (
        OrphanKind.SAME_TRADE,
        asked,
        child.order_id,
    )
    assert (orphan.twin, child.cum_qty) == ("", 0)


def test_a_copy_may_name_the_order_by_what_it_was_called_before(world: World) -> None:
    child = world.child("c1")
    copied(world, child, cl_ord_id="nobody's", orig_cl_ord_id=child.cl_ord_id)
    assert child.cum_qty == 10


def test_an_order_is_found_by_its_name_whatever_the_copy_says_it_was_before(world: World) -> None:
    child = world.child("c1")
    copied(world, child, orig_cl_ord_id="nobody's", order_id="nobody's")
    assert child.cum_qty == 10


@pytest.mark.parametrize(("qty", "asked"), [("99", True), ("100", False)])
def test_a_copys_trade_that_fills_the_order_leaves_nothing_to_ask(
    world: World, qty: str, *, asked: bool
) -> None:
    child = world.child("c1")
    world.ack(child)
    said = {"cum_qty": Decimal(20), "leaves_qty": Decimal(80)}
    world.send(world.report("XA", child.cl_ord_id, ExecType.ORDER_STATUS, PARTLY, **said))
    assert child.doubt_reason is Reason.VENUE_DISAGREES
    copied(world, child, qty)
    assert bool(of_type(world, OrderInDoubt)) is asked


def test_a_copys_correction_by_the_venues_name_that_is_known_corrects_nothing(
    world: World,
) -> None:
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "5", exec_id="t1")
    said = {"exec_ref_id": "t1", "last_qty": Decimal(4), "last_px": Decimal(100)}
    kind = ExecType.TRADE_CORRECT
    world.send(world.report("XA", child.cl_ord_id, kind, PARTLY, exec_id="t2", **said))
    assert child.cum_qty == 4
    copied(world, child, "4", kind=kind, exec_id="b1", exec_ref_id="t1")
    assert of_type(world, TradeMatched)
    assert not of_type(world, TradeCorrected)
    assert child.cum_qty == 4


def test_a_copy_that_names_two_orders_is_asked(world: World) -> None:
    world.ack(world.child("c1"))
    world.new("c2")
    other = world.child("c2")
    world.ack(other)
    assert copied(world, other, order_id=world.child("c1").venue_order_id) is None
    [orphan] = of_type(world, OrphanReported)
    assert other.order_id in orphan.text
    assert world.child("c1").order_id in orphan.text


@pytest.mark.parametrize(
    ("exec_id", "secondary", "same"),
    [("S-1", "", True), ("b1", "S-1", True), ("b1", "S-2", False), ("b1", "", False)],
)
def test_a_trade_of_another_time_is_the_same_where_its_secondary_exec_id_names_it(
    world: World, exec_id: str, secondary: str, *, same: bool
) -> None:
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "10", transact_time=1, ids=TradeIds(secondary_exec_id="S-1"))
    ids = TradeIds(secondary_exec_id=secondary)
    copied(world, child, exec_id=exec_id, ids=ids, transact_time=9_000_000)
    assert [one.rule for one in of_type(world, TradeMatched)] == ["named the same"] * same
    assert child.cum_qty == 10
    assert len(of_type(world, OrphanReported)) == 1 - same


@pytest.mark.parametrize("kind", [ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT])
def test_a_copys_amendment_of_a_trade_that_nobody_told_is_an_orphan(
    world: World, kind: ExecType
) -> None:
    child = world.child("c1")
    copied(world, child, kind=kind, exec_ref_id="never")
    [orphan] = of_type(world, OrphanReported)
    assert orphan.exec_ref_id == copy_id(COPY, "never")
    assert child.cum_qty == 0


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("cum_qty", "flagged"), [("24", True), ("25", False), ("35", False), ("36", True)]
)
def test_a_venue_counts_what_it_told_before(
    world: World, cum_qty: str, *, both: bool, flagged: bool
) -> None:
    """It told 5, the copy too perhaps; the copy alone 10; and now it tells 20."""
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "5", "98")
    if both:
        copied(world, child, "5", last_px=Decimal(98))
    copied(world, child, "10")
    assert child.cum_qty == 15
    world.fill(child, "20", "101", cum_qty=Decimal(cum_qty))
    assert child.cum_qty == 35
    assert [one.field for one in of_type(world, DiscrepancyFound)] == ["CumQty (14)"] * flagged


def test_a_venue_counts_what_it_corrected_before(world: World) -> None:
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "5", exec_id="t1")
    copied(world, child, "5")
    said = {"exec_ref_id": "t1", "last_qty": Decimal(4), "last_px": Decimal(100)}
    world.send(world.report("XA", child.cl_ord_id, ExecType.TRADE_CORRECT, PARTLY, **said))
    copied(world, child, "10", last_px=Decimal(99))
    assert child.ahead
    world.fill(child, "20", "101", cum_qty=Decimal(24))
    assert not of_type(world, DiscrepancyFound)


def test_a_copy_may_take_back_a_trade_by_the_venues_own_name_for_it(world: World) -> None:
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "5", exec_id="t1")
    copied(world, child, kind=ExecType.TRADE_CANCEL, exec_id="b1", exec_ref_id="t1")
    assert (child.cum_qty, world.order("c1").cum_qty) == (0, 0)
    [matched] = of_type(world, TradeMatched)
    assert (matched.exec_id, matched.source) == ("t1", COPY)
    copied(world, child, "5", exec_id="t1")
    assert child.cum_qty == 0, "it is told again and was taken back"


def test_a_correction_that_is_told_after_the_bust_that_followed_it_corrects_nothing(
    world: World,
) -> None:
    """A gap in the copy's own stream; its client would take the trade for one that counts again."""
    child = world.child("c1")
    world.ack(child)
    copied(world, child, "5", exec_id="d1")
    copied(world, child, kind=ExecType.TRADE_CANCEL, exec_id="d3", exec_ref_id="d1")
    assert of_type(world, TradeBusted)
    copied(world, child, "4", kind=ExecType.TRADE_CORRECT, exec_id="d2", exec_ref_id="d1")
    assert not of_type(world, TradeCorrected)
    [told] = of_type(world, TradeMatched)
    assert (told.amends, told.told_as) == (True, copy_id(COPY, "d2"))
    [flagged] = of_type(world, DiscrepancyFound)
    assert (flagged.ours, flagged.theirs) == ("0 at 0", f"4 at 100 of {copy_id(COPY, 'd2')}")
    assert not world.effects, "its client is told nothing"
    assert (child.cum_qty, world.order("c1").cum_qty) == (0, 0)
    check_same(world.state, world.replayed())
