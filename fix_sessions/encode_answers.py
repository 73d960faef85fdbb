"""Answers to what clients asked for beyond single orders, as FIX 4.4 writes them; see encode."""

from fix_sessions.wire import utc_timestamp_ms
from oms.domain.answer_effects import SendOrderMassCancelReport

Body = list[str]

POSS_RESEND = "97=Y"
MAX_TEXT = 500


def encode_answer(effect: SendOrderMassCancelReport) -> tuple[str, Body]:
    """MsgType (35) and body fields in order, groups in place."""
    msg_type, body = "r", _mass_cancel_report(effect)
    return msg_type, [POSS_RESEND, *body] if effect.poss_resend else body


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
