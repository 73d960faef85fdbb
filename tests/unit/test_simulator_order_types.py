"""What the simulated venue does with stops, icebergs, orders for the close and good-till orders."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ems.simulator.commands import ExpireDay, NewOrder, WalkPrices
from ems.simulator.quotes import MDEntryType, View
from ems.simulator.venue import Venue
from oms.domain.fix import ExecType
from tests.unit.simulator_venues import AT, brief, cancel, new, order, replace_order, reports, venue

STOP_PX = Decimal(101)


def stop(name: str, *, price: str | None = None, **more: object) -> NewOrder:
    """A purchase of 100 that waits for 101."""
    ord_type = "3" if price is None else "4"
    made = replace(new(name, price=price), ord_type=ord_type, stop_px=STOP_PX)
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_stop_waits_beside_the_book_and_is_triggered_by_the_offer() -> None:
    at = venue()
    reports(at, new("S1", "2", "40", "100", owner="RIVAL"))
    [accepted] = reports(at, stop("A"))
    assert (accepted.exec_type, accepted.stop_px) == (ExecType.NEW, STOP_PX)
    found = reports(at, new("B", "1", "40", "100", owner="RIVAL"))
    assert [one.exec_type for one in found] == [ExecType.NEW, ExecType.TRADE, ExecType.TRADE]
    found = reports(at, new("S2", "2", "60", "101.5", owner="RIVAL"))
    assert [brief(one)[:3] for one in found if one.owner == "OMS"] == [
        ("A", "L", "0"),
        ("A", "F", "1"),
        ("A", "4", "4"),
    ]


def test_a_triggered_stop_limit_rests_at_its_limit() -> None:
    at = venue()
    reports(at, stop("A", price="101.2"))
    found = reports(at, new("S", "2", "60", "101.5", owner="RIVAL"))
    assert [one.exec_type for one in found] == [ExecType.NEW, ExecType.TRIGGERED]
    best = at.books["ACME"].bids.best()
    assert best is not None
    assert (best.price, best.qty) == (Decimal("101.2"), 100)


def test_a_waiting_stop_is_cancelled_and_replaced() -> None:
    at = venue()
    reports(at, stop("A", price="103"))
    changed = replace(replace_order("B", "A", "50", "102"), ord_type="4", stop_px=Decimal(102))
    [replaced] = reports(at, changed)
    assert (replaced.exec_type, replaced.stop_px, replaced.leaves_qty) == (
        ExecType.REPLACED,
        Decimal(102),
        50,
    )
    [gone] = reports(at, cancel("C", "B"))
    assert gone.exec_type is ExecType.CANCELED
    assert [one.exec_type for one in reports(at, new("S", "2", "9", "105"))] == [ExecType.NEW]


def test_a_sale_that_waits_is_triggered_by_the_bid() -> None:
    at = venue()
    sale = {"side": "2", "stop_px": Decimal(99)}
    reports(at, stop("A", **sale))
    reports(at, new("B1", "1", "40", "99.01", owner="RIVAL"))
    assert order(at, "A").waits
    reports(at, new("S", "2", "40", "99.01", owner="RIVAL"))
    found = reports(at, new("B2", "1", "100", "99", owner="RIVAL"))
    assert [brief(one)[:3] for one in found if one.owner == "OMS"] == [
        ("A", "L", "0"),
        ("A", "F", "2"),
    ]
    found = reports(at, stop("B", **sale | {"stop_px": Decimal(98)}))
    assert [one.exec_type for one in found] == [ExecType.NEW]
    found = reports(at, new("B3", "1", "100", "97", owner="RIVAL"))
    assert ExecType.TRIGGERED in [one.exec_type for one in found], "a bid below it reaches it too"


def test_a_replace_that_says_nothing_of_the_stop_price_leaves_it() -> None:
    at = venue()
    reports(at, stop("A", price="103"))
    [told] = reports(at, replace(replace_order("B", "A", "50", "102"), ord_type="4"))
    assert (told.exec_type, told.stop_px, told.price) == (ExecType.REPLACED, STOP_PX, 102)
    reports(at, new("C"))
    [told] = reports(at, replace(replace_order("D", "C", "50", "100"), stop_px=STOP_PX))
    assert (told.exec_type, told.stop_px) == (ExecType.REPLACED, None)
    [gone] = reports(at, cancel("E", "D"))
    assert gone.exec_type is ExecType.CANCELED
    assert at.books["ACME"].bids.best() is None


def test_a_stop_price_of_one_is_taken_and_of_nothing_is_not() -> None:
    at = venue()
    [told] = reports(at, stop("A", stop_px=Decimal(1)))
    assert told.exec_type is ExecType.NEW
    [told] = reports(at, stop("B", stop_px=Decimal(0)))
    assert told.text.startswith("StopPx (99) 0: must be above 0")


def test_a_stop_for_the_close_is_done_with_at_the_close() -> None:
    at = venue()
    reports(at, stop("A", time_in_force="7"))
    assert [one.exec_type for one in reports(at, ExpireDay())] == [ExecType.CANCELED]
    assert [one.exec_type for one in reports(at, new("S", "2", "9", "105"))] == [ExecType.NEW]


def test_orders_for_the_close_trade_when_the_day_ends() -> None:
    at = venue()
    reports(at, new("A", "1", "30", None, time_in_force="7"))
    reports(at, new("S", "2", "50", "100", owner="RIVAL"))
    assert order(at, "A").cum_qty == 0
    found = reports(at, ExpireDay())
    assert [brief(one)[:3] for one in found if one.owner == "OMS"] == [("A", "F", "2")]


def test_good_till_orders_are_restated_at_the_end_of_the_day_and_the_others_expire() -> None:
    at = venue()
    today = "20260921"
    reports(at, new("DAY"))
    reports(at, new("GTC", time_in_force="1"))
    reports(at, replace(new("TODAY", time_in_force="6"), expire_date=today))
    reports(at, replace(new("LATER", time_in_force="6"), expire_date="20260922"))
    told = {one.cl_ord_id: (one.exec_type, one.restatement) for one in reports(at, ExpireDay())}
    assert told == {
        "DAY": (ExecType.EXPIRED, ""),
        "GTC": (ExecType.RESTATED, "1"),
        "TODAY": (ExecType.EXPIRED, ""),
        "LATER": (ExecType.RESTATED, "1"),
    }


def test_a_time_of_its_own_ends_an_order() -> None:
    at = venue()
    until = AT + 1_000_000
    reports(at, replace(new("A", time_in_force="6"), expire_time=until))
    assert at.apply(WalkPrices(), AT + 999_999).deliveries == ()
    assert at.books["ACME"].bids.best() is not None
    [expired] = at.apply(WalkPrices(), until).deliveries
    assert expired.answer.ord_status == "C"
    assert at.books["ACME"].bids.best() is None


def test_an_iceberg_shows_its_floor_and_trades_whole() -> None:
    at = venue()
    reports(at, replace(new("A"), max_floor=Decimal(10)))
    view = View(symbol="ACME", depth=1, entry_types=frozenset({MDEntryType.BID}))
    assert [(one.price, one.size) for one in view.snapshot(at.books["ACME"], None)] == [(100, 10)]
    reports(at, new("S", "2", "95", "100", owner="RIVAL"))
    assert order(at, "A").cum_qty == 95
    assert [one.size for one in view.snapshot(at.books["ACME"], None)] == [5]


def test_min_qty_or_nothing() -> None:
    at = venue()
    reports(at, new("S", "2", "20", "100", owner="RIVAL"))
    least = replace(new("A", time_in_force="3"), min_qty=Decimal(21))
    assert [one.exec_type for one in reports(at, least)] == [ExecType.NEW, ExecType.CANCELED]
    less = replace(least, cl_ord_id="B", min_qty=Decimal(20))
    assert [one.exec_type for one in reports(at, less) if one.owner == "OMS"] == [
        ExecType.NEW,
        ExecType.TRADE,
        ExecType.CANCELED,
    ]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"ord_type": "3", "price": None}, "StopPx (99): required"),
        ({"stop_px": STOP_PX}, "StopPx (99): required on a stop order, and on no other"),
        ({"ord_type": "4", "stop_px": Decimal("1.001")}, "StopPx (99) 1.001: must be above 0"),
        ({"time_in_force": "6"}, "ExpireTime (126), ExpireDate (432): one is required"),
        ({"expire_date": "20260922"}, "ExpireTime (126), ExpireDate (432): one is required"),
        ({"min_qty": Decimal(5)}, "MinQty (110) 5: only with 59=3 here"),
        ({"max_floor": Decimal(0)}, "MaxFloor (111) 0: must be above 0"),
        ({"exec_inst": "1 G"}, "ExecInst (18) G: not taken here"),
    ],
)
def test_a_bad_condition_is_refused(more: dict[str, object], text: str) -> None:
    at: Venue = venue()
    [refused] = reports(at, replace(new("A"), **more))  # type: ignore[arg-type]
    assert refused.exec_type is ExecType.REJECTED
    assert refused.text.startswith(text)
