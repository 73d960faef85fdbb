"""The consolidated book: the best over all venues, and what a price is measured against."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ems.market_data import best_ask, best_bid, reference_price
from oms.domain.commands import Quote
from tests.support.world import REFERENCE

AAPL = REFERENCE.instruments["AAPL"]


def quoted(**prices: str) -> dict[str, Quote]:
    """A venue's price on both sides, by venue; empty: none."""
    told = {name: Decimal(price) if price else None for name, price in prices.items()}
    size = Decimal(100)
    return {
        name: Quote(bid=price, bid_size=size, ask=price, ask_size=size)
        for name, price in told.items()
    }


@pytest.mark.parametrize(
    ("prices", "bid", "ask"),
    [
        ({}, None, None),
        ({"XA": "99", "XB": "101"}, "101", "99"),
        ({"XA": "99", "XB": ""}, "99", "99"),
        ({"XA": "99", "XB": "0"}, "99", "99"),
        ({"XA": "-3", "XB": "0"}, None, None),
        ({"XA": "0.5"}, "0.5", "0.5"),
    ],
)
def test_the_best_of_all_venues(prices: dict[str, str], bid: str | None, ask: str | None) -> None:
    quotes = quoted(**prices)
    assert best_bid(quotes) == (None if bid is None else Decimal(bid))
    assert best_ask(quotes) == (None if ask is None else Decimal(ask))


@pytest.mark.parametrize(
    ("last", "configured", "measured"),
    [
        ("90", "80", "90"),
        ("0.5", "80", "0.5"),
        ("0", "80", "80"),
        (None, "0.5", "0.5"),
        (None, None, None),
        ("0", "0", None),
    ],
)
def test_without_quotes_the_last_trade_or_the_configured_price(
    last: str | None, configured: str | None, measured: str | None
) -> None:
    item = replace(AAPL, reference_px=Decimal(configured) if configured else None)
    found = reference_price({}, Decimal(last) if last else None, item)
    assert found == (None if measured is None else Decimal(measured))
