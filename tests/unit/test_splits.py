"""Splits: previewed by one, applied by another, orders and positions in new shares."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import SessionLoggedOut
from oms.domain.conditions import DayFigures
from oms.domain.events import (
    CommandAnswered,
    DiscrepancyFound,
    OrderConfirmed,
    OrderInDoubt,
)
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.order import Order
from oms.domain.origin import SYSTEM
from oms.domain.session_commands import LogoutCause
from oms.domain.splits import (
    CorporateActionApplied,
    CorporateActionPreviewed,
    OrderRebased,
    PositionRebased,
    PreviewCorporateAction,
)
from oms.domain.state import Position
from tests.support.splits import TOMORROW, apply, close, open_date, person, preview
from tests.support.terms_world import TermsWorld, world_of
from tests.support.world import DATE

GTC = TimeInForce.GTC


def worked(qty: str = "10000", filled: str = "2000", price: str = "50") -> tuple[TermsWorld, Order]:
    """A good-till order at its venue, in part filled, in the night after its first day."""
    world = world_of(times={GTC}, types={OrdType.STOP_LIMIT})
    world.ask("c1", qty=qty, price=price, tif=GTC)
    child = world.child("c1")
    world.ack(child)
    if filled:
        world.fill(child, filled, price)
    close(world)
    return world, child


def position(world: TermsWorld) -> Position:
    return world.state.position("A1", "AAPL")


def reports(world: TermsWorld) -> list[fx.SendExecutionReport]:
    return [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]


def test_a_split_rebases_order_child_and_position_and_is_told_once_in_the_morning() -> None:
    world, child = worked()
    shown = preview(world)
    assert not shown.faults
    assert [one.order_id for one in shown.orders] == [world.order("c1").order_id, child.order_id]
    assert world.order("c1").order_qty == 10000, "a preview changes nothing"
    assert apply(world) == ""
    assert not world.effects
    assert len(world.of(OrderRebased)) == 2
    for order in (world.order("c1"), child):
        figures = (order.order_qty, order.cum_qty, order.leaves_qty, order.price, order.avg_px)
        assert figures == (20000, 4000, 16000, 25, 25)
    held = position(world)
    assert (held.quantity, held.cost, held.realised) == (4000, 100_000, 0)

    open_date(world)
    [told] = reports(world)
    assert (told.exec_type, told.restatement) == (ExecType.RESTATED, "0")
    assert (told.order_qty, told.cum_qty, told.leaves_qty) == (20000, 4000, 16000)
    assert told.day == DayFigures(order_qty=Decimal(16000), cum_qty=Decimal(0), avg_px=Decimal(0))
    world.fill(child, "5000", "25")
    [told] = reports(world)
    assert (told.order_qty, told.cum_qty, told.leaves_qty) == (20000, 9000, 11000)
    assert told.day is not None
    assert told.day.cum_qty == 5000
    world.fill(child, "11000", "25")
    assert world.order("c1").ord_status is OrdStatus.FILLED

    close(world, TOMORROW)
    world.ask("c2", qty="100", price="25", tif=GTC)
    world.ack(world.child("c2"))
    open_date(world, "2026-09-23")
    assert [one.restatement for one in reports(world)] == ["1"], "once"


def test_it_is_one_persons_wish_and_anothers_deed_once() -> None:
    world, _ = worked()
    assert "must be one that was previewed" in apply(world)
    preview(world)
    assert "must be somebody else" in apply(world, user="anne")
    number = world.state.corporate_actions["CA-1"].preview
    preview(world, user="carl")
    assert "must be the latest one" in apply(world, number=number)
    assert apply(world) == ""
    [applied] = world.of(CorporateActionApplied)
    assert (applied.user, applied.approved_by) == ("carl", "bert")
    again = apply(world)
    assert (again, world.of(OrderRebased)) == ("", [])
    assert world.of(CommandAnswered)[0].accepted
    assert position(world).quantity == 4000
    world.send(
        PreviewCorporateAction(
            origin=person("anne"),
            action_id="CA-1",
            symbol="AAPL",
            new_shares=2,
            old_shares=1,
            effective_date=TOMORROW,
            reason="again",
        )
    )
    assert not world.of(CommandAnswered)[0].accepted


def test_a_split_that_was_applied_too_early_is_told_when_another_date_opens() -> None:
    world, _ = worked()
    preview(world, effective="2026-09-23")
    assert apply(world) == ""
    open_date(world)
    [noted] = world.of(DiscrepancyFound)
    assert (noted.order_id, noted.field) == (world.order("c1").order_id, "effective_date")
    assert (noted.ours, noted.theirs) == ("2026-09-23", TOMORROW)
    # Nothing has traded, so the inverse takes it back on the same day.
    preview(world, 1, 2, action="BACK")
    assert apply(world, "BACK") == ""
    assert (world.order("c1").order_qty, position(world).quantity) == (10000, 2000)
    assert not world.state.ex_dates


def test_what_has_changed_since_the_preview_must_be_seen_first() -> None:
    world, child = worked()
    preview(world)
    world.fill(child, "10", "50")
    assert "have changed since" in apply(world)
    preview(world)
    assert apply(world) == ""


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"symbol": "NONE"}, "symbol = NONE"),
        ({"new_shares": 0}, "new_shares = 0"),
        ({"new_shares": 1}, "must not be the same"),
        ({"effective_date": "2030-01-01"}, "effective_date = 2030-01-01"),
        ({"cash_in_lieu_px": Decimal(0)}, "cash_in_lieu_px = 0"),
        ({"reason": " "}, "reason: must not be empty"),
        ({"action_id": ""}, "action_id: must not be empty"),
        ({"origin": SYSTEM}, "origin.user"),
    ],
)
def test_terms_that_cannot_be_are_refused(changed: dict[str, object], fault: str) -> None:
    world, _ = worked()
    command = PreviewCorporateAction(
        origin=person("anne"),
        action_id="CA-1",
        symbol="AAPL",
        new_shares=2,
        old_shares=1,
        effective_date=TOMORROW,
        reason="announced",
    )
    world.send(replace(command, **changed))  # type: ignore[arg-type]
    [answer] = world.of(CommandAnswered)
    assert not answer.accepted
    assert fault in answer.text
    assert not world.of(CorporateActionPreviewed)


def test_it_waits_for_the_end_of_the_day_and_is_too_late_after_the_first_trade() -> None:
    world = world_of(times={GTC})
    world.ask("c1", qty="100", price="50", tif=GTC)
    child = world.child("c1")
    world.ack(child)
    assert "must be closed first" in preview(world).faults[0]
    assert "must be closed first" in apply(world)
    close(world)
    open_date(world)
    assert [one.restatement for one in reports(world)] == ["1"]
    assert not preview(world).faults
    world.ask("c2", qty="7", price="25", tif=GTC)
    assert apply(world) == ""
    assert [one.restatement for one in reports(world)] == ["0"]
    assert world.order("c1").order_qty == 200
    assert world.order("c2").order_qty == 7, "it was sent in new shares"

    world.fill(child, "10", "25")
    assert "has traded on it already" in preview(world, action="CA-2").faults[0]
    assert "must not be before" in preview(world, action="CA-3", effective=DATE).faults[0]


def test_an_order_that_is_being_changed_or_not_good_till_stops_all_of_it() -> None:
    world, _ = worked()
    world.cancel("c2", "c1")
    faults = preview(world).faults
    assert len(faults) == 2, "the client order, and the child"
    assert all("is being cancelled, replaced or expired" in one for one in faults)
    world = world_of(times={GTC})
    world.ask("c1", price="50")
    world.ack(world.child("c1"))
    close(world)
    assert any("DAY orders must have ended" in one for one in preview(world).faults)


def test_a_venue_that_has_logged_out_in_order_leaves_nothing_unknown() -> None:
    world, child = worked()
    origin = replace(world.origin("XA"), msg_seq_num=0)
    world.send(SessionLoggedOut(origin=origin, text="night", cause=LogoutCause.LOST))
    assert "is unknown" in preview(world).faults[0]
    world.connect_only("XA")
    assert "is unknown" in preview(world).faults[0]
    world.status(child, OrdStatus.PARTIALLY_FILLED)
    world.resync_done("XA")
    origin = replace(world.origin("XA"), msg_seq_num=0)
    world.send(SessionLoggedOut(origin=origin, text="night", cause=LogoutCause.OURS))
    assert child.in_doubt
    assert not preview(world).faults
    assert apply(world) == ""
    open_date(world)
    world.connect_only("XA")
    world.status(child, OrdStatus.PARTIALLY_FILLED, cum_qty=Decimal(4000))
    assert world.of(OrderConfirmed)
    assert not child.in_doubt


def test_a_venue_that_has_not_split_keeps_its_order_in_doubt() -> None:
    world, child = worked(filled="")
    preview(world)
    assert apply(world) == ""
    world.disconnect("XA")
    open_date(world)
    world.connect_only("XA")
    world.status(child, OrdStatus.NEW, order_qty=Decimal(10000))
    [found] = world.of(DiscrepancyFound)
    assert (found.field, found.ours, found.theirs) == ("OrderQty (38)", "20000", "10000")
    assert child.in_doubt
    world.status(child, OrdStatus.NEW, order_qty=Decimal(20000))
    assert not child.in_doubt


def test_the_venues_restatement_is_held_against_ours() -> None:
    world, child = worked()
    preview(world)
    apply(world)
    open_date(world)
    restated = world.report(
        "XA",
        child.cl_ord_id,
        ExecType.RESTATED,
        OrdStatus.PARTIALLY_FILLED,
        restatement="0",
        order_qty=Decimal(20000),
        price=Decimal(25),
        cum_qty=Decimal(4000),
        leaves_qty=Decimal(16000),
    )
    assert world.send(restated) == []
    world.send(replace(restated, cum_qty=Decimal(2000), origin=world.origin("XA")))
    assert [one.field for one in world.of(DiscrepancyFound)] == ["CumQty (14)"]
    assert world.of(OrderInDoubt)


def test_prices_fall_on_ticks_to_the_owners_advantage_and_conditions_follow() -> None:
    world = world_of(times={GTC})
    world.ask("b", qty="300", price="100", tif=GTC)
    world.ask("s", qty="300", price="100", tif=GTC, side=Side.SELL)
    world.ask("t", OrdType.STOP_LIMIT, qty="300", price="200", tif=GTC, stop_px=Decimal(190))
    for name in ("b", "s"):
        world.ack(world.child(name))
    close(world)
    preview(world, 3, 1)
    assert apply(world) == ""
    assert (world.order("b").price, world.order("s").price) == (
        Decimal("33.33"),
        Decimal("33.34"),
    )
    stopped = world.order("t")
    assert stopped.conditions is not None
    assert (stopped.price, stopped.conditions.stop_px) == (Decimal("66.66"), Decimal("63.34"))
    # Whatever is quoted in the night is in nobody knows which shares.
    world.quote("XA", "99", "100")
    assert not stopped.triggered_at
    open_date(world)
    world.quote("XA", "63", "63.34")
    assert stopped.triggered_at


def test_what_would_not_be_whole_is_refused_or_paid_out() -> None:
    world, child = worked("10001", "2001")
    faults = preview(world, 1, 2).faults
    assert any("OrderQty (38) = 10001: would be 5000.5" in one for one in faults)
    assert any("CumQty (14) = 2001: would be 1000.5" in one for one in faults)
    assert any("no cash_in_lieu_px" in one for one in faults)
    assert "would be 5000.5" in apply(world)
    world.cancel("c2", "c1")
    world.canceled(child, child.requests[0].cl_ord_id)
    shown = preview(world, 1, 2, cash="101")
    assert shown.faults == ()
    [paid] = shown.positions
    assert (paid.quantity, paid.cash_qty, paid.cash_px) == (1000, Decimal("0.5"), 101)
    assert apply(world) == ""
    held = position(world)
    assert (held.quantity, held.cost) == (1000, 100_000)
    assert held.realised == Decimal("0.5") * 101 - 50
    assert world.of(PositionRebased)


def test_a_bust_and_a_correction_of_before_are_in_the_shares_of_their_day() -> None:
    world, child = worked()
    trade = next(iter(child.executions.values()))
    preview(world)
    apply(world)
    open_date(world)
    world.fill(child, "5000", "25")
    world.send(
        world.report(
            "XA",
            child.cl_ord_id,
            ExecType.TRADE_CORRECT,
            OrdStatus.PARTIALLY_FILLED,
            exec_ref_id=trade.exec_id,
            last_qty=Decimal(1500),
            last_px=Decimal(50),
            leaves_qty=Decimal(1),
        )
    )
    assert (child.cum_qty, world.order("c1").cum_qty) == (8000, 8000)
    assert position(world).quantity == 8000
    world.send(
        world.report(
            "XA",
            child.cl_ord_id,
            ExecType.TRADE_CANCEL,
            OrdStatus.PARTIALLY_FILLED,
            exec_ref_id=trade.exec_id,
            leaves_qty=Decimal(1),
        )
    )
    assert (child.cum_qty, position(world).quantity) == (5000, 5000)
    assert position(world).cost == 125_000
