"""Busts and corrections that come before their trade, or without it: each counts once."""

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from oms.domain.commands import SYSTEM
from oms.domain.events import Event, TradeBusted, TradeCorrected, TradeExecuted
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.instrument import DropCopy
from oms.domain.order import Order
from oms.domain.orphan_events import OrphanSettled
from oms.domain.orphans import DecideOrphan, OrphanVerdict, Settlement
from oms.domain.profile import OrphanPolicy, VenueProfile
from tests.support.invariants import check_same
from tests.support.world import REFERENCE, World, of_type

COPY = "XA-DC"
Message = tuple[str, str, dict[str, Any]]
TRADE: Message = ("T-1", "XA", {"last_qty": Decimal(10), "last_px": Decimal(50)})
CORRECTION: Message = (
    "C-1",
    "XA",
    {
        "kind": ExecType.TRADE_CORRECT,
        "exec_ref_id": "T-1",
        "last_qty": Decimal(8),
        "last_px": Decimal(51),
    },
)
BUST: Message = ("B-1", "XA", {"kind": ExecType.TRADE_CANCEL, "exec_ref_id": "T-1"})
BUST_OF_CORRECTION: Message = ("B-1", "XA", BUST[2] | {"exec_ref_id": "C-1"})


class EarlyWorld(World):
    """A venue with a drop copy, and one order of ours there."""

    def __init__(self, policy: OrphanPolicy = OrphanPolicy.HOLD) -> None:
        profile = VenueProfile(orphans=policy, orphan_account="HOUSE")
        venues = {**REFERENCE.venues, "XA": replace(REFERENCE.venues["XA"], profile=profile)}
        copies = {COPY: DropCopy(session=COPY, venue="XA")}
        super().__init__(replace(REFERENCE, venues=venues, drop_copies=copies))
        self.connect("XA", "XB")

    def placed(self) -> Order:
        self.new("c1", "100", price="60")
        child = self.child("c1")
        self.ack(child)
        return child

    def told(self, name: str, message: Message) -> list[Event]:
        exec_id, source, more = message
        fields: dict[str, Any] = {
            "order_id": "V-9",
            "exec_id": exec_id,
            "side": Side.BUY,
            "leaves_qty": Decimal(90),
            "transact_time": self.state.trade_date_at + 1,
        } | more
        kind = fields.pop("kind", ExecType.TRADE)
        return self.send(self.report(source, name, kind, OrdStatus.PARTIALLY_FILLED, **fields))

    def adopt(self, account: str = "A1") -> None:
        [number] = self.state.orphans
        self.send(
            DecideOrphan(
                origin=replace(SYSTEM, user="eve"),
                orphan=number,
                verdict=OrphanVerdict.ADOPT,
                reason="asked",
                account=account,
            )
        )

    def refuse(self, orphan: int) -> None:
        """The desk says that it is not ours."""
        self.send(
            DecideOrphan(
                origin=replace(SYSTEM, user="eve"),
                orphan=orphan,
                verdict=OrphanVerdict.REFUSE,
                reason="theirs",
            )
        )

    def quantity(self, account: str = "A1") -> Decimal:
        found = self.state.positions.get((account, "AAPL"))
        return found.quantity if found is not None else Decimal(0)


def left(world: EarlyWorld) -> tuple[int, int]:
    """Orphans, and amendments that wait for their trade."""
    return len(world.state.orphans), len(world.state.orphans.early)


def test_a_bust_before_its_trade_is_booked_when_that_comes_and_once() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, BUST)
    world.told(child.cl_ord_id, BUST)
    assert left(world) == (0, 1)
    world.told(child.cl_ord_id, TRADE)
    assert len(of_type(world, TradeExecuted)) == len(of_type(world, TradeBusted)) == 1
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.order_id) == (Settlement.BOOKED, child.order_id)
    assert (world.order("c1").cum_qty, world.quantity(), left(world)) == (0, 0, (0, 0))
    assert world.order("c1").is_open
    for message in (BUST, TRADE):
        world.told(child.cl_ord_id, message)
        assert not of_type(world, TradeBusted)
        assert not of_type(world, TradeExecuted)
    check_same(world.state, world.replayed())


def test_a_bust_before_its_trade_that_ends_the_order() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, (*BUST[:2], BUST[2] | {"leaves_qty": Decimal(0)}))
    world.told(child.cl_ord_id, TRADE)
    assert child.closed is OrdStatus.CANCELED
    assert world.quantity() == 0


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("bust", [None, BUST, BUST_OF_CORRECTION])
def test_any_order_of_a_trade_its_correction_and_its_bust_is_one_story(
    bust: Message | None, again: bool
) -> None:
    story = [TRADE, CORRECTION, *([bust] if bust else [])]
    for order in itertools.permutations(story):
        if bust is BUST and order.index(BUST) < order.index(CORRECTION):
            continue  # a venue that corrects what it took back
        world = EarlyWorld()
        child = world.placed()
        for message in order:
            world.told(child.cl_ord_id, message)
            if again:
                world.told(child.cl_ord_id, message)
        assert world.quantity() == (0 if bust else 8), order
        assert child.avg_px == (0 if bust else 51), order
        assert left(world) == (0, 0), order
        check_same(world.state, world.replayed())


@pytest.mark.parametrize("known", [True, False])
def test_an_adopted_correction_and_then_its_trade_are_booked_once(known: bool) -> None:
    world = EarlyWorld()
    name = world.placed().cl_ord_id if known else "whose"
    world.told(name, CORRECTION)
    world.adopt()
    assert world.quantity() == 8
    for message in (TRADE, CORRECTION, TRADE):
        world.told(name, message)
        assert (world.quantity(), left(world)) == (8, (0, 0))
    world.told(name, BUST)
    assert world.quantity() == 0
    check_same(world.state, world.replayed())


