"""A finished client order and its children as one piece, and back, exactly.

What every order has becomes bytes, an order's worth of objects a tenth of its size. What few have
(conditions, splits, a tale of drop copies ...) is kept beside the bytes as it is. The bytes are
for this process alone: another one folds the journal.
"""

import marshal
import pickle
from collections.abc import Sequence
from dataclasses import MISSING, fields
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from oms.domain.conditions import Conditions
from oms.domain.fix import OrdStatus, OrdType, Side, TimeInForce
from oms.domain.order import Execution, Order
from oms.domain.reasons import Reason
from oms.domain.terms import OrderTerms

Family = bytes | tuple[Any, ...]
"""Bytes; or bytes, and after them what they leave out: (number of the object, field, value)."""

_TEXTS: Final = (
    *("order_id", "parent_id", "counterparty", "session", "cl_ord_id", "account", "symbol"),
    *("trade_date", "created_at", "updated_at", "accepted", "venue_order_id", "text"),
    *("requests_made", "request_ids"),
)
_ENUMS: Final = {
    "side": Side,
    "ord_type": OrdType,
    "time_in_force": TimeInForce,
    "closed_reason": Reason,
}
_USUAL: Final = (*_TEXTS, *_ENUMS)
_MEMBERS: Final = {name: {one.value: one for one in cls} for name, cls in _ENUMS.items()}
_DECIMALS: Final = ("order_qty", "cum_qty", "traded_value")
_APART: Final = ("price", "closed", "first_terms", "executions", "children")
_TRADE_TEXTS: Final = (
    *("venue", "exec_id", "child_id", "at", "latest_exec_id", "report_id", "transact_time"),
    *("place", "previous_report_id"),
)
_TRADE_DECIMALS: Final = ("last_qty", "last_px")
# Its first byte is none that marshal begins a tuple with.
_PICKLE: Final = 5
_PICKLED: Final = b"\x80"
_APART_OF_TERMS: Final = ("conditions", "list_id")
_TERMS: Final = tuple(one.name for one in fields(OrderTerms) if one.name not in _APART_OF_TERMS)


def _rare(cls: type, *usual: str) -> dict[str, Any]:
    """The other fields of the class, with their defaults."""
    found = {}
    for one in fields(cls):
        if one.name not in usual:
            made = one.default_factory
            found[one.name] = one.default if made is MISSING else made()
    assert MISSING not in found.values(), found
    return found


_RARE: Final = _rare(Order, *_TEXTS, *_ENUMS, *_DECIMALS, *_APART)
_RARE_TRADE: Final = _rare(Execution, *_TRADE_TEXTS, *_TRADE_DECIMALS)

_usual_of = attrgetter(*_TEXTS, *(f"{one}._value_" for one in _ENUMS), "first_terms.list_id")
_rare_of = attrgetter(*_RARE)
_usual_of_trade = attrgetter(*_TRADE_TEXTS)
_rare_of_trade = attrgetter(*_RARE_TRADE)
_DEFAULTS: Final = tuple(_RARE.values())
_TRADE_DEFAULTS: Final = tuple(_RARE_TRADE.values())


def packed(parent: Order, children: Sequence[Order]) -> Family | None:
    """The client order with all its children; None where they cannot be told in bytes.

    Every execution is in the parent's set and in that of its child, in one order.
    """
    orders = (parent, *children)
    trades = parent.executions.values()
    beside: list[tuple[int, str, Any]] = []
    told: list[tuple[Any, ...]] = []
    for n, order in enumerate(orders):
        rare = _rare_of(order)
        if rare != _DEFAULTS:
            beside += _unusual(n, _RARE, rare)
        terms = order.first_terms
        price, closed = order.price, order.closed
        first = None
        # The very objects, for 1.0 is 1.00. Nothing else of an order's terms ever changes.
        if terms.conditions is not order.conditions:
            beside.append((n, "first_terms", terms))
        elif (
            terms.cl_ord_id is not order.cl_ord_id
            or terms.order_qty is not order.order_qty
            or terms.price is not price
            or terms.session is not order.session
        ):
            first = _changed(terms)
        told.append(
            (
                *_usual_of(order),
                str(order.order_qty),
                str(order.cum_qty),
                str(order.traded_value),
                None if price is None else str(price),
                None if closed is None else closed.value,
                first,
            )
        )
    for n, trade in enumerate(trades, start=len(orders)):
        rare = _rare_of_trade(trade)
        if rare != _TRADE_DEFAULTS:
            beside += _unusual(n, _RARE_TRADE, rare)
        told.append((*_usual_of_trade(trade), str(trade.last_qty), str(trade.last_px)))
    if sum(len(one.executions) for one in children) != len(trades):
        return None
    try:
        data = marshal.dumps((len(orders), told)) + (b"T" if trades else b"-")
    except ValueError:
        return None
    return (data, *beside) if beside else data


