from decimal import Decimal

import pytest

from ems.simulator.commands import NewOrder, SetFault
from ems.simulator.ledger import Echo
from ems.simulator.model import LiquiditySettings
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdRejReason, OrdStatus
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


def test_a_limit_order_rests_and_trades_at_its_own_price() -> None:
    market = venue()
    (ack,) = reports(market, new("A", "1", "100", "100.05"))
    assert brief(ack) == ("A", "0", "0", "0", "100", "")
    taken = reports(market, new("B", "2", "30", "100.01"))
    assert [brief(item) for item in taken] == [
        ("B", "0", "0", "0", "30", ""),
        ("B", "F", "2", "30", "0", "30"),
        ("A", "F", "1", "30", "70", "30"),
    ]
    assert {item.last_px for item in taken[1:]} == {Decimal("100.05")}
    assert len({item.exec_id for item in [ack, *taken]}) == 4


def test_average_price_is_exact_over_several_levels() -> None:
    market = venue()
    for name, qty, price in (("A", "10", "100.01"), ("B", "20", "100.02"), ("C", "40", "100.03")):
        reports(market, new(name, "2", qty, price))
    last = [item for item in reports(market, new("T", "1", "50", "100.03")) if item.last_qty][-2]
    assert last.cl_ord_id == "T"
    assert last.cum_qty == 50
    assert last.avg_px == Decimal("100.022")


def test_ioc_and_market_cancel_what_does_not_trade() -> None:
    market = venue()
    reports(market, new("A", "2", "40", "100"))
    ioc = reports(market, new("B", "1", "100", "100", time_in_force="3"))
    mine = [item for item in ioc if item.cl_ord_id == "B"]
    assert brief(mine[-1]) == ("B", "4", "4", "40", "0", "")
    bare = reports(market, new("C", "1", "100", None))
    assert [brief(item) for item in bare] == [
        ("C", "0", "0", "0", "100", ""),
        ("C", "4", "4", "0", "0", ""),
    ]


def test_fok_trades_wholly_or_not_at_all() -> None:
    market = venue()
    reports(market, new("A", "2", "40", "100"))
    reports(market, new("B", "2", "40", "100.01"))
    refused = reports(market, new("F1", "1", "81", "100.01", time_in_force="4"))
    assert [item.exec_type for item in refused] == [ExecType.NEW, ExecType.CANCELED]
    within = reports(market, new("F2", "1", "41", "100", time_in_force="4"))
    assert within[-1].exec_type is ExecType.CANCELED
    whole = reports(market, new("F3", "1", "80", "100.01", time_in_force="4"))
    assert order(market, "F3").ord_status is OrdStatus.FILLED
    assert sum(item.last_qty or 0 for item in whole if item.cl_ord_id == "F3") == 80


@pytest.mark.parametrize(
    ("bad", "reason", "word"),
    [
        ({"symbol": "NONE"}, OrdRejReason.UNKNOWN_SYMBOL, "Symbol"),
        ({"side": "9"}, OrdRejReason.UNSUPPORTED_ORDER_CHARACTERISTIC, "Side"),
        ({"ord_type": "P"}, OrdRejReason.UNSUPPORTED_ORDER_CHARACTERISTIC, "OrdType"),
        ({"time_in_force": "2"}, OrdRejReason.UNSUPPORTED_ORDER_CHARACTERISTIC, "TimeInForce"),
        ({"order_qty": Decimal(0)}, OrdRejReason.INCORRECT_QUANTITY, "above 0"),
        ({"order_qty": Decimal(-5)}, OrdRejReason.INCORRECT_QUANTITY, "above 0"),
        ({"order_qty": Decimal("1.5")}, OrdRejReason.INCORRECT_QUANTITY, "multiple of 1"),
        ({"order_qty": Decimal("1E30")}, OrdRejReason.INCORRECT_QUANTITY, "at most"),
        ({"price": None}, OrdRejReason.OTHER, "missing"),
        ({"price": Decimal(0)}, OrdRejReason.OTHER, "above 0"),
        ({"price": Decimal("100.00000000000000000001")}, OrdRejReason.OTHER, "multiple of 0.01"),
        ({"price": Decimal("1E30")}, OrdRejReason.OTHER, "at most"),
        ({"ord_type": "1"}, OrdRejReason.UNSUPPORTED_ORDER_CHARACTERISTIC, "market order"),
    ],
)
def test_a_bad_order_is_refused_by_name(
    bad: dict[str, object], reason: OrdRejReason, word: str
) -> None:
    good: dict[str, object] = {
        "owner": "OMS",
        "cl_ord_id": "A",
        "symbol": "ACME",
        "side": "1",
        "ord_type": "2",
        "order_qty": Decimal(100),
        "price": Decimal(100),
    }
    (answer,) = reports(venue(), NewOrder(**(good | bad)))  # type: ignore[arg-type]
    assert (answer.exec_type, answer.ord_status) == (ExecType.REJECTED, OrdStatus.REJECTED)
    assert answer.ord_rej_reason is reason
    assert word in answer.text
    assert answer.leaves_qty == 0


