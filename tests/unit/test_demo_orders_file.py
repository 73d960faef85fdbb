"""A user's own orders for the demo: what is read, and how each fault is told."""

from decimal import Decimal
from pathlib import Path

import pytest

from oms.demo.orders_file import OrdersFileError, accounts_of, listings_of, read_orders

HEAD = "cl_ord_id,account,symbol,side,order_qty,ord_type,price,time_in_force\n"


def written(directory: Path, text: str) -> Path:
    path = directory / "orders"
    path.write_text(text)
    return path


def test_a_csv_takes_names_and_wire_values(tmp_path: Path) -> None:
    text = HEAD + "A1,ALPHA-1,AAPL,buy,100,LIMIT,227.60,DAY\n\nA2,FUND,TSLA,5,7,2,251.125,\n"
    first, second = read_orders(written(tmp_path, text))
    assert (first.side, first.ord_type, first.time_in_force, first.client) == (
        "1",
        "2",
        "0",
        "ALPHA",
    )
    assert (second.side, second.price, second.time_in_force) == ("5", "251.125", "0")
    [added] = [one for one in listings_of((first, second)) if one.symbol == "TSLA"]
    assert (added.reference_px, added.tick) == (Decimal("251.125"), Decimal("0.001"))
    assert accounts_of((first, second))["FUND"] == second.client


def test_a_fix_log_gives_its_new_orders_once(tmp_path: Path) -> None:
    order = "8=FIX.4.4|9=9|35=D|34=2|11=L1|1=ALPHA-1|55=AAPL|54=1|38=10|40=2|44=227.6|59=3|10=0|"
    other = order.replace("L1", "L2").replace("|", "\x01")
    text = f"in {order}\n20260101 : {other}\n8=FIX.4.4|35=8|11=L1|\n"
    repeat = order.replace("34=2", "34=2|43=Y")
    found = read_orders(written(tmp_path, text + repeat + "\n"))
    assert [one.cl_ord_id for one in found] == ["L1", "L2"]
    assert {(one.order_qty, one.price, one.time_in_force) for one in found} == {
        ("10", "227.6", "3")
    }


def test_a_fix_log_without_line_ends_gives_every_order(tmp_path: Path) -> None:
    order = "8=FIX.4.4|35=D|11=L1|1=A|55=AAPL|54=1|38=10|40=2|44=227.6|58=FIX.4.4|59=3|10=0|"
    text = "".join(order.replace("L1", name) for name in ("L1", "L2", "L3")).replace("|", "\x01")
    found = read_orders(written(tmp_path, text))
    assert [(one.cl_ord_id, one.time_in_force) for one in found] == [
        ("L1", "3"),
        ("L2", "3"),
        ("L3", "3"),
    ]


def test_a_csv_that_names_a_fix_version_is_no_log(tmp_path: Path) -> None:
    text = HEAD + "8=FIX.4.4,A,AAPL,BUY,5,LIMIT,9,DAY\n"
    assert [one.cl_ord_id for one in read_orders(written(tmp_path, text))] == ["8=FIX.4.4"]


@pytest.mark.parametrize("text", [HEAD + '"A1' + "9" * 140_000, '"' + HEAD + "9" * 140_000])
def test_a_quote_that_is_never_closed_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(OrdersFileError, match="must be CSV; is a quote missing"):
        read_orders(written(tmp_path, text))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("A1,A,AAPL,BUY,0,LIMIT,1,DAY", "order_qty = '0': must be greater than zero"),
        ("A1,A,AAPL,BUY,1e3,LIMIT,1,DAY", "order_qty = '1e3': must be a decimal number"),
        ("A1,A,AAPL,BUY,,LIMIT,1,DAY", "order_qty = '': must be a decimal number"),
        ("A1,A,AAPL,BUY,NaN,LIMIT,1,DAY", "order_qty = 'NaN': must be a decimal number"),
        ("A1,A,AAPL,BUY,5,LIMIT,,DAY", "price = '': must be a decimal number"),
        ("A1,A,AAPL,BUY,5,MARKET,9,DAY", "price = '9': must be empty on a market order"),
        ("A1,A,AAPL,HOLD,5,LIMIT,9,DAY", "side = 'HOLD': must be one of BUY (1), SELL (2)"),
        ("A1,A,AAPL,BUY,5,STOP,9,DAY", "ord_type = 'STOP': must be one of MARKET (1)"),
        ("A1,A,AAPL,BUY,5,LIMIT,9,GTC", "time_in_force = 'GTC': must be one of DAY (0)"),
        (",A,AAPL,BUY,5,LIMIT,9,DAY", "cl_ord_id = '': must be 1 to 64 printable"),
        ("A1,,AAPL,BUY,5,LIMIT,9,DAY", "account = '': must be 1 to 64 printable"),
        ("A1,A,A APL,BUY,5,LIMIT,9,DAY", "symbol = 'A APL': must be 1 to 32 letters"),
        ("A1,A,NEW,BUY,5,MARKET,,DAY", "symbol = 'NEW': must be one of the demo's, or have"),
        ("A1,A,AAPL,BUY,5,LIMIT,9,DAY,x", "must have 8 values, it has more"),
    ],
)
def test_each_fault_names_row_field_value_and_rule(tmp_path: Path, row: str, fault: str) -> None:
    path = written(tmp_path, HEAD + "A0,A,AAPL,BUY,5,LIMIT,9,DAY\n" + row + "\n")
    with pytest.raises(OrdersFileError) as caught:
        read_orders(path)
    assert str(caught.value).startswith(f"{path}: row 3: {fault}"), caught.value


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "A1,A,AAPL,BUY,0,LIMIT,9,DAY\nA1,A,AAPL,BUY,5,LIMIT,0,DAY\n")
    with pytest.raises(OrdersFileError) as caught:
        read_orders(path)
    first, second, third = str(caught.value).splitlines()
    assert "row 2: order_qty" in first
    assert "row 3: cl_ord_id = 'A1': must stand once" in second
    assert "row 3: price" in third


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "row 1: cl_ord_id, account"),
        ("a,b\n1,2\n", "row 1: cl_ord_id, account"),
        (HEAD, "holds no order"),
        ("8=FIX.4.4|35=8|11=L1|\n", "holds no order"),
    ],
)
def test_a_file_without_orders_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(OrdersFileError, match=fault):
        read_orders(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OrdersFileError, match="cannot be read"):
        read_orders(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OrdersFileError, match="must be UTF-8"):
        read_orders(tmp_path / "bytes")
