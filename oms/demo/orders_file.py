"""A user's own orders: a CSV file, or a FIX log whose NewOrderSingles (35=D) are taken.

Every row is looked at before anything is sent; each fault is one line that names the row, the
field, its value and the rule. What only the server can judge (tick, limits, symbols) is left to it.
"""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from oms.demo.plan import DAY, MARKET, PlannedOrder
from oms.demo.world import ACCOUNTS, CLIENTS, LISTINGS, Listing
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.domain.values import ValueRefused, parse_decimal

COLUMNS = (
    "cl_ord_id",
    "account",
    "symbol",
    "side",
    "order_qty",
    "ord_type",
    "price",
    "time_in_force",
)
MAX_BYTES = 64 * 1024 * 1024
_TAGS = dict(zip((11, 1, 55, 54, 38, 40, 44, 59), COLUMNS, strict=True))
_NAME = re.compile(r"[!-~]([ -~]{0,62}[!-~])?")
_ACCOUNT = re.compile(r"[!-~]{1,64}")
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,31}")
_FIX_FIELD = re.compile(r"(?:^|(?<=[\x01|;\s]))(\d{1,5})=([^\x01|]*)")
# Not the end of another tag, nor a text.
_FIX_BEGIN = re.compile(r"(?<!\d)(?=8=FIXT?\.\d)")
_ENUMS = {
    "side": tuple(Side),
    "ord_type": (OrdType.MARKET, OrdType.LIMIT),
    "time_in_force": (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK),
}

Row = tuple[int, dict[str, str]]


class OrdersFileError(ValueError):
    """The file cannot be used: one line for each fault."""


def read_orders(path: Path) -> tuple[PlannedOrder, ...]:
    """The orders in the file, in its order. Raises OrdersFileError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OrdersFileError(f"{path}: must have at most {MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise OrdersFileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OrdersFileError(f"{path}: must be UTF-8") from None
    is_log = _FIX_BEGIN.search(text) and COLUMNS[0] not in text.partition("\n")[0].lower()
    try:
        rows = list(_log_rows(text) if is_log else _csv_rows(path, text))
    except csv.Error as error:
        raise OrdersFileError(f"{path}: must be CSV; is a quote missing? {error}") from None
    if not rows:
        raise OrdersFileError(f"{path}: holds no order")
    faults: list[str] = []
    seen: set[str] = set()
    orders: list[PlannedOrder] = []
    for number, values in rows:
        found = [f"{path}: row {number}: {fault}" for fault in _faults(values, seen)]
        faults += found
        seen.add(values["cl_ord_id"])
        if not found:
            orders.append(_order(values))
    faults += _unpriced(path, rows, orders) if not faults else []
    if faults:
        raise OrdersFileError("\n".join(faults))
    return tuple(orders)


def accounts_of(orders: tuple[PlannedOrder, ...]) -> dict[str, str]:
    """The demo's accounts and those of the orders, each with the client whose it is."""
    return {**ACCOUNTS, **{one.account: one.client for one in orders}}


def listings_of(orders: tuple[PlannedOrder, ...]) -> tuple[Listing, ...]:
    """The demo's instruments and, around its first price, every other symbol of the orders."""
    known = {one.symbol: one for one in LISTINGS}
    for order in orders:
        if order.price and order.symbol not in known:
            known[order.symbol] = Listing(
                symbol=order.symbol, reference_px=Decimal(order.price), tick=_tick(order.price)
            )
    return tuple(known.values())


def _tick(price: str) -> Decimal:
    """A hundredth, or the last decimal of the price where it has more."""
    exponent = Decimal(price).normalize().as_tuple().exponent
    return Decimal(1).scaleb(min(-2, int(exponent)))


