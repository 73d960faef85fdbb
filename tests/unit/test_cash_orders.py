"""What quantity an amount of money buys: whole lots at the limit price, else at the reference."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.commands import NewOrderSingle
from oms.domain.conditions import Conditions
from oms.domain.events import DuplicateOrderRefused, OrderStatusReported
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.domain.instrument import Instrument
from oms.domain.reasons import Reason
from oms.domain.terms import OrderTerms
from oms.orders.cash import in_lots
from oms.risk.conditions import cash_fault
from tests.support.world import World, of_type


def asked(cash: str | None, price: str | None) -> OrderTerms:
    return OrderTerms(
        counterparty="ALPHA",
        session="ALPHA",
        cl_ord_id="c1",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(0),
        ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
        price=None if price is None else Decimal(price),
        time_in_force=TimeInForce.DAY,
        conditions=None if cash is None else Conditions(cash_order_qty=Decimal(cash)),
    )


def instrument(lot: str) -> Instrument:
    return Instrument(symbol="AAPL", currency="USD", tick=Decimal("0.01"), lot=Decimal(lot))


@pytest.mark.parametrize(
    ("cash", "price", "reference", "lot", "quantity", "source"),
    [
        ("1000", "10", "8", "1", "100", "Price (44)"),
        ("1000", None, "8", "1", "125", "reference price"),
        ("999.99", "10", None, "1", "99", "Price (44)"),
        ("1000", "10", None, "30", "90", "Price (44)"),
        ("1000", "3", None, "0.5", "333", "Price (44)"),
        ("500", "3", None, "0.5", "166.5", "Price (44)"),
        ("10", "0.5", None, "1", "20", "Price (44)"),
        ("0.5", "0.1", None, "1", "5", "Price (44)"),
        ("9.99", "10", None, "1", "0", "Price (44)"),
    ],
)
def test_cash_comes_to_whole_lots(
    *, cash: str, price: str | None, reference: str | None, lot: str, quantity: str, source: str
) -> None:
    px = None if reference is None else Decimal(reference)
    terms = in_lots(asked(cash, price), instrument(lot), px)
    assert terms.order_qty == Decimal(quantity)
    assert terms.conditions is not None
    assert terms.conditions.cash_px == Decimal(price or reference or 0)
    assert terms.conditions.cash_px_source == source
    assert terms.conditions.cash_order_qty == Decimal(cash)


@pytest.mark.parametrize(
    ("cash", "price", "reference"),
    [
        (None, "10", "8"),
        ("1000", None, None),
        ("1000", None, "0"),
        ("1000", "0", "8"),
        ("1000", "-1", "8"),
        ("0", "10", "8"),
        ("-1000", "10", "8"),
    ],
)
def test_what_comes_to_no_quantity_stays_as_it_is(
    cash: str | None, price: str | None, reference: str | None
) -> None:
    terms = asked(cash, price)
    px = None if reference is None else Decimal(reference)
    assert in_lots(terms, instrument("1"), px) == terms


@pytest.mark.parametrize(
    ("cash", "cash_px", "reason", "text"),
    [
        ("0", None, Reason.QUANTITY_NOT_POSITIVE, "0: must be greater than zero"),
        ("-1", None, Reason.QUANTITY_NOT_POSITIVE, "-1: must be greater than zero"),
        ("1", None, Reason.NO_REFERENCE_PRICE, "1: there is no limit price and no reference"),
        ("1", "9", Reason.QUANTITY_NOT_POSITIVE, "1: must be enough for a lot of 5 at 9, the mid"),
    ],
)
def test_why_cash_came_to_no_quantity(
    cash: str, cash_px: str | None, reason: Reason, text: str
) -> None:
    price = None if cash_px is None else Decimal(cash_px)
    wanted = Conditions(cash_order_qty=Decimal(cash), cash_px=price, cash_px_source="mid")
    verdict = cash_fault(wanted, Decimal(5))
    assert verdict.reason is reason
    assert verdict.text.startswith(f"CashOrderQty (152) = {text}")


def test_of_an_instrument_that_nobody_knows_there_are_no_lots() -> None:
    assert in_lots(asked("1000", "10"), None, Decimal(8)) == asked("1000", "10")


def test_an_order_for_cash_is_the_same_order_when_it_comes_again() -> None:
    world = World()
    world.connect("XA", "XB")
    order = NewOrderSingle(
        origin=world.origin("ALPHA"),
        cl_ord_id="c1",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(0),
        ord_type=OrdType.LIMIT,
        price=Decimal(100),
        conditions=Conditions(cash_order_qty=Decimal(1050)),
    )
    world.send(order)
    assert world.order("c1").order_qty == 10
    again = replace(world.origin("ALPHA"), poss_resend=True)
    world.send(replace(order, origin=again))
    assert of_type(world, OrderStatusReported)
    other = Conditions(cash_order_qty=Decimal(1060))
    again = replace(world.origin("ALPHA"), poss_resend=True)
    world.send(replace(order, origin=again, conditions=other))
    assert of_type(world, DuplicateOrderRefused)
