"""Currency (15): an order in another currency than its instrument's is refused, by name."""

from decimal import Decimal

import pytest

from oms.domain.baskets import ListOrder
from oms.domain.commands import NewOrderSingle, OrderCancelReplaceRequest
from oms.domain.events import OrderAccepted, OrderRefused, ReplacePending, RequestRefused
from oms.domain.fix import OrdType, Side
from oms.domain.reasons import Reason
from tests.support.baskets import send_list
from tests.support.world import World, connected, of_type

RULE = "Currency (15) = EUR: must be USD, that of AAPL"
ORDER = {
    "account": "A1",
    "side": Side.BUY,
    "order_qty": Decimal(100),
    "ord_type": OrdType.LIMIT,
    "price": Decimal(99),
}


def send(world: World, currency: str, symbol: str = "AAPL") -> None:
    more = {"cl_ord_id": "c1", "symbol": symbol, "currency": currency}
    world.send(NewOrderSingle(origin=world.origin("ALPHA"), **(ORDER | more)))  # type: ignore[arg-type]


def amend(world: World, currency: str) -> None:
    request = OrderCancelReplaceRequest(
        origin=world.origin("ALPHA"),
        cl_ord_id="c2",
        orig_cl_ord_id="c1",
        order_qty=Decimal(90),
        price=Decimal(99),
        currency=currency,
    )
    world.send(request)


@pytest.mark.parametrize("currency", ["", "USD"])
def test_the_instruments_own_or_none_is_taken(currency: str) -> None:
    world = connected()
    send(world, currency)
    assert of_type(world, OrderAccepted)
    world.ack(world.child("c1"))
    amend(world, currency)
    assert of_type(world, ReplacePending)


def test_another_is_refused() -> None:
    world = connected()
    send(world, "EUR")
    [refused] = of_type(world, OrderRefused)
    assert (refused.reason, refused.text) == (Reason.UNSUPPORTED_VALUE, RULE)


def test_a_replace_in_another_is_refused() -> None:
    world = connected()
    send(world, "")
    world.ack(world.child("c1"))
    amend(world, "EUR")
    [refused] = of_type(world, RequestRefused)
    assert (refused.reason, refused.text) == (Reason.UNSUPPORTED_VALUE, RULE)
    assert world.order("c1").order_qty == 100


def test_an_order_of_a_list_in_another_is_refused() -> None:
    world = connected()
    orders = [
        ListOrder(list_seq_no=n, cl_ord_id=f"o{n}", symbol="AAPL", currency=one, **ORDER)  # type: ignore[arg-type]
        for n, one in enumerate(("USD", "EUR"), start=1)
    ]
    send_list(world, orders)
    assert [one.terms.cl_ord_id for one in of_type(world, OrderAccepted)] == ["o1"]
    assert [one.text for one in of_type(world, OrderRefused)] == [RULE]


def test_of_an_unknown_instrument_the_symbol_is_what_is_told() -> None:
    world = connected()
    send(world, "EUR", "NONE")
    [refused] = of_type(world, OrderRefused)
    assert refused.reason is Reason.UNKNOWN_INSTRUMENT
