"""What a venue says otherwise than we know is flagged: field, ours, theirs; fills are booked."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from oms.domain.events import (
    DiscrepancyFound,
    DuplicateExecutionDropped,
    OrderAcknowledged,
    OrderCanceled,
    OrderConfirmed,
    OrderExpired,
    OrderInDoubt,
    OrderReplaced,
    OrphanReported,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.order import Order
from oms.domain.reasons import Reason
from tests.support.checked_world import CheckedWorld, connected

Said = Callable[[CheckedWorld, Order], object]


def says(
    world: CheckedWorld, child: Order, kind: ExecType, status: OrdStatus, **more: object
) -> None:
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status, **more))


def trade_and_end(world: CheckedWorld, child: Order, qty: str, **more: object) -> None:
    """A trade whose report says that the rest is canceled."""
    figures = {"last_qty": Decimal(qty), "last_px": Decimal(100)}
    says(world, child, ExecType.TRADE, OrdStatus.CANCELED, **(figures | more))


def again(world: CheckedWorld, child: Order, qty: str, price: str, **more: object) -> None:
    """The trade t1, of 10 at 100 as it was told first."""
    world.fill(child, qty, price, exec_id="t1", **more)


@pytest.mark.parametrize(
    ("said", "flagged"),
    [
        (
            lambda w, c: w.fill(c, "5", symbol="MSFT"),
            ("Symbol (55)", "AAPL", "MSFT"),
        ),
        (lambda w, c: again(w, c, "10", "99"), ("LastPx (31)", "100 of t1", "99")),
        (lambda w, c: again(w, c, "9", "100"), ("LastQty (32)", "10 of t1", "9")),
        (
            lambda w, c: says(w, c, ExecType.REJECTED, OrdStatus.PARTIALLY_FILLED),
            ("OrdStatus (39)", "PARTIALLY_FILLED", "PARTIALLY_FILLED"),
        ),
        (
            lambda w, c: says(w, c, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty=Decimal(11)),
            ("CumQty (14)", "10", "11"),
        ),
        (
            lambda w, c: says(w, c, ExecType.EXPIRED, OrdStatus.EXPIRED, cum_qty=Decimal(11)),
            ("CumQty (14)", "10", "11"),
        ),
    ],
)
def test_what_a_venue_says_otherwise_is_flagged(said: Said, flagged: tuple[str, str, str]) -> None:
    world = connected()
    child = world.working()
    again(world, child, "10", "100")
    assert not world.of(DiscrepancyFound)
    said(world, child)
    [found] = world.of(DiscrepancyFound)
    assert found.order_id == child.order_id
    assert (found.field, found.ours, found.theirs) == flagged


@pytest.mark.parametrize(
    ("side", "theirs"), [(Side.SELL, "SELL"), (Side.SELL_SHORT, "SELL_SHORT"), (None, "another")]
)
def test_a_trade_on_another_side_is_booked_and_flagged(side: Side | None, theirs: str) -> None:
    world = connected()
    child = world.working()
    figures = {"last_qty": Decimal(5), "last_px": Decimal(100), "side": side}
    says(world, child, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, **figures)
    [found] = world.of(DiscrepancyFound)
    assert (found.field, found.ours, found.theirs) == ("Side (54)", "BUY", theirs)
    assert child.cum_qty == 5


def test_a_trade_told_again_as_it_was_is_dropped_without_a_word() -> None:
    world = connected()
    child = world.working()
    again(world, child, "10", "100")
    again(world, child, "10", "100")
    assert world.of(DuplicateExecutionDropped)
    assert not world.of(DiscrepancyFound)
    again(world, child, "9", "99")
    assert [one.field for one in world.of(DiscrepancyFound)] == ["LastQty (32)", "LastPx (31)"]
    assert child.cum_qty == 10


def test_a_trade_corrected_since_may_come_as_it_first_was() -> None:
    world = connected()
    child = world.working()
    again(world, child, "10", "100")
    figures = {"exec_ref_id": "t1", "last_qty": Decimal(8), "last_px": Decimal(100)}
    says(world, child, ExecType.TRADE_CORRECT, OrdStatus.PARTIALLY_FILLED, **figures)
    assert child.cum_qty == 8
    again(world, child, "10", "100")
    assert world.of(DuplicateExecutionDropped)
    assert not world.of(DiscrepancyFound)
    assert child.cum_qty == 8


@pytest.mark.parametrize("worked_on", [True, False])
def test_a_filled_order_that_a_correction_leaves_short_is_open_where_its_venue_works_it(
    worked_on: bool,
) -> None:
    world = connected()
    child = world.working()
    again(world, child, "100", "100")
    figures = {"exec_ref_id": "t1", "last_qty": Decimal(90), "last_px": Decimal(100)}
    left = Decimal(10) if worked_on else Decimal(0)
    more = figures | {"cum_qty": Decimal(90), "leaves_qty": left}
    says(world, child, ExecType.TRADE_CORRECT, OrdStatus.PARTIALLY_FILLED, **more)
    order = world.order("c1")
    assert (child.is_open, order.is_open) == (worked_on, worked_on)
    assert (order.cum_qty, order.leaves_qty) == (90, left)


def test_a_trade_told_again_with_the_end_of_its_order_counts_once_and_ends_it() -> None:
    world = connected()
    child = world.working()
    again(world, child, "60", "100", cum_qty=Decimal(60))
    trade_and_end(world, child, "60", exec_id="t1", cum_qty=Decimal(60))
    assert world.of(DuplicateExecutionDropped)
    assert (child.cum_qty, child.closed) == (60, OrdStatus.CANCELED)


@pytest.mark.parametrize("kind", [ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT])
def test_an_amendment_of_a_trade_that_nobody_told_is_an_orphan(kind: ExecType) -> None:
    world = connected()
    child = world.working()
    figures = {"exec_ref_id": "never", "last_qty": Decimal(5), "last_px": Decimal(100)}
    says(world, child, kind, OrdStatus.NEW, **figures)
    [orphan] = world.of(OrphanReported)
    assert (orphan.exec_type, orphan.exec_ref_id) == (kind, "never")
    assert child.cum_qty == 0


@pytest.mark.parametrize("kind", [ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT])
def test_an_amendment_of_a_busted_trade_is_an_orphan(kind: ExecType) -> None:
    world = connected()
    child = world.working()
    again(world, child, "10", "100")
    says(world, child, ExecType.TRADE_CANCEL, OrdStatus.NEW, exec_ref_id="t1")
    assert child.cum_qty == 0
    figures = {"exec_ref_id": "t1", "last_qty": Decimal(5), "last_px": Decimal(100)}
    says(world, child, kind, OrdStatus.NEW, **figures)
    assert world.of(OrphanReported)
    assert child.cum_qty == 0


def test_a_first_report_of_any_kind_but_new_implies_that_the_venue_has_the_order() -> None:
    world = connected()
    for cl_ord_id, kind, implied in (("c1", ExecType.NEW, False), ("c2", ExecType.SUSPENDED, True)):
        world.new(cl_ord_id)
        says(world, world.child(cl_ord_id), kind, OrdStatus.NEW, leaves_qty=Decimal(100))
        [told] = world.of(OrderAcknowledged)
        assert told.implied is implied


@pytest.mark.parametrize(
    ("quantities", "excess", "late"),
    [(("100",), [False], False), (("60", "40"), [False] * 2, False), (("101",), [True], False)],
)
def test_only_what_is_beyond_the_order_is_in_excess(
    quantities: tuple[str, ...], excess: list[bool], *, late: bool
) -> None:
    world = connected()
    child = world.working()
    found = []
    for quantity in quantities:
        world.fill(child, quantity)
        found += world.of(TradeExecuted)
    assert [one.excess for one in found] == excess
    assert {one.late for one in found} == {late}


def test_a_report_under_our_name_is_ours_whatever_name_it_says_went_before() -> None:
    world = connected()
    child = world.working()
    world.fill(child, "5", orig_cl_ord_id="somebody's")
    assert child.cum_qty == 5


@pytest.mark.parametrize("kind", [ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE])
def test_that_a_request_is_pending_is_no_news(kind: ExecType) -> None:
    world = connected()
    child = world.working()
    says(world, child, kind, OrdStatus(kind.value), order_qty=Decimal(50), price=Decimal(99))
    assert not world.events
    assert (child.order_qty, child.price) == (100, 100)


@pytest.mark.parametrize("in_doubt", [True, False])
def test_a_duplicate_that_a_venue_refuses_shows_that_it_has_the_order(*, in_doubt: bool) -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    if in_doubt:
        world.tick(6_000_000)
    assert child.in_doubt is in_doubt
    says(world, child, ExecType.REJECTED, OrdStatus.REJECTED, ord_rej_reason="6")
    assert [one.user for one in world.of(OrderConfirmed)] == [""] * in_doubt
    assert child.is_open
    assert not child.in_doubt


@pytest.mark.parametrize(("replacing", "asked"), [(True, False), (False, True)])
def test_filled_there_and_not_here_is_asked_about_unless_a_replace_explains_it(
    *, replacing: bool, asked: bool
) -> None:
    world = connected()
    child = world.working()
    if replacing:
        world.replace("c2", "c1", "60")
    figures = {"last_qty": Decimal(60), "last_px": Decimal(100), "cum_qty": Decimal(60)}
    says(world, child, ExecType.TRADE, OrdStatus.FILLED, **figures)
    assert bool(world.of(OrderInDoubt)) is asked


def test_a_trade_after_the_end_is_late() -> None:
    world = connected()
    child = world.working()
    world.canceled(child)
    world.fill(child, "5")
    [trade] = world.of(TradeExecuted)
    assert (trade.late, trade.excess) == (True, False)


def test_the_last_trade_may_bring_the_end_of_the_rest() -> None:
    world = connected()
    child = world.working()
    trade_and_end(world, child, "60", cum_qty=Decimal(60), text="no more")
    [canceled] = world.of(OrderCanceled)
    assert (canceled.cl_ord_id, canceled.text) == ("", "no more")
    assert canceled.reason is Reason.VENUE_CLOSED_ORDER
    assert child.closed is OrdStatus.CANCELED


def test_a_trade_with_an_end_that_counts_more_leaves_doubt() -> None:
    world = connected()
    child = world.working()
    trade_and_end(world, child, "60", cum_qty=Decimal(61))
    assert child.closed is None
    [doubt] = world.of(OrderInDoubt)
    assert doubt.reason is Reason.VENUE_DISAGREES


def test_a_trade_that_fills_the_order_needs_no_end() -> None:
    world = connected()
    child = world.working()
    trade_and_end(world, child, "100", cum_qty=Decimal(100))
    assert not world.of(OrderCanceled)
    assert child.ord_status is OrdStatus.FILLED


def test_the_end_alone_brings_the_venues_name_of_an_order_never_acknowledged() -> None:
    world = connected()
    for cl_ord_id, said, kept in (("c1", "V-9", "V-9"), ("c2", "NONE", "")):
        world.new(cl_ord_id)
        child = world.child(cl_ord_id)
        says(world, child, ExecType.EXPIRED, OrdStatus.EXPIRED, order_id=said)
        [expired] = world.of(OrderExpired)
        assert (expired.venue_order_id, expired.done_for_day) == (kept, False)


@pytest.mark.parametrize(
    ("told", "taken", "flags"), [("90", "90", 1), ("80", "80", 0), ("0", "80", 1)]
)
def test_a_replace_takes_effect_with_what_the_venue_says(told: str, taken: str, flags: int) -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80", "99")
    world.replaced(child, told)
    assert child.order_qty == Decimal(taken)
    assert child.price == 99
    assert [one.field for one in world.of(DiscrepancyFound)] == ["OrderQty (38)"] * flags


def test_a_replace_under_a_name_that_nobody_asked_for_is_flagged_and_changes_nothing() -> None:
    world = connected()
    child = world.working()
    report = world.report(
        child.counterparty,
        "somebody's",
        ExecType.REPLACED,
        OrdStatus.NEW,
        orig_cl_ord_id=child.cl_ord_id,
        order_qty=Decimal(7),
    )
    world.send(report)
    [found] = world.of(DiscrepancyFound)
    assert (found.field, found.ours) == ("ClOrdID (11)", child.cl_ord_id)
    assert found.theirs == "somebody's"
    assert not world.of(OrderReplaced)
    assert child.order_qty == 100


@pytest.mark.parametrize(("told", "is_now"), [("99.5", "99.5"), ("99", "99"), ("0", "99")])
def test_a_replace_granted_at_another_price_is_taken_over_and_flagged(
    told: str, is_now: str
) -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80", "99")
    report = world.report(
        child.counterparty,
        child.requests[0].cl_ord_id,
        ExecType.REPLACED,
        OrdStatus.NEW,
        orig_cl_ord_id=child.cl_ord_id,
        price=Decimal(told),
    )
    world.send(report)
    found = [(one.field, one.ours, one.theirs) for one in world.of(DiscrepancyFound)]
    assert found == [("Price (44)", "99", "99.5")] * (is_now == "99.5")
    assert child.price == Decimal(is_now)


@pytest.mark.parametrize(
    ("price", "taken"), [(Decimal("99.5"), "99.5"), (Decimal(0), "100"), (None, "100")]
)
def test_a_replace_given_up_that_took_effect_is_taken_over(
    price: Decimal | None, taken: str
) -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80", "99")
    name = child.requests[0].cl_ord_id
    world.refused(child)
    assert not child.requests
    report = world.report(
        child.counterparty,
        name,
        ExecType.REPLACED,
        OrdStatus.NEW,
        orig_cl_ord_id=child.cl_ord_id,
        order_qty=Decimal(80),
        price=price,
    )
    world.send(report)
    assert [one.field for one in world.of(DiscrepancyFound)] == ["ClOrdID (11)"]
    assert (child.order_qty, child.price) == (80, Decimal(taken))


def test_a_cancel_that_nobody_asked_for_names_no_request() -> None:
    world = connected()
    child = world.working()
    world.canceled(child)
    [canceled] = world.of(OrderCanceled)
    assert (canceled.order_id, canceled.cl_ord_id) == (child.order_id, "")
    assert canceled.reason is Reason.VENUE_CLOSED_ORDER


@pytest.mark.parametrize(("asked", "kept"), [(True, ""), (False, "8")])
def test_a_cancel_that_we_asked_for_restates_nothing(*, asked: bool, kept: str) -> None:
    world = connected()
    child = world.working()
    if asked:
        world.cancel("c2", "c1")
    name = child.requests[0].cl_ord_id if asked else child.cl_ord_id
    kind, status = ExecType.CANCELED, OrdStatus.CANCELED
    world.send(world.report(child.counterparty, name, kind, status, restatement="8"))
    [canceled] = [one for one in world.of(OrderCanceled) if one.order_id == child.order_id]
    assert canceled.restatement == kept


def test_a_cancel_under_a_replaces_name_was_not_asked_for() -> None:
    world = connected()
    child = world.working()
    world.replace("c2", "c1", "80")
    world.canceled(child, child.requests[0].cl_ord_id)
    [canceled] = [one for one in world.of(OrderCanceled) if one.order_id == child.order_id]
    assert (canceled.cl_ord_id, canceled.reason) == ("", Reason.VENUE_CLOSED_ORDER)
