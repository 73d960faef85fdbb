"""Properties of matching that hold for every order of commands."""

import random
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ems.simulator.book import BookSide
from ems.simulator.commands import (
    BustTrade,
    CancelOrder,
    CancelUnsolicited,
    Command,
    CorrectTrade,
    ExpireDay,
    Falsify,
    NewOrder,
    ReplaceOrder,
    ReportUnknownFill,
    RepriceOrder,
    SetFault,
    SplitShares,
    WalkPrices,
    command_from_json,
    command_to_json,
)
from ems.simulator.model import (
    Delivery,
    ExecutionReport,
    LiquiditySettings,
    TradeStatus,
    VenueSettings,
)
from ems.simulator.quotes import Levels, MDEntryType, MDUpdateAction, View
from ems.simulator.statements import order_file, trade_file, utc_date
from ems.simulator.venue import Venue
from oms.domain.fix import ExecType, OrdStatus
from tests.unit.simulator_venues import AT, SYMBOL, fills, new, venue

LIQUID = LiquiditySettings(depth=3, min_lots=1, max_lots=30)
IDS = [f"C{number}" for number in range(30)]
OWNERS = ["OMS", "RIVAL"]
prices = st.integers(9995, 10005).map(lambda cents: Decimal(cents).scaleb(-2))
quantities = st.integers(1, 50).map(Decimal)
sides = st.sampled_from(["1", "2", "5"])
client_commands = st.one_of(
    st.builds(
        NewOrder,
        owner=st.sampled_from(OWNERS),
        cl_ord_id=st.sampled_from(IDS),
        symbol=st.just("ACME"),
        side=sides,
        ord_type=st.sampled_from(["1", "2", "2", "2"]),
        order_qty=quantities,
        price=st.one_of(st.none(), prices),
        time_in_force=st.sampled_from(["0", "0", "3", "4"]),
        poss_resend=st.booleans(),
    ),
    st.builds(
        CancelOrder,
        owner=st.sampled_from(OWNERS),
        cl_ord_id=st.sampled_from(IDS),
        orig_cl_ord_id=st.sampled_from(IDS),
        symbol=st.just("ACME"),
        side=sides,
    ),
    st.builds(
        ReplaceOrder,
        owner=st.sampled_from(OWNERS),
        cl_ord_id=st.sampled_from(IDS),
        orig_cl_ord_id=st.sampled_from(IDS),
        symbol=st.just("ACME"),
        side=sides,
        ord_type=st.just("2"),
        order_qty=quantities,
        price=prices,
    ),
)
operator_commands = st.one_of(
    st.just(WalkPrices()),
    st.just(BustTrade()),
    st.builds(CorrectTrade, last_qty=st.none() | quantities, last_px=st.none() | prices),
    st.just(CancelUnsolicited()),
    st.just(ExpireDay()),
    st.builds(
        SplitShares,
        symbol=st.just("ACME"),
        new_shares=st.integers(1, 3),
        old_shares=st.integers(1, 2),
    ),
    st.builds(RepriceOrder, price=prices),
    st.builds(Falsify, kind=st.sampled_from(["omit", "quantity", "extra"])),
    st.builds(
        SetFault,
        name=st.sampled_from(["reject_next", "drop_acks_next", "duplicate_next", "delay_ms"]),
        value=st.integers(0, 3),
    ),
    st.builds(
        ReportUnknownFill,
        owner=st.just("OMS"),
        symbol=st.just("ACME"),
        side=sides,
        last_qty=quantities,
        last_px=prices,
    ),
)
any_commands = st.lists(client_commands | operator_commands, max_size=60)


def resting(side: BookSide) -> list[tuple[Decimal, Decimal, list[str]]]:
    return [(level.price, level.qty, list(level.orders)) for level in side.levels()]


def check_books(market: Venue) -> None:
    """Each level holds what its orders leave; no book is crossed; queues are in time order."""
    for book in market.books.values():
        for side in (book.bids, book.asks):
            for level in side.levels():
                queue = list(level.orders.values())
                assert level.qty == sum(item.leaves_qty for item in queue) > 0
                assert all(item.price == level.price for item in queue)
                assert [item.priority for item in queue] == sorted(item.priority for item in queue)
        bid, ask = book.bids.best(), book.asks.best()
        assert bid is None or ask is None or bid.price < ask.price


