"""What a simulated venue's operators may not do, by which rule, and what their doings leave."""

from decimal import Decimal

import pytest

from ems.simulator.commands import (
    BustTrade,
    CancelUnsolicited,
    Command,
    CorrectTrade,
    ExpireDay,
    ReportUnknownFill,
    RepriceOrder,
    SplitShares,
)
from ems.simulator.model import LiquiditySettings
from ems.simulator.statements import order_file, trade_file, utc_date
from ems.simulator.venue import Venue
from oms.domain.fix import ExecType, OrdStatus
from tests.unit.simulator_venues import AT, brief, cancel, new, order, reports, venue


def traded() -> Venue:
    """A bought 100 of which 60 traded with B, who wanted no more."""
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100"))
    return market


def fill_of(qty: str, price: str, symbol: str = "ACME") -> ReportUnknownFill:
    return ReportUnknownFill(
        owner="OMS", symbol=symbol, side="1", last_qty=Decimal(qty), last_px=Decimal(price)
    )


def split(new_shares: int, old_shares: int, symbol: str = "ACME") -> SplitShares:
    return SplitShares(symbol=symbol, new_shares=new_shares, old_shares=old_shares)


def reprice(price: str, order_id: str = "") -> RepriceOrder:
    return RepriceOrder(order_id=order_id, price=Decimal(price))


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (BustTrade(exec_id="none"), "ExecID (17) none: no trade that stands"),
        (
            CorrectTrade(exec_id="none", last_px=Decimal(1)),
            "ExecID (17) none: no trade that stands",
        ),
        (
            CorrectTrade(last_qty=Decimal(0)),
            "correction to 0 at 100: both must be above 0",
        ),
        (
            CorrectTrade(last_px=Decimal(0)),
            "correction to 60 at 0: both must be above 0",
        ),
        (
            CancelUnsolicited(order_id="none"),
            "OrderID (37) none: no working order",
        ),
        (reprice("1", "none"), "OrderID (37) none: no working order with a price"),
        (reprice("0"), "Price (44) 0: must be above 0"),
        (fill_of("1", "1", "NONE"), "Symbol (55) NONE: not listed here"),
        (fill_of("0", "1"), "fill of 0 at 1: both must be above 0"),
        (fill_of("1", "0"), "fill of 1 at 0: both must be above 0"),
        (split(2, 1, "NONE"), "Symbol (55) NONE: not listed here"),
        (split(0, 1), "0 for 1: both must be above 0"),
        (split(1, 0), "1 for 0: both must be above 0"),
    ],
)
def test_what_cannot_be_is_refused_by_its_rule_and_changes_nothing(
    command: Command, rule: str
) -> None:
    market = traded()
    before = [(one.order_id, one.leaves_qty, one.price) for one in market.orders]
    outcome = market.apply(command, AT)
    assert (outcome.refused, outcome.subject, outcome.deliveries) == (rule, "", ())
    assert before == [(one.order_id, one.leaves_qty, one.price) for one in market.orders]


@pytest.mark.parametrize("command", [CancelUnsolicited(), reprice("1")])
def test_where_nothing_works_there_is_nothing_to_act_on(command: Command) -> None:
    market = venue()
    assert "of the last order: no working order" in market.apply(command, AT).refused


def test_what_was_acted_on_is_named() -> None:
    market = traded()
    first, second = (one.exec_id for one in market.trades)
    mine = order(market, "A").order_id
    for command, acted_on in (
        (reprice("101"), mine),
        (CorrectTrade(last_px=Decimal("0.5")), second),
        (BustTrade(exec_id=first), first),
        (CancelUnsolicited(order_id=mine), mine),
        (ExpireDay(), ""),
        (split(2, 1), "ACME"),
        (new("Z", "1", "10", "1"), ""),
    ):
        outcome = market.apply(command, AT)
        assert (outcome.refused, outcome.subject) == ("", acted_on)
    outcome = market.apply(fill_of("1", "0.5"), AT)
    assert (outcome.refused, outcome.subject) == ("", list(market.trades)[-1].exec_id)


def test_the_columns_of_a_days_files_have_the_names_that_readers_know() -> None:
    market, day = traded(), utc_date(AT)
    columns, *_ = trade_file(market.trades, (), day).splitlines()
    assert columns == (
        "exec_id,cl_ord_id,order_id,symbol,side,last_qty,last_px,transact_time,status"
    )
    columns, *_ = order_file(market.orders, day).splitlines()
    assert columns == (
        "cl_ord_id,order_id,symbol,side,order_qty,price,cum_qty,leaves_qty,ord_status"
    )


def test_a_market_order_has_no_price_in_the_order_file() -> None:
    market = venue()
    reports(market, new("M", "1", "10", None))
    reports(market, new("L", "1", "10", "99"))
    _, *rows, _ = order_file(market.orders, utc_date(AT)).splitlines()
    prices = {row.split(",")[0]: row.split(",")[5] for row in rows}
    assert prices == {"M": "", "L": "99"}


