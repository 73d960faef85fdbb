"""Checkers that ask no more than a server can know still find what they are there for."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from fix_sessions.light_session import Message
from oms.domain.commands import ClockTicked
from oms.domain.events import (
    Event,
    OrderRouted,
    OrderTerms,
    OrphanReported,
    TradeBusted,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from oms.simulation.checkers import positions_are_the_fold, strangers_are_accounted_for
from oms.simulation.ledgers import Asked, ClientLedger, Split
from oms.simulation.plan import Recipe, plan_of
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World


def test_what_an_order_over_rest_traded_before_its_client_asked_of_it_here_is_no_fault() -> None:
    """Seed 770. CumQty speaks of trades that this session was never told."""
    ledger = ledger_with(Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="r1"))
    told(ledger, "I", 0, cl_ord_id="r1", cum=30)
    told(ledger, "6", 1, cl_ord_id="b2", orig="r1", cum=30)
    told(ledger, "F", 2, cl_ord_id="r1", cum=40, last=10)
    told(ledger, "H", 3, cl_ord_id="r1", cum=20, ref="E99")
    told(ledger, "4", 4, cl_ord_id="b2", orig="r1", cum=20, leaves=0)
    assert not ledger.faults


def test_a_trade_of_it_is_no_answer_to_a_cancel_that_has_its_cl_ord_id() -> None:
    """Seed 30350. The order over REST was named as a cancel here had been; it is answered by 9."""
    ledger = ledger_with(Asked(cl_ord_id="b6", msg_type="F", fields=[], orig="b5"))
    cancel = ledger.asked["b15"] = Asked(cl_ord_id="b15", msg_type="F", fields=[], orig="b6")
    told(ledger, "6", 1, cl_ord_id="b15", orig="b6", cum=0)
    told(ledger, "F", 2, cl_ord_id="b6", cum=100, last=100)
    assert not cancel.finals


def test_from_then_on_every_trade_of_it_must_be_told() -> None:
    ledger = ledger_with(Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="r1"))
    told(ledger, "6", 1, cl_ord_id="b2", orig="r1", cum=30)
    told(ledger, "F", 2, cl_ord_id="r1", cum=50, last=10)
    [fault] = ledger.faults
    assert "CumQty 50, and the trades told come to 10 after 30 untold" in fault


def test_no_more_is_taken_back_of_it_than_was_traded_before() -> None:
    ledger = ledger_with(Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="r1"))
    told(ledger, "6", 1, cl_ord_id="b2", orig="r1", cum=30)
    told(ledger, "H", 2, cl_ord_id="r1", cum=40, ref="E99")
    assert "CumQty 40" in ledger.faults[0]


@pytest.mark.parametrize("kind", ["6", "4"])
def test_of_an_order_of_the_session_no_trade_may_be_untold(kind: str) -> None:
    new = Asked(cl_ord_id="b1", msg_type="D", fields=[])
    ledger = ledger_with(new, Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="b1"))
    told(ledger, kind, 1, cl_ord_id="b2", orig="b1", cum=30)
    assert "CumQty 30, and the trades told come to 0" in ledger.faults[0]


def test_of_an_order_in_a_list_no_trade_may_be_untold() -> None:
    ledger = ledger_with()
    ledger.listed.add("b1")
    told(ledger, "0", 1, cl_ord_id="b1", cum=30)
    assert "CumQty 30, and the trades told come to 0" in ledger.faults[0]


def test_after_a_split_trades_are_in_its_shares_once_it_is_told_of() -> None:
    ledger = ledger_with(Asked(cl_ord_id="b1", msg_type="D", fields=[]))
    told(ledger, "F", 1, cl_ord_id="b1", cum=10, last=10)
    ledger.splits.append(Split(symbol="AAPL", ratio=Fraction(2), at="2026"))
    told(ledger, "F", 2, cl_ord_id="b1", cum=15, last=5)
    told(ledger, "D", 3, cl_ord_id="b1", cum=30)
    told(ledger, "G", 4, cl_ord_id="b1", cum=40, last=15, ref="E1")
    told(ledger, "H", 5, cl_ord_id="b1", cum=10, ref="E4")
    assert not ledger.faults


def test_an_order_that_was_taken_on_after_a_split_is_in_its_shares_from_the_start() -> None:
    """Seed 20626. It had been sent before, by a client that was away."""
    ledger = ledger_with(Asked(cl_ord_id="b1", msg_type="D", fields=[]))
    ledger.splits.append(Split(symbol="AAPL", ratio=Fraction(3, 2), at="1998"))
    told(ledger, "F", 1, cl_ord_id="b1", cum=10, last=10)
    ledger.splits.append(Split(symbol="AAPL", ratio=Fraction(2), at="2026"))
    told(ledger, "4", 2, cl_ord_id="b1", cum=20, leaves=0)
    assert not ledger.faults


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
def test_a_split_excuses_no_other_quantity_and_no_other_symbol(symbol: str) -> None:
    ledger = ledger_with(Asked(cl_ord_id="b1", msg_type="D", fields=[]))
    told(ledger, "F", 1, cl_ord_id="b1", cum=10, last=10)
    ledger.splits.append(Split(symbol=symbol, ratio=Fraction(2), at="2026"))
    told(ledger, "D", 2, cl_ord_id="b1", cum=30 if symbol == "AAPL" else 20)
    assert "the trades told come to" in ledger.faults[0]


def test_a_stranger_whose_bust_is_ignored_is_found() -> None:
    world, checker = stranger_taken_back()
    world.shadow.state.exec_ids["XA", "X1"] = "260921-2-1"
    with pytest.raises(AssertionError, match="X1, taken back by XA, is booked"):
        checker.at_quiet()


def test_a_stranger_of_an_earlier_date_is_excused_where_its_bust_is_held() -> None:
    """Seed 657. The date is forgotten, and with it the order that was adopted."""
    world, checker = stranger_taken_back()
    world.shadow.state.exec_ids["XA", "X1"] = ""
    with pytest.raises(AssertionError, match="X1, of an earlier date, is taken back by XA"):
        checker.at_quiet()
    bust = replace(trade_of_nobody(), exec_id="E2", exec_type=ExecType.TRADE_CANCEL)
    checker.folded([group(replace(bust, exec_ref_id="X1"))])
    checker.at_quiet()


def stranger_taken_back() -> tuple[World, Watcher]:
    """A trade that nobody sent was adopted, and taken back by its venue."""
    world = World(plan_of(Recipe(seed=1)))
    strangers = world.venues["XA"].strangers
    strangers.told["X1"] = (Decimal(10), Decimal(100))
    strangers.busted.add("X1")
    checker = strangers_are_accounted_for.Checker(world)
    booked = TradeExecuted(
        order_id="260921-2-1",
        parent_id="260921-2",
        venue="XA",
        exec_id="X1",
        last_qty=Decimal(10),
        last_px=Decimal(100),
        transact_time=0,
    )
    checker.folded([group(trade_of_nobody(), booked)])
    return world, checker


def trade_of_nobody() -> OrphanReported:
    return OrphanReported(
        venue="XA",
        session="XA",
        cl_ord_id="foreign",
        venue_order_id="V1",
        exec_id="X1",
        exec_type=ExecType.TRADE,
        ord_status=OrdStatus.NEW,
        symbol="AAPL",
        side=Side.BUY,
        last_qty=Decimal(10),
        last_px=Decimal(100),
        text="",
    )


def group(*events: Event) -> Group:
    return Group(seq=1, at=0, command=ClockTicked(), events=list(enumerate(events, start=2)))


def ledger_with(*asked: Asked) -> ClientLedger:
    return ClientLedger(asked={one.cl_ord_id: replace(one, finals=["0 E0"]) for one in asked})


def told(
    ledger: ClientLedger,
    kind: str,
    number: int,
    *,
    cl_ord_id: str,
    cum: int,
    orig: str = "",
    last: int = 0,
    ref: str = "",
    leaves: int | None = None,
) -> None:
    """An ExecutionReport comes, about an order of 100."""
    fields = {
        37: "O1",
        11: cl_ord_id,
        41: orig,
        17: f"E{number}" if number else "0",
        150: kind,
        39: "4" if kind == "4" else "1",
        54: "1",
        55: "AAPL",
        60: "1999" if number == 1 else "2027",
        38: "100",
        14: str(cum),
        151: str(100 - cum if leaves is None else leaves),
        32: str(last or ""),
        31: "10" if last else "",
        19: ref,
    }
    pairs = [(tag, value) for tag, value in fields.items() if value]
    ledger.note(Message(msg_type="8", seq=1, fields=pairs, raw=b"", at_ns=0))


def test_an_older_correction_brings_back_no_trade_that_was_busted() -> None:
    """Seed 74086: a drop copy told a bust ahead of the correction before it."""
    world = World(plan_of(Recipe(seed=1)))
    watcher = positions_are_the_fold.Checker(world)
    terms = OrderTerms(
        counterparty="XA",
        session="XA",
        cl_ord_id="O-1",
        account="A1",
        symbol="AAPL",
        side=Side.SELL,
        order_qty=Decimal(150),
        ord_type=OrdType.LIMIT,
        price=Decimal(98),
        time_in_force=TimeInForce.DAY,
    )
    named = {"order_id": "O-1", "parent_id": "O", "venue": "XA", "exec_id": "T"}
    amended = Decimal(150)
    routed = OrderRouted(order_id="O-1", parent_id="O", terms=terms, why="", quotes=())
    trade = TradeExecuted(**named, last_qty=amended, last_px=Decimal(98), transact_time=1)
    bust = TradeBusted(**named, bust_exec_id="E2")
    older = TradeCorrected(
        **named, correction_exec_id="E1", last_qty=amended, last_px=Decimal(99), transact_time=1
    )
    position = world.shadow.state.position("A1", "AAPL")
    watcher.folded([group(routed)])
    with pytest.raises(AssertionError, match="its trades come to -150"):
        watcher.folded([group(trade)])
    watcher.folded([group(bust, older)])
    assert position.quantity == 0