def check_orders(market: Venue, rebased: Mapping[str, Decimal]) -> None:
    """Every order is the sum of its standing trades, never more than OrderQty, in the book
    exactly when it can trade.

    rebased: what splits added to what an order had traded; trades keep the shares of their day.
    """
    total: dict[str, Decimal] = defaultdict(Decimal)
    notional: dict[str, Decimal] = defaultdict(Decimal)
    for trade in market.trades:
        if trade.status is not TradeStatus.BUSTED:
            total[trade.order_id] += trade.last_qty
            notional[trade.order_id] += trade.last_qty * trade.last_px
    for item in market.orders:
        if item.ord_status is OrdStatus.REJECTED:
            assert item.cum_qty == 0
            continue
        traded = total[item.order_id] + rebased.get(item.order_id, 0)
        assert item.cum_qty == traded <= item.order_qty
        assert item.notional == notional[item.order_id]
        side = market.books[item.symbol].side_of(item)
        assert bool(item.leaves_qty) == (item.price is not None and side.holds(item))


def check_reports(deliveries: list[Delivery]) -> None:
    """Numbers without gaps, no ExecID twice, no trade outside the order's limit."""
    assert [item.number for item in deliveries] == list(range(1, len(deliveries) + 1))
    seen: set[str] = set()
    for item in deliveries:
        answer = item.answer
        if not isinstance(answer, ExecutionReport):
            continue
        assert answer.exec_id == "0" or answer.exec_id not in seen
        seen.add(answer.exec_id)
        if answer.exec_type is ExecType.TRADE and answer.price is not None and answer.last_px:
            better = answer.price - answer.last_px
            assert (better if answer.side == "1" else -better) >= 0
        if answer.ord_status in (OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED):
            assert answer.leaves_qty == 0 or answer.exec_type is ExecType.REJECTED


@settings(max_examples=150, deadline=None)
@given(commands=any_commands, liquid=st.booleans())
def test_the_books_and_orders_stay_sound(commands: list[Command], liquid: bool) -> None:
    market = venue(LIQUID) if liquid else venue()
    deliveries: list[Delivery] = []
    rebased: dict[str, Decimal] = defaultdict(Decimal)
    for command in commands:
        traded = {item.order_id: item.cum_qty for item in market.orders}
        deliveries.extend(market.apply(command, AT).deliveries)
        if isinstance(command, SplitShares):
            for item in market.orders:
                rebased[item.order_id] += item.cum_qty - traded.get(item.order_id, item.cum_qty)
        check_books(market)
    check_orders(market, rebased)
    check_reports(deliveries)


@settings(max_examples=100, deadline=None)
@given(commands=st.lists(client_commands, max_size=60))
def test_buyers_and_sellers_trade_the_same_quantity_at_the_same_price(
    commands: list[Command],
) -> None:
    market = venue()
    bought: dict[Decimal, Decimal] = defaultdict(Decimal)
    sold: dict[Decimal, Decimal] = defaultdict(Decimal)
    for command in commands:
        market.apply(command, AT)
    for trade in market.trades:
        (bought if trade.side == "1" else sold)[trade.last_px] += trade.last_qty
    assert bought == sold


@settings(max_examples=100, deadline=None)
@given(
    makers=st.lists(st.tuples(prices, quantities), min_size=1, max_size=12),
    taker=st.tuples(prices, st.integers(1, 400).map(Decimal)),
)
def test_the_best_price_trades_first_and_then_the_oldest(
    makers: list[tuple[Decimal, Decimal]], taker: tuple[Decimal, Decimal]
) -> None:
    market = venue()
    for number, (price, qty) in enumerate(makers):
        market.apply(new(f"M{number}", "2", f"{qty}", f"{price}"), AT)
    limit, wanted = taker
    outcome = market.apply(new("T", "1", f"{wanted}", f"{limit}"), AT)
    queue = sorted((price, number, qty) for number, (price, qty) in enumerate(makers))
    expected = []
    for price, number, qty in queue:
        if price > limit or not wanted:
            break
        traded = min(qty, wanted)
        wanted -= traded
        expected.append((f"M{number}", traded, price))
    assert [item for item in fills(outcome) if item[0] != "T"] == expected
    assert [item[1:] for item in fills(outcome) if item[0] == "T"] == [
        item[1:] for item in expected
    ]