def test_a_used_cl_ord_id_never_trades_again() -> None:
    market = venue()
    reports(market, new("A", "1", "100"))
    (refused,) = reports(market, new("A", "1", "150"))
    assert refused.ord_rej_reason is OrdRejReason.DUPLICATE_ORDER
    assert brief(refused) == ("A", "8", "0", "0", "100", "")
    (status,) = reports(market, new("A", "1", "100", poss_resend=True))
    assert brief(status) == ("A", "I", "0", "0", "100", "")
    assert status.exec_id == "0"
    (other,) = reports(market, new("A", "1", "100", owner="SECOND"))
    assert other.exec_type is ExecType.NEW
    assert sum(level.qty for level in market.books["ACME"].bids.levels()) == 200


def test_an_id_used_for_a_cancel_is_used_for_orders_too() -> None:
    market = venue()
    reports(market, new("A"))
    reports(market, cancel("B", "A"))
    (refused,) = reports(market, new("B", "1", "100"))
    assert refused.ord_rej_reason is OrdRejReason.DUPLICATE_ORDER
    cancel_reject(market, cancel("C", "NEVER"))
    (again,) = reports(market, new("C"))
    assert (again.order_id, again.exec_type) == ("NONE", ExecType.REJECTED)


def test_cancel_and_its_refusals() -> None:
    market = venue()
    reports(market, new("A"))
    (done,) = reports(market, cancel("B", "A"))
    assert brief(done) == ("B", "4", "4", "0", "0", "")
    assert done.orig_cl_ord_id == "A"
    late = cancel_reject(market, cancel("C", "B"))
    assert late.cxl_rej_reason is CxlRejReason.TOO_LATE_TO_CANCEL
    assert late.cxl_rej_response_to is CxlRejResponseTo.ORDER_CANCEL_REQUEST
    assert late.ord_status is OrdStatus.CANCELED
    unknown = cancel_reject(market, cancel("D", "NEVER"))
    assert unknown.cxl_rej_reason is CxlRejReason.UNKNOWN_ORDER
    assert (unknown.order_id, unknown.ord_status) == ("NONE", OrdStatus.REJECTED)
    twice = cancel_reject(market, cancel("B", "A"))
    assert twice.cxl_rej_reason is CxlRejReason.DUPLICATE_CL_ORD_ID
    (resent,) = reports(market, cancel("B", "A", poss_resend=True))
    assert brief(resent) == ("B", "I", "4", "0", "0", "")
    reports(market, new("E"))
    wrong = cancel_reject(market, cancel("F", "E", side="2"))
    assert wrong.cxl_rej_reason is CxlRejReason.OTHER
    assert "Side" in wrong.text


def test_replace_keeps_priority_only_for_less_at_the_same_price() -> None:
    market = venue()
    for name in ("A", "B", "C"):
        reports(market, new(name, "1", "100", "100"))
    (down,) = reports(market, replace_order("A2", "A", "60", "100"))
    assert brief(down) == ("A2", "5", "0", "0", "60", "")
    assert down.orig_cl_ord_id == "A"
    reports(market, replace_order("B2", "B", "120", "100"))
    filled = reports(market, new("T", "2", "200", "100"))
    makers = [(item.cl_ord_id, item.last_qty) for item in filled if item.cl_ord_id != "T"]
    assert makers == [("A2", Decimal(60)), ("C", Decimal(100)), ("B2", Decimal(40))]


def test_a_replace_to_a_crossing_price_trades() -> None:
    market = venue()
    reports(market, new("S", "2", "50", "100.10"))
    reports(market, new("A", "1", "100", "100"))
    found = reports(market, replace_order("A2", "A", "100", "100.10"))
    assert [brief(item) for item in found] == [
        ("A2", "5", "0", "0", "100", ""),
        ("A2", "F", "1", "50", "50", "50"),
        ("S", "F", "2", "50", "0", "50"),
    ]


def test_a_replace_below_cum_qty_is_the_cancel_of_the_balance() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("T", "2", "80", "100"))
    (done,) = reports(market, replace_order("A2", "A", "70", "100"))
    assert brief(done) == ("A2", "5", "2", "80", "0", "")
    assert done.order_qty == 80
    assert market.books["ACME"].bids.best() is None


@pytest.mark.parametrize(
    ("qty", "price", "word"),
    [("0", "100", "above 0"), ("10", "100.001", "Price (44)"), ("0.5", "100", "multiple")],
)
def test_bad_new_terms_leave_the_order_alone(qty: str, price: str, word: str) -> None:
    market = venue()
    reports(market, new("A"))
    refused = cancel_reject(market, replace_order("A2", "A", qty, price))
    assert refused.cxl_rej_response_to is CxlRejResponseTo.ORDER_CANCEL_REPLACE_REQUEST
    assert word in refused.text
    assert order(market, "A").leaves_qty == 100


