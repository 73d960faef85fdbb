"""TradeCaptureReportRequests: a client's own trades of the trading date, from the state; pure.

The state has the date's trades at hand, so nothing is read while others wait. What it has not, and
long lists, the answer leaves to REST, which reads the record beside the core.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from oms.domain.answers import TradeReported, TradeRequestAnswered
from oms.domain.events import Event
from oms.domain.inquiries import TradeCaptureReportRequest
from oms.domain.order import Execution, Order
from oms.domain.state import State

MAX_TRADES: Final = 1_000
# TradeRequestType (569): all trades, and those that match; the criteria count in both.
_TYPES: Final = frozenset({"0", "1"})
# TradeRequestResult (749)
_SUCCESSFUL, _UNKNOWN_INSTRUMENT, _TYPE_NOT_SUPPORTED, _OTHER = "0", "1", "8", "99"
# TradeRequestStatus (750)
_ACCEPTED, _COMPLETED, _REJECTED = "0", "1", "2"

Found = tuple[Order, Execution]


def decide_trade_request(state: State, command: TradeCaptureReportRequest) -> Iterator[Event]:
    """The acknowledgement, and the trades it announces, oldest first."""
    fault = _fault_of(state, command)
    found = [] if fault else _trades(state, command)
    if len(found) > MAX_TRADES:
        fault = _OTHER, f"more than {MAX_TRADES} trades match: ask for fewer, or REST"
        found = []
    result, text = fault or (_SUCCESSFUL, "")
    accepted = _ACCEPTED if found else _COMPLETED
    yield TradeRequestAnswered(
        session=command.origin.session,
        trade_request_id=command.trade_request_id,
        request_type=command.request_type,
        result=result,
        status=_REJECTED if fault else accepted,
        total=len(found),
        text=text,
    )
    for n, (order, execution) in enumerate(found, start=1):
        yield TradeReported(
            order_id=order.order_id,
            session=command.origin.session,
            trade_request_id=command.trade_request_id,
            venue=execution.venue,
            exec_id=execution.exec_id,
            child_id=execution.child_id,
            total=len(found),
            last=n == len(found),
        )


def _fault_of(state: State, command: TradeCaptureReportRequest) -> tuple[str, str] | None:
    """Why there is no answer: TradeRequestResult and the text."""
    known = state.trade_date.replace("-", "")
    if command.request_type not in _TYPES:
        asked = f"TradeRequestType (569) = {command.request_type}"
        return _TYPE_NOT_SUPPORTED, f"{asked}: must be 0 (ALL) or 1 (MATCHING)"
    if command.subscription not in ("", "0"):
        asked = f"SubscriptionRequestType (263) = {command.subscription}"
        return _OTHER, f"{asked}: must be 0; trades are told by ExecutionReports"
    if command.trade_date not in ("", known):
        rule = f"must be {known}; GET /v1/executions has other dates"
        return _OTHER, f"TradeDate (75) = {command.trade_date}: {rule}"
    if command.symbol and command.symbol not in state.reference.instruments:
        return _UNKNOWN_INSTRUMENT, f"Symbol (55) = {command.symbol}: no instrument of ours"
    return None


def _trades(state: State, command: TradeCaptureReportRequest) -> list[Found]:
    matching = (
        (order, execution)
        for order in _orders(state, command)
        for execution in order.executions.values()
        if execution.at >= state.trade_date_at
        and command.exec_id in ("", execution.report_id, execution.previous_report_id)
    )
    # Beyond what is told, looking on would only keep everybody waiting.
    found = list(islice(matching, MAX_TRADES + 1))
    return sorted(found, key=lambda one: (one[1].at, int(one[1].report_id[1:])))


def _orders(state: State, command: TradeCaptureReportRequest) -> Iterator[Order]:
    client = command.origin.counterparty
    known = (client, command.account, command.symbol, command.exec_id)
    candidates: Iterator[Order | None] = state.orders.traded(*known)
    if command.order_id:
        candidates = iter([state.orders.get(command.order_id)])
    elif command.cl_ord_id:
        candidates = iter([state.order_of(client, command.cl_ord_id)])
    for order in candidates:
        if order is None or order.is_child or order.counterparty != client:
            continue
        if (
            command.account in ("", order.account)
            and command.symbol in ("", order.symbol)
            and command.side in (None, order.side)
            and (not command.cl_ord_id or state.order_of(client, command.cl_ord_id) is order)
        ):
            yield order