@settings(max_examples=100, deadline=None)
@given(commands=any_commands, looked_at=st.sets(st.integers(0, 60)))
def test_a_replay_of_the_log_makes_the_same_venue(
    commands: list[Command], looked_at: set[int]
) -> None:
    market, replayed = venue(LIQUID, seed=7), venue(LIQUID, seed=7)
    day = utc_date(AT)
    first, second = [], []
    for number, command in enumerate(commands):
        first.append(market.apply(command, AT + number))
        if number in looked_at:  # questions between commands must not matter
            market.take_touched()
            trade_file(market.trades, market.falsifications, day)
    for number, command in enumerate(commands):
        document = command_to_json(command)
        second.append(replayed.apply(command_from_json(document), AT + number))
    assert first == second
    assert market.faults == replayed.faults
    for symbol, book in market.books.items():
        assert resting(book.bids) == resting(replayed.books[symbol].bids)
        assert resting(book.asks) == resting(replayed.books[symbol].asks)
    assert order_file(market.orders, day) == order_file(replayed.orders, day)
    assert trade_file(market.trades, market.falsifications, day) == trade_file(
        replayed.trades, replayed.falsifications, day
    )


@settings(max_examples=80, deadline=None)
@given(commands=any_commands, depth=st.sampled_from([0, 1, 2, 5]))
def test_increments_lead_from_one_view_to_the_next(commands: list[Command], depth: int) -> None:
    market = venue(LIQUID)
    book = market.books["ACME"]
    view = View(symbol="ACME", depth=depth, entry_types=frozenset({"0", "1"}))
    seen: Levels = {(item.entry_type, item.price): item.size for item in view.snapshot(book, None)}
    for command in commands:
        market.apply(command, AT)
        for update in view.updates(book, None):
            key = (update.entry.entry_type, update.entry.price)
            assert (key in seen) == (update.action is not MDUpdateAction.NEW)
            if update.action is MDUpdateAction.DELETE:
                del seen[key]
            else:
                seen[key] = update.entry.size
        fresh = View(symbol="ACME", depth=depth, entry_types=frozenset({"0", "1"}))
        shown = {(item.entry_type, item.price): item.size for item in fresh.snapshot(book, None)}
        assert seen == shown


def test_trades_are_published_once() -> None:
    market = venue()
    view = View(symbol="ACME", depth=1, entry_types=frozenset({"2"}))
    book = market.books["ACME"]
    assert view.snapshot(book, market.last_trade("ACME")) == []
    market.apply(new("A", "1", "10", "100"), AT)
    market.apply(new("B", "2", "10", "100"), AT)
    (update,) = view.updates(book, market.last_trade("ACME"))
    assert update.entry.entry_type is MDEntryType.TRADE
    assert update.entry.size == 10
    assert view.updates(book, market.last_trade("ACME")) == []


def test_the_walk_stays_near_and_trades_with_what_it_crosses() -> None:
    market = venue(LiquiditySettings(depth=2, min_lots=10, max_lots=10, walk_max_ticks=5))
    market.apply(new("A", "1", "5", "100.00"), AT)
    for _ in range(200):
        market.apply(WalkPrices(), AT)
        bid, ask = market.books["ACME"].bids.best(), market.books["ACME"].asks.best()
        assert bid is not None
        assert ask is not None
        assert abs(bid.price - SYMBOL.reference_price) <= Decimal("0.07")
    assert next(iter(market.orders)).ord_status is OrdStatus.FILLED


def test_seeds_differ() -> None:
    def sizes(seed: int) -> list[Decimal]:
        found = Venue(VenueSettings(symbols=(SYMBOL,)), id_prefix="V", rng=random.Random(seed))
        return [level.qty for level in found.books["ACME"].bids.levels()]

    assert sizes(1) == sizes(1) != sizes(2)
