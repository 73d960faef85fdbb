"""The consolidated book: every venue's best bid and offer by symbol, and prices derived from it."""

from collections.abc import Mapping
from decimal import Decimal

from oms.domain.commands import Quote
from oms.domain.instrument import Instrument


def best_bid(quotes: Mapping[str, Quote]) -> Decimal | None:
    """Highest bid over all venues; one that is not above zero is none."""
    return max((one.bid for one in quotes.values() if one.bid and one.bid > 0), default=None)


def best_ask(quotes: Mapping[str, Quote]) -> Decimal | None:
    """Lowest offer over all venues; one that is not above zero is none."""
    return min((one.ask for one in quotes.values() if one.ask and one.ask > 0), default=None)


def reference_price(
    quotes: Mapping[str, Quote], last_px: Decimal | None, instrument: Instrument
) -> Decimal | None:
    """What a price is measured against: the consolidated mid, else one side, else the last trade,
    else the instrument's configured reference price. Always above zero.
    """
    bid, ask = best_bid(quotes), best_ask(quotes)
    if bid is not None and ask is not None:
        return (bid + ask) / 2
    for one in (bid, ask, last_px, instrument.reference_px):
        if one is not None and one > 0:
            return one
    return None
