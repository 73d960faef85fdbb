"""The fields of an order, which a NewOrderSingle and each order of a list spell the same."""

from decimal import Decimal
from typing import TypedDict

from fix_sessions.beyond import refuse_beyond
from fix_sessions.conditions import order_qty, read_conditions
from fix_sessions.fields import MAX_TEXT_CHARACTERS, Fields
from oms.domain.conditions import Conditions
from oms.domain.fix import OrdType, Side, TimeInForce


class OrderFields(TypedDict):
    """What oms.domain.commands.NewOrderSingle and oms.domain.baskets.ListOrder share."""

    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    order_qty: Decimal
    ord_type: OrdType
    price: Decimal | None
    time_in_force: TimeInForce
    transact_time: int
    text: str
    conditions: Conditions | None
    currency: str


def read_order(fields: Fields) -> OrderFields:
    """The order in these fields. Raises Refusal."""
    refuse_beyond(fields)
    return {
        "cl_ord_id": fields.text(11),
        "account": fields.text(1),
        "symbol": fields.text(55),
        "side": fields.choice(54, Side),
        "order_qty": order_qty(fields),
        "ord_type": fields.choice(40, OrdType),
        "price": fields.optional_decimal(44),
        "time_in_force": fields.optional_choice(59, TimeInForce) or TimeInForce.DAY,
        "transact_time": fields.timestamp(60),
        "text": fields.optional_text(58, limit=MAX_TEXT_CHARACTERS),
        "conditions": read_conditions(fields),
        "currency": fields.optional_text(15),
    }
