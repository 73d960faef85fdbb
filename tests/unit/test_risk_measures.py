"""What a limit measures: the figures kept with an order, and what one without a price is worth."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.commands import SYSTEM, SetRiskLimit
from oms.domain.conditions import Conditions
from oms.domain.events import OrderAccepted, OrderRefused, ReplacePending
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.terms import OrderTerms
from oms.risk.checks import Asked, check
from oms.risk.limits import refusal_of_kill, refusal_of_limit
from tests.support.baskets import THREE, send_list
from tests.support.world import REFERENCE, START, World, of_type


def limit(world: World, rule: str, value: str) -> None:
    world.send(
        SetRiskLimit(origin=SYSTEM, rule=rule, level="ACCOUNT", subject="A1", value=Decimal(value))
    )


def asked(
    *, price: str | None, stop_px: str | None = None, reference: str | None = "100", qty: str = "10"
) -> Asked:
    """An order for A1 with whatever limits its state has."""
    stop = Conditions(stop_px=Decimal(stop_px)) if stop_px else None
    kinds = {
        (True, True): OrdType.STOP_LIMIT,
        (True, False): OrdType.LIMIT,
        (False, True): OrdType.STOP,
        (False, False): OrdType.MARKET,
    }
    terms = OrderTerms(
        counterparty="ALPHA",
        session="ALPHA",
        cl_ord_id="c1",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(qty),
        ord_type=kinds[price is not None, stop is not None],
        price=Decimal(price) if price else None,
        time_in_force=TimeInForce.DAY,
        conditions=stop,
    )
    return Asked(
        state=State(reference=REFERENCE),
        terms=terms,
        accounts=frozenset({"A1"}),
        at=START,
        reference_px=Decimal(reference) if reference else None,
    )


def measured(one: Asked, rule: str) -> Decimal | None:
    world = World()
    limit(world, rule, "1000000000")
    verdict = check(
        Asked(
            state=world.state,
            terms=one.terms,
            accounts=one.accounts,
            at=one.at,
            reference_px=one.reference_px,
        )
    )
    found = [figure.measured for figure in verdict.figures if figure.rule == rule]
    return found[0] if found else None


def test_an_accepted_order_keeps_every_figure_it_was_measured_by() -> None:
    world = World()
    world.connect("XA", "XB")
    limit(world, "MAX_ORDER_QTY", "500")
    limit(world, "MAX_ORDER_NOTIONAL", "20000")
    world.new("c1", "100", "100")
    [accepted] = of_type(world, OrderAccepted)
    kept = [(one.rule, one.limit, one.measured, one.passed) for one in accepted.figures]
    assert kept == [
        ("MAX_ORDER_QTY", 500, 100, True),
        ("MAX_ORDER_NOTIONAL", 20000, 10000, True),
    ]


def test_a_refused_order_keeps_the_figures_up_to_the_one_that_stopped_it() -> None:
    world = World()
    world.connect("XA", "XB")
    limit(world, "MAX_ORDER_QTY", "500")
    limit(world, "MAX_ORDER_NOTIONAL", "9999")
    world.new("c1", "100", "100")
    [refused] = of_type(world, OrderRefused)
    assert refused.reason is Reason.MAX_ORDER_NOTIONAL
    assert [(one.rule, one.passed) for one in refused.figures] == [
        ("MAX_ORDER_QTY", True),
        ("MAX_ORDER_NOTIONAL", False),
    ]


@pytest.mark.parametrize(
    ("price", "stop_px", "reference", "worth"),
    [
        ("90", None, "100", "900"),
        ("90", "95", "100", "900"),
        (None, None, "100", "1000"),
        (None, "110", "100", "1100"),
        (None, "90", "100", "1000"),
        (None, "90", None, "900"),
    ],
)
def test_an_order_is_worth_its_limit_or_else_the_dearest_it_may_be(
    price: str | None, stop_px: str | None, reference: str | None, worth: str
) -> None:
    one = asked(price=price, stop_px=stop_px, reference=reference)
    assert measured(one, "MAX_ORDER_NOTIONAL") == Decimal(worth)


@pytest.mark.parametrize(
    ("price", "stop_px", "reference", "away"),
    [
        ("101", None, "100", "100"),
        ("99", None, "100", "100"),
        ("101", "100.5", "50", "49.7512"),
        ("100", None, "33", "20303.0303"),
        ("100", None, "0.03", "33323333.3333"),
    ],
)
def test_the_collar_counts_basis_points_from_the_reference_or_the_stop(
    price: str, stop_px: str | None, reference: str, away: str
) -> None:
    assert measured(asked(price=price, stop_px=stop_px, reference=reference), "PRICE_COLLAR") == (
        Decimal(away)
    )


def test_an_order_without_a_limit_has_no_collar() -> None:
    assert measured(asked(price=None), "PRICE_COLLAR") is None


@pytest.mark.parametrize("price", ["0.01", "0.99", "1"])
def test_a_price_of_a_tick_is_a_price(price: str) -> None:
    assert check(asked(price=price)).reason is Reason.NONE


@pytest.mark.parametrize("price", ["-0.01", "-1", "0"])
def test_a_price_must_be_above_zero(price: str) -> None:
    verdict = check(asked(price=price))
    assert verdict.reason is not Reason.NONE
    assert "Price (44)" in verdict.text


@pytest.mark.parametrize(("stop_px", "fine"), [("0.01", True), ("0", False), ("-1", False)])
def test_a_stop_price_must_be_above_zero(stop_px: str, *, fine: bool) -> None:
    verdict = check(asked(price=None, stop_px=stop_px))
    assert (verdict.reason is Reason.NONE) is fine


@pytest.mark.parametrize(("wait_us", "refused"), [(997_999, True), (998_000, False)])
def test_a_message_counts_for_a_second(wait_us: int, *, refused: bool) -> None:
    """The third comes so much and two milliseconds after the first."""
    world = World()
    world.connect("XA", "XB")
    limit(world, "MAX_MESSAGE_RATE", "2")
    world.new("c1")
    world.new("c2")
    world.at += wait_us
    world.new("c3")
    assert bool(of_type(world, OrderRefused)) is refused


@pytest.mark.parametrize(("most", "refused"), [("2", 1), ("3", 0)])
def test_each_order_of_a_list_counts_as_a_message(most: str, refused: int) -> None:
    world = World()
    world.connect("XA", "XB")
    limit(world, "MAX_MESSAGE_RATE", most)
    send_list(world, THREE)
    assert len(of_type(world, OrderRefused)) == refused


def test_only_a_new_order_can_repeat_another() -> None:
    world = World()
    world.connect("XA", "XB")
    limit(world, "DUPLICATE_CONTENT", "1000")
    world.new("c1", "100")
    world.ack(world.child("c1"))
    world.new("c2", "90")
    assert of_type(world, OrderAccepted), "another content"
    world.replace("c3", "c1", "90")
    assert of_type(world, ReplacePending), "a replace is no new order"
    world.new("c4", "90")
    [refused] = of_type(world, OrderRefused)
    assert refused.reason is Reason.DUPLICATE_CONTENT


@pytest.mark.parametrize(
    ("level", "subject", "value", "text"),
    [
        ("ACCOUNT", "A1", "0", ""),
        ("ACCOUNT", "A1", "0.5", ""),
        ("ACCOUNT", "A1", "-0.5", "value = -0.5: must not be negative"),
        ("FIRM", "*", "1", ""),
        ("FIRM", "A1", "1", "subject = A1: must be '*' at level FIRM and a name elsewhere"),
        ("ACCOUNT", "*", "1", "subject = *: must be '*' at level FIRM and a name elsewhere"),
        ("ACCOUNT", "", "1", "subject = : must be '*' at level FIRM and a name elsewhere"),
        ("DESK", "A1", "1", "level = DESK: must be one of FIRM, SESSION, ACCOUNT, SYMBOL"),
    ],
)
def test_a_limit_is_for_somebody_and_not_below_zero(
    level: str, subject: str, value: str, text: str
) -> None:
    assert refusal_of_limit("MAX_ORDER_QTY", level, subject, Decimal(value)) == text


def test_a_limit_may_be_taken_away_and_must_be_of_a_known_rule() -> None:
    assert refusal_of_limit("MAX_ORDER_QTY", "ACCOUNT", "A1", None) == ""
    text = refusal_of_limit("MAX_FUN", "ACCOUNT", "A1", Decimal(1))
    assert text.startswith("rule = MAX_FUN: must be one of MAX_ORDER_QTY, ")


@pytest.mark.parametrize(
    ("level", "subject", "text"),
    [
        ("FIRM", "*", ""),
        ("SESSION", "ALPHA", ""),
        ("ACCOUNT", "A1", ""),
        ("SYMBOL", "AAPL", "level = SYMBOL: must be one of FIRM, SESSION, ACCOUNT"),
        ("FIRM", "A1", "subject = A1: must be '*' at level FIRM and a name elsewhere"),
        ("ACCOUNT", "", "subject = : must be '*' at level FIRM and a name elsewhere"),
        ("ACCOUNT", "*", "subject = *: must be '*' at level FIRM and a name elsewhere"),
    ],
)
def test_a_kill_switch_is_for_somebody(level: str, subject: str, text: str) -> None:
    assert refusal_of_kill(level, subject) == text


@pytest.mark.parametrize("field", ["min_qty", "max_floor"])
@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("10", ""),
        ("1", ""),
        ("11", "must not be above OrderQty (38) = 10"),
        ("0", "must be greater than zero"),
        ("-1", "must be greater than zero"),
        ("0.5", "must be a multiple of lot 1"),
    ],
)
def test_a_part_is_above_zero_and_at_most_the_whole(field: str, part: str, text: str) -> None:
    plain = asked(price="100")
    terms = replace(plain.terms, conditions=Conditions(**{field: Decimal(part)}))
    verdict = check(replace(plain, terms=terms))
    assert verdict.text.endswith(text)
    assert (verdict.reason is Reason.NONE) is not bool(text)
