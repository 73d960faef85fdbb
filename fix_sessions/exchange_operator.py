"""What a request over the control socket means: a command for the venue, or a question."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ems.simulator.commands import (
    BustTrade,
    CancelUnsolicited,
    Command,
    CorrectTrade,
    ExpireDay,
    Falsify,
    ReportUnknownFill,
    RepriceOrder,
    SetFault,
    SplitShares,
)
from ems.simulator.model import Trade, VenueOrder
from ems.simulator.statements import Falsification, iso_time
from ems.simulator.venue import Venue

Request = dict[str, Any]


def command_of(request: Request, default_session: str) -> Command | None:
    """The command, or None where the request is none.

    Raises KeyError for a missing argument, ValueError or ArithmeticError for a wrong one.
    """
    exec_id = str(request.get("exec_id", ""))
    match request.get("do"):
        case "set":
            return SetFault(name=str(request["name"]), value=int(request["value"]))
        case "bust":
            return BustTrade(exec_id=exec_id)
        case "correct":
            return CorrectTrade(
                exec_id=exec_id,
                last_qty=_decimal(request, "last_qty") if "last_qty" in request else None,
                last_px=_decimal(request, "last_px") if "last_px" in request else None,
            )
        case "cancel":
            return CancelUnsolicited(order_id=str(request.get("order_id", "")))
        case "unknown_fill":
            return ReportUnknownFill(
                owner=str(request.get("session", default_session)),
                symbol=str(request["symbol"]),
                side=str(request["side"]),
                last_qty=_decimal(request, "last_qty"),
                last_px=_decimal(request, "last_px"),
            )
        case "split":
            new_shares, old_shares = int(request["new_shares"]), int(request["old_shares"])
            return SplitShares(
                symbol=str(request["symbol"]), new_shares=new_shares, old_shares=old_shares
            )
        case "reprice":
            order_id = str(request.get("order_id", ""))
            return RepriceOrder(order_id=order_id, price=_decimal(request, "price"))
        case "falsify":
            return Falsify(kind=str(request["kind"]), exec_id=exec_id)
        case "expire_day":
            return ExpireDay()
        case _:
            return None


def answer_of(request: Request, venue: Venue) -> dict[str, Any] | None:
    """The answer to a question about the venue, or None where the request is none."""
    match request.get("do"):
        case "orders":
            return {"orders": [_order(item) for item in venue.orders]}
        case "trades":
            return {"trades": [_trade(item) for item in venue.trades]}
        case "faults":
            return {"faults": venue.faults.as_dict()}
        case "falsifications":
            return {"falsifications": [_falsification(item) for item in venue.falsifications]}
        case _:
            return None


def counts(orders: Iterable[VenueOrder], trades: Iterable[Trade]) -> dict[str, Any]:
    """How many orders and trades there are, by status."""
    by_status = Counter(str(item.ord_status) for item in orders)
    by_trade_status = Counter(str(item.status) for item in trades)
    return {
        "orders": by_status.total(),
        "orders_by_status": dict(by_status),
        "trades": by_trade_status.total(),
        "trades_by_status": dict(by_trade_status),
    }


def _decimal(request: Request, key: str) -> Decimal:
    value = Decimal(str(request[key]))
    if not value.is_finite():
        raise ValueError(f"{key}: {request[key]}: must be a number")
    return value


def _text(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


def _order(order: VenueOrder) -> dict[str, str]:
    return {
        "owner": order.owner,
        "order_id": order.order_id,
        "cl_ord_id": order.cl_ord_id,
        "symbol": order.symbol,
        "side": order.side,
        "ord_type": order.ord_type,
        "time_in_force": order.time_in_force,
        "order_qty": _text(order.order_qty),
        "price": _text(order.price),
        "cum_qty": _text(order.cum_qty),
        "leaves_qty": _text(order.leaves_qty),
        "avg_px": _text(order.avg_px.normalize()),
        "ord_status": str(order.ord_status),
    }


def _trade(trade: Trade) -> dict[str, str]:
    return {
        "owner": trade.owner,
        "exec_id": trade.exec_id,
        "last_exec_id": trade.last_exec_id,
        "match_id": str(trade.match_id),
        "order_id": trade.order_id,
        "cl_ord_id": trade.cl_ord_id,
        "symbol": trade.symbol,
        "side": trade.side,
        "last_qty": _text(trade.last_qty),
        "last_px": _text(trade.last_px),
        "transact_time": iso_time(trade.transact_time),
        "status": str(trade.status),
    }


def _falsification(item: Falsification) -> dict[str, str]:
    return {
        "kind": item.kind,
        "exec_id": item.exec_id,
        "cl_ord_id": item.true.cl_ord_id,
        "order_id": item.true.order_id,
        "symbol": item.true.symbol,
    }
