"""Splits: for which date one may be applied, and orders that stay in old shares."""

from dataclasses import replace
from decimal import Decimal

from oms.domain.events import CommandAnswered, RequestRefused
from oms.domain.fix import ExecType, OrdStatus, TimeInForce
from oms.domain.reasons import Reason
from oms.domain.splits import PreviewCorporateAction
from oms.orders.splits import old_shares_fault, waits
from tests.support.splits import TOMORROW, apply, open_date, person, preview
from tests.unit.test_splits import worked


def test_an_order_that_was_filled_before_a_split_is_not_opened_again() -> None:
    """What it has traded is in old shares, the quantity asked for would be in new ones."""
    world, child = worked(filled="")
    world.fill(child, "10000", "50")
    assert world.order("c1").ord_status is OrdStatus.FILLED
    preview(world)
    assert apply(world) == ""
    open_date(world)
    world.replace("r1", "c1", "30000", "25")
    [refused] = world.of(RequestRefused)
    assert refused.reason is Reason.TOO_LATE
    assert refused.text == (
        f"order {world.order('c1').order_id} was done before AAPL was split on {TOMORROW}:"
        " it stays in old shares, send a new order"
    )
    assert (world.order("c1").order_qty, world.order("c1").cum_qty) == (10000, 10000)


def test_a_split_concerns_what_was_done_in_its_symbol_before_its_date() -> None:
    world, child = worked(filled="")
    world.fill(child, "10000", "50")
    preview(world)
    order = world.order("c1")
    assert not old_shares_fault(world.state, order), "it is not applied yet"
    assert apply(world) == ""
    assert old_shares_fault(world.state, order)
    assert not old_shares_fault(world.state, replace(order, symbol="MSFT"))
    assert not old_shares_fault(world.state, replace(order, trade_date=TOMORROW))
    assert not old_shares_fault(world.state, replace(order, created_at=world.at + 1))


def test_an_order_that_its_venue_has_not_acknowledged_keeps_a_split_waiting() -> None:
    world, child = worked(filled="")
    assert waits(world.state, child) == ""
    order = world.order("c1")
    assert waits(world.state, order) == ""
    day = waits(world.state, replace(order, time_in_force=TimeInForce.DAY))
    assert day.endswith("DAY orders must have ended before a split")
    child.accepted = False
    assert waits(world.state, child) == f"order {child.order_id}: XA has not acknowledged it"


def test_a_split_that_was_taken_back_is_none_for_a_replace() -> None:
    world, child = worked(filled="")
    world.fill(child, "10000", "50")
    preview(world)
    assert apply(world) == ""
    preview(world, 1, 2, action="BACK")
    assert apply(world, "BACK") == ""
    open_date(world)
    world.replace("r1", "c1", "30000", "50")
    assert world.of(RequestRefused) == []
    assert world.order("c1").order_qty == 30000


def test_an_order_that_was_split_and_then_filled_may_be_opened_again() -> None:
    world, child = worked()
    preview(world)
    assert apply(world) == ""
    open_date(world)
    world.fill(child, "16000", "25")
    assert world.order("c1").ord_status is OrdStatus.FILLED
    world.replace("r1", "c1", "30000", "25")
    assert world.of(RequestRefused) == []


def test_an_order_that_a_bust_opens_again_in_old_shares_is_not_replaced() -> None:
    world, child = worked(filled="")
    world.fill(child, "10000", "50")
    [trade] = child.executions.values()
    preview(world)
    assert apply(world) == ""
    open_date(world)
    world.send(
        world.report(
            *(child.counterparty, child.cl_ord_id, ExecType.TRADE_CANCEL, OrdStatus.NEW),
            exec_ref_id=trade.exec_id,
            leaves_qty=Decimal(10000),
        )
    )
    assert world.order("c1").is_open
    world.replace("r1", "c1", "30000", "25")
    assert "it stays in old shares" in world.of(RequestRefused)[0].text
    world.cancel("k1", "c1")
    assert world.of(RequestRefused) == []


AROUND = ("2026-09-21", TOMORROW, "2026-09-24", "2026-09-25")


def test_a_split_for_another_date_than_the_next_of_the_calendar_is_not_applied() -> None:
    world, _ = worked()
    rule = f"effective_date = 2026-09-24: must be the trading date that opens next, {TOMORROW}"
    shown = preview(world, effective="2026-09-24", sessions=AROUND)
    assert shown.faults == (rule,)
    assert apply(world, sessions=AROUND) == rule
    assert world.order("c1").order_qty == 10000
    preview(world, sessions=AROUND)
    assert apply(world, sessions=AROUND) == ""
    assert world.order("c1").order_qty == 20000


def test_a_split_for_no_trading_date_of_the_calendar_is_not_even_previewed() -> None:
    world, _ = worked()
    world.send(
        PreviewCorporateAction(
            origin=person("anne"),
            action_id="CA-1",
            symbol="AAPL",
            new_shares=2,
            old_shares=1,
            effective_date="2026-09-23",
            reason="announced",
            sessions=AROUND,
        )
    )
    [answer] = world.of(CommandAnswered)
    assert answer.text == (
        "effective_date = 2026-09-23: must be a trading date of the calendar,"
        f" as {TOMORROW} or 2026-09-24"
    )
    # Previewed before the calendar was known; and a date that was opened by hand is one.
    preview(world, effective="2026-09-23")
    assert "effective_date = 2026-09-23: must be" in apply(world, sessions=AROUND)
    open_date(world, "2026-09-23")
    preview(world, effective="2026-09-23", sessions=AROUND)
    assert apply(world, sessions=AROUND) == ""
