"""Answers to what clients asked for beyond single orders, as FIX 4.4 writes them; see encode."""

from typing import Final, assert_never

from fix_sessions.encode_baskets import list_status
from fix_sessions.wire import utc_timestamp_ms
from oms.domain.answer_effects import (
    AnswerMessage,
    SendDontKnowTrade,
    SendListStatus,
    SendOrderMassCancelReport,
    SendSecurityList,
    SendTradeCaptureReport,
    SendTradeRequestAck,
    SendTradingSessionStatus,
)
from oms.domain.values import decimal_text

Body = list[str]

POSS_RESEND = "97=Y"
MAX_TEXT = 500


# Those of them that have repeating groups.
GROUPED: Final = frozenset({"y", "AE", "N"})


def encode_answer(effect: AnswerMessage | SendDontKnowTrade) -> tuple[str, Body]:
    """MsgType (35) and body fields in order, groups in place."""
    msg_type, body = _message(effect)
    return msg_type, [POSS_RESEND, *body] if effect.poss_resend else body


def _message(effect: AnswerMessage | SendDontKnowTrade) -> tuple[str, Body]:
    match effect:
        case SendDontKnowTrade():
            return "Q", _dont_know_trade(effect)
        case SendOrderMassCancelReport():
            return "r", _mass_cancel_report(effect)
        case SendSecurityList():
            return "y", _security_list(effect)
        case SendTradingSessionStatus():
            return "h", _trading_session_status(effect)
        case SendTradeRequestAck():
            return "AQ", _trade_request_ack(effect)
        case SendTradeCaptureReport():
            return "AE", _trade_capture_report(effect)
        case SendListStatus():
            return "N", list_status(effect)
        case _:
            assert_never(effect)


def _mass_cancel_report(effect: SendOrderMassCancelReport) -> Body:
    body = [
        f"11={effect.cl_ord_id}",
        f"37={effect.request_id}",
        f"530={effect.request_type}",
        f"531={effect.response}",
        f"532={effect.reject_reason}",
        f"533={effect.affected}",
        f"55={effect.symbol}",
        f"60={utc_timestamp_ms(effect.at)}",
        f"58={effect.text[:MAX_TEXT]}",
    ]
    return body if effect.side is None else [*body, f"54={effect.side}"]


def _dont_know_trade(effect: SendDontKnowTrade) -> Body:
    """A side that we never send is told as undisclosed."""
    quantity = "" if effect.last_qty is None else decimal_text(effect.last_qty)
    return [
        f"37={effect.venue_order_id}",
        f"17={effect.exec_id}",
        f"127={effect.dk_reason}",
        f"55={effect.symbol}",
        f"54={effect.side or '7'}",
        f"38={quantity}",
        f"32={quantity}",
        "31=" if effect.last_px is None else f"31={decimal_text(effect.last_px)}",
        f"58={effect.text[:MAX_TEXT]}",
    ]


def _security_list(effect: SendSecurityList) -> Body:
    """The tick stands in Text: FIX 4.4 has no field for it, and none for why a list is empty."""
    body = [
        f"320={effect.security_req_id}",
        f"322={effect.response_id}",
        f"560={effect.result}",
        f"393={effect.total}",
        "893=Y" if effect.last_fragment else "893=N",
    ]
    if effect.instruments:
        body.append(f"146={len(effect.instruments)}")
    for one in effect.instruments:
        body += [
            f"55={one.symbol}",
            f"167={one.security_type}",
            f"15={one.currency}",
            f"561={decimal_text(one.lot)}",
            f"58=tick {decimal_text(one.tick)}" + ("" if one.tradable else ", halted"),
        ]
    return body


def _trading_session_status(effect: SendTradingSessionStatus) -> Body:
    return [
        f"335={effect.trad_ses_req_id}",
        f"336={effect.trading_session_id}",
        f"340={effect.status}",
        f"567={effect.reject_reason}",
        "325=Y" if effect.unsolicited else "325=N",
        f"58={effect.text[:MAX_TEXT]}",
    ]


def _trade_request_ack(effect: SendTradeRequestAck) -> Body:
    return [
        f"568={effect.trade_request_id}",
        f"569={effect.request_type}",
        f"748={effect.total}",
        f"749={effect.result}",
        f"750={effect.status}",
        "55=[N/A]",
        f"58={effect.text[:MAX_TEXT]}",
    ]


def _trade_capture_report(effect: SendTradeCaptureReport) -> Body:
    return [
        f"571={effect.report_id}",
        f"568={effect.trade_request_id}",
        f"150={effect.exec_type}",
        f"748={effect.total}",
        "912=Y" if effect.last else "912=N",
        f"17={effect.exec_id}",
        "570=N",
        f"55={effect.symbol}",
        f"32={decimal_text(effect.last_qty)}",
        f"31={decimal_text(effect.last_px)}",
        f"30={effect.last_mkt}",
        f"75={effect.trade_date.replace('-', '')}",
        f"60={utc_timestamp_ms(effect.transact_time)}",
        "552=1",
        f"54={effect.side}",
        f"37={effect.order_id}",
        f"11={effect.cl_ord_id}",
        f"1={effect.account}",
    ]
