"""Reports on orders that nobody sent: held, adopted or declined, by policy or by an operator."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from oms.domain.answer_effects import SendDontKnowTrade
from oms.domain.commands import SYSTEM, CloseTradingDay, EngageKillSwitch
from oms.domain.events import CommandAnswered, Event, OrphanReported
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.instrument import DropCopy
from oms.domain.order import Order
from oms.domain.origin import EXTERNAL
from oms.domain.orphan_events import ExternalOrderAdopted, OrphanSettled, TradeMatched
from oms.domain.orphans import DecideOrphan, OrphanVerdict, Settlement
from oms.domain.profile import OrphanPolicy, VenueProfile
from oms.domain.reasons import Reason
from tests.support.invariants import check_same
from tests.support.world import DATE, REFERENCE, World, of_type

COPY = "XA-DC"


def world_with(policy: OrphanPolicy, account: str = "") -> World:
    profile = VenueProfile(orphans=policy, orphan_account=account)
    venues = {**REFERENCE.venues, "XA": replace(REFERENCE.venues["XA"], profile=profile)}
    copies = {COPY: DropCopy(session=COPY, venue="XA")}
    world = World(replace(REFERENCE, venues=venues, drop_copies=copies))
    world.connect("XA", "XB")
    return world


def stranger(world: World, exec_id: str = "S-1", source: str = "XA", **more: Any) -> list[Event]:
    """A fill of an order that nobody sent."""
    fields: dict[str, Any] = {
        "order_id": "V-9",
        "exec_id": exec_id,
        "side": Side.SELL,
        "last_qty": Decimal(10),
        "last_px": Decimal(50),
        "transact_time": world.state.trade_date_at + 1,
    }
    kind = more.pop("kind", ExecType.TRADE)
    name = more.pop("cl_ord_id", "whose")
    return world.send(
        world.report(source, name, kind, OrdStatus.PARTIALLY_FILLED, **(fields | more))
    )


def decide(world: World, orphan: int, verdict: OrphanVerdict, **more: Any) -> list[Event]:
    origin = replace(SYSTEM, user="eve")
    command = DecideOrphan(origin=origin, orphan=orphan, verdict=verdict, reason="asked", **more)
    return world.send(command)


def external(world: World) -> Order:
    [found] = [one for one in world.state.orders.values() if one.counterparty == EXTERNAL]
    return found


def test_adopted_by_policy_with_its_position_and_its_later_trades() -> None:
    world = world_with(OrphanPolicy.ADOPT, "HOUSE")
    stranger(world)
    assert not world.effects
    order = external(world)
    assert (order.cl_ord_id, order.account) == ("", "HOUSE")
    assert order.order_qty == order.cum_qty == 10
    assert order.ord_status is OrdStatus.FILLED
    assert world.state.position("HOUSE", "AAPL").quantity == -10
    stranger(world)
    stranger(world, "S-2", last_qty=Decimal(5))
    stranger(world, "S-3", last_qty=Decimal(5), cl_ord_id="")  # by its OrderID
    assert external(world).order_qty == external(world).cum_qty == 20
    stranger(world, "S-4", kind=ExecType.TRADE_CANCEL, exec_ref_id="S-2", last_qty=None)
    assert order.cum_qty == 15
    assert order.exposure == 0
    assert not order.is_open
    assert world.state.position("HOUSE", "AAPL").quantity == -15
    assert not world.state.orphans
    # It is nobody's to withdraw.
    world.send(EngageKillSwitch(origin=SYSTEM, level="FIRM", subject="*", reason="drill"))
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    assert not world.effects
    check_same(world.state, world.replayed())


def test_what_no_human_decided_names_no_human() -> None:
    world = world_with(OrphanPolicy.ADOPT, "HOUSE")
    stranger(world)
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.user) == (Settlement.ADOPTED, "")
    assert settled.text == "policy of XA"


def test_what_is_taken_back_while_it_is_held_ends_without_an_order_or_a_human() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    stranger(world, "B-1", kind=ExecType.TRADE_CANCEL, exec_ref_id="S-1")
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.order_id, settled.user) == (Settlement.AMENDED, "", "")


def test_an_order_that_a_venues_status_tells_of_is_told_by_its_order_session() -> None:
    world = world_with(OrphanPolicy.HOLD)
    world.send(world.report("XA", "whose", ExecType.ORDER_STATUS, OrdStatus.NEW))
    [held] = of_type(world, OrphanReported)
    assert (held.source, held.session, held.cl_ord_id) == ("", "XA", "whose")


def test_a_trade_of_an_earlier_date_is_held_whatever_the_policy() -> None:
    """Found by simulated seed 10581: it had been adopted then, and was forgotten since."""
    world = world_with(OrphanPolicy.ADOPT, "HOUSE")
    stranger(world, transact_time=world.state.trade_date_at - 1)
    assert len(world.state.orphans) == 1
    stranger(world, "S-2", transact_time=world.state.trade_date_at + 1)
    assert len(world.state.orphans) == 1
    stranger(world, "S-3", transact_time=world.state.trade_date_at - 1)
    assert len(world.state.orphans) == 2, "of an order that is known since"


def test_a_trade_without_a_time_is_of_no_earlier_date() -> None:
    world = world_with(OrphanPolicy.ADOPT, "HOUSE")
    stranger(world, transact_time=0)
    assert external(world).cum_qty == 10


def test_what_cannot_be_booked_is_held_whatever_the_policy() -> None:
    world = world_with(OrphanPolicy.ADOPT, "HOUSE")
    stranger(world, symbol="WHAT")
    stranger(world, "S-2", side=None)
    assert len(world.state.orphans) == 2
    assert not of_type(world, ExternalOrderAdopted)
    decide(world, min(world.state.orphans), OrphanVerdict.ADOPT)
    [answer] = of_type(world, CommandAnswered)
    assert answer.text == "symbol = WHAT: must be a configured instrument"


@pytest.mark.parametrize("policy", [OrphanPolicy.ADOPT, OrphanPolicy.DK])
@pytest.mark.parametrize("name", ["260921-14-1", "260921-14-2.3"])
def test_a_late_fill_of_an_order_of_ours_is_held_whatever_the_policy(
    policy: OrphanPolicy, name: str
) -> None:
    """Its order is of an earlier date and forgotten; its name tells that we made it."""
    world = world_with(policy, "HOUSE")
    stranger(world, cl_ord_id=name)
    assert not world.effects
    assert not of_type(world, ExternalOrderAdopted)
    assert len(world.state.orphans) == 1


def test_held_until_an_operator_adopts_it_for_an_account() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    [number] = world.state.orphans
    for account in ("", "NOBODY"):
        decide(world, number, OrphanVerdict.ADOPT, account=account)
        [answer] = of_type(world, CommandAnswered)
        assert answer.reason is Reason.UNSUPPORTED_VALUE
    decide(world, number, OrphanVerdict.ADOPT, account="A1")
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.user) == (Settlement.ADOPTED, "eve")
    assert world.state.position("A1", "AAPL").quantity == -10
    decide(world, number, OrphanVerdict.ADOPT, account="A1")
    assert [one.accepted for one in of_type(world, CommandAnswered)] == [True]
    assert world.state.position("A1", "AAPL").quantity == -10
    decide(world, 7, OrphanVerdict.ADOPT)
    assert [one.reason for one in of_type(world, CommandAnswered)] == [Reason.UNKNOWN_ORDER]
    check_same(world.state, world.replayed())


@pytest.mark.parametrize("tell_venue", [True, False])
def test_refused_and_the_venue_told_where_wanted(tell_venue: bool) -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    [number] = world.state.orphans
    decide(world, number, OrphanVerdict.REFUSE, tell_venue=tell_venue)
    sent = [one for one in world.effects if isinstance(one, SendDontKnowTrade)]
    assert [one.exec_id for one in sent] == (["S-1"] if tell_venue else [])
    assert not world.state.orphans
    assert not stranger(world)[1:]
    decide(world, number, OrphanVerdict.ADOPT, account="A1")
    assert [one.reason for one in of_type(world, CommandAnswered)] == [Reason.TOO_LATE]


def test_a_venue_takes_back_or_corrects_what_is_held() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    change: dict[str, Any] = {
        "kind": ExecType.TRADE_CORRECT,
        "exec_ref_id": "S-1",
        "last_px": Decimal(49),
    }
    stranger(world, "S-2", **change)
    [settled] = of_type(world, OrphanSettled)
    assert settled.settlement is Settlement.AMENDED
    [orphan] = world.state.orphans.values()
    assert orphan.event.exec_id == "S-2"
    assert orphan.event.last_px == 49
    stranger(world, "S-3", kind=ExecType.TRADE_CANCEL, exec_ref_id="S-2", last_qty=None)
    assert not world.state.orphans
    check_same(world.state, world.replayed())


@pytest.mark.parametrize("order", [("XA", COPY), (COPY, "XA")])
@pytest.mark.parametrize("policy", [OrphanPolicy.HOLD, OrphanPolicy.ADOPT])
def test_an_unknown_trade_that_two_sessions_tell_is_one(
    order: tuple[str, str], policy: OrphanPolicy
) -> None:
    world = world_with(policy, "HOUSE")
    stranger(world, "S-1", order[0])
    stranger(world, "T-1", order[1])
    assert of_type(world, TradeMatched)
    if policy is OrphanPolicy.HOLD:
        [number] = world.state.orphans
        decide(world, number, OrphanVerdict.ADOPT)
    exec_id = "S-1" if order[0] == "XA" else "T-1"
    assert [one for _, one in external(world).executions] == [exec_id]
    for source, name in zip(order, ("S-1", "T-1"), strict=True):
        stranger(world, name, source)
    assert world.state.position("HOUSE", "AAPL").quantity == -10
    check_same(world.state, world.replayed())


def test_two_unknown_trades_of_a_copy_are_two() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world, "S-1")
    stranger(world, "D-1", COPY)
    stranger(world, "D-2", COPY)
    assert len(world.state.orphans) == 2


def test_a_copy_is_never_answered_with_a_dont_know() -> None:
    world = world_with(OrphanPolicy.DK)
    stranger(world, "D-1", COPY)
    assert not world.effects
    [number] = world.state.orphans
    decide(world, number, OrphanVerdict.REFUSE, tell_venue=True)
    assert [one.reason for one in of_type(world, CommandAnswered)] == [Reason.UNSUPPORTED_VALUE]
    assert not world.effects


def test_booked_when_its_order_is_named() -> None:
    world = world_with(OrphanPolicy.HOLD)
    world.new("c1")
    child = world.child("c1")
    stranger(world, "t1", order_id="V-1")
    assert of_type(world, OrphanReported)
    world.fill(child, "10", "50", exec_id="t1")
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.order_id) == (Settlement.BOOKED, child.order_id)
    assert child.cum_qty == 10
    assert not world.state.orphans
