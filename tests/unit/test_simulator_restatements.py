"""What a venue changes of orders that rest: a split, another price."""

from dataclasses import replace
from decimal import Decimal

from ems.simulator.commands import (
    BustTrade,
    RepriceOrder,
    SplitShares,
    command_from_json,
    command_to_json,
)
from ems.simulator.model import LiquiditySettings
from oms.domain.fix import ExecType
from tests.unit.simulator_venues import AT, new, order, replace_order, reports, venue

SPLIT = SplitShares(symbol="ACME", new_shares=2, old_shares=1)


def test_a_split_rebases_what_works_and_says_so() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100"))
    [told] = reports(market, SPLIT)
    assert (told.exec_type, told.restatement) == (ExecType.RESTATED, "0")
    assert (told.order_qty, told.cum_qty, told.leaves_qty, told.price) == (200, 120, 80, 50)
    assert told.avg_px == 50
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert (best.price, best.qty) == (50, 80)
    assert "no trade that stands" in market.apply(BustTrade(), AT).refused
    assert order(market, "B").order_qty == 60, "what is done stays in the shares of its day"


def test_a_split_leaves_orders_their_place_in_the_queue() -> None:
    market = venue()
    reports(market, new("A", "1", "50", "100"))
    reports(market, new("S", "2", "50", "100"))
    reports(market, new("B", "1", "100", "100"))
    reports(market, new("C", "1", "100", "100"))
    reports(market, replace_order("B2", "B", "120", "100"))
    reports(market, BustTrade())
    reports(market, SPLIT)
    for name in ("C", "B2", "A"):
        size = f"{order(market, name).leaves_qty}"
        found = reports(market, new(f"S-{name}", "2", size, "50"))
        assert {one.cl_ord_id for one in found if one.exec_type is ExecType.TRADE} == {
            f"S-{name}",
            name,
        }


def test_every_trade_of_before_a_split_stands_and_the_first_after_it_may_be_busted() -> None:
    market = venue()
    reports(market, SPLIT)
    reports(market, new("A", "1", "100", "50"))
    reports(market, new("B", "2", "10", "50"))
    assert market.apply(BustTrade(), AT).refused == ""
    reports(market, new("C", "2", "10", "50"))
    reports(market, new("D", "2", "10", "50"))
    reports(market, SPLIT)
    for trade in list(market.trades):
        assert "no trade that stands" in market.apply(BustTrade(exec_id=trade.exec_id), AT).refused


def test_a_floor_after_a_split_is_of_whole_shares() -> None:
    market = venue()
    reports(market, replace(new("A", "1", "100", "90"), max_floor=Decimal(5)))
    reports(market, replace(SPLIT, new_shares=3, old_shares=2))
    assert (order(market, "A").order_qty, order(market, "A").max_floor) == (150, 7)


def test_a_split_puts_all_background_orders_anew_that_cross_nobody() -> None:
    market = venue(LiquiditySettings(depth=3, replenish=False))
    book = market.books["ACME"]
    best = book.bids.best()
    assert best is not None
    reports(market, new("S", "2", str(best.qty + 100), str(best.price)))
    reports(market, replace(SPLIT, new_shares=1, old_shares=1))
    assert (len(list(book.bids.levels())), len(list(book.asks.levels()))) == (2, 4)


def test_what_would_be_no_whole_share_is_not_split() -> None:
    market = venue()
    reports(market, new("A", "1", "101", "100"))
    halved = replace(SPLIT, new_shares=1, old_shares=2)
    assert "no whole number of shares" in market.apply(halved, AT).refused
    assert "not listed here" in market.apply(replace(SPLIT, symbol="NONE"), AT).refused
    assert order(market, "A").order_qty == 101


def test_another_price_is_told_and_may_trade_at_once() -> None:
    market = venue()
    reports(market, new("B", "2", "60", "101"))
    reports(market, new("A", "1", "100", "100"))
    [restated, *trades] = reports(market, RepriceOrder(price=Decimal(101)))
    assert (restated.exec_type, restated.restatement) == (ExecType.RESTATED, "3")
    assert restated.price == 101
    assert [one.exec_type for one in trades] == [ExecType.TRADE] * 2
    assert "must be above 0" in market.apply(RepriceOrder(price=Decimal(0)), AT).refused
    unknown = RepriceOrder(price=Decimal(1), order_id="X")
    assert "no working order" in market.apply(unknown, AT).refused


def test_they_are_kept_like_any_other_command() -> None:
    for command in (SPLIT, RepriceOrder(price=Decimal("1.5"), order_id="X")):
        assert command_from_json(command_to_json(command)) == command
