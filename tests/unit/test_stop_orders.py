"""Stop and stop limit orders: held by us or by the venue that can; triggered and amended."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import (
    SYSTEM,
    CloseTradingDay,
    OrderCancelReplaceRequest,
    QuoteObserved,
)
from oms.domain.conditions import Conditions
from oms.domain.events import (
    OrderExpired,
    OrderHeld,
    OrderRefused,
    OrderRouted,
    OrderStatusReported,
    OrderTriggered,
    RequestRefused,
)
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.reasons import Reason
from tests.support.terms_world import world_of
from tests.support.world import DATE

STOP, STOP_LIMIT = OrdType.STOP, OrdType.STOP_LIMIT
ABOVE, BELOW = Decimal(101), Decimal(99)


def test_a_stop_that_no_venue_takes_is_held_until_the_offer_reaches_it() -> None:
    world = world_of()
    world.quote("XA", "99.99", "100")
    world.ask("c1", STOP, stop_px=ABOVE)
    assert [type(one).__name__ for one in world.events] == ["OrderAccepted", "OrderHeld"]
    assert world.of(OrderHeld)[0].reason is Reason.STOP_NOT_REACHED
    assert world.told() == [("c1", "NEW", "NEW")]
    journaled = len(world.journal)
    world.quote("XA", "100", "100.99")
    assert not world.events
    assert len(world.journal) == journaled

    world.quote("XA", "100.5", "101")
    [triggered] = world.of(OrderTriggered)
    assert (triggered.by, triggered.trigger_px, triggered.stop_px) == ("ASK", 101, ABOVE)
    assert [(one.venue, one.quote and one.quote.ask) for one in triggered.quotes] == [("XA", 101)]
    [routed] = world.of(OrderRouted)
    assert (routed.terms.ord_type, routed.terms.conditions) == (OrdType.MARKET, None)
    assert world.told() == [("c1", "TRIGGERED", "NEW")]
    assert isinstance(world.journal[journaled][2], QuoteObserved)
    assert not world.state.stops


def test_a_sale_waits_for_the_best_bid_of_all_venues() -> None:
    world = world_of()
    world.quote("XA", "100", "101")
    world.quote("XB", "100.5", "101")
    world.ask("c1", STOP_LIMIT, side=Side.SELL, price="98", stop_px=BELOW)
    world.quote("XA", "98.5", "101")
    assert not world.events
    world.quote("XB", "99", "101")
    assert world.of(OrderTriggered)[0].by == "BID"
    [routed] = world.of(OrderRouted)
    assert (routed.terms.ord_type, routed.terms.price) == (OrdType.LIMIT, 98)


def test_a_trade_triggers_too() -> None:
    world = world_of()
    world.ask("c1", STOP, stop_px=ABOVE)
    world.new("c2", "10", "102")
    world.ack(world.child("c2"))
    world.fill(world.child("c2"), "5", "100.5")
    assert not world.of(OrderTriggered)
    world.fill(world.child("c2"), "5", "101.2")
    [triggered] = world.of(OrderTriggered)
    assert (triggered.by, triggered.trigger_px) == ("LAST", Decimal("101.2"))
    assert world.child("c1").ord_type is OrdType.MARKET


def test_a_price_that_is_reached_already_triggers_at_once() -> None:
    world = world_of()
    world.quote("XA", "100", "102")
    world.ask("c1", STOP, stop_px=ABOVE)
    assert world.told() == [("c1", "NEW", "NEW"), ("c1", "TRIGGERED", "NEW")]
    assert world.child("c1").ord_type is OrdType.MARKET


def test_a_held_stop_is_cancelled_and_replaced_with_no_venue_asked() -> None:
    world = world_of()
    world.quote("XA", "99", "100")
    world.ask("c1", STOP_LIMIT, price="103", stop_px=Decimal(102))
    world.amend("c2", "c1", qty="50", stop_px=ABOVE)
    assert world.told()[-1] == ("c2", "REPLACED", "NEW")
    order = world.order("c2")
    assert order.conditions is not None
    assert (order.order_qty, order.conditions.stop_px) == (50, ABOVE)
    world.quote("XA", "100", "100.5")
    assert not world.events
    world.cancel("c3", "c2")
    assert world.told()[-1] == ("c3", "CANCELED", "CANCELED")
    assert not world.state.stops
    world.quote("XA", "100", "105")
    assert not world.events


def test_a_replace_to_a_price_that_is_reached_triggers() -> None:
    world = world_of()
    world.quote("XA", "99", "100")
    world.ask("c1", STOP, stop_px=ABOVE)
    world.amend("c2", "c1", stop_px=Decimal(100))
    assert world.told()[-2:] == [("c2", "REPLACED", "NEW"), ("c2", "TRIGGERED", "NEW")]
    world.amend("c3", "c2", stop_px=ABOVE)
    assert world.told() == [("c3", "CANCEL_REJECT", "NEW")]
    assert "was triggered" in world.texts()[0]


def test_a_venue_that_takes_stops_gets_them_and_its_trigger_is_told() -> None:
    world = world_of(types={STOP, STOP_LIMIT})
    world.quote("XB", "99", "105")
    world.ask("c1", STOP_LIMIT, price="103", stop_px=ABOVE)
    child = world.child("c1")
    assert (child.counterparty, child.ord_type) == ("XA", STOP_LIMIT)
    [sent] = [one for one in world.effects if isinstance(one, fx.SendNewOrderSingle)]
    assert sent.conditions is not None
    assert sent.conditions.stop_px == ABOVE
    world.ack(child)
    world.amend("c2", "c1", qty="90", stop_px=Decimal(102))
    [asked] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReplaceRequest)]
    assert asked.conditions is not None
    assert (asked.conditions.stop_px, asked.order_qty) == (102, 90)
    world.replaced(child, "90")
    assert child.conditions is not None
    assert child.conditions.stop_px == 102
    world.send(world.report("XA", child.cl_ord_id, ExecType.TRIGGERED, OrdStatus.NEW))
    assert [one.by for one in world.of(OrderTriggered)] == ["VENUE", "VENUE"]
    assert world.told() == [("c2", "TRIGGERED", "NEW")]
    world.send(world.report("XA", child.cl_ord_id, ExecType.TRIGGERED, OrdStatus.NEW))
    assert not world.events


@pytest.mark.parametrize("stop_px", ["102", "103"])
def test_a_replace_comes_again_only_with_the_same_stop_price(stop_px: str) -> None:
    world = world_of(types={OrdType.STOP})
    world.ask("c1", OrdType.STOP, stop_px=Decimal(101))
    world.ack(world.child("c1"))
    for again, asked in ((False, "102"), (True, stop_px)):
        world.send(
            OrderCancelReplaceRequest(
                origin=replace(world.origin("ALPHA"), poss_resend=again),
                cl_ord_id="c2",
                orig_cl_ord_id="c1",
                order_qty=Decimal(100),
                price=None,
                conditions=Conditions(stop_px=Decimal(asked)),
            )
        )
    same = stop_px == "102"
    assert (bool(world.of(OrderStatusReported)), bool(world.of(RequestRefused))) == (same, not same)


def test_what_the_venue_ends_after_its_trigger_goes_elsewhere_as_what_it_is_now() -> None:
    world = world_of(types={STOP})
    world.ask("c1", STOP, stop_px=ABOVE)
    child = world.child("c1")
    world.ack(child)
    world.send(world.report("XA", child.cl_ord_id, ExecType.TRIGGERED, OrdStatus.NEW))
    world.canceled(child)
    again = world.child("c1")
    assert (again.counterparty, again.ord_type) == ("XB", OrdType.MARKET)


def test_a_stop_is_not_held_for_a_venue_that_refused_it() -> None:
    world = world_of(types={STOP})
    world.ask("c1", STOP, stop_px=ABOVE)
    world.canceled(world.child("c1"))
    assert world.told() == [("c1", "CANCELED", "CANCELED")]


def test_a_triggered_stop_waits_for_a_venue_when_none_is_there() -> None:
    world = world_of()
    world.ask("c1", STOP, stop_px=ABOVE)
    world.disconnect("XA")
    world.disconnect("XB")
    world.quote("XB", "100", "102")
    assert not world.events  # who is away shows nothing
    world.connect_only("XB")
    world.quote("XB", "100", "102")
    assert world.told() == [("c1", "TRIGGERED", "NEW")]
    assert world.of(OrderHeld)[0].reason is Reason.NO_VENUE_CONNECTED
    world.resync_done("XB")
    assert world.child("c1").counterparty == "XB"


def test_a_quote_of_a_venue_that_went_away_keeps_no_stop_from_its_trigger() -> None:
    world = world_of()
    world.quote("XA", "99", "100")
    world.quote("XB", "99", "100.5")
    world.ask("c1", STOP, stop_px=ABOVE)
    world.disconnect("XA")
    world.quote("XB", "100", "101")
    assert [one.venue for one in world.of(OrderTriggered)[0].quotes] == ["XB"]


def test_a_trade_at_a_venue_says_that_it_triggered_the_stop() -> None:
    world = world_of(types={STOP})
    world.ask("c1", STOP, stop_px=ABOVE)
    world.ack(world.child("c1"))
    world.fill(world.child("c1"), "30", "101")
    assert world.told() == [("c1", "TRIGGERED", "NEW"), ("c1", "TRADE", "PARTIALLY_FILLED")]
    world.fill(world.child("c1"), "30", "101")
    assert world.told() == [("c1", "TRADE", "PARTIALLY_FILLED")]


@pytest.mark.parametrize(
    ("ord_type", "price", "conditions", "text"),
    [
        (STOP, None, {}, "StopPx (99): required on a stop or stop limit order"),
        (STOP, None, {"stop_px": Decimal(0)}, "StopPx (99) = 0: must be greater than zero"),
        (STOP, None, {"stop_px": Decimal("1.005")}, "StopPx (99) = 1.005: must be a multiple of"),
        (STOP, "99", {"stop_px": ABOVE}, "Price (44) = 99: not allowed on a stop order"),
        (STOP_LIMIT, None, {"stop_px": ABOVE}, "Price (44): required on a stop limit order"),
        (OrdType.LIMIT, "99", {"stop_px": ABOVE}, "StopPx (99) = 101: only on a stop"),
    ],
)
def test_a_bad_stop_is_refused_by_name(
    ord_type: OrdType, price: str | None, conditions: dict[str, object], text: str
) -> None:
    world = world_of()
    world.ask("c1", ord_type, price=price, **conditions)
    [refused] = world.of(OrderRefused)
    assert refused.text.startswith(text)


@pytest.mark.parametrize("tif", [TimeInForce.CLS, TimeInForce.OPG])
def test_a_stop_for_an_auction_is_refused(tif: TimeInForce) -> None:
    world = world_of(times={tif})
    world.ask("c1", STOP, tif=tif, stop_px=ABOVE)
    assert f"TimeInForce (59) = {tif}" in world.of(OrderRefused)[0].text


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY])
def test_a_stop_that_was_not_reached_ends_with_its_day_immediate_or_not(tif: TimeInForce) -> None:
    world = world_of()
    world.ask("c1", STOP, stop_px=ABOVE, tif=tif)
    assert world.of(OrderHeld)
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    assert [one.order_id for one in world.of(OrderExpired)] == [world.order("c1").order_id]
    assert not world.state.open_orders
    assert not world.state.held
