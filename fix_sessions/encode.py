"""Effects out as FIX body fields: the only place that knows how a version spells what we send.

Decimals without exponent, times in UTC milliseconds. PossResend (97) stands first in the body and
is put into the header by the engine.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from fix_sessions.wire import utc_timestamp_ms
from oms.domain.effects import (
    Effect,
    SendExecutionReport,
    SendMarketDataRequest,
    SendNewOrderSingle,
    SendOrderCancelReject,
    SendOrderCancelReplaceRequest,
    SendOrderCancelRequest,
    SendOrderMassStatusRequest,
    SendOrderStatusRequest,
    SendReject,
)
from oms.domain.fix import MsgType

Body = list[tuple[int, str]]

_POSS_RESEND = (97, "Y")
MAX_TEXT = 500


def encode(effect: Effect) -> tuple[str, Body]:
    """MsgType (35) and body fields in order, groups in place."""
    match effect:
        case SendExecutionReport():
            return MsgType.EXECUTION_REPORT.value, _execution_report(effect)
        case SendNewOrderSingle():
            return MsgType.NEW_ORDER_SINGLE.value, _new_order_single(effect)
        case SendOrderCancelReject():
            return MsgType.ORDER_CANCEL_REJECT.value, _order_cancel_reject(effect)
        case SendOrderCancelRequest():
            return MsgType.ORDER_CANCEL_REQUEST.value, _order_cancel_request(effect)
        case SendOrderCancelReplaceRequest():
            return MsgType.ORDER_CANCEL_REPLACE_REQUEST.value, _order_cancel_replace(effect)
        case SendOrderStatusRequest():
            return MsgType.ORDER_STATUS_REQUEST.value, _order_status_request(effect)
        case SendOrderMassStatusRequest():
            body = [(584, effect.mass_status_req_id), (585, "7")]
            return MsgType.ORDER_MASS_STATUS_REQUEST.value, body
        case SendMarketDataRequest():
            return MsgType.MARKET_DATA_REQUEST.value, _market_data_request(effect)
        case SendReject():
            return _reject(effect)
        case _:
            assert_never(effect)


def _text(value: Decimal) -> str:
    return format(value, "f")


def _given(fields: Sequence[tuple[int, str | None]]) -> Body:
    """Those that have a value."""
    return [(tag, value) for tag, value in fields if value]


def _execution_report(effect: SendExecutionReport) -> Body:
    body: Body = [
        (37, effect.order_id),
        (11, effect.cl_ord_id),
        (17, effect.exec_id),
        (150, effect.exec_type.value),
        (39, effect.ord_status.value),
        (55, effect.symbol),
        (38, _text(effect.order_qty)),
        (14, _text(effect.cum_qty)),
        (151, _text(effect.leaves_qty)),
        (6, _text(effect.avg_px)),
        (60, utc_timestamp_ms(effect.at)),
    ]
    if effect.poss_resend:
        body.insert(0, _POSS_RESEND)
    if effect.orig_cl_ord_id:
        body.append((41, effect.orig_cl_ord_id))
    if effect.exec_ref_id:
        body.append((19, effect.exec_ref_id))
    if effect.account:
        body.append((1, effect.account))
    if effect.side is not None:
        body.append((54, effect.side.value))
    if effect.ord_type is not None:
        body.append((40, effect.ord_type.value))
    if effect.price is not None:
        body.append((44, _text(effect.price)))
    if effect.time_in_force is not None:
        body.append((59, effect.time_in_force.value))
    if effect.last_qty is not None and effect.last_px is not None:
        body.append((32, _text(effect.last_qty)))
        body.append((31, _text(effect.last_px)))
    if effect.last_mkt:
        body.append((30, effect.last_mkt))
    if effect.ord_rej_reason:
        body.append((103, effect.ord_rej_reason))
    if effect.ord_status_req_id:
        body.append((790, effect.ord_status_req_id))
    if effect.text:
        body.append((58, effect.text[:MAX_TEXT]))
    return body


def _order_cancel_reject(effect: SendOrderCancelReject) -> Body:
    return _given(
        [
            _POSS_RESEND if effect.poss_resend else (97, None),
            (37, effect.order_id),
            (11, effect.cl_ord_id),
            (41, effect.orig_cl_ord_id or "NONE"),
            (39, effect.ord_status.value),
            (1, effect.account),
            (434, effect.response_to.value),
            (102, effect.cxl_rej_reason.value),
            (60, utc_timestamp_ms(effect.at)),
            (58, effect.text[:MAX_TEXT]),
        ]
    )


def _new_order_single(effect: SendNewOrderSingle) -> Body:
    body: Body = [
        (11, effect.cl_ord_id),
        (1, effect.account),
        (21, "1"),
        (55, effect.symbol),
        (54, effect.side.value),
        (60, utc_timestamp_ms(effect.at)),
        (38, _text(effect.order_qty)),
        (40, effect.ord_type.value),
        (59, effect.time_in_force.value),
    ]
    if effect.price is not None:
        body.append((44, _text(effect.price)))
    if effect.poss_resend:
        body.insert(0, _POSS_RESEND)
    return body


def _order_cancel_request(effect: SendOrderCancelRequest) -> Body:
    return _given(
        [
            (41, effect.orig_cl_ord_id),
            (37, effect.venue_order_id),
            (11, effect.cl_ord_id),
            (55, effect.symbol),
            (54, effect.side.value),
            (60, utc_timestamp_ms(effect.at)),
            (38, _text(effect.order_qty)),
        ]
    )


def _order_cancel_replace(effect: SendOrderCancelReplaceRequest) -> Body:
    return _given(
        [
            (41, effect.orig_cl_ord_id),
            (37, effect.venue_order_id),
            (11, effect.cl_ord_id),
            (1, effect.account),
            (21, "1"),
            (55, effect.symbol),
            (54, effect.side.value),
            (60, utc_timestamp_ms(effect.at)),
            (38, _text(effect.order_qty)),
            (40, effect.ord_type.value),
            (44, None if effect.price is None else _text(effect.price)),
            (59, effect.time_in_force.value),
        ]
    )


def _order_status_request(effect: SendOrderStatusRequest) -> Body:
    return _given(
        [
            (37, effect.venue_order_id),
            (11, effect.cl_ord_id),
            (55, effect.symbol),
            (54, effect.side.value),
        ]
    )


def _market_data_request(effect: SendMarketDataRequest) -> Body:
    """Snapshot plus updates (263=1), top of book (264=1), incremental (265=1), bid and offer."""
    head = [(262, effect.md_req_id), (263, "1"), (264, "1"), (265, "1")]
    sides = [(267, "2"), (269, "0"), (269, "1")]
    symbols = [(146, str(len(effect.symbols))), *((55, symbol) for symbol in effect.symbols)]
    return [*head, *sides, *symbols]


def _reject(effect: SendReject) -> tuple[str, Body]:
    body: Body = [(45, str(effect.ref_seq_num)), (372, effect.ref_msg_type)]
    if effect.business:
        body += [(379, effect.ref_id), (380, effect.reason_code), (58, effect.text[:MAX_TEXT])]
        return MsgType.BUSINESS_MESSAGE_REJECT.value, _given(body)
    tag = str(effect.ref_tag) if effect.ref_tag else None
    fields = [*body, (371, tag), (373, effect.reason_code), (58, effect.text[:MAX_TEXT])]
    return MsgType.REJECT.value, _given(fields)
