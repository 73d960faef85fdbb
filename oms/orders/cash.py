"""CashOrderQty (152): an amount of money made a quantity."""

from dataclasses import replace
from decimal import Decimal

from oms.domain.instrument import Instrument
from oms.domain.terms import OrderTerms


def in_lots(
    terms: OrderTerms, instrument: Instrument | None, reference_px: Decimal | None
) -> OrderTerms:
    """The terms with the whole lots that their cash buys (or sells) at the limit price, else at the
    reference price; with the price used among their conditions. Quantity zero where it is none.
    """
    asked = terms.conditions
    if asked is None or asked.cash_order_qty is None or instrument is None:
        return terms
    limited = terms.price is not None
    price = terms.price if limited else reference_px
    if price is None or price <= 0 or asked.cash_order_qty <= 0:
        return terms
    lots = asked.cash_order_qty // (price * instrument.lot)
    source = "Price (44)" if limited else "reference price"
    return replace(
        terms,
        order_qty=lots * instrument.lot,
        conditions=replace(asked, cash_px=price, cash_px_source=source),
    )
