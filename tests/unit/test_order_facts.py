"""What follows from an order: what may still trade, how it stands, what splits make of it."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from oms.domain.conditions import Conditions
from oms.domain.fix import OrdStatus, OrdType, Side, TimeInForce
from oms.domain.instrument import Instrument
from oms.domain.order import Execution, Order, Request, RequestKind, add_execution, new_order
from oms.domain.reasons import Reason
from oms.domain.splits import RebasedTerms, Split, exact
from oms.domain.terms import OrderTerms
from oms.domain.values import ValueOutOfRange, average, parse_decimal, plain
from oms.orders.splits import change_of, share_unit

CANCEL, REPLACE = RequestKind.CANCEL, RequestKind.REPLACE


def order(
    qty: str = "100",
    *,
    price: str | None = "100",
    side: Side = Side.BUY,
    conditions: Conditions | None = None,
) -> Order:
    terms = OrderTerms(
        counterparty="ALPHA",
        session="ALPHA",
        cl_ord_id="c1",
        account="A1",
        symbol="AAPL",
        side=side,
        order_qty=Decimal(qty),
        ord_type=OrdType.LIMIT,
        price=None if price is None else Decimal(price),
        time_in_force=TimeInForce.DAY,
        conditions=conditions,
    )
    made = new_order("o1", "", terms, "2026-09-21", 1)
    made.accepted = True
    return made


def traded(one: Order, qty: str, at: int = 1, px: str = "10") -> None:
    number = str(len(one.executions))
    execution = Execution(
        venue="XA", exec_id=number, child_id="", last_qty=Decimal(qty), last_px=Decimal(px), at=at
    )
    add_execution(one, execution)


def request(kind: RequestKind, qty: str = "0", reason: Reason = Reason.NONE) -> Request:
    return Request(
        kind=kind, cl_ord_id="c2", orig_cl_ord_id="c1", at=1, order_qty=Decimal(qty), reason=reason
    )


@pytest.mark.parametrize(
    ("fills", "asked", "waiting", "exposure", "live"),
    [
        ("0", None, None, "100", True),
        ("40", None, None, "60", True),
        ("100", None, None, "0", False),
        ("40", "150", None, "110", True),
        ("40", "80", None, "60", True),
        ("40", "80", "120", "80", True),
        ("100", "100", None, "0", False),
        ("100", "101", None, "1", True),
        ("100", "101", "103", "3", True),
        ("100", None, "101", "1", True),
        ("120", "110", None, "0", False),
    ],
)
def test_what_may_still_trade_counts_the_replaces_that_are_asked(
    *, fills: str, asked: str | None, waiting: str | None, exposure: str, live: bool
) -> None:
    one = order()
    traded(one, fills)
    one.requests = (request(REPLACE, asked),) if asked else ()
    one.waiting = (request(REPLACE, waiting),) if waiting else ()
    assert (one.exposure, one.is_live) == (Decimal(exposure), live)
    one.closed = OrdStatus.CANCELED
    assert (one.exposure, one.is_live, one.leaves_qty) == (0, False, 0)


def test_a_cancel_that_is_asked_adds_nothing() -> None:
    one = order()
    traded(one, "100")
    one.requests = (request(CANCEL, "500"),)
    assert (one.exposure, one.is_live) == (0, False)


def test_beside_a_cancel_a_replace_still_counts() -> None:
    one = order()
    traded(one, "100")
    one.requests = (request(REPLACE, "120"), request(CANCEL))
    assert (one.exposure, one.is_live) == (20, True)


def test_the_oldest_request_is_the_pending_one() -> None:
    one = order()
    assert one.pending is None
    one.requests = (request(REPLACE, "80"), request(CANCEL))
    assert one.pending is one.requests[0]


@pytest.mark.parametrize(
    ("fills", "requests", "mark", "closed", "status"),
    [
        ("0", [], None, None, OrdStatus.NEW),
        ("40", [], None, None, OrdStatus.PARTIALLY_FILLED),
        ("100", [], None, None, OrdStatus.FILLED),
        ("40", [REPLACE], None, None, OrdStatus.PENDING_REPLACE),
        ("40", [REPLACE, CANCEL], None, None, OrdStatus.PENDING_CANCEL),
        ("40", [], None, OrdStatus.CANCELED, OrdStatus.CANCELED),
        ("100", [], None, OrdStatus.CANCELED, OrdStatus.FILLED),
        ("40", [], OrdStatus.SUSPENDED, None, OrdStatus.SUSPENDED),
        ("0", [], OrdStatus.SUSPENDED, None, OrdStatus.SUSPENDED),
        ("40", [], OrdStatus.SUSPENDED, OrdStatus.EXPIRED, OrdStatus.SUSPENDED),
        ("40", [], OrdStatus.SUSPENDED, OrdStatus.CANCELED, OrdStatus.SUSPENDED),
    ],
)
def test_the_status_is_the_highest_that_holds(
    *,
    fills: str,
    requests: list[RequestKind],
    mark: OrdStatus | None,
    closed: OrdStatus | None,
    status: OrdStatus,
) -> None:
    one = order()
    traded(one, fills)
    one.requests = tuple(request(kind) for kind in requests)
    one.mark, one.closed = mark, closed
    assert one.ord_status is status


def test_a_cancel_that_the_server_began_is_not_told_as_pending() -> None:
    one = order()
    one.requests = (request(CANCEL, reason=Reason.OPERATOR),)
    assert (one.ord_status, one.told_status) == (OrdStatus.PENDING_CANCEL, OrdStatus.NEW)


def test_what_has_traded_from_a_moment_on() -> None:
    one = order()
    traded(one, "10", at=1, px="5")
    traded(one, "20", at=2, px="6")
    traded(one, "30", at=3, px="7")
    assert one.traded_since(2) == (50, 330)
    one.executions["", "1"].busted = True
    assert one.traded_since(2) == (30, 210)
    one.recount()
    assert (one.cum_qty, one.traded_value, one.avg_px) == (40, 260, Decimal("6.5"))


def split(one: Order, ratio: Fraction) -> None:
    quantity, filled = Fraction(one.order_qty) * ratio, Fraction(one.cum_qty) * ratio
    terms = RebasedTerms(
        order_qty=exact(quantity) or one.order_qty,
        cum_qty=exact(filled) or one.cum_qty,
        price=one.price,
    )
    one.rebase(terms, ratio)


def test_each_trade_counts_the_splits_that_came_after_it() -> None:
    one = order("100")
    traded(one, "10")
    split(one, Fraction(2))
    split(one, Fraction(3))
    traded(one, "10")
    split(one, Fraction(1, 2))
    traded(one, "10")
    one.recount()
    assert (one.order_qty, one.cum_qty) == (300, 10 * 3 + 5 + 10)


def test_two_splits_in_a_row_are_one_and_those_before_a_trade_stay() -> None:
    one = order("100")
    traded(one, "10")
    split(one, Fraction(2))
    traded(one, "10")
    split(one, Fraction(3))
    split(one, Fraction(5))
    assert one.rebasings == ((1, 2), (2, 15))


def test_splits_that_undo_each_other_leave_nothing() -> None:
    one = order("100")
    traded(one, "10")
    split(one, Fraction(2))
    split(one, Fraction(1, 2))
    assert (one.rebasings, one.rebased) == ((), True)
    one.recount()
    assert one.cum_qty == 10


SHARE = Instrument(symbol="AAPL", currency="USD", tick=Decimal("0.01"), lot=Decimal(1))


def three_for_one(one: Order, instrument: Instrument = SHARE) -> tuple[RebasedTerms, list[str]]:
    action = Split(
        action_id="s", symbol="AAPL", new_shares=3, old_shares=1, effective_date="2026-09-22"
    )
    change, faults = change_of(one, action, instrument)
    assert change.before.order_qty == one.order_qty
    assert change.before.price == one.price
    return change.after, faults


@pytest.mark.parametrize(
    ("side", "price", "stop_px", "offset"),
    [
        (Side.BUY, "33.33", "33.34", "-0.04"),
        (Side.SELL, "33.34", "33.33", "-0.03"),
        (Side.SELL_SHORT, "33.34", "33.33", "-0.03"),
    ],
)
def test_a_split_rounds_prices_to_the_owners_advantage(
    side: Side, price: str, stop_px: str, offset: str
) -> None:
    asked = Conditions(
        stop_px=Decimal(100), min_qty=Decimal(10), max_floor=Decimal(20), peg_offset=Decimal("-0.1")
    )
    after, faults = three_for_one(order("100", side=side, conditions=asked))
    assert (after.price, after.stop_px) == (Decimal(price), Decimal(stop_px))
    assert after.peg_offset == Decimal(offset)
    assert (after.order_qty, after.min_qty, after.max_floor) == (300, 30, 60)
    assert faults == []


def test_a_price_that_would_be_below_a_tick_is_a_fault() -> None:
    _, faults = three_for_one(order(price="0.02"))
    assert faults == ["order o1: Price (44) = 0.02: would be below one tick"]
    after, faults = three_for_one(order(price="0.03"))
    assert (after.price, faults) == (Decimal("0.01"), [])


def test_a_market_order_has_no_price_after_a_split_either() -> None:
    after, faults = three_for_one(order(price=None))
    assert (after.price, after.stop_px, after.peg_offset, faults) == (None, None, None, [])


@pytest.mark.parametrize(("lot", "unit"), [("1", "1"), ("100", "1"), ("0.01", "0.01")])
def test_what_was_traded_comes_in_shares_or_smaller_lots(lot: str, unit: str) -> None:
    assert share_unit(replace(SHARE, lot=Decimal(lot))) == Decimal(unit)


@pytest.mark.parametrize(
    ("value", "told"), [("100.10", "100.1"), ("1E+2", "100"), ("10", "10"), ("0.0", "0")]
)
def test_a_plain_value_has_no_zeros_behind_and_no_exponent(value: str, told: str) -> None:
    assert str(plain(Decimal(value))) == told


def test_a_multiple_of_ten_has_no_exponent_either() -> None:
    assert str(plain(Decimal(987650))) == "987650"


def test_an_average_of_nothing_is_zero() -> None:
    assert average(Decimal(5), Decimal(0)) == 0
    assert average(Decimal(10), Decimal(3)) == Decimal("3.3333333333")


def test_zeros_in_front_and_behind_are_no_digits() -> None:
    assert parse_decimal("0" * 15 + "1.5" + "0" * 10) == Decimal("1.5")
    assert parse_decimal("9" * 15 + "." + "9" * 10) == Decimal("9" * 15 + "." + "9" * 10)
    for text in ("1" + "0" * 15, "0." + "0" * 10 + "1"):
        with pytest.raises(ValueOutOfRange):
            parse_decimal(text)


@pytest.mark.parametrize(("value", "told"), [(Fraction(1, 8), "0.125"), (Fraction(1, 3), None)])
def test_a_fraction_that_is_no_decimal_is_not_made_one(value: Fraction, told: str | None) -> None:
    assert exact(value) == (None if told is None else Decimal(told))
