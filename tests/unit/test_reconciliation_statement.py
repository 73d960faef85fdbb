"""A venue's files are read exactly or refused with line, field, value and rule."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ems.simulator import statements
from oms.domain.fix import OrdStatus, Side
from oms.jobs.venue_files import Source, read_statement
from oms.reconciliation import statement
from oms.reconciliation.sides import TradeStatus
from oms.reconciliation.statement import StatementError, parse_orders, parse_trades

DAY = date(2026, 11, 20)
HEADER = "exec_id,cl_ord_id,order_id,symbol,side,last_qty,last_px,transact_time,status\n"
ROW = "E1,C1,V1,ACME,1,100,10.50,2026-11-20T14:30:00.123000Z,NEW\n"
ORDER_HEADER = "cl_ord_id,order_id,symbol,side,order_qty,price,cum_qty,leaves_qty,ord_status\n"
ORDER_ROW = "C1,V1,ACME,5,100,,40,60,1\n"


def test_the_simulated_venue_writes_what_is_read() -> None:
    assert statements.TRADE_COLUMNS == statement.TRADE_COLUMNS
    assert statements.ORDER_COLUMNS == statement.ORDER_COLUMNS
    assert statements.TRAILER == statement.TRAILER


def test_a_file_that_a_spreadsheet_has_saved(tmp_path: Path) -> None:
    source = Source(trades=tmp_path / "trades.csv", orders=None)
    source.trades.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}{ROW}TRAILER,1\n".encode())
    assert [one.exec_id for one in read_statement(source, DAY).side.trades] == ["E1"]


def test_a_trade() -> None:
    (trade,) = parse_trades(HEADER + ROW + "TRAILER,1\n", DAY)
    assert (trade.line, trade.exec_id, trade.side) == (2, "E1", Side.BUY)
    assert (trade.last_qty, trade.last_px) == (Decimal(100), Decimal("10.5"))
    assert trade.status is TradeStatus.NEW
    assert trade.evidence()["transact_time"] == 1_795_185_000_123_000


def test_an_order() -> None:
    (order,) = parse_orders(ORDER_HEADER + ORDER_ROW + "TRAILER,1\n")
    assert (order.price, order.cum_qty) == (None, Decimal(40))
    assert (order.side, order.ord_status) == (Side.SELL_SHORT, OrdStatus.PARTIALLY_FILLED)


def test_an_empty_day_says_so_in_its_trailer() -> None:
    assert parse_trades(HEADER + "TRAILER,0\n", DAY) == ()
    assert parse_orders(ORDER_HEADER + "TRAILER,0\n") == ()


def test_lines_may_end_as_on_windows() -> None:
    text = (HEADER + ROW + "TRAILER,1\n").replace("\n", "\r\n")
    assert len(parse_trades(text, DAY)) == 1


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "the last line has no end: the file is cut off"),
        ("\n", "line 1: must be the header exec_id,"),
        (HEADER, "line 1: no TRAILER row: the file is cut off"),
        (HEADER + ROW, "line 2: no TRAILER row: the file is cut off"),
        (HEADER + ROW + "TRAILER,1", "the last line has no end: the file is cut off"),
        (HEADER + ROW + "TRAILER,2\n", "line 3: 'TRAILER,2': must count 1 records"),
        (HEADER + ROW + "TRAILER,one\n", "line 3: 'TRAILER,one': must count 1 records"),
        (HEADER + ROW + "TRAILER,1,\n", "line 3: 'TRAILER,1,': must count 1 records"),
        (HEADER + ROW + "TRAILER,1\n" + ROW, "line 4: no TRAILER row"),
        (HEADER + "TRAILER,1\nTRAILER,1\n", "line 2: a TRAILER row before the end"),
        (ROW + "TRAILER,0\n", "line 1: must be the header exec_id,"),
        (HEADER + "\nTRAILER,1\n", "line 2: 0 fields: must be 9"),
        (HEADER + "E1,C1\nTRAILER,1\n", "line 2: 2 fields: must be 9"),
        (HEADER + '"E\n1"\nTRAILER,1\n', "line 2: a field goes on over the line's end"),
        (HEADER + '"E1"x\nTRAILER,1\n', "line 2: must be CSV"),
        (HEADER + "E\0" + "\nTRAILER,1\n", "a NUL character: must be text"),
    ],
)
def test_what_is_no_statement(text: str, rule: str) -> None:
    with pytest.raises(StatementError) as refused:
        parse_trades(text, DAY)
    assert rule in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("E1,", ",", "line 2: exec_id = '': must not be empty"),
        ("C1,V1,", ",,", "line 2: cl_ord_id = '': must not be empty where order_id is"),
        ("ACME", "", "line 2: symbol = '': must not be empty"),
        (",1,100,", ",3,100,", "line 2: side = '3': must be one of 1, 2, 5"),
        (",100,", ",0,", "line 2: last_qty = '0': must be above 0"),
        (",100,", ",-1,", "line 2: last_qty = '-1': must be above 0"),
        (",100,", ",1e2,", "line 2: last_qty = '1e2': must be a decimal number without exponent"),
        (",100,", ",NaN,", "line 2: last_qty = 'NaN': must be a decimal number"),
        (",10.50,", ",,", "line 2: last_px = '': must be a decimal number"),
        (",10.50,", ",10.12345678901,", "must have at most 10 decimals"),
        ("000Z", "000", "must be a UTC time like"),
        ("11-20T", "11-31T", "must be a time that exists"),
        ("11-20T", "11-21T", "must be on 2026-11-20"),
        (",NEW", ",DONE", "line 2: status = 'DONE': must be one of NEW, CORRECTED, BUSTED"),
    ],
)
def test_a_value_that_cannot_be(old: str, new: str, rule: str) -> None:
    assert old in ROW
    with pytest.raises(StatementError) as refused:
        parse_trades(HEADER + ROW.replace(old, new) + "TRAILER,1\n", DAY)
    assert rule in str(refused.value)


def test_an_order_with_a_value_that_cannot_be() -> None:
    for row, rule in (
        ("C1,V1,ACME,5,100,0,40,60,1\n", "line 2: price = '0': must be above 0"),
        ("C1,V1,ACME,5,100,,40,60,Z\n", "line 2: ord_status = 'Z': must be one of 0, 1, 2"),
        ("C1,V1,ACME,5,100,,-4,60,1\n", "line 2: cum_qty = '-4': must not be negative"),
    ):
        with pytest.raises(StatementError) as refused:
            parse_orders(ORDER_HEADER + row + "TRAILER,1\n")
        assert rule in str(refused.value)
