"""Good-till orders, and those for the open and the close: how long they live, and what is told."""

from datetime import timedelta
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import (
    SYSTEM,
    CloseTradingDay,
    CoreStarted,
    OpenTradingDate,
)
from oms.domain.conditions import DayFigures
from oms.domain.events import (
    DiscrepancyFound,
    DuplicateOrderRefused,
    ExpiryPending,
    OrderAccepted,
    OrderExpired,
    OrderInDoubt,
    OrderRefused,
    OrderRestated,
    OrderStatusReported,
)
from oms.domain.fix import ExecType, OrdStatus, OrdType, TimeInForce
from oms.domain.values import micros, utc
from oms.orders.good_till import due
from tests.support.terms_world import TermsWorld, world_of
from tests.support.world import DATE, START

GTC, GTD, OPG, CLS = TimeInForce.GTC, TimeInForce.GTD, TimeInForce.OPG, TimeInForce.CLS
TOMORROW, THEN = "2026-09-22", "2026-09-23"


def close(world: TermsWorld, trade_date: str = DATE) -> None:
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=trade_date))


def open_date(world: TermsWorld, trade_date: str = TOMORROW) -> None:
    world.send(OpenTradingDate(origin=SYSTEM, trade_date=trade_date), 3_600_000_000)


def test_an_order_good_till_cancel_lives_on_and_is_restated_with_the_figures_of_the_day() -> None:
    world = world_of(times={GTC})
    world.ask("c1", price="100", tif=GTC)
    child = world.child("c1")
    assert (child.counterparty, child.time_in_force) == ("XA", GTC)
    world.ack(child)
    world.fill(child, "30", "99")
    close(world)
    assert not world.of(ExpiryPending)
    open_date(world)
    assert world.of(OrderRestated)[0].trade_date == TOMORROW
    [told] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (told.exec_type, told.restatement, told.cum_qty) == (ExecType.RESTATED, "1", 30)
    assert told.day == DayFigures(order_qty=Decimal(70), cum_qty=Decimal(0), avg_px=Decimal(0))
    assert told.ord_status is OrdStatus.PARTIALLY_FILLED

    world.fill(child, "20", "101")
    [told] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert told.day == DayFigures(order_qty=Decimal(70), cum_qty=Decimal(20), avg_px=Decimal(101))
    assert (told.cum_qty, told.avg_px) == (50, Decimal("99.8"))
    world.cancel("c2", "c1")
    world.canceled(child, child.requests[0].cl_ord_id)
    assert world.told()[-1] == ("c2", "CANCELED", "CANCELED")


def test_it_outlives_a_restart_of_the_core_on_the_next_day() -> None:
    world = world_of(times={GTC})
    world.ask("c1", price="100", tif=GTC)
    world.ack(world.child("c1"))
    world.send(
        CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=TOMORROW), 86_400_000_000
    )
    assert world.of(OrderRestated)
    assert world.order("c1").is_open
    world.new("c1", "10", "99")
    assert world.told()[-1][:2] == ("c1", "REJECTED")  # its ClOrdID works for as long as it does


def test_its_ids_are_in_use_for_the_date_on_which_it_ends() -> None:
    world = world_of(times={GTC})
    world.ask("c1", price="100", tif=GTC)
    child = world.child("c1")
    world.ack(child)
    open_date(world)
    world.replace("c2", "c1", "120")
    world.replaced(child, "120")
    world.fill(child, "120")
    assert world.order("c1").ord_status is OrdStatus.FILLED
    # Its client may not have heard of the fill, and sends again what it had no answer to.
    world.new("c1", "100", "100", tif=GTC, poss_resend=True)
    assert world.of(OrderStatusReported)
    for used in ("c1", "c2"):
        world.new(used, "100", "100")
        assert world.of(DuplicateOrderRefused)
    open_date(world, THEN)
    world.new("c1", "100", "100")
    assert world.of(OrderAccepted)


