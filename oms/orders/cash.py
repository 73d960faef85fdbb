"""Money in an order: CashOrderQty (152) made a quantity, and Currency (15)."""

from dataclasses import replace
from decimal import Decimal

from oms.domain.instrument import Instrument
from oms.domain.reasons import Reason
from oms.domain.terms import OrderTerms


def currency_fault(currency: str, instrument: Instrument | None) -> tuple[Reason, str] | None:
    """Why an order may not be in that Currency (15): its prices would mean others."""
    if not currency or instrument is None or currency == instrument.currency:
        return None
    text = f"Currency (15) = {currency}: must be {instrument.currency}, that of {instrument.symbol}"
    return Reason.UNSUPPORTED_VALUE, text


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