def _csv_rows(path: Path, text: str) -> Iterator[Row]:
    reader = csv.DictReader(text.splitlines(), restkey="more", restval="")
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        rule = f"the first row must name {','.join(COLUMNS)}"
        raise OrdersFileError(f"{path}: row 1: {', '.join(missing)}: missing; {rule}")
    reader.fieldnames = names
    for row in reader:
        if any(value for value in row.values()):
            extra = {"more": "yes"} if "more" in row else {}
            values = {name: (row[name] or "").strip() for name in COLUMNS}
            yield reader.line_num, {**values, **extra}


def _log_rows(text: str) -> Iterator[Row]:
    """Any number of messages in a line. Repeats (43=Y, 97=Y) are not orders of their own."""
    for number, line in enumerate(text.splitlines(), start=1):
        for message in _FIX_BEGIN.split(line)[1:]:
            fields = {
                int(tag): value.strip()
                for tag, value in _FIX_FIELD.findall(message.replace("^A", "\x01"))
            }
            if fields.get(35) == "D" and "Y" not in (fields.get(43), fields.get(97)):
                yield number, {name: fields.get(tag, "") for tag, name in _TAGS.items()}


def _faults(values: dict[str, str], seen: set[str]) -> Iterator[str]:
    if "more" in values:
        yield f"must have {len(COLUMNS)} values, it has more"
        return
    for name, pattern, rule in (
        ("cl_ord_id", _NAME, "must be 1 to 64 printable characters"),
        ("account", _ACCOUNT, "must be 1 to 64 printable characters without spaces"),
        ("symbol", _SYMBOL, "must be 1 to 32 letters, digits, '.', '/', '_' or '-'"),
    ):
        if not pattern.fullmatch(values[name]):
            yield f"{name} = {values[name]!r}: {rule}"
    if values["cl_ord_id"] in seen:
        yield f"cl_ord_id = {values['cl_ord_id']!r}: must stand once"
    for name, kind in _ENUMS.items():
        if _wire(name, values[name]) is None:
            known = ", ".join(f"{one.name} ({one.value})" for one in kind)
            yield f"{name} = {values[name]!r}: must be one of {known}"
    yield from _number_faults(values)


def _number_faults(values: dict[str, str]) -> Iterator[str]:
    market = _wire("ord_type", values["ord_type"]) == MARKET
    for name in ("order_qty", "price"):
        value = values[name]
        if name == "price" and market:
            if value:
                yield f"price = {value!r}: must be empty on a market order"
            continue
        try:
            if parse_decimal(value) <= 0:
                yield f"{name} = {value!r}: must be greater than zero"
        except ValueRefused as refused:
            yield f"{name} = {value!r}: {refused.rule}"


def _unpriced(path: Path, rows: list[Row], orders: list[PlannedOrder]) -> Iterator[str]:
    """The simulated venues make a market around a price: a symbol of the user's needs one."""
    known = {one.symbol for one in listings_of(tuple(orders))}
    for number, values in rows:
        if values["symbol"] not in known:
            rule = "must be one of the demo's, or have a limit order with a price in the file"
            yield f"{path}: row {number}: symbol = {values['symbol']!r}: {rule}"


def _wire(name: str, text: str) -> str | None:
    """The FIX value that a name or a value means; an absent TimeInForce is Day, as FIX has it."""
    kind = _ENUMS[name]
    if name == "time_in_force" and not text:
        return DAY
    for one in kind:
        if text.upper() in (one.name, one.value):
            return one.value
    return None


def _order(values: dict[str, str]) -> PlannedOrder:
    account = values["account"]
    client = ACCOUNTS.get(account) or CLIENTS[sum(account.encode()) % len(CLIENTS)]
    wires = {name: _wire(name, values[name]) or "" for name in _ENUMS}
    return PlannedOrder(
        cl_ord_id=values["cl_ord_id"],
        client=client,
        account=account,
        symbol=values["symbol"],
        side=wires["side"],
        order_qty=values["order_qty"],
        ord_type=wires["ord_type"],
        price=values["price"],
        time_in_force=wires["time_in_force"],
        refusal=None,
    )
