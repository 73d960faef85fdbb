"""What clients ask about instruments, the trading day and their trades, in the brain."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.answer_effects import (
    SendSecurityList,
    SendTradeCaptureReport,
    SendTradeRequestAck,
    SendTradingSessionStatus,
)
from oms.domain.commands import (
    SYSTEM,
    CloseTradingDay,
    EngageKillSwitch,
    OpenTradingDate,
    ReleaseKillSwitch,
)
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.inquiries import (
    SecurityListRequest,
    SubscriptionRequestType,
    TradeCaptureReportRequest,
    TradingSessionStatusRequest,
)
from oms.orders import trade_requests
from tests.support.world import DATE, REFERENCE, World, connected

NEXT = "2026-09-22"


def securities(world: World, kind: str, **more: str) -> list[SendSecurityList]:
    world.send(
        SecurityListRequest(
            origin=world.origin("ALPHA"), security_req_id="q1", request_type=kind, **more
        )
    )
    found = [one for one in world.effects if isinstance(one, SendSecurityList)]
    assert found == world.effects
    return found


def test_instruments_are_listed_all_or_by_symbol_or_type() -> None:
    world = connected()
    [all_of_them] = securities(world, "4")
    assert [one.symbol for one in all_of_them.instruments] == ["AAPL", "HALT"]
    assert (all_of_them.result, all_of_them.total, all_of_them.last_fragment) == ("0", 2, True)
    assert all_of_them.text == ""
    [one] = securities(world, "0", symbol="HALT")
    assert [each.symbol for each in one.instruments] == ["HALT"]
    [stocks] = securities(world, "1", security_type="CS")
    assert stocks.total == 2


@pytest.mark.parametrize(
    ("kind", "symbol", "result", "said"),
    [
        ("0", "NONE", "2", "NONE: no instrument of ours"),
        ("0", "", "1", "SecurityListRequestType (559) = 0: needs a Symbol (55) or SecurityType"),
        ("1", "", "1", "SecurityListRequestType (559) = 1: needs a Symbol (55) or SecurityType"),
        ("3", "", "1", "SecurityListRequestType (559) = 3: must be 0, 1 or 4"),
    ],
)
def test_a_list_that_cannot_be_given_says_why(
    kind: str, symbol: str, result: str, said: str
) -> None:
    [found] = securities(connected(), kind, symbol=symbol)
    assert (found.result, found.instruments, found.last_fragment) == (result, (), True)
    assert found.text.startswith(said)


def test_a_long_list_comes_in_fragments() -> None:
    one = REFERENCE.instruments["AAPL"]
    many = {f"S{n}": replace(one, symbol=f"S{n}") for n in range(250)}
    found = securities(World(replace(REFERENCE, instruments=many)), "4")
    assert [len(each.instruments) for each in found] == [100, 100, 50]
    assert [each.last_fragment for each in found] == [False, False, True]
    assert {each.total for each in found} == {250}


def day(
    world: World, subscription: SubscriptionRequestType, name: str = ""
) -> SendTradingSessionStatus:
    world.send(
        TradingSessionStatusRequest(
            origin=world.origin("ALPHA"),
            trad_ses_req_id="t1",
            subscription=subscription,
            trading_session_id=name,
        )
    )
    assert world.replayed() == world.state
    [found] = statuses(world)
    assert not found.unsolicited
    return found


def statuses(world: World) -> list[SendTradingSessionStatus]:
    return [one for one in world.effects if isinstance(one, SendTradingSessionStatus)]


def test_the_trading_day_is_open_until_it_is_closed() -> None:
    world = connected()
    assert day(world, SubscriptionRequestType.SNAPSHOT).status == "2"
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    assert not statuses(world)
    found = day(world, SubscriptionRequestType.SNAPSHOT, "1")
    assert (found.status, found.text) == ("3", f"trading date {DATE}: closed")
    found = day(world, SubscriptionRequestType.SNAPSHOT, "NIGHT")
    assert (found.status, found.reject_reason) == ("6", "1")


def test_who_subscribes_is_told_of_each_change_until_it_is_gone() -> None:
    world = connected()
    day(world, SubscriptionRequestType.SUBSCRIBE)
    told = []
    for command in (
        EngageKillSwitch(origin=SYSTEM, level="FIRM", subject="*", reason="test"),
        ReleaseKillSwitch(origin=SYSTEM, level="FIRM", subject="*", reason="test"),
        CloseTradingDay(origin=SYSTEM, trade_date=DATE),
        OpenTradingDate(origin=SYSTEM, trade_date=NEXT),
    ):
        world.send(command)
        [found] = statuses(world)
        assert (found.session, found.trad_ses_req_id, found.unsolicited) == ("ALPHA", "t1", True)
        told.append(found.status)
    assert told == ["1", "2", "3", "2"]
    world.send(EngageKillSwitch(origin=SYSTEM, level="ACCOUNT", subject="A1", reason="test"))
    assert not statuses(world)
    world.disconnect("ALPHA")
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=NEXT))
    assert not statuses(world)


def test_a_subscription_can_be_ended() -> None:
    world = connected()
    day(world, SubscriptionRequestType.SUBSCRIBE)
    day(world, SubscriptionRequestType.UNSUBSCRIBE)
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    assert not statuses(world)


def test_who_subscribes_to_a_session_that_there_is_not_is_told_nothing_later() -> None:
    world = connected()
    found = day(world, SubscriptionRequestType.SUBSCRIBE, "NIGHT")
    assert (found.status, found.text) == ("6", "TradingSessionID (336) = NIGHT: must be 1")
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    assert not statuses(world)


def traded() -> World:
    """BETA bought 5; ALPHA, whose orders came later, 30 and 20 by a1, and sold 10 by a2."""
    world = connected()
    for name, client, account, side in (
        ("b1", "BETA", "B1", Side.BUY),
        ("a1", "ALPHA", "A1", Side.BUY),
        ("a2", "ALPHA", "A2", Side.SELL),
    ):
        world.new(name, "100", "100", client=client, account=account, side=side)
    for name, client, quantity in (
        ("a1", "ALPHA", "30"),
        ("a2", "ALPHA", "10"),
        ("b1", "BETA", "5"),
        ("a1", "ALPHA", "20"),
    ):
        world.fill(world.state.orders[world.order(name, client).children[0]], quantity)
    return world


def trades(
    world: World, kind: str = "0", **more: object
) -> tuple[SendTradeRequestAck, list[SendTradeCaptureReport]]:
    world.send(
        TradeCaptureReportRequest(
            origin=world.origin("ALPHA"),
            trade_request_id="r1",
            request_type=kind,
            **more,  # type: ignore[arg-type]
        )
    )
    assert world.replayed() == world.state
    answered, *found = world.effects
    assert isinstance(answered, SendTradeRequestAck)
    reports = [one for one in found if isinstance(one, SendTradeCaptureReport)]
    assert reports == found
    assert answered.total == len(found)
    assert [one.last for one in reports] == [False] * (len(found) - 1) + [True] * bool(found)
    return answered, reports


def test_a_client_gets_its_own_trades_of_the_date_oldest_first() -> None:
    world = traded()
    answered, found = trades(world)
    assert (answered.result, answered.status) == ("0", "0")
    assert [(one.cl_ord_id, int(one.last_qty)) for one in found] == [
        ("a1", 30),
        ("a2", 10),
        ("a1", 20),
    ]
    assert {(one.trade_date, one.exec_type, one.last_mkt) for one in found} == {
        (DATE, ExecType.TRADE, "XA")
    }
    ids = [one.exec_id for one in found]
    world.send(OpenTradingDate(origin=SYSTEM, trade_date=NEXT))
    answered, found = trades(world)
    assert (answered.status, found) == ("1", [])
    assert len(set(ids)) == 3


def test_criteria_narrow_the_trades() -> None:
    world = traded()
    answered, found = trades(world, subscription="0")
    assert (answered.result, answered.text, len(found)) == ("0", "", 3)
    _, [sold] = trades(world, "1", side=Side.SELL)
    assert sold.account == "A2"
    order_id = world.order("a1").order_id
    for more in ({"order_id": order_id}, {"cl_ord_id": "a1"}, {"account": "A1"}):
        assert len(trades(world, "1", **more)[1]) == 2
    assert len(trades(world, "1", exec_id=sold.exec_id)[1]) == 1
    beta = world.order("b1", "BETA").order_id
    for nobody in ({"order_id": beta}, {"order_id": "none"}, {"cl_ord_id": "b1"}):
        assert trades(world, **nobody)[1] == []
    assert trades(world, order_id=order_id, cl_ord_id="a2")[1] == []


def test_what_a_venue_took_back_or_corrected_says_so() -> None:
    world = traded()
    _, [first, *_] = trades(world)
    child = world.child("a1", 0)
    [ref, other] = [one.exec_id for one in child.executions.values()]
    for exec_type, of, more in (
        (ExecType.TRADE_CANCEL, ref, {}),
        (ExecType.TRADE_CORRECT, other, {"last_qty": Decimal(25), "last_px": Decimal(99)}),
    ):
        status = OrdStatus.PARTIALLY_FILLED
        world.send(
            world.report(
                child.counterparty,
                child.cl_ord_id,
                exec_type,
                status,
                exec_ref_id=of,
                leaves_qty=Decimal(70),
                **more,
            )
        )
    _, found = trades(world, cl_ord_id="a1")
    assert [(one.exec_type, int(one.last_qty)) for one in found] == [
        (ExecType.TRADE_CANCEL, 30),
        (ExecType.TRADE_CORRECT, 25),
    ]
    # The client may ask by the ExecID of either report.
    assert len(trades(world, exec_id=first.exec_id)[1]) == 1


@pytest.mark.parametrize(
    ("more", "result", "said"),
    [
        ({"kind": "2"}, "8", "TradeRequestType (569) = 2"),
        ({"subscription": "1"}, "99", "SubscriptionRequestType (263) = 1"),
        ({"trade_date": "20260101"}, "99", "TradeDate (75) = 20260101: must be 20260921"),
        ({"symbol": "NONE"}, "1", "Symbol (55) = NONE"),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(
    more: dict[str, str], result: str, said: str
) -> None:
    answered, found = trades(traded(), **more)
    assert (answered.result, answered.status, found) == (result, "2", [])
    assert answered.text.startswith(said)


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trade_requests, "MAX_TRADES", 2)
    answered, found = trades(traded())
    assert (answered.result, answered.status, found) == ("99", "2", [])
    assert answered.text == "more than 2 trades match: ask for fewer, or REST"
    assert len(trades(traded(), side=Side.BUY)[1]) == 2
