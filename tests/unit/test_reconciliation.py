"""Faults put into two sides that agree are found, each as what it is, and nothing else is."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.fix import OrdStatus, Side
from oms.reconciliation.breaks import Break
from oms.reconciliation.compare import compare
from oms.reconciliation.sides import (
    OurOrder,
    OurOrphan,
    OurSide,
    OurTrade,
    TheirOrder,
    TheirSide,
    TheirTrade,
    TradeStatus,
)

Told = tuple[str, str, str, str]  # kind, cl_ord_id, exec_id, field

TRADE_FAULTS = (
    *("omit", "forget", "quantity", "price", "side", "symbol", "duplicate", "extra"),
    *("unknown", "bust", "unbust", "both_bust", "rename"),
)
ORDER_FAULTS = (
    *("order_quantity", "order_price", "order_side", "cum_qty", "closed", "unlisted"),
    *("listed_twice", "order_of_nobody"),
)


@dataclass
class Day:
    """Two sides that agree until something is done to them, and what must then be found."""

    our_orders: dict[str, OurOrder] = field(default_factory=dict)
    our_trades: dict[str, OurTrade] = field(default_factory=dict)
    their_orders: list[TheirOrder] = field(default_factory=list)
    their_trades: list[TheirTrade] = field(default_factory=list)
    expected: Counter[Told] = field(default_factory=Counter)

    def expect(self, kind: str, cl_ord_id: str, exec_id: str = "", name: str = "") -> None:
        self.expected[kind, cl_ord_id, exec_id, name] += 1

    def breaks(self, rng: random.Random | None = None) -> tuple[Break, ...]:
        sides: list[list[object]] = [
            list(self.our_trades.values()),
            list(self.our_orders.values()),
            list(self.their_trades),
            list(self.their_orders),
        ]
        if rng is not None:
            for side in sides:
                rng.shuffle(side)
        ours = OurSide(trades=tuple(sides[0]), orders=tuple(sides[1]))  # type: ignore[arg-type]
        theirs = TheirSide(trades=tuple(sides[2]), orders=tuple(sides[3]))  # type: ignore[arg-type]
        return compare(ours, theirs).breaks


def told(breaks: tuple[Break, ...]) -> Counter[Told]:
    return Counter((str(one.kind), one.cl_ord_id, one.exec_id, one.field) for one in breaks)


def matching_day(sizes: list[int]) -> Day:
    """One order for each size, with as many trades of 10 out of 100 as it says."""
    day = Day()
    for n, trades in enumerate(sizes):
        cum_qty = Decimal(10 * trades)
        filled = trades == 10
        status = OrdStatus.PARTIALLY_FILLED if trades else OrdStatus.NEW
        status = OrdStatus.FILLED if filled else status
        day.our_orders[f"O{n}"] = OurOrder(
            seq=n,
            order_id=f"O{n}",
            parent_id=f"P{n}",
            venue_order_id=f"V{n}",
            cl_ord_ids=(f"C{n}",),
            symbol="ACME",
            side=Side.BUY,
            order_qty=Decimal(100),
            price=Decimal("10.50"),
            cum_qty=cum_qty,
            ord_status=status,
            is_open=not filled,
        )
        day.their_orders.append(
            TheirOrder(
                line=len(day.their_orders) + 2,
                cl_ord_id=f"C{n}",
                order_id=f"V{n}",
                symbol="ACME",
                side=Side.BUY,
                order_qty=Decimal(100),
                price=Decimal("10.5"),
                cum_qty=cum_qty,
                leaves_qty=100 - cum_qty,
                ord_status=status,
            )
        )
        for m in range(trades):
            add_trade(day, n, m)
    return day


def add_trade(day: Day, n: int, m: int) -> None:
    exec_id = f"E{n}-{m}"
    day.our_trades[exec_id] = OurTrade(
        seq=1000 + m,
        exec_id=exec_id,
        latest_exec_id=exec_id,
        order_id=f"O{n}",
        parent_id=f"P{n}",
        account="ACC",
        symbol="ACME",
        side=Side.BUY,
        last_qty=Decimal(10),
        last_px=Decimal("10.5"),
        transact_time=m,
    )
    day.their_trades.append(
        TheirTrade(
            line=len(day.their_trades) + 2,
            exec_id=exec_id,
            cl_ord_id=f"C{n}",
            order_id=f"V{n}",
            symbol="ACME",
            side=Side.BUY,
            last_qty=Decimal(10),
            last_px=Decimal("10.50"),
            transact_time=m,
            status=TradeStatus.NEW,
        )
    )


CHANGES: dict[str, tuple[dict[str, object], str, str]] = {
    "quantity": ({"last_qty": Decimal(11)}, "QUANTITY", "last_qty"),
    "price": ({"last_px": Decimal("10.51")}, "PRICE", "last_px"),
    "side": ({"side": Side.SELL}, "SIDE", "side"),
    "symbol": ({"symbol": "ZETA"}, "SYMBOL", "symbol"),
    "bust": ({"status": TradeStatus.BUSTED}, "STATUS", "status"),
}


def spoil_trade(day: Day, exec_id: str, fault: str) -> None:
    """One fault at one trade, and what it must be found as."""
    place = next(i for i, row in enumerate(day.their_trades) if row.exec_id == exec_id)
    row = day.their_trades[place]
    ours = day.our_trades[exec_id]
    order = day.our_orders[ours.order_id]
    name = row.cl_ord_id
    if fault in CHANGES:
        changes, kind, column = CHANGES[fault]
        day.their_trades[place] = replace(row, **changes)  # type: ignore[arg-type]
        day.expect(kind, name, exec_id, column)
    match fault:
        case "omit":
            del day.their_trades[place]
            day.expect("MISSING_THERE", name, exec_id)
        case "forget":
            del day.our_trades[exec_id]
            count_less(day, order)
            day.expect("MISSING_HERE", name, exec_id)
        case "duplicate":
            day.their_trades.append(replace(row, line=len(day.their_trades) + 2))
            day.expect("DUPLICATE", name, exec_id, "exec_id")
        case "extra":
            extra = f"{exec_id}-X"
            day.their_trades.append(replace(row, exec_id=extra, line=len(day.their_trades) + 2))
            day.expect("MISSING_HERE", name, extra)
        case "unknown":
            stranger = f"U{exec_id}"
            told_of = replace(row, exec_id=f"{exec_id}-U", cl_ord_id=stranger, order_id="")
            day.their_trades.append(told_of)
            day.expect("UNKNOWN_ORDER", stranger, f"{exec_id}-U", "cl_ord_id")
        case "unbust":
            day.our_trades[exec_id] = replace(ours, busted=True)
            count_less(day, order)
            day.expect("STATUS", name, exec_id, "status")
        case "both_bust":
            day.our_trades[exec_id] = replace(ours, busted=True)
            day.their_trades[place] = replace(row, status=TradeStatus.BUSTED)
            count_less(day, order)
            count_less_there(day, row.cl_ord_id)
        case "rename":
            day.their_trades[place] = replace(row, cl_ord_id=f"W{exec_id}", order_id="")
            day.expect("UNKNOWN_ORDER", f"W{exec_id}", exec_id, "cl_ord_id")


def count_less(day: Day, order: OurOrder) -> None:
    """Our order without one trade of 10: as we would have it, had we not booked it."""
    now = day.our_orders[order.order_id]
    cum_qty = now.cum_qty - 10
    status = OrdStatus.PARTIALLY_FILLED if cum_qty else OrdStatus.NEW
    day.our_orders[order.order_id] = replace(now, cum_qty=cum_qty, ord_status=status, is_open=True)


def count_less_there(day: Day, cl_ord_id: str) -> None:
    place = next(i for i, row in enumerate(day.their_orders) if row.cl_ord_id == cl_ord_id)
    row = day.their_orders[place]
    cum_qty = row.cum_qty - 10
    status = OrdStatus.PARTIALLY_FILLED if cum_qty else OrdStatus.NEW
    day.their_orders[place] = replace(row, cum_qty=cum_qty, ord_status=status)


def spoil_order(day: Day, n: int, fault: str) -> None:
    """One fault at one order without trades, and what it must be found as."""
    place = next(i for i, row in enumerate(day.their_orders) if row.cl_ord_id == f"C{n}")
    row = day.their_orders[place]
    match fault:
        case "order_quantity":
            day.their_orders[place] = replace(row, order_qty=Decimal(101))
            day.expect("QUANTITY", f"C{n}", name="order_qty")
        case "order_price":
            day.their_orders[place] = replace(row, price=None)
            day.expect("PRICE", f"C{n}", name="price")
        case "order_side":
            day.their_orders[place] = replace(row, side=Side.SELL_SHORT)
            day.expect("SIDE", f"C{n}", name="side")
        case "cum_qty":
            day.their_orders[place] = replace(row, cum_qty=Decimal(5))
            day.expect("CUM_QTY", f"C{n}", name="cum_qty")
            day.expect("STATUS", f"C{n}", name="ord_status")
        case "closed":
            day.their_orders[place] = replace(row, ord_status=OrdStatus.CANCELED)
            day.expect("STATUS", f"C{n}", name="ord_status")
        case "unlisted":
            del day.their_orders[place]
            day.expect("MISSING_THERE", f"C{n}", name="cl_ord_id")
        case "listed_twice":
            day.their_orders.append(row)
            day.expect("DUPLICATE", f"C{n}", name="cl_ord_id")
        case "order_of_nobody":
            day.their_orders.append(replace(row, cl_ord_id=f"N{n}", order_id=f"NV{n}"))
            day.expect("UNKNOWN_ORDER", f"N{n}", name="cl_ord_id")


@st.composite
def spoilt_days(draw: st.DrawFn) -> Day:
    sizes = draw(st.lists(st.sampled_from([0, 0, 1, 3, 10]), min_size=1, max_size=6))
    day = matching_day(sizes)
    for exec_id in list(day.our_trades):
        fault = draw(st.sampled_from(("none", "none", *TRADE_FAULTS)))
        if fault != "none":
            spoil_trade(day, exec_id, fault)
    for n, trades in enumerate(sizes):
        fault = draw(st.sampled_from(("none", *ORDER_FAULTS)))
        if fault != "none" and not trades:
            spoil_order(day, n, fault)
    return day


@settings(max_examples=300, deadline=None)
@given(spoilt_days(), st.randoms(use_true_random=False))
def test_exactly_the_faults_are_found_in_whatever_order_rows_stand(
    day: Day, rng: random.Random
) -> None:
    found = day.breaks()
    assert told(found) == day.expected
    assert day.breaks(rng) == found


def test_each_fault_alone() -> None:
    for fault in TRADE_FAULTS:
        day = matching_day([10, 1])
        spoil_trade(day, "E0-3", fault)
        assert told(day.breaks()) == day.expected, fault
    for fault in ORDER_FAULTS:
        day = matching_day([0, 1])
        spoil_order(day, 0, fault)
        assert told(day.breaks()) == day.expected, fault


def test_a_break_carries_the_evidence_of_both_sides() -> None:
    day = matching_day([2])
    spoil_trade(day, "E0-1", "price")
    (found,) = day.breaks()
    assert (found.ours, found.theirs) == ("10.5", "10.51")
    assert found.evidence["our_trade"]["journal_seq"] == 1001
    assert found.evidence["their_trade"]["line"] == 3
    assert found.evidence["our_order"]["order_id"] == "O0"
    assert found.evidence["their_order"]["cum_qty"] == "20"


def test_an_order_is_known_by_every_name_it_had_and_by_the_venues_order_id() -> None:
    day = matching_day([1, 1])
    day.our_orders["O0"] = replace(day.our_orders["O0"], cl_ord_ids=("C0-OLD", "C0"))
    day.their_trades[0] = replace(day.their_trades[0], cl_ord_id="C0-OLD")
    day.their_trades[1] = replace(day.their_trades[1], cl_ord_id="")
    assert day.breaks() == ()


def test_a_corrected_trade_is_known_by_its_latest_exec_id_too() -> None:
    day = matching_day([1])
    day.our_trades["E0-0"] = replace(day.our_trades["E0-0"], latest_exec_id="E9")
    day.their_trades[0] = replace(day.their_trades[0], exec_id="E9", status=TradeStatus.CORRECTED)
    assert day.breaks() == ()


def test_one_exec_id_of_two_orders_is_two_trades() -> None:
    day = matching_day([1, 1])
    day.our_trades["E1-0"] = replace(day.our_trades["E1-0"], exec_id="E0-0", latest_exec_id="E0-0")
    day.their_trades[1] = replace(day.their_trades[1], exec_id="E0-0")
    assert day.breaks() == ()


def test_what_is_not_of_this_day_is_not_missed() -> None:
    day = matching_day([1])
    day.our_trades["E0-0"] = replace(day.our_trades["E0-0"], due=False)
    day.our_orders["O0"] = replace(day.our_orders["O0"], due=False)
    day.their_trades.clear()
    day.their_orders.clear()
    assert day.breaks() == ()


def test_an_order_that_changed_after_the_day_is_not_compared_by_its_state() -> None:
    day = matching_day([0])
    order = replace(day.our_orders["O0"], ord_status=OrdStatus.CANCELED, is_open=False)
    day.our_orders["O0"] = order
    assert told(day.breaks()) == Counter({("STATUS", "C0", "", "ord_status"): 1})
    day.our_orders["O0"] = replace(order, comparable=False)
    assert day.breaks() == ()


def test_a_request_in_flight_or_a_doubt_contradicts_nothing() -> None:
    for status in (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE, OrdStatus.PENDING_NEW):
        day = matching_day([0])
        day.our_orders["O0"] = replace(day.our_orders["O0"], ord_status=status, in_doubt=True)
        assert day.breaks() == (), status


def test_an_unknown_fill_is_one_break_with_its_order_and_our_report_of_it() -> None:
    day = matching_day([1])
    stranger = replace(day.their_trades[0], exec_id="EU", cl_ord_id="NOBODY", order_id="VU")
    order = replace(day.their_orders[0], cl_ord_id="NOBODY", order_id="VU")
    ours = OurSide(
        trades=tuple(day.our_trades.values()),
        orders=tuple(day.our_orders.values()),
        orphans=(
            OurOrphan(seq=77, exec_id="EU", cl_ord_id="NOBODY", venue_order_id="VU", text=""),
        ),
    )
    theirs = TheirSide(trades=(*day.their_trades, stranger), orders=(*day.their_orders, order))
    (found,) = compare(ours, theirs).breaks
    assert (found.kind, found.exec_id) == ("UNKNOWN_ORDER", "EU")
    assert found.evidence["our_report"]["journal_seq"] == 77
    assert found.evidence["their_order"]["order_id"] == "VU"


def test_without_an_order_file_only_trades_are_compared() -> None:
    day = matching_day([1])
    ours = OurSide(trades=tuple(day.our_trades.values()), orders=tuple(day.our_orders.values()))
    found = compare(ours, TheirSide(trades=tuple(day.their_trades), orders=None))
    assert (found.breaks, found.trades_checked, found.orders_checked) == ((), 1, 0)
