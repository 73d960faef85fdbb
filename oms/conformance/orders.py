"""What both players say about orders: a client's requests, made of the rows."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from oms.conformance.compare import TAGS
from oms.conformance.dialect import Body, text
from oms.conformance.matrix import Row
from oms.conformance.sides import Market, now

GOOD_TILL = "1"
# What the rows say of an order in words.
_TERMS: dict[str, Body] = {
    "FOK": [(59, "4")],
    "IOC": [(59, "3")],
    "ExecInst=reinstate on trading halt": [(18, "J")],
    "ExecInst=cancel on trading halt": [(18, "K")],
    "OrdType 3/4 or TimeInForce 7": [(40, "4"), (99, "")],
    "CashOrderQty=10000 EUR": [(152, "10000"), (44, "20")],
}
_ASKED = ("TimeInForce", "ExecInst")


def terms(row: Row, path: Sequence[Row], market: Market) -> dict[int, str]:
    """The fields of a new order beyond ClOrdID, Symbol, Side and OrderQty.

    Orders that live for two days are good till cancelled.
    """
    found = {40: "2", 44: text(limit_price(path, market)), 59: "0"}
    if lives_for_days(path):
        found[59] = GOOD_TILL
    said: dict[int, str] = dict(_TERMS.get(row.note, []))
    said |= (
        {TAGS[name]: row.noted[name] for name in _ASKED if name in row.noted} if not said else {}
    )
    if 99 in said:
        said[99] = text(market.price)
    return found | said


def lives_for_days(path: Sequence[Row]) -> bool:
    """Whether the order is still there on the second day."""
    return any(one.step.startswith("D") for one in path)


def limit_price(path: Sequence[Row], market: Market) -> Decimal:
    """A purchase that may trade at every price of the rows."""
    return max((one.last_px for one in path if one.last_px is not None), default=market.price)


def price_after(ratio: Fraction, path: Sequence[Row], market: Market) -> Decimal:
    """What that purchase may pay for a share once a split has made `ratio` shares of one."""
    return limit_price(path, market) * ratio.denominator / ratio.numerator


def new_order(row: Row, path: Sequence[Row], market: Market, name: str) -> Body:
    """NewOrderSingle."""
    found = [
        *((11, name), (1, market.account), (21, "1"), (55, market.symbol), (54, "1")),
        (60, now()),
        *terms(row, path, market).items(),
    ]
    return found if row.order_qty is None else [*found, (38, text(row.order_qty))]


def cancel(market: Market, name: str, orig: str, quantity: Decimal) -> Body:
    """OrderCancelRequest."""
    return [
        *((41, orig), (11, name), (55, market.symbol), (54, "1"), (60, now())),
        (38, text(quantity)),
    ]


def replacement(
    market: Market, name: str, orig: str, quantity: Decimal, fields: dict[int, str]
) -> Body:
    """OrderCancelReplaceRequest; fields: the order's terms, as they are to be."""
    return [
        *((41, orig), (11, name), (1, market.account), (21, "1"), (55, market.symbol)),
        *((54, "1"), (60, now()), (38, text(quantity))),
        *fields.items(),
    ]