def _changed(terms: OrderTerms) -> tuple[str, str, str, str | None]:
    price = None if terms.price is None else str(terms.price)
    return terms.cl_ord_id, terms.session, str(terms.order_qty), price


def may_have_traded(family: Family, marks: Sequence[bytes]) -> bool:
    """Whether it has trades, and all these texts in it; said quickly, and too often."""
    data = family if isinstance(family, bytes) else family[0]
    return data[-1:] == b"T" and all(one in data for one in marks)


def as_bytes(family: Family) -> bytes:
    """The family for a shelf that holds bytes only."""
    return family if isinstance(family, bytes) else pickle.dumps(family, _PICKLE)


def from_bytes(data: bytes) -> Family:
    """What `as_bytes` was given."""
    if data[:1] != _PICKLED:
        return data
    found: Family = pickle.loads(data)  # noqa: S301 - made by this process, and checked
    return found


def may_have_traded_of(datas: list[bytes], marks: Sequence[bytes]) -> list[bytes]:
    """Those, made by `as_bytes`, of which `may_have_traded` says so; and now and then another."""
    datas = [one for one in datas if one[-1:] == b"T" or one[:1] == _PICKLED]
    for mark in marks:
        datas = [one for one in datas if mark in one]
    return datas


def _unusual(n: int, usual: dict[str, Any], values: tuple[Any, ...]) -> list[tuple[int, str, Any]]:
    pairs = zip(usual.items(), values, strict=True)
    return [(n, name, value) for (name, default), value in pairs if value != default]


def unpacked(family: Family) -> list[Order]:
    """The client order, then its children, as they were."""
    data: bytes = family if isinstance(family, bytes) else family[0]
    beside: Sequence[tuple[int, str, Any]] = () if isinstance(family, bytes) else family[1:]
    count, told = marshal.loads(data)  # noqa: S302 - made by this process, a moment ago
    rare: dict[int, dict[str, Any]] = {}
    for n, name, value in beside:
        rare.setdefault(n, {})[name] = value
    orders = [_order(told[n], rare.get(n, {})) for n in range(count)]
    trades = [_trade(told[n], rare.get(n, {})) for n in range(count, len(told))]
    parent, *children = orders
    parent.children = [one.order_id for one in children]
    parent.executions = {(one.child_id, one.exec_id): one for one in trades}
    for child in children:
        mine = parent.executions.items()
        child.executions = {key: one for key, one in mine if one.child_id == child.order_id}
    return orders


def _order(told: tuple[Any, ...], rare: dict[str, Any]) -> Order:
    *usual, order_qty, cum_qty, traded_value, price, closed, first = told
    values: dict[str, Any] = dict(zip(_USUAL, usual, strict=False))
    for name, members in _MEMBERS.items():
        values[name] = members[values[name]]
    values["order_qty"] = Decimal(order_qty)
    values["price"] = None if price is None else Decimal(price)
    terms = rare.pop("first_terms", None)
    if terms is None:
        terms = _terms(values, rare.get("conditions"), first, usual[-1])
    return Order(
        **values,
        **rare,
        cum_qty=Decimal(cum_qty),
        traded_value=Decimal(traded_value),
        closed=None if closed is None else OrdStatus(closed),
        first_terms=terms,
    )


def _terms(
    values: dict[str, Any],
    conditions: Conditions | None,
    first: tuple[Any, ...] | None,
    list_id: str,
) -> OrderTerms:
    asked: dict[str, Any] = {name: values[name] for name in _TERMS}
    if first is not None:
        asked["cl_ord_id"], asked["session"], first_qty, first_px = first
        asked["order_qty"] = Decimal(first_qty)
        asked["price"] = None if first_px is None else Decimal(first_px)
    return OrderTerms(**asked, conditions=conditions, list_id=list_id)


def _trade(told: tuple[Any, ...], rare: dict[str, Any]) -> Execution:
    *usual, last_qty, last_px = told
    values = dict(zip(_TRADE_TEXTS, usual, strict=True))
    return Execution(**values, **rare, last_qty=Decimal(last_qty), last_px=Decimal(last_px))


def cl_ord_ids_of(order: Order) -> list[str]:
    """The ClOrdIDs that the order and the requests on it had."""
    found = [order.cl_ord_id, *order.request_ids]
    first = order.first_terms.cl_ord_id
    if first not in found:
        found.append(first)
    return found


def exec_ids_of(order: Order) -> list[tuple[str, str]]:
    """By venue, the ExecIDs under which the order's trades were told."""
    found = []
    for one in order.executions.values():
        venue = one.venue
        found.append((venue, one.exec_id))
        if one.latest_exec_id != one.exec_id:
            found.append((venue, one.latest_exec_id))
        if one.tale is not None:
            for told in one.tale.told.values():
                found += [(venue, exec_id) for exec_id in told]
    return found
