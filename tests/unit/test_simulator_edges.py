"""The simulated venue at its edges: the least price, stops reached at once, lies, faults."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ems.simulator.commands import (
    BustTrade,
    CancelUnsolicited,
    Command,
    ExpireDay,
    Falsify,
    NewOrder,
    SetFault,
    SplitShares,
    WalkPrices,
    command_from_json,
    command_to_json,
)
from ems.simulator.ledger import Echo
from ems.simulator.model import LiquiditySettings
from ems.simulator.quotes import View
from ems.simulator.statements import iso_time, order_file, utc_date
from ems.simulator.venue import Venue
from oms.domain.fix import ExecType, OrdStatus
from tests.unit.simulator_venues import (
    AT,
    brief,
    cancel,
    cancel_reject,
    new,
    order,
    replace_order,
    reports,
    venue,
)

DAY = 86_400_000_000


def kinds(market: Venue, command: Command) -> list[ExecType]:
    return [one.exec_type for one in reports(market, command)]


@pytest.mark.parametrize("price", ["0.01", "0.99", "1"])
def test_a_price_of_one_tick_is_taken(price: str) -> None:
    assert kinds(venue(), new("A", price=price)) == [ExecType.NEW]


def test_a_floor_of_one_share_is_taken() -> None:
    market = venue()
    reports(market, replace(new("A", qty="100"), max_floor=Decimal(1)))
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert order(market, "A").leaves_qty == 100


def test_a_replace_is_held_to_the_lot_of_its_own_symbol() -> None:
    market = venue()
    reports(market, new("Z", qty="100", price="20", symbol="ZETA"))
    odd = replace(replace_order("Z2", "Z", "95", "20"), symbol="ZETA")
    assert "must be a multiple of 10" in cancel_reject(market, odd).text
    reports(market, new("A", qty="100"))
    [done] = reports(market, replace_order("A2", "A", "95", "100"))
    assert (done.exec_type, done.order_qty) == (ExecType.REPLACED, 95)


def stop(cl_ord_id: str, px: str) -> NewOrder:
    return replace(new(cl_ord_id, price=None), ord_type="3", stop_px=Decimal(px))


def test_a_stop_whose_price_is_reached_already_works_at_once() -> None:
    market = venue()
    reports(market, new("S", "2", "50", "100"))
    assert kinds(market, stop("A", "101")) == [ExecType.NEW]
    assert kinds(market, stop("B", "100"))[:2] == [ExecType.NEW, ExecType.TRIGGERED]
    assert not order(market, "B").waits
    assert order(market, "A").waits


def test_a_triggered_stop_limit_can_be_cancelled_out_of_the_book() -> None:
    market = venue()
    reports(market, new("S", "2", "50", "100"))
    held = replace(new("A", qty="80", price="100"), ord_type="4", stop_px=Decimal(100))
    reports(market, held)
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert best.qty == 30
    assert kinds(market, cancel("A2", "A")) == [ExecType.CANCELED]
    assert market.books["ACME"].bids.best() is None


def test_a_split_takes_stops_and_floors_with_it() -> None:
    market = venue()
    reports(market, stop("A", "101"))
    reports(market, replace(new("B", qty="100", price="90"), max_floor=Decimal(10)))
    reports(market, SplitShares(symbol="ACME", new_shares=2, old_shares=1))
    assert (order(market, "A").stop_px, order(market, "A").order_qty) == (Decimal("50.5"), 200)
    assert (order(market, "B").max_floor, order(market, "B").price) == (20, 45)
    assert kinds(market, new("S", "2", "10", "50.49")) == [ExecType.NEW]
    assert ExecType.TRIGGERED in kinds(market, replace_order("S3", "S", "10", "50.5", side="2"))


def test_a_subscriber_sees_the_last_trade_with_the_book() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100"))
    view = View(symbol="ACME", depth=0, entry_types=frozenset("012"))
    shown = view.snapshot(market.books["ACME"], market.last_trade("ACME"))
    told = [(str(one.entry_type), one.price, one.size) for one in shown]
    assert told == [("0", Decimal(100), Decimal(40)), ("2", Decimal(100), Decimal(60))]


def traded() -> Venue:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100"))
    return market


def test_what_was_cancelled_is_no_quantity_of_its_price_any_more() -> None:
    market = venue()
    reports(market, new("A", "1", "50", "100"))
    reports(market, new("B", "1", "50", "100"))
    reports(market, cancel("A2", "A"))
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert best.qty == 50
    assert kinds(market, new("S", "2", "60", "100", time_in_force="4"))[-1] is ExecType.CANCELED
    assert ExecType.TRADE in kinds(market, new("S2", "2", "50", "100", time_in_force="4"))


@pytest.mark.parametrize(
    "command",
    [
        cancel("A2", "A"),
        replace_order("A2", "A", "90", "100"),
        replace_order("A2", "A", "90", "99"),
        BustTrade(),
        CancelUnsolicited(),
        ExpireDay(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_book_that_changed_is_one_that_subscribers_are_told_of(command: Command) -> None:
    market = traded()
    reports(market, new("Z", price="20", qty="10", symbol="ZETA"))
    reports(market, replace(cancel("Z2", "Z"), symbol="ZETA"))
    assert market.take_touched() == {"ACME", "ZETA"}
    market.apply(command, AT)
    assert market.take_touched() == {"ACME"}


def test_a_bust_of_two_that_were_filled_changes_the_book() -> None:
    market = venue()
    reports(market, new("A", "1", "60", "100"))
    reports(market, new("B", "2", "60", "100"))
    market.take_touched()
    reports(market, BustTrade())
    assert market.take_touched() == {"ACME"}


def test_an_order_stands_in_the_order_file_of_each_day_on_which_it_changed() -> None:
    market = venue()
    reports(market, new("A", time_in_force="1"))
    reports(market, new("B", time_in_force="1"))
    market.apply(cancel("A2", "A"), AT + 2 * DAY)
    files = [order_file(market.orders, utc_date(AT + days * DAY)) for days in range(3)]
    found = [[row.split(",")[0] for row in text.splitlines()[1:-1]] for text in files]
    assert found == [["A2", "B"], [], ["A2"]]


def test_a_moment_is_written_to_the_microsecond_in_utc() -> None:
    assert iso_time(AT + 123_456) == "2026-09-21T14:13:20.123456Z"
    assert str(utc_date(AT)) == "2026-09-21"


def test_an_order_of_another_symbol_or_type_is_not_changed() -> None:
    market = venue()
    reports(market, new("A"))
    other = replace(cancel("A2", "A"), symbol="ZETA")
    assert cancel_reject(market, other).text == "Symbol (55) ZETA: the order has ACME"
    other_type = replace(replace_order("A3", "A", "90", "100"), ord_type="1", price=None)
    assert cancel_reject(market, other_type).text == "OrdType (40) 1: may not change"
    assert cancel_reject(market, cancel("A4", "NEVER")).text == "OrigClOrdID (41) NEVER: unknown"
    assert order(market, "A").leaves_qty == 100


def test_a_replace_by_the_same_terms_keeps_the_orders_place() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "1", "100", "100"))
    reports(market, replace_order("A2", "A", "100", "100"))
    reports(market, new("S", "2", "100", "100"))
    assert (order(market, "A2").cum_qty, order(market, "B").cum_qty) == (100, 0)


def test_a_status_is_of_the_time_at_which_it_was_asked() -> None:
    market = venue()
    reports(market, new("A"))
    echo = Echo(owner="OMS", cl_ord_id="A", symbol="", side="")
    assert market.status(echo, "1", AT + 5).transact_time == AT + 5
    [told] = market.mass_status(replace(echo, cl_ord_id=""), "2", AT + 6)
    assert told.transact_time == AT + 6


def test_a_lie_that_waited_is_told_of_one_trade() -> None:
    market = venue()
    waiting = market.apply(Falsify(kind="omit"), AT)
    assert (waiting.refused, waiting.subject) == ("", "")
    for n in range(2):
        reports(market, new(f"A{n}", "1", "60", "100"))
        reports(market, new(f"B{n}", "2", "60", "100"))
        assert [one.exec_id for one in market.falsifications] == [next(iter(market.trades)).exec_id]


@pytest.mark.parametrize("exec_id", ["", "none"])
def test_a_lie_that_cannot_be_told_is_about_no_trade(exec_id: str) -> None:
    market = traded()
    outcome = market.apply(Falsify(kind="omit" if exec_id else "wrong", exec_id=exec_id), AT)
    assert (bool(outcome.refused), outcome.subject) == (True, "")
    done = market.apply(Falsify(kind="omit"), AT)
    assert (done.refused, bool(done.subject)) == ("", True)


def test_background_orders_are_of_whole_lots_and_as_many_as_are_wanted() -> None:
    market = venue(LiquiditySettings(depth=3, replenish=False))
    for _ in range(30):
        for book in market.books.values():
            for side in (book.bids, book.asks):
                assert len(list(side.levels())) == 3
        assert all(one.qty % 10 == 0 for one in market.books["ZETA"].bids.levels())
        market.apply(WalkPrices(), AT)


def test_each_trade_is_lied_about_once_and_the_last_one_first() -> None:
    market = traded()
    first, second = (one.exec_id for one in market.trades)
    assert market.apply(Falsify(kind="omit"), AT).subject == second
    assert market.apply(Falsify(kind="price"), AT).subject == first
    assert market.apply(Falsify(kind="side"), AT).subject == "", "it waits for a trade to come"
    assert "falsified already" in market.apply(Falsify(kind="omit", exec_id=first), AT).refused
    assert "no trade" in market.apply(Falsify(kind="omit", exec_id="none"), AT).refused
    assert [one.kind for one in market.falsifications] == ["omit", "price"]
    reports(market, new("C", "2", "10", "100"))
    assert [one.kind for one in market.falsifications] == ["omit", "price", "side"]


def test_lies_that_wait_have_their_trades_before_a_later_one() -> None:
    market = venue()
    market.apply(Falsify(kind="side"), AT)
    market.apply(Falsify(kind="price"), AT)
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100"))
    first, second = (one.exec_id for one in market.trades)
    assert market.apply(Falsify(kind="omit"), AT).subject == "", "both trades are taken"
    assert {one.exec_id: one.kind for one in market.falsifications} == {
        first: "side",
        second: "price",
    }


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("omit", 0), ("quantity", 1), ("price", 1), ("side", 1), ("duplicate", 2), ("extra", 2)],
)
def test_what_a_lie_puts_in_a_trades_place(kind: str, rows: int) -> None:
    market = traded()
    market.apply(Falsify(kind=kind), AT)
    [lie] = market.falsifications
    assert len(lie.told) == rows
    if kind == "extra":
        assert [one.exec_id for one in lie.told] == [lie.exec_id, f"{lie.exec_id}-X"]
        assert lie.told[0] == lie.true


def test_a_fault_counts_down_by_one_each_time() -> None:
    market = venue()
    market.apply(SetFault(name="drop_acks_next", value=2), AT)
    copies = [market.apply(new(name), AT).deliveries[0].copies for name in ("A", "B", "C")]
    assert copies == [0, 0, 1]
    market.apply(SetFault(name="drop_fills_next", value=1), AT)
    done = market.apply(new("S", "2", "10", "100"), AT).deliveries
    fills = [one.copies for one in done if getattr(one.answer, "exec_type", "") == "F"]
    assert sorted(fills) == [0, 1]


def test_a_command_with_fields_that_it_has_not_is_refused() -> None:
    document = command_to_json(new("A"))
    assert command_from_json(document) == new("A")
    for changed, text in (
        (document | {"colour": "red"}, "colour"),
        ({"type": "Nothing"}, "no venue command"),
        ({}, "no venue command"),
    ):
        with pytest.raises(ValueError, match=text):
            command_from_json(changed)


def test_an_order_cancelled_unasked_is_told_under_its_own_id() -> None:
    market = traded()
    [told] = reports(market, CancelUnsolicited())
    assert brief(told) == ("A", "4", "4", "60", "0", "")
    assert order(market, "A").ord_status is OrdStatus.CANCELED
    assert market.take_touched() == {"ACME"}
    assert market.take_touched() == set()


def test_a_venue_that_nobody_told_to_do_wrong_does_right() -> None:
    market = venue()
    assert set(market.faults.as_dict().values()) == {0}
    for command in (new("A"), new("B", "2", "60"), cancel("A2", "A")):
        assert {(one.copies, one.delay_ms) for one in market.apply(command, AT).deliveries} == {
            (1, 0)
        }