def test_status_answers_for_every_id_of_the_chain_and_for_none() -> None:
    market = venue()
    reports(market, new("A"))
    reports(market, replace_order("A2", "A", "60", "100"))
    for known in ("A", "A2"):
        echo = Echo(owner="OMS", cl_ord_id=known, symbol="ACME", side="1")
        status = market.status(echo, "Q1", AT)
        assert brief(status) == ("A2", "I", "0", "0", "60", "")
        assert status.ord_status_req_id == "Q1"
    echo = Echo(owner="OTHER", cl_ord_id="A", symbol="ACME", side="1")
    unknown = market.status(echo, "", AT)
    assert (unknown.exec_type, unknown.ord_status) == (ExecType.ORDER_STATUS, OrdStatus.REJECTED)
    assert unknown.ord_rej_reason is OrdRejReason.UNKNOWN_ORDER
    assert unknown.order_id == "NONE"


def test_mass_status_counts_and_marks_the_last() -> None:
    market = venue()
    for name in ("A", "B", "C"):
        reports(market, new(name))
    reports(market, cancel("C2", "C"))
    reports(market, new("Z", "2", "10", "50", symbol="ZETA"))
    everything = Echo(owner="OMS", cl_ord_id="", symbol="", side="")
    found = list(market.mass_status(everything, "M1", AT))
    assert [item.cl_ord_id for item in found] == ["A", "B", "Z"]
    assert {item.tot_num_reports for item in found} == {3}
    assert [item.last_rpt_requested for item in found] == [False, False, True]
    assert {item.mass_status_req_id for item in found} == {"M1"}
    one = Echo(owner="OMS", cl_ord_id="", symbol="ZETA", side="")
    assert [item.cl_ord_id for item in market.mass_status(one, "M2", AT)] == ["Z"]
    nobody = Echo(owner="NOBODY", cl_ord_id="", symbol="", side="")
    (none,) = market.mass_status(nobody, "M3", AT)
    assert (none.tot_num_reports, none.last_rpt_requested) == (0, True)
    assert none.ord_rej_reason is OrdRejReason.UNKNOWN_ORDER


def test_faults_change_what_is_answered_and_run_out() -> None:
    market = venue()
    market.apply(SetFault(name="reject_next", value=1), AT)
    (refused,) = reports(market, new("A"))
    assert refused.ord_rej_reason is OrdRejReason.BROKER_OPTION
    assert reports(market, new("B"))[0].exec_type is ExecType.NEW
    market.apply(SetFault(name="ignore_cancels", value=1), AT)
    assert reports(market, cancel("B2", "B")) == []
    market.apply(SetFault(name="ignore_cancels", value=0), AT)
    assert reports(market, cancel("B2", "B"))[0].ord_status is OrdStatus.CANCELED
    reports(market, new("C"))
    market.apply(SetFault(name="reject_cancels_next", value=1), AT)
    assert cancel_reject(market, cancel("C2", "C")).cxl_rej_reason is CxlRejReason.BROKER_OPTION


def test_faults_change_how_an_answer_leaves() -> None:
    market = venue()
    for name, value in (("drop_acks_next", 1), ("fill_late_next", 1), ("fill_late_ms", 70)):
        assert market.apply(SetFault(name=name, value=value), AT).refused == ""
    (ack,) = market.apply(new("A", "2"), AT).deliveries
    assert ack.copies == 0
    market.apply(SetFault(name="duplicate_next", value=1), AT)
    taken = market.apply(new("B", "1"), AT).deliveries
    assert [(item.copies, item.delay_ms) for item in taken] == [(2, 0), (1, 70), (1, 0)]
    assert [item.number for item in taken] == [2, 3, 4]
    assert "none of" in market.apply(SetFault(name="colour", value=1), AT).refused
    assert "below 0" in market.apply(SetFault(name="delay_ms", value=-1), AT).refused


def test_background_orders_quote_both_sides_and_come_back_after_trades() -> None:
    liquidity = LiquiditySettings(spread_ticks=2, depth=3, min_lots=10, max_lots=10)
    market = venue(liquidity)
    book = market.books["ACME"]
    assert [level.price for level in book.bids.levels()] == [
        Decimal("99.99"),
        Decimal("99.98"),
        Decimal("99.97"),
    ]
    assert [level.price for level in book.asks.levels(1)] == [Decimal("100.01")]
    sweep = reports(market, new("A", "1", "100", None))
    assert sum(item.last_qty or 0 for item in sweep) == 30
    assert [level.qty for level in book.asks.levels()] == [10, 10, 10]
    crossing = reports(market, new("B", "1", "25", "100.02"))
    assert sum(item.last_qty or 0 for item in crossing) == 20
    assert order(market, "B").leaves_qty == 5
    best_bid, best_ask = book.bids.best(), book.asks.best()
    assert best_bid is not None
    assert best_ask is not None
    assert best_bid.price < best_ask.price