def test_the_venues_restatement_is_held_against_ours() -> None:
    world = world_of(times={GTC})
    world.ask("c1", price="100", tif=GTC)
    child = world.child("c1")
    world.ack(child)
    same = {"order_qty": Decimal(100), "price": Decimal(100), "leaves_qty": Decimal(100)}
    restated = {"restatement": "1", **same}
    world.send(world.report("XA", child.cl_ord_id, ExecType.RESTATED, OrdStatus.NEW, **restated))
    assert not world.events
    other = restated | {"order_qty": Decimal(50), "leaves_qty": Decimal(50)}
    world.send(world.report("XA", child.cl_ord_id, ExecType.RESTATED, OrdStatus.NEW, **other))
    assert [one.field for one in world.of(DiscrepancyFound)] == ["OrderQty (38)", "LeavesQty (151)"]
    assert not child.in_doubt
    other = restated | {"cum_qty": Decimal(10), "leaves_qty": Decimal(90)}
    world.send(world.report("XA", child.cl_ord_id, ExecType.RESTATED, OrdStatus.NEW, **other))
    assert world.of(OrderInDoubt)
    assert child.in_doubt


def test_an_order_good_till_a_date_ends_with_that_day() -> None:
    world = world_of(times={GTD})
    world.ask("c1", price="100", tif=GTD, expire_date=TOMORROW)
    child = world.child("c1")
    assert child.conditions is not None
    assert (child.time_in_force, child.conditions.expire_date) == (GTD, TOMORROW)
    world.ack(child)
    close(world)
    open_date(world)
    assert world.of(OrderRestated)
    close(world, TOMORROW)
    assert world.of(ExpiryPending)
    world.canceled(child, child.requests[0].cl_ord_id)
    assert world.told()[-1] == ("c1", "EXPIRED", "EXPIRED")
    assert "time of the order" in world.of(OrderExpired)[-1].text


def test_a_date_whose_close_was_missed_ends_with_the_next_opening() -> None:
    world = world_of(times={GTD})
    world.ask("c1", price="100", tif=GTD, expire_date=DATE)
    world.ack(world.child("c1"))
    open_date(world)
    assert world.of(ExpiryPending)
    assert not world.of(OrderRestated)


def test_an_expire_time_is_over_at_that_very_moment() -> None:
    world = world_of(times={GTC})
    until = START + 60_000_000
    world.ask("c1", price="100", tif=GTD, expire_time=until)
    [order_id] = world.state.until
    assert not list(due(world.state, until - 1))
    assert [one.order_id for one in due(world.state, until)] == [order_id]


def test_a_time_is_kept_by_our_clock_where_the_venue_has_only_good_till_cancel() -> None:
    world = world_of(times={GTC})
    until = START + 60_000_000
    world.ask("c1", price="100", tif=GTD, expire_time=until)
    child = world.child("c1")
    assert (child.time_in_force, child.conditions) == (GTC, None)
    world.ack(child)
    assert not world.tick(1_000_000)
    world.tick(60_000_000)
    assert world.of(ExpiryPending)
    assert not world.state.until
    world.canceled(child, child.requests[0].cl_ord_id)
    assert world.told()[-1] == ("c1", "EXPIRED", "EXPIRED")
    assert not world.tick(60_000_000)


@pytest.mark.parametrize("tif", [GTD, TimeInForce.DAY])
def test_a_venue_that_refused_the_cancel_at_the_end_is_asked_again(tif: TimeInForce) -> None:
    world = world_of(times={GTD})
    world.ask("c1", price="100", tif=tif, **({"expire_date": DATE} if tif is GTD else {}))
    child = world.child("c1")
    world.ack(child)
    close(world)
    [first] = child.requests
    world.refused(child)
    assert (child.is_open, child.requests) == (True, ())
    open_date(world)
    [again] = child.requests
    assert again.cl_ord_id != first.cl_ord_id
    world.canceled(child, again.cl_ord_id)
    assert world.told() == [("c1", "EXPIRED", "EXPIRED")]