def test_a_correction_of_a_correction_is_adopted_with_both_names_of_its_trade() -> None:
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    second = ("C-2", "XA", CORRECTION[2] | {"exec_ref_id": "C-1", "last_qty": Decimal(7)})
    world.told(name, CORRECTION)
    world.told(name, second)
    assert left(world) == (1, 2)
    world.adopt()
    assert (world.quantity(), left(world)) == (7, (0, 0))
    for message in (TRADE, CORRECTION, second):
        world.told(name, message)
        assert (world.quantity(), left(world)) == (7, (0, 0))
    check_same(world.state, world.replayed())


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_adopted_correction_of_a_trade_that_is_booked_is_one_more(elsewhere: bool) -> None:
    """Its venue took the trade back, or it is another order's: the operator says that it stands."""
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    world.told(name, TRADE)
    if not elsewhere:
        world.told(name, BUST)
    world.told("whose" if elsewhere else name, CORRECTION)
    world.adopt()
    assert (world.quantity(), left(world)) == (18 if elsewhere else 8, (0, 0))
    for message in (TRADE, CORRECTION, BUST):
        world.told(name, message)
    assert world.quantity() == 8
    check_same(world.state, world.replayed())


def test_a_correction_that_was_refused_does_not_touch_the_trade() -> None:
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    world.told(name, CORRECTION)
    [number] = world.state.orphans
    world.refuse(number)
    world.told(name, TRADE)
    assert (world.quantity(), left(world)) == (10, (0, 0))


def test_one_of_two_that_wait_for_a_trade_is_refused_and_the_other_goes_on_waiting() -> None:
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    world.told(name, CORRECTION)
    world.told(name, ("D-1", COPY, CORRECTION[2] | {"last_qty": Decimal(7)}))
    _, of_the_copy = sorted(world.state.orphans)
    world.refuse(of_the_copy)
    world.told(name, TRADE)
    assert (world.quantity(), left(world)) == (8, (0, 0))
    check_same(world.state, world.replayed())


def test_what_a_drop_copy_told_too_early_is_what_the_order_session_told_in_time() -> None:
    """Its corrections wait for its own name of the trade, and are no further ones then."""
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    second = CORRECTION[2] | {"last_qty": Decimal(7)}
    world.told(name, ("D-2", COPY, CORRECTION[2] | {"exec_ref_id": "D-1"}))
    world.told(name, ("D-3", COPY, second | {"exec_ref_id": "D-2"}))
    for message in (TRADE, CORRECTION, ("C-2", "XA", second | {"exec_ref_id": "C-1"})):
        world.told(name, message)
    assert (world.quantity(), left(world)) == (7, (0, 0)), "what it tells is what is booked"
    world.told(name, ("D-1", COPY, TRADE[2]))
    assert not of_type(world, TradeCorrected)
    assert (world.quantity(), left(world)) == (7, (0, 0))
    world.told(name, ("D-4", COPY, BUST[2] | {"exec_ref_id": "D-3"}))
    assert world.quantity() == 0, "its next step is news"
    check_same(world.state, world.replayed())


@pytest.mark.parametrize("policy", [OrphanPolicy.HOLD, OrphanPolicy.ADOPT])
def test_a_bust_before_the_trade_of_an_order_that_nobody_sent(policy: OrphanPolicy) -> None:
    world = EarlyWorld(policy)
    world.told("whose", BUST)
    world.told("whose", TRADE)
    [settled] = of_type(world, OrphanSettled)
    assert settled.settlement is Settlement.AMENDED
    assert (world.quantity("HOUSE"), len(world.state.orphans)) == (0, 0)
    world.told("whose", TRADE)
    assert (world.quantity("HOUSE"), len(world.state.orphans)) == (0, 0)
    check_same(world.state, world.replayed())


def test_a_policy_that_adopts_a_correction_has_its_trade_once() -> None:
    world = EarlyWorld(OrphanPolicy.ADOPT)
    world.told("whose", CORRECTION)
    world.told("whose", TRADE)
    assert (world.quantity("HOUSE"), left(world)) == (8, (0, 0))


@pytest.mark.parametrize("named", ["T-1", "D-1"])
def test_a_drop_copys_bust_before_anybody_told_the_trade(named: str) -> None:
    """It names the trade as the order session does, or as it does itself."""
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    world.told(name, ("DB-1", COPY, BUST[2] | {"exec_ref_id": named}))
    world.told(name, TRADE)
    if named == "D-1":
        world.told(name, ("D-1", COPY, TRADE[2]))
    assert (world.quantity(), left(world)) == (0, (0, 0))
    world.told(name, BUST)
    assert (world.quantity(), left(world)) == (0, (0, 0))
    check_same(world.state, world.replayed())


def test_another_trade_than_that_of_a_drop_copys_adopted_correction_is_news() -> None:
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    world.told(name, ("C-1", COPY, CORRECTION[2]))
    world.adopt()
    figures = {"last_qty": Decimal(5), "last_px": Decimal(52), "cum_qty": Decimal(13)}
    world.told(name, ("T-2", "XA", figures))
    assert (world.quantity(), left(world)) == (13, (0, 0))
    world.told(name, TRADE)
    assert world.quantity() == 13, "that is the one that was corrected"
    check_same(world.state, world.replayed())


def test_a_drop_copys_adopted_correction_is_the_order_sessions_trade() -> None:
    world = EarlyWorld()
    name = world.placed().cl_ord_id
    world.told(name, ("C-1", COPY, CORRECTION[2]))
    world.adopt()
    for message in (TRADE, CORRECTION):
        world.told(name, message)
        assert (world.quantity(), left(world)) == (8, (0, 0))
    check_same(world.state, world.replayed())
