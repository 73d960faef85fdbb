"""What clients ask about beyond single orders, answered from the state; pure.

Only open orders are told in answer to a mass status request: one that it leaves out is done, and
its client may ask for it by its ClOrdID.
"""

from collections.abc import Iterator
from typing import Final, assert_never

from oms.domain.answers import (
    NoOrdersReported,
    OrderMassStatusReported,
    SecuritiesListed,
    TradingSessionReported,
)
from oms.domain.baskets import (
    BasketCommand,
    ListCancelRequest,
    ListExecute,
    ListStatusRequest,
    NewOrderList,
)
from oms.domain.commands import OrderMassCancelRequest
from oms.domain.events import Event
from oms.domain.inquiries import (
    DontKnowTrade,
    Inquiry,
    MassStatusReqType,
    OrderMassStatusRequest,
    ResolveDispute,
    SecurityListRequest,
    SubscriptionRequestType,
    TradeCaptureReportRequest,
    TradingSessionStatusRequest,
)
from oms.domain.instrument import Instrument
from oms.domain.order import Order
from oms.domain.state import State
from oms.orders.baskets import decide_basket
from oms.orders.disputes import decide_dispute, decide_resolution
from oms.orders.mass_cancel import decide_mass_cancel
from oms.orders.trade_requests import decide_trade_request

# TradingSessionID (336): there is one a trading date.
TRADING_SESSION: Final = "1"
# SecurityRequestResult (560)
_VALID, _UNSUPPORTED, _NONE_FOUND = "0", "1", "2"
# TradSesStatusRejReason (567)
_UNKNOWN_SESSION = "1"


def decide_inquiry(
    state: State, seq: int, command: Inquiry | OrderMassCancelRequest | BasketCommand
) -> Iterator[Event]:
    """What is answered, and done where it asks for that. seq: the command's journal number."""
    match command:
        case OrderMassCancelRequest():
            yield from decide_mass_cancel(state, seq, command)
        case OrderMassStatusRequest():
            yield from _mass_status(state, command)
        case SecurityListRequest():
            yield _securities(state, command)
        case TradingSessionStatusRequest():
            yield _trading_session(command)
        case DontKnowTrade():
            yield from decide_dispute(state, command)
        case ResolveDispute():
            yield from decide_resolution(state, command)
        case TradeCaptureReportRequest():
            yield from decide_trade_request(state, command)
        case NewOrderList() | ListExecute() | ListCancelRequest() | ListStatusRequest():
            yield from decide_basket(state, command)
        case _:
            assert_never(command)


def _mass_status(state: State, command: OrderMassStatusRequest) -> Iterator[Event]:
    session, named = command.origin.session, command.mass_status_req_id
    client = command.origin.counterparty
    found = [state.orders[one] for one in state.open_orders]
    found = [one for one in found if _is_meant(one, client, command)]
    found.sort(key=lambda order: (order.created_at, order.order_id))
    for n, order in enumerate(found, start=1):
        yield OrderMassStatusReported(
            order_id=order.order_id,
            session=session,
            mass_status_req_id=named,
            tot_num_reports=len(found),
            last_rpt_requested=n == len(found),
        )
    if not found:
        yield NoOrdersReported(
            session=session, mass_status_req_id=named, text="no open order of yours matches"
        )


def _is_meant(order: Order, client: str, command: OrderMassStatusRequest) -> bool:
    by_security = command.mass_status_req_type is MassStatusReqType.SECURITY
    return (
        not order.is_child
        and order.counterparty == client
        and (not by_security or order.symbol == command.symbol)
        and command.account in ("", order.account)
        and command.side in (None, order.side)
    )


def _securities(state: State, command: SecurityListRequest) -> SecuritiesListed:
    """SecurityListRequestType (559): 0 a symbol, 1 a security type, 4 all."""
    kind = command.request_type
    named = {"0": command.symbol, "1": command.security_type, "4": "all"}.get(kind, "")
    symbols = tuple(
        one.symbol for one in state.reference.instruments.values() if _is_wanted(one, kind, named)
    )
    if not named:
        given = "needs a Symbol (55) or SecurityType (167)" if kind in "01" else "must be 0, 1 or 4"
        result, text = _UNSUPPORTED, f"SecurityListRequestType (559) = {kind}: {given}"
    elif not symbols:
        result, text = _NONE_FOUND, f"{named}: no instrument of ours"
    else:
        result, text = _VALID, ""
    return SecuritiesListed(
        session=command.origin.session,
        security_req_id=command.security_req_id,
        result=result,
        symbols=symbols,
        text=text,
    )


def _is_wanted(instrument: Instrument, kind: str, named: str) -> bool:
    match kind:
        case "0":
            return instrument.symbol == named
        case "1":
            return instrument.security_type == named
        case _:
            return kind == "4"


def _trading_session(command: TradingSessionStatusRequest) -> TradingSessionReported:
    asked = command.trading_session_id
    unknown = asked not in ("", TRADING_SESSION)
    subscribed = None
    if not unknown and command.subscription is not SubscriptionRequestType.SNAPSHOT:
        subscribed = command.subscription is SubscriptionRequestType.SUBSCRIBE
    return TradingSessionReported(
        session=command.origin.session,
        trad_ses_req_id=command.trad_ses_req_id,
        subscribed=subscribed,
        reject_reason=_UNKNOWN_SESSION if unknown else "",
        text=f"TradingSessionID (336) = {asked}: must be {TRADING_SESSION}" if unknown else "",
    )
