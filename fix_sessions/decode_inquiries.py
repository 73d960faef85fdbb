"""Readers of what clients ask about beyond single orders; see fix_sessions.decode."""

from collections.abc import Callable
from typing import Final, TypedDict

from fix_sessions.fields import Fields
from oms.domain.commands import Command, OrderMassCancelRequest
from oms.domain.fix import Side
from oms.domain.inquiries import (
    DontKnowTrade,
    MassStatusReqType,
    OrderMassStatusRequest,
    SecurityListRequest,
    SubscriptionRequestType,
    TradeCaptureReportRequest,
    TradingSessionStatusRequest,
)
from oms.domain.origin import Origin


class _Narrowing(TypedDict):
    """Which orders or trades are meant; empty fields match all."""

    account: str
    symbol: str
    side: Side | None


def _narrowing(fields: Fields) -> _Narrowing:
    return _Narrowing(
        account=fields.optional_text(1),
        symbol=fields.optional_text(55),
        side=fields.optional_choice(54, Side),
    )


def _order_mass_cancel_request(fields: Fields, origin: Origin) -> OrderMassCancelRequest:
    """A type that is not served is answered by the report, as FIX has a code for it."""
    fields.require((60,))
    return OrderMassCancelRequest(
        origin=origin,
        cl_ord_id=fields.text(11),
        request_type=fields.text(530),
        **_narrowing(fields),
    )


def _order_mass_status_request(fields: Fields, origin: Origin) -> OrderMassStatusRequest:
    kind = fields.choice(585, MassStatusReqType)
    if kind is MassStatusReqType.SECURITY:
        fields.require((55,))
    return OrderMassStatusRequest(
        origin=origin,
        mass_status_req_id=fields.text(584),
        mass_status_req_type=kind,
        **_narrowing(fields),
    )


def _security_list_request(fields: Fields, origin: Origin) -> SecurityListRequest:
    """Repeated subscriptions are not known: what is configured changes by a restart."""
    return SecurityListRequest(
        origin=origin,
        security_req_id=fields.text(320),
        request_type=fields.text(559),
        symbol=fields.optional_text(55),
        security_type=fields.optional_text(167),
    )


def _trading_session_status_request(fields: Fields, origin: Origin) -> TradingSessionStatusRequest:
    return TradingSessionStatusRequest(
        origin=origin,
        trad_ses_req_id=fields.text(335),
        subscription=fields.choice(263, SubscriptionRequestType),
        trading_session_id=fields.optional_text(336),
    )


def _trade_capture_report_request(fields: Fields, origin: Origin) -> TradeCaptureReportRequest:
    return TradeCaptureReportRequest(
        origin=origin,
        trade_request_id=fields.text(568),
        request_type=fields.text(569),
        subscription=fields.optional_text(263),
        trade_date=fields.optional_text(75),
        order_id=fields.optional_text(37),
        cl_ord_id=fields.optional_text(11),
        exec_id=fields.optional_text(17),
        **_narrowing(fields),
    )


def _dont_know_trade(fields: Fields, origin: Origin) -> DontKnowTrade:
    return DontKnowTrade(
        origin=origin,
        order_id=fields.text(37),
        exec_id=fields.text(17),
        dk_reason=fields.text(127),
        text=fields.remark(58),
    )


INQUIRY_READERS: Final[dict[str, Callable[[Fields, Origin], Command]]] = {
    "q": _order_mass_cancel_request,
    "Q": _dont_know_trade,
    "AF": _order_mass_status_request,
    "x": _security_list_request,
    "g": _trading_session_status_request,
    "AD": _trade_capture_report_request,
}
