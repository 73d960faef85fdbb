"""Risk at its boundaries, the router's sums, positions to the last digit."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ems import router
from ems.market_data import reference_price
from oms.domain import effects as fx
from oms.domain.commands import SYSTEM, EngageKillSwitch, Quote, SetRiskLimit
from oms.domain.events import OrderAccepted, OrderRefused, ReplacePending, RequestRefused
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.instrument import Reference
from oms.domain.reasons import Reason
from oms.domain.state import Position
from oms.positions.book import book_trade
from tests.support.world import REFERENCE, World


def limited(rule: str, value: str, level: str = "ACCOUNT", subject: str = "A1") -> World:
    world = World()
    world.connect("XA", "XB")
    limit = SetRiskLimit(
        origin=SYSTEM, rule=rule, level=level, subject=subject, value=Decimal(value)
    )
    world.send(limit)
    return world


def refusal(world: World) -> str:
    [text] = [one.text for one in world.events if isinstance(one, OrderRefused | RequestRefused)]
    return text


def passed(world: World) -> bool:
    return any(isinstance(one, OrderAccepted | ReplacePending) for one in world.events)


Act = Callable[[World], object]


def twice(wait_us: int) -> Act:
    """The same content again, one millisecond and this later."""

    def act(world: World) -> None:
        world.new("c1")
        world.at += wait_us
        world.new("c2")

    return act


@pytest.mark.parametrize(
    ("rule", "limit", "fits", "fails", "text"),
    [
        (
            "MAX_ORDER_QTY",
            "500",
            lambda w: w.new("c1", "500"),
            lambda w: w.new("c1", "501"),
            "MAX_ORDER_QTY at ACCOUNT A1: limit 500, measured 501",
        ),
        (
            "MAX_ORDER_NOTIONAL",
            "10001",
            lambda w: w.new("c1", "100", "100.01"),
            lambda w: w.new("c1", "100", "100.02"),
            "MAX_ORDER_NOTIONAL at ACCOUNT A1: limit 10001, measured 10002",
        ),
        (
            "MAX_ORDER_NOTIONAL",
            "10000",
            lambda w: w.new("c1", "100", None),
            lambda w: w.new("c1", "101", None),
            "MAX_ORDER_NOTIONAL at ACCOUNT A1: limit 10000, measured 10100",
        ),
        (
            "PRICE_COLLAR",
            "500",
            lambda w: w.new("c1", "1", "95"),
            lambda w: w.new("c1", "1", "94.99"),
            "PRICE_COLLAR at ACCOUNT A1: limit 500, measured 501",
        ),
        (
            "MAX_MESSAGE_RATE",
            "2",
            lambda w: [w.new(f"c{n}") for n in range(2)],
            lambda w: [w.new(f"c{n}") for n in range(3)],
            "MAX_MESSAGE_RATE at ACCOUNT A1: limit 2, measured 3",
        ),
        (
            "DUPLICATE_CONTENT",
            "9",
            twice(9_000),
            twice(8_000),
            "DUPLICATE_CONTENT at ACCOUNT A1: limit 9, measured 9",
        ),
    ],
)
def test_each_limit_passes_at_its_boundary_and_refuses_beyond(
    rule: str, limit: str, fits: Act, fails: Act, text: str
) -> None:
    world = limited(rule, limit)
    fits(world)
    assert passed(world)
    world = limited(rule, limit)
    fails(world)
    assert refusal(world) == text


@pytest.mark.parametrize(
    ("level", "subject"),
    [("FIRM", "*"), ("SESSION", "ALPHA"), ("ACCOUNT", "A1"), ("SYMBOL", "AAPL")],
)
def test_each_level_concerns_its_subject_alone(level: str, subject: str) -> None:
    world = limited("MAX_ORDER_QTY", "500", level, subject)
    world.new("c1", "501")
    assert refusal(world) == f"MAX_ORDER_QTY at {level} {subject}: limit 500, measured 501"
    if level != "FIRM":
        world = limited("MAX_ORDER_QTY", "500", level, "OTHER")
        world.new("c1", "501")
        assert passed(world)


@pytest.mark.parametrize(("side", "sign"), [(Side.BUY, 1), (Side.SELL, -1), (Side.SELL_SHORT, -1)])
def test_the_position_limit_counts_what_is_held_and_what_works(side: Side, sign: int) -> None:
    world = limited("MAX_POSITION", "150")
    world.new("c1", "100", side=side)
    world.fill(world.child("c1"), "60")
    assert world.state.positions["A1", "AAPL"].quantity == 60 * sign
    world.new("c2", "50", side=side)
    assert passed(world)
    world.new("c3", "1", side=side)
    assert refusal(world) == "MAX_POSITION at ACCOUNT A1: limit 150, measured 151"
    other = Side.BUY if sign < 0 else Side.SELL
    world.new("c4", "210", side=other)
    assert passed(world)
    world.new("c5", "1", side=other)
    assert refusal(world) == "MAX_POSITION at ACCOUNT A1: limit 150, measured 151"


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_replace_of_a_partly_filled_order_counts_only_what_it_adds(side: Side) -> None:
    world = limited("MAX_POSITION", "150")
    world.new("c1", "100", side=side)
    world.ack(world.child("c1"))
    world.fill(world.child("c1"), "60")
    world.replace("c2", "c1", "151")
    assert refusal(world) == "MAX_POSITION at ACCOUNT A1: limit 150, measured 151"
    world.replace("c3", "c1", "150")
    assert passed(world)
    world.new("c4", "1", side=side)
    assert refusal(world) == "MAX_POSITION at ACCOUNT A1: limit 150, measured 151"


def test_a_replace_that_reopens_a_filled_order_is_checked() -> None:
    world = limited("MAX_ORDER_QTY", "500")
    world.new("c1", "100")
    world.fill(world.child("c1"), "100")
    world.replace("c2", "c1", "501")
    assert refusal(world) == "MAX_ORDER_QTY at ACCOUNT A1: limit 500, measured 501"
    world.send(EngageKillSwitch(origin=SYSTEM, level="FIRM", subject="*", reason="test"))
    world.replace("c3", "c1", "200")
    assert refusal(world) == "KILL_SWITCH at FIRM *: limit 0 orders, measured 1"


@pytest.mark.parametrize(
    ("fields", "reason", "text"),
    [
        (
            {"symbol": "NOPE"},
            Reason.UNKNOWN_INSTRUMENT,
            "Symbol (55) = NOPE: not a known instrument",
        ),
        ({"symbol": "HALT"}, Reason.INSTRUMENT_HALTED, "Symbol (55) = HALT: not tradable now"),
        (
            {"account": "B1"},
            Reason.ACCOUNT_NOT_PERMITTED,
            "Account (1) = B1: not permitted for ALPHA",
        ),
        (
            {"qty": "0"},
            Reason.QUANTITY_NOT_POSITIVE,
            "OrderQty (38) = 0: must be greater than zero",
        ),
        (
            {"qty": "-1"},
            Reason.QUANTITY_NOT_POSITIVE,
            "OrderQty (38) = -1: must be greater than zero",
        ),
        ({"qty": "1.5"}, Reason.OFF_LOT, "OrderQty (38) = 1.5: must be a multiple of lot 1"),
        ({"price": "0"}, Reason.PRICE_NOT_POSITIVE, "Price (44) = 0: must be greater than zero"),
        (
            {"price": "100.001"},
            Reason.OFF_TICK,
            "Price (44) = 100.001: must be a multiple of tick 0.01",
        ),
        (
            {"price": "100.0000000001"},
            Reason.OFF_TICK,
            "Price (44) = 100.0000000001: must be a multiple of tick 0.01",
        ),
    ],
)
def test_each_fault_of_content_is_named(fields: dict[str, str], reason: Reason, text: str) -> None:
    world = World()
    world.new("c1", **fields)  # type: ignore[arg-type]
    [refused] = [one for one in world.events if isinstance(one, OrderRefused)]
    assert (refused.reason, refused.text) == (reason, text)
    [told] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (told.exec_type, told.ord_status) == (ExecType.REJECTED, OrdStatus.REJECTED)
    assert told.leaves_qty == 0


@pytest.mark.parametrize("back", [False, True])
def test_a_collar_is_not_measured_against_a_venue_that_went_away(*, back: bool) -> None:
    world = limited("PRICE_COLLAR", "100")
    world.quote("XA", "99", "101")
    world.disconnect("XA")
    if back:
        world.connect("XA")
    world.quote("XB", "119", "121")
    world.new("c1", price="120")
    assert passed(world)
    [figure] = [one.figures[0] for one in world.events if isinstance(one, OrderAccepted)]
    assert figure.measured == 0


def test_small_ticks_and_lots_are_told_without_an_exponent() -> None:
    small = replace(REFERENCE.instruments["AAPL"], tick=Decimal("1E-8"), lot=Decimal("1E-8"))
    world = World(replace(REFERENCE, instruments={"AAPL": small}))
    world.new("c1", qty="0.000000001")
    assert refusal(world).endswith("must be a multiple of lot 0.00000001")
    world.new("c2", price="0.000000001")
    assert refusal(world).endswith("must be a multiple of tick 0.00000001")


def test_without_a_reference_price_a_collar_refuses() -> None:
    bare = replace(REFERENCE.instruments["AAPL"], reference_px=None)
    world = World(Reference(instruments={"AAPL": bare}, clients=REFERENCE.clients))
    world.send(
        SetRiskLimit(
            origin=SYSTEM, rule="PRICE_COLLAR", level="FIRM", subject="*", value=Decimal(100)
        )
    )
    world.quote("XA", "0", "0")
    world.new("c1")
    assert refusal(world) == "PRICE_COLLAR at FIRM *: limit 100, measured no reference price"


def test_only_prices_above_zero_are_a_reference() -> None:
    instrument = replace(REFERENCE.instruments["AAPL"], reference_px=Decimal(7))
    nonsense = {"XA": Quote(bid=Decimal(0), ask=Decimal(-5)), "XB": Quote()}
    assert reference_price(nonsense, Decimal(-3), instrument) == 7
    one_sided = nonsense | {"XB": Quote(ask=Decimal(9))}
    assert reference_price(one_sided, None, instrument) == 9


PRICES = st.integers(1, 40).map(lambda n: Decimal(n) / 4)
QUOTES = st.builds(
    Quote,
    bid=st.none() | PRICES,
    bid_size=st.integers(0, 300).map(Decimal),
    ask=st.none() | PRICES,
    ask_size=st.integers(0, 300).map(Decimal),
)


@given(
    side=st.sampled_from(Side),
    price=st.none() | PRICES,
    tif=st.sampled_from(TimeInForce),
    lots=st.integers(1, 80),
    lot=st.sampled_from([Decimal(1), Decimal(10), Decimal("0.5")]),
    quotes=st.dictionaries(st.sampled_from(["XA", "XB"]), QUOTES),
)
def test_the_legs_are_the_wish_in_whole_lots(
    *,
    side: Side,
    price: Decimal | None,
    tif: TimeInForce,
    lots: int,
    lot: Decimal,
    quotes: dict[str, Quote],
) -> None:
    instrument = replace(REFERENCE.instruments["AAPL"], lot=lot)
    wish = router.Wish(
        side=side,
        ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
        price=price,
        time_in_force=tif,
        order_qty=lots * lot,
    )
    venues = list(REFERENCE.venues.values())
    legs = router.plan(wish, instrument, venues, quotes)
    assert sum(leg.order_qty for leg in legs) == wish.order_qty
    assert all(leg.order_qty > 0 and leg.order_qty % lot == 0 for leg in legs)
    assert len({leg.venue.name for leg in legs}) == len(legs)
    if tif is TimeInForce.FOK:
        assert len(legs) == 1
    assert router.plan(wish, instrument, [], quotes) == ()


TRADES = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.decimals(Decimal("0.0000000001"), Decimal(10**9), places=10),
        st.decimals(Decimal(-100), Decimal(10**6), places=10),
    ),
    max_size=30,
)


@given(TRADES)
def test_positions_are_exact_through_zero_and_back(
    trades: list[tuple[Side, Decimal, Decimal]],
) -> None:
    position = Position(account="A1", symbol="AAPL")
    quantity = paid = Fraction(0)
    for side, last_qty, last_px in trades:
        book_trade(position, side, last_qty, last_px)
        quantity += side.sign * Fraction(last_qty)
        paid += side.sign * Fraction(last_qty) * Fraction(last_px)
        assert Fraction(position.quantity) == quantity
        assert Fraction(position.cost) - Fraction(position.realised) == paid
        if not quantity:
            assert position.cost == 0
    assert position.bought - position.sold == position.quantity


def test_a_reversal_realises_the_old_side_and_opens_the_new() -> None:
    position = Position(account="A1", symbol="AAPL")
    book_trade(position, Side.BUY, Decimal(3), Decimal("10.01"))
    book_trade(position, Side.SELL, Decimal(5), Decimal("10.05"))
    assert (position.quantity, position.cost) == (Decimal(-2), Decimal("-20.10"))
    assert position.realised == Decimal("0.12")
    book_trade(position, Side.BUY, Decimal(2), Decimal(10))
    assert (position.quantity, position.cost) == (Decimal(0), Decimal(0))
    assert position.realised == Decimal("0.22")
