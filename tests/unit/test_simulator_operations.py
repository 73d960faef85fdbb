from datetime import timedelta
from decimal import Decimal

import pytest

from ems.simulator.commands import (
    BustTrade,
    CancelUnsolicited,
    CorrectTrade,
    ExpireDay,
    Falsify,
    ReportUnknownFill,
)
from ems.simulator.ledger import Echo
from ems.simulator.statements import (
    ORDER_COLUMNS,
    TRADE_COLUMNS,
    iso_time,
    order_file,
    trade_file,
    utc_date,
)
from ems.simulator.venue import Venue
from oms.domain.fix import ExecType, OrdStatus
from tests.unit.simulator_venues import AT, brief, cancel, new, order, reports, venue


def traded() -> Venue:
    """A bought 100 of which 60 traded with B, who wanted no more."""
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100"))
    return market


def rows_of(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


def test_a_bust_gives_a_working_order_its_quantity_back_and_refers_to_the_trade() -> None:
    market = traded()
    first, second = (item.exec_id for item in market.trades)
    found = reports(market, BustTrade(exec_id=second))
    assert [brief(item) for item in found] == [
        ("A", "H", "0", "0", "100", "0"),
        ("B", "H", "4", "0", "0", "0"),
    ]
    assert [item.exec_ref_id for item in found] == [second, first]
    assert [item.status for item in market.trades] == ["BUSTED", "BUSTED"]
    assert {order(market, "A").avg_px, order(market, "B").notional} == {0}
    best = market.books["ACME"].bids.best()
    assert best is not None
    assert best.qty == 100
    assert "no trade that stands" in market.apply(BustTrade(exec_id=first), AT).refused
    assert "no trade that stands" in market.apply(BustTrade(), AT).refused


def test_a_filled_order_works_again_after_a_bust() -> None:
    market = venue()
    reports(market, new("A", "1", "60", "100"))
    reports(market, new("B", "2", "60", "100"))
    found = reports(market, BustTrade())
    assert brief(found[0]) == ("A", "H", "0", "0", "60", "0")
    assert order(market, "A").leaves_qty == 60
    assert order(market, "B").closed is OrdStatus.CANCELED


def test_ioc_is_canceled_by_its_bust_even_where_nothing_crosses() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100", time_in_force="3"))
    reports(market, cancel("A2", "A"))
    found = reports(market, BustTrade())
    assert [brief(item) for item in found] == [
        ("A2", "H", "4", "0", "0", "0"),
        ("B", "H", "4", "0", "0", "0"),
    ]


def test_a_bust_of_a_canceled_order_leaves_it_canceled() -> None:
    market = traded()
    reports(market, cancel("A2", "A"))
    found = reports(market, BustTrade())
    assert brief(found[0]) == ("A2", "H", "4", "0", "0", "0")


def test_corrections_chain_and_recompute_the_average() -> None:
    market = traded()
    exec_id = next(item.exec_id for item in market.trades if item.cl_ord_id == "A")
    first = reports(market, CorrectTrade(exec_id=exec_id, last_px=Decimal("99.50")))
    assert brief(first[0]) == ("A", "G", "1", "60", "40", "60")
    assert first[0].exec_ref_id == exec_id
    assert first[0].avg_px == Decimal("99.5")
    second = reports(market, CorrectTrade(exec_id=first[0].exec_id, last_qty=Decimal(50)))
    assert brief(second[0]) == ("A", "G", "1", "50", "50", "50")
    assert second[0].exec_ref_id == first[0].exec_id
    assert {item.status for item in market.trades} == {"CORRECTED"}
    assert {item.exec_id for item in market.trades} >= {exec_id}
    too_much = market.apply(CorrectTrade(exec_id=exec_id, last_qty=Decimal(101)), AT)
    assert "CumQty would pass OrderQty" in too_much.refused
    assert "above 0" in market.apply(CorrectTrade(last_qty=Decimal(0)), AT).refused


def test_unsolicited_cancel_has_no_orig_cl_ord_id() -> None:
    market = traded()
    (gone,) = reports(market, CancelUnsolicited())
    assert brief(gone) == ("A", "4", "4", "60", "0", "")
    assert gone.orig_cl_ord_id == ""
    assert market.books["ACME"].bids.best() is None
    assert "no working order" in market.apply(CancelUnsolicited(), AT).refused


def test_the_end_of_day_expires_what_still_works() -> None:
    market = traded()
    (expired,) = reports(market, ExpireDay())
    assert brief(expired) == ("A", "C", "C", "60", "0", "")
    assert expired.exec_type is ExecType.EXPIRED


def test_an_unknown_fill_looks_like_any_other_to_the_venue() -> None:
    market = venue()
    command = ReportUnknownFill(
        owner="OMS", symbol="ACME", side="1", last_qty=Decimal(7), last_px=Decimal(9)
    )
    (found,) = reports(market, command)
    assert found.cl_ord_id.startswith("NOT-YOURS-")
    assert (found.time_in_force, found.ord_type) == ("0", "2")
    asked = Echo(owner="OMS", cl_ord_id=found.cl_ord_id, symbol="ACME", side="1")
    assert market.status(asked, "", AT).ord_status is OrdStatus.FILLED
    assert brief(found)[1:] == ("F", "2", "7", "0", "7")
    assert [item.exec_id for item in market.trades] == [found.exec_id]
    elsewhere = ReportUnknownFill(
        owner="OMS", symbol="NONE", side="1", last_qty=Decimal(7), last_px=Decimal(9)
    )
    assert "not listed" in market.apply(elsewhere, AT).refused


def test_the_files_carry_exact_values_and_a_trailer() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100.10"))
    reports(market, new("B", "2", "60", "100.05"))
    rows = rows_of(trade_file(market.trades, market.falsifications, utc_date(AT)))
    assert tuple(rows[0]) == TRADE_COLUMNS
    buy = next(row for row in rows if row[1] == "A")
    assert buy[3:] == ["ACME", "1", "60", "100.10", iso_time(AT), "NEW"]
    assert rows[-1] == ["TRAILER", "2"]
    rows = rows_of(order_file(market.orders, utc_date(AT)))
    assert tuple(rows[0]) == ORDER_COLUMNS
    assert rows[1][:1] + rows[1][2:] == ["A", "ACME", "1", "100", "100.10", "60", "40", "1"]
    assert rows[-1] == ["TRAILER", "2"]
    tomorrow = utc_date(AT) + timedelta(days=1)
    assert rows_of(trade_file(market.trades, (), tomorrow))[1:] == [["TRAILER", "0"]]


@pytest.mark.parametrize(
    ("kind", "changed", "count"),
    [
        ("omit", {}, 1),
        ("quantity", {5: "61"}, 2),
        ("price", {6: "100.01"}, 2),
        ("side", {4: "2"}, 2),
        ("duplicate", {}, 3),
        ("extra", {}, 3),
        ("unknown_order", {}, 3),
    ],
)
def test_the_trade_file_tells_exactly_the_lie_it_was_asked_for(
    kind: str, changed: dict[int, str], count: int
) -> None:
    market = traded()
    exec_id = next(item.exec_id for item in market.trades if item.cl_ord_id == "A")
    true = rows_of(trade_file(market.trades, (), utc_date(AT)))
    asked = market.apply(Falsify(kind=kind, exec_id=exec_id), AT)
    assert (asked.refused, asked.subject) == ("", exec_id)
    told = rows_of(trade_file(market.trades, market.falsifications, utc_date(AT)))
    assert told[-1] == ["TRAILER", str(count)]
    mine = next(row for row in true[1:-1] if row[0] == exec_id)
    for column, value in changed.items():
        mine[column] = value
    found = [row for row in told[1:-1] if row[0] == exec_id]
    assert found == {"omit": [], "duplicate": [mine, mine]}.get(kind, [mine])
    others = [row for row in told[1:-1] if row[0] != exec_id]
    assert next(row for row in true[1:-1] if row[0] != exec_id) in others
    assert "falsified already" in market.apply(Falsify(kind=kind, exec_id=exec_id), AT).refused


def test_a_lie_can_wait_for_its_trade() -> None:
    market = venue()
    assert market.apply(Falsify(kind="omit"), AT).subject == ""
    assert not market.falsifications
    reports(market, new("A", "1", "100", "100"))
    reports(market, new("B", "2", "60", "100"))
    lies = [item.exec_id for item in market.falsifications]
    assert lies == [next(iter(market.trades)).exec_id]
    assert "none of" in market.apply(Falsify(kind="wrong"), AT).refused
