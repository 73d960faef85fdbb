"""Where an order goes: the best price after fees, the size that is shown, and who comes first."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ems.market_data import reference_price
from ems.router import Wish, plan, supports, time_at
from oms.domain.commands import Quote
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.domain.instrument import Venue
from tests.support.world import REFERENCE

AAPL = REFERENCE.instruments["AAPL"]
FREE = [replace(one, fee_bps=Decimal(0)) for one in REFERENCE.venues.values()]


def quote(price: str | None, size: str) -> Quote:
    """The same on both sides."""
    value = None if price is None else Decimal(price)
    return Quote(bid=value, bid_size=Decimal(size), ask=value, ask_size=Decimal(size))


def wish(
    qty: str = "100",
    price: str | None = None,
    side: Side = Side.BUY,
    tif: TimeInForce = TimeInForce.DAY,
    *,
    whole: bool = False,
) -> Wish:
    return Wish(
        side=side,
        ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
        price=None if price is None else Decimal(price),
        time_in_force=tif,
        order_qty=Decimal(qty),
        whole=whole,
    )


def placed(one: Wish, xa: Quote | None, xb: Quote | None, lot: str = "1") -> dict[str, int]:
    quotes = {name: told for name, told in (("XA", xa), ("XB", xb)) if told is not None}
    legs = plan(one, replace(AAPL, lot=Decimal(lot)), FREE, quotes)
    return {leg.venue.name: int(leg.order_qty) for leg in legs}


@pytest.mark.parametrize(
    ("side", "xa", "xb", "first"),
    [
        (Side.BUY, "100", "100.01", "XA"),
        (Side.BUY, "100.01", "100", "XB"),
        (Side.SELL, "100", "100.01", "XB"),
        (Side.SELL_SHORT, "100.01", "100", "XA"),
        (Side.BUY, "100", "100", "XA"),
        (Side.SELL, "100", "100", "XA"),
    ],
)
def test_the_better_price_comes_first_and_of_equals_the_configured_order(
    side: Side, xa: str, xb: str, first: str
) -> None:
    assert placed(wish(side=side), quote(xa, "500"), quote(xb, "500")) == {first: 100}


@pytest.mark.parametrize(
    ("side", "xa_fee", "first"),
    [
        (Side.BUY, "2", "XB"),
        (Side.SELL, "2", "XB"),
        (Side.BUY, "0.5", "XA"),
        (Side.SELL, "0", "XA"),
    ],
)
def test_prices_are_compared_after_fees(side: Side, xa_fee: str, first: str) -> None:
    """A cent of a hundred dollars is one basis point."""
    better, worse = ("100", "100.01") if side is Side.BUY else ("100.01", "100")
    venues = [replace(FREE[0], fee_bps=Decimal(xa_fee)), FREE[1]]
    quotes = {"XA": quote(better, "500"), "XB": quote(worse, "500")}
    [leg] = plan(wish(side=side), AAPL, venues, quotes)
    assert leg.venue.name == first


def test_a_fee_that_makes_prices_equal_to_the_last_digit_leaves_the_configured_order() -> None:
    venues = [FREE[0], replace(FREE[1], fee_bps=Decimal(1))]
    quotes = {"XA": quote("100.01", "500"), "XB": quote("100", "500")}
    [leg] = plan(wish(), AAPL, venues, quotes)
    assert leg.venue.name == "XA"


@pytest.mark.parametrize(
    ("side", "limit", "expected"),
    [
        (Side.BUY, "100", {"XA": 60, "XB": 40}),
        (Side.BUY, "99.99", {"XA": 100}),
        (Side.SELL, "100", {"XA": 60, "XB": 40}),
        (Side.SELL, "100.01", {"XA": 100}),
    ],
)
def test_what_a_limit_reaches_is_taken_and_the_rest_waits_at_the_best(
    side: Side, limit: str, expected: dict[str, int]
) -> None:
    assert placed(wish("100", limit, side), quote("100", "60"), quote("100", "40")) == expected


def test_what_no_venue_shows_rests_with_the_best() -> None:
    assert placed(wish("100"), quote("101", "30"), quote("100", "50")) == {"XA": 30, "XB": 70}
    assert placed(wish("80"), quote("101", "30"), quote("100", "50")) == {"XA": 30, "XB": 50}
    assert placed(wish("50"), quote("101", "30"), quote("100", "50")) == {"XB": 50}


def test_sizes_count_in_whole_lots() -> None:
    taken = placed(wish("300"), quote("100", "190"), quote("101", "99"), lot="100")
    assert taken == {"XA": 300}
    taken = placed(wish("300"), quote("100", "190"), quote("101", "100"), lot="100")
    assert taken == {"XA": 200, "XB": 100}


@pytest.mark.parametrize("one", [wish(tif=TimeInForce.FOK), wish(whole=True)])
def test_what_must_stay_whole_goes_where_all_of_it_can_trade(one: Wish) -> None:
    assert placed(one, quote("100", "99"), quote("101", "100")) == {"XB": 100}
    assert placed(one, quote("100", "100"), quote("101", "500")) == {"XA": 100}
    assert placed(one, quote("100", "99"), quote("101", "99")) == {"XA": 100}
    out_of_reach = replace(one, ord_type=OrdType.LIMIT, price=Decimal("100.5"))
    assert placed(out_of_reach, quote("100", "99"), quote("101", "500")) == {"XA": 100}


@pytest.mark.parametrize("nothing", [None, quote(None, "500"), quote("0", "500"), quote("-1", "5")])
def test_a_venue_without_a_price_is_passed_over(nothing: Quote | None) -> None:
    assert placed(wish(), nothing, quote("100", "10")) == {"XB": 100}
    assert placed(wish(), nothing, nothing) == {"XA": 100}, "configured order"


def test_a_price_below_one_is_a_price() -> None:
    cheap = quote("0.5", "500")
    assert placed(wish(), quote("0.6", "500"), cheap) == {"XB": 100}
    assert reference_price({"XA": cheap, "XB": Quote()}, None, AAPL) == Decimal("0.5")


def test_nothing_to_place_makes_no_leg() -> None:
    assert placed(wish("0"), quote("100", "10"), None) == {}
    assert placed(wish("0"), None, None) == {}
    assert plan(wish("1"), AAPL, [], {"XA": quote("100", "10")}) == ()
    assert placed(wish("1"), quote("100", "10"), None) == {"XA": 1}


def test_a_single_share_is_placed_too() -> None:
    assert placed(wish("11"), quote("100", "10"), quote("101", "500")) == {"XA": 10, "XB": 1}
    assert placed(wish("101"), quote("100", "60"), quote("101", "40")) == {"XA": 61, "XB": 40}


def venue(*times: TimeInForce, kinds: frozenset[OrdType] = frozenset({OrdType.MARKET})) -> Venue:
    return replace(FREE[0], times_in_force=frozenset(times), ord_types=kinds)


def test_good_till_date_goes_as_good_till_cancel_where_there_is_only_that() -> None:
    day, gtc, gtd = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD
    assert time_at(venue(gtc, gtd), gtd) is gtd
    assert time_at(venue(gtc), gtd) is gtc
    assert time_at(venue(day), gtd) is None
    assert time_at(venue(gtc), day) is None


def test_a_venue_is_asked_only_for_what_it_takes() -> None:
    day = TimeInForce.DAY
    assert supports(venue(day), wish())
    assert not supports(venue(TimeInForce.GTC), wish())
    assert not supports(venue(day, kinds=frozenset({OrdType.LIMIT})), wish())


def test_a_venue_that_is_best_after_fees_and_beyond_the_limit_gets_nothing_when_all_is_placed() -> (
    None
):
    venues = [FREE[0], replace(FREE[1], fee_bps=Decimal(2))]
    quotes = {"XA": quote("100.01", "500"), "XB": quote("100", "500")}
    [leg] = plan(wish("100", "100"), AAPL, venues, quotes)
    assert (leg.venue.name, leg.order_qty) == ("XB", 100)


def test_each_leg_says_why() -> None:
    quotes = {"XA": quote("100", "60"), "XB": quote("101", "500")}
    legs = plan(wish("100", "100.5"), AAPL, FREE, quotes)
    assert [leg.why for leg in legs] == ["best price after fees: 100 for 60"]
    [rests] = plan(wish("100", "99"), AAPL, FREE, quotes)
    assert rests.why == "rests at the best quote: 100"