def test_a_venue_that_ends_the_order_in_time_leaves_us_nothing_to_do() -> None:
    world = world_of(times={GTD})
    world.ask("c1", price="100", tif=GTD, expire_time=START + 60_000_000)
    child = world.child("c1")
    world.ack(child)
    world.tick(60_000_000)
    assert [one.cl_ord_id for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.send(world.report("XA", child.cl_ord_id, ExecType.EXPIRED, OrdStatus.EXPIRED))
    assert world.told()[-1] == ("c1", "EXPIRED", "EXPIRED")


def test_a_held_stop_good_till_cancel_waits_over_the_date() -> None:
    world = world_of(times={GTC})
    world.ask("c1", OrdType.STOP, tif=GTC, stop_px=Decimal(101))
    close(world)
    open_date(world)
    assert world.of(OrderRestated)
    world.quote("XB", "100", "101")
    assert (world.child("c1").ord_type, world.child("c1").counterparty) == (OrdType.MARKET, "XA")


@pytest.mark.parametrize("tif", [OPG, CLS])
def test_orders_for_an_auction_go_where_they_are_taken_and_end_with_the_day(
    tif: TimeInForce,
) -> None:
    world = world_of(times={tif})
    world.ask("c1", OrdType.MARKET, tif=tif)
    world.ask("c2", price="100", tif=tif)
    for name in ("c1", "c2"):
        child = world.child(name)
        assert (child.counterparty, child.time_in_force) == ("XA", tif)
        world.ack(child)
    close(world)
    assert len(world.of(ExpiryPending)) == 2


TIME = micros(utc(START) + timedelta(hours=1))


@pytest.mark.parametrize(
    ("tif", "conditions", "text"),
    [
        (GTD, {}, "TimeInForce (59) = 6 (GTD): exactly one of ExpireTime (126) and ExpireDate"),
        (GTD, {"expire_time": TIME, "expire_date": DATE}, "TimeInForce (59) = 6 (GTD): exactly"),
        (GTD, {"expire_time": START}, "ExpireTime (126) = 20260921-14:13:20: must be in the"),
        (GTD, {"expire_date": "2026-09-20"}, "ExpireDate (432) = 2026-09-20: must not be before"),
        (TimeInForce.DAY, {"expire_date": DATE}, "ExpireDate (432): only with TimeInForce (59)"),
    ],
)
def test_a_bad_time_is_refused_by_name(
    tif: TimeInForce, conditions: dict[str, object], text: str
) -> None:
    world = world_of(times={GTD})
    world.ask("c1", price="100", tif=tif, **conditions)
    assert world.of(OrderRefused)[0].text.startswith(text)


@pytest.mark.parametrize("tif", [GTC, OPG, CLS])
def test_what_no_venue_takes_is_refused_with_the_reason(tif: TimeInForce) -> None:
    world = world_of()
    world.ask("c1", price="100", tif=tif)
    assert world.told() == [("c1", "REJECTED", "REJECTED")]
    named = f"TimeInForce (59) = {tif} ({tif.name})"
    assert world.texts() == [f"{named}: not taken by any venue of AAPL (XA, XB)"]


def test_done_for_the_day_is_over_with_the_day() -> None:
    """D1.4 and D2.1 of the matrices H.1: the venue need not say so again."""
    world = world_of(times={GTC})
    world.ask("c1", price="100", tif=GTC)
    child = world.child("c1")
    world.ack(child)
    world.fill(child, "30", "99")
    done = {"order_qty": Decimal(100), "cum_qty": Decimal(30), "leaves_qty": Decimal(70)}
    status = OrdStatus.DONE_FOR_DAY
    world.send(world.report("XA", child.cl_ord_id, ExecType.DONE_FOR_DAY, status, **done))
    assert world.order("c1").ord_status is status
    close(world)
    open_date(world)
    [told] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (told.exec_type, told.ord_status) == (ExecType.RESTATED, OrdStatus.PARTIALLY_FILLED)
    assert child.ord_status is OrdStatus.PARTIALLY_FILLED
    world.fill(child, "20", "101")
    assert world.order("c1").ord_status is OrdStatus.PARTIALLY_FILLED