def test_a_correction_may_make_a_share_of_it_and_not_more_than_was_ordered() -> None:
    market = traded()
    assert market.apply(CorrectTrade(last_qty=Decimal(1)), AT).refused == ""
    assert (order(market, "A").leaves_qty, order(market, "B").cum_qty) == (99, 1)
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert best.qty == 99
    outcome = market.apply(CorrectTrade(last_qty=Decimal(61)), AT)
    assert outcome.refused.startswith("LastQty (32) 61: CumQty would pass OrderQty of ")
    assert outcome.subject == ""
    assert market.apply(CorrectTrade(last_qty=Decimal(60)), AT).refused == ""


def test_a_fill_of_nobodys_order_counts_what_it_cost() -> None:
    market = venue()
    [told] = reports(market, fill_of("7", "3"))
    assert (told.cum_qty, told.leaves_qty, told.avg_px) == (7, 0, 3)
    [made] = market.orders
    assert (made.notional, made.ord_status) == (21, OrdStatus.FILLED)


def test_a_busted_trade_before_the_last_can_be_named_and_the_last_that_stands_is_meant() -> None:
    market = traded()
    reports(market, new("C", "2", "10", "100"))
    reports(market, BustTrade())
    assert [one.status == "BUSTED" for one in market.trades] == [False, False, True, True]
    found = reports(market, BustTrade())
    assert {one.cl_ord_id for one in found} == {"A", "B"}


def test_another_price_of_an_order_that_is_named() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "90"))
    reports(market, new("B", "1", "100", "80"))
    [told] = reports(market, reprice("95", order(market, "A").order_id))
    assert (told.cl_ord_id, told.exec_type, told.price) == ("A", ExecType.RESTATED, 95)
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert (best.price, best.qty) == (95, 100)
    reports(market, cancel("A2", "A"))
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert (best.price, best.qty) == (80, 100), "it had left its old price"


def test_a_repriced_order_goes_behind_and_may_trade() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "90"))
    reports(market, new("B", "1", "100", "90"))
    reports(market, new("S", "2", "50", "95"))
    reports(market, reprice("90", order(market, "A").order_id))
    found = reports(market, new("S2", "2", "60", "90"))
    assert {one.cl_ord_id for one in found if one.exec_type is ExecType.TRADE} == {"S2", "B"}
    found = reports(market, reprice("95", order(market, "A").order_id))
    assert ("S", "F", "2", "50", "0", "50") in [brief(one) for one in found]


def test_a_split_leaves_prices_on_ticks_away_from_the_other_side() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("S", "2", "100", "100.01"))
    assert market.apply(split(3, 1), AT).refused == ""
    assert (order(market, "A").price, order(market, "S").price) == (
        Decimal("33.33"),
        Decimal("33.34"),
    )
    assert (order(market, "A").order_qty, order(market, "S").leaves_qty) == (300, 300)
    found = reports(market, new("S3", "2", "300", "33.33"))
    assert {one.cl_ord_id for one in found if one.exec_type is ExecType.TRADE} == {"A", "S3"}


def test_background_quotes_are_in_new_shares_after_a_split() -> None:
    market = venue(LiquiditySettings(depth=3, replenish=True))
    before = market.books["ACME"].asks.best()
    assert before is not None
    assert market.apply(split(2, 1), AT).refused == ""
    after = market.books["ACME"].asks.best()
    assert after is not None
    assert abs(after.price - before.price / 2) < 1


def test_trades_of_before_a_split_stand() -> None:
    market = traded()
    first = next(iter(market.trades)).exec_id
    reports(market, split(2, 1))
    assert "no trade that stands" in market.apply(BustTrade(exec_id=first), AT).refused
    reports(market, new("C", "2", "20", "50"))
    assert market.apply(BustTrade(), AT).refused == ""


@pytest.mark.parametrize(
    ("tif", "told", "left"),
    [("0", ExecType.EXPIRED, 0), ("1", ExecType.RESTATED, 100), ("7", ExecType.CANCELED, 0)],
)
def test_the_end_of_the_day_ends_what_is_not_good_longer(
    tif: str, told: ExecType, left: int
) -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100", time_in_force=tif))
    found = reports(market, ExpireDay())
    assert [one.exec_type for one in found] == [told]
    assert order(market, "A").leaves_qty == left
    assert reports(market, new("B", "2", "10", "200"))[0].exec_type is ExecType.NEW


def test_the_end_of_the_day_ends_what_works_behind_what_is_done() -> None:
    market = traded()
    reports(market, new("C", "1", "10", "90"))
    assert [one.cl_ord_id for one in reports(market, ExpireDay())] == ["A", "C"]
    reports(market, new("D", "1", "10", "90"))
    assert [one.cl_ord_id for one in reports(market, ExpireDay())] == ["D"]


def test_a_split_that_leaves_no_whole_shares_is_refused_and_changes_nothing() -> None:
    market = traded()
    outcome = market.apply(split(1, 7), AT)
    named = order(market, "A").order_id
    assert outcome.refused == f"OrderID (37) {named}: would be no whole number of shares"
    assert (outcome.subject, outcome.deliveries) == ("", ())
    assert (order(market, "A").order_qty, order(market, "A").leaves_qty) == (100, 40)
