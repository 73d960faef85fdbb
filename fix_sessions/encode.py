"""Effects out as FIX body fields: the only place that knows how a version spells what we send.

Each field is a text `tag=value`, which the engine joins and cleans: control characters in a value
do no harm, and a field without a value is left out. Decimals without exponent, times in UTC
milliseconds. PossResend (97) stands first in the body and is put into the header by the engine.
"""

from collections.abc import Callable
from decimal import Decimal

from fix_sessions.conditions import conditions_body, day_body
from fix_sessions.dialects import dialect_of
from fix_sessions.drop_copy import MAY_LEAVE
from fix_sessions.encode_answers import GROUPED, encode_answer
from fix_sessions.fields import Pairs
from fix_sessions.registry import Counterparty
from fix_sessions.wire import utc_timestamp_ms
from oms.domain.effects import (
    FixMessage,
    SendExecutionReport,
    SendMarketDataRequest,
    SendMassStatusReport,
    SendNewOrderSingle,
    SendOrderCancelReject,
    SendOrderCancelReplaceRequest,
    SendOrderCancelRequest,
    SendOrderMassStatusRequest,
    SendOrderStatusRequest,
    SendReject,
)
from oms.domain.fix import MsgType

Body = list[str]
Encoder = Callable[[FixMessage], tuple[str, Body]]

_POSS_RESEND = "97=Y"
MAX_TEXT = 500
# The messages that have repeating groups.
WITH_GROUPS = GROUPED | {MsgType.MARKET_DATA_REQUEST.value}


# The fields that are prices, and those that are quantities, of the messages that we send.
_PRICES = frozenset({44, 31, 6, 99})
_QUANTITIES = frozenset({38, 14, 151, 84, 32, 110, 111, 1138})


def encoder_of(counterparty: Counterparty) -> Encoder:
    """How what leaves for a counterparty is written: made once for its session.

    It gives MsgType (35) and body as `encode` does; an empty MsgType for a message that the
    counterparty's FIX version has not, or a drop copy's session never carries, which is then not
    sent.
    """
    dialect, wire = dialect_of(counterparty.begin_string), counterparty.wire
    absent = dialect.absent if dialect else frozenset[str]()
    write = dialect.write if dialect else {}
    plain = not (wire.custom_tags or wire.price_decimals or wire.quantity_decimals)
    mute = counterparty.role == "drop_copy"
    if plain and not (write or absent or mute):
        return encode
    decimals = dict.fromkeys(_PRICES, wire.price_decimals)
    decimals |= dict.fromkeys(_QUANTITIES, wire.quantity_decimals)

    def encode_for(effect: FixMessage) -> tuple[str, Body]:
        msg_type, body = encode(effect)
        if msg_type in absent or (mute and msg_type not in MAY_LEAVE):
            return "", []
        if plain and msg_type not in write:
            return msg_type, body
        fields = [(int(tag), value) for tag, _, value in (one.partition("=") for one in body)]
        if msg_type in write:
            fields = write[msg_type](fields)
        if not plain:
            fields = [(tag, _padded(value, decimals.get(tag, 0))) for tag, value in fields]
            fields = _with_custom(fields, wire.custom_tags.get(msg_type, ()))
        return msg_type, [f"{tag}={value}" for tag, value in fields]

    return encode_for


def _padded(value: str, decimals: int) -> str:
    """The number with at least so many decimals; nothing else of it changes."""
    if not value or not decimals:
        return value
    whole, _, fraction = value.partition(".")
    return f"{whole}.{fraction.ljust(decimals, '0')}"


def _with_custom(fields: Pairs, custom: tuple[tuple[int, str], ...]) -> Pairs:
    """Custom fields stand after ours, and in place of ours of the same tag."""
    replaced = {tag for tag, _ in custom}
    return [*(field for field in fields if field[0] not in replaced), *custom]


def encode(effect: FixMessage) -> tuple[str, Body]:
    """MsgType (35) and body fields in order, groups in place; as FIX 4.4 writes them."""
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
            body = [f"584={effect.mass_status_req_id}", "585=7"]
            return MsgType.ORDER_MASS_STATUS_REQUEST.value, body
        case SendMarketDataRequest():
            return MsgType.MARKET_DATA_REQUEST.value, _market_data_request(effect)
        case SendReject():
            return _reject(effect)
        case SendMassStatusReport():
            return MsgType.EXECUTION_REPORT.value, _one_of_many(effect)
        case _:
            return encode_answer(effect)


def _text(value: Decimal) -> str:
    text = str(value)
    return format(value, "f") if "E" in text else text


def _execution_report(effect: SendExecutionReport) -> Body:
    body: Body = [
        f"37={effect.order_id}",
        f"11={effect.cl_ord_id}",
        f"17={effect.exec_id}",
        "150=" + effect.exec_type,
        "39=" + effect.ord_status,
        f"55={effect.symbol}",
        f"38={_text(effect.order_qty)}",
        f"14={_text(effect.cum_qty)}",
        f"151={_text(effect.leaves_qty)}",
        f"6={_text(effect.avg_px)}",
        f"60={utc_timestamp_ms(effect.at)}",
    ]
    if effect.poss_resend:
        body.insert(0, _POSS_RESEND)
    if effect.orig_cl_ord_id:
        body.append(f"41={effect.orig_cl_ord_id}")
    if effect.exec_ref_id:
        body.append(f"19={effect.exec_ref_id}")
    if effect.account:
        body.append(f"1={effect.account}")
    if effect.side is not None:
        body.append("54=" + effect.side)
    if effect.ord_type is not None:
        body.append("40=" + effect.ord_type)
    if effect.price is not None:
        body.append(f"44={_text(effect.price)}")
    if effect.time_in_force is not None:
        body.append("59=" + effect.time_in_force)
    if effect.last_qty is not None and effect.last_px is not None:
        body.append(f"32={_text(effect.last_qty)}")
        body.append(f"31={_text(effect.last_px)}")
        body.append(f"30={effect.last_mkt}")
    if effect.ord_rej_reason:
        body.append(f"103={effect.ord_rej_reason}")
    if effect.restatement:
        body.append(f"378={effect.restatement}")
    if effect.ord_status_req_id:
        body.append(f"790={effect.ord_status_req_id}")
    if effect.conditions is not None:
        body += conditions_body(effect.conditions)
    if effect.day is not None:
        body += day_body(effect.day)
    if effect.list_id:
        body.append(f"66={effect.list_id}")
    if effect.text:
        body.append(f"58={effect.text[:MAX_TEXT]}")
    return body


def _one_of_many(effect: SendMassStatusReport) -> Body:
    body = [
        *_execution_report(effect.report),
        f"584={effect.mass_status_req_id}",
        f"911={effect.tot_num_reports}",
        "912=Y" if effect.last_rpt_requested else "912=N",
    ]
    return [_POSS_RESEND, *body] if effect.poss_resend else body


def _order_cancel_reject(effect: SendOrderCancelReject) -> Body:
    body = [
        f"37={effect.order_id}",
        f"11={effect.cl_ord_id}",
        f"41={effect.orig_cl_ord_id or 'NONE'}",
        f"39={effect.ord_status}",
        f"1={effect.account}",
        f"434={effect.response_to}",
        f"102={effect.cxl_rej_reason}",
        f"60={utc_timestamp_ms(effect.at)}",
        f"66={effect.list_id}",
        f"58={effect.text[:MAX_TEXT]}",
    ]
    return [_POSS_RESEND, *body] if effect.poss_resend else body


def _new_order_single(effect: SendNewOrderSingle) -> Body:
    body: Body = [
        f"11={effect.cl_ord_id}",
        f"1={effect.account}",
        "21=1",
        f"55={effect.symbol}",
        "54=" + effect.side,
        f"60={utc_timestamp_ms(effect.at)}",
        f"38={_text(effect.order_qty)}",
        "40=" + effect.ord_type,
        "59=" + effect.time_in_force,
    ]
    if effect.price is not None:
        body.append(f"44={_text(effect.price)}")
    if effect.conditions is not None:
        body += conditions_body(effect.conditions)
    if effect.poss_resend:
        body.insert(0, _POSS_RESEND)
    return body


def _order_cancel_request(effect: SendOrderCancelRequest) -> Body:
    return [
        f"41={effect.orig_cl_ord_id}",
        f"37={effect.venue_order_id}",
        f"11={effect.cl_ord_id}",
        f"55={effect.symbol}",
        f"54={effect.side}",
        f"60={utc_timestamp_ms(effect.at)}",
        f"38={_text(effect.order_qty)}",
    ]


def _order_cancel_replace(effect: SendOrderCancelReplaceRequest) -> Body:
    conditions = effect.conditions
    return [
        f"41={effect.orig_cl_ord_id}",
        f"37={effect.venue_order_id}",
        f"11={effect.cl_ord_id}",
        f"1={effect.account}",
        "21=1",
        f"55={effect.symbol}",
        f"54={effect.side}",
        f"60={utc_timestamp_ms(effect.at)}",
        f"38={_text(effect.order_qty)}",
        f"40={effect.ord_type}",
        "44=" if effect.price is None else f"44={_text(effect.price)}",
        f"59={effect.time_in_force}",
        *(conditions_body(conditions) if conditions is not None else ()),
    ]


def _order_status_request(effect: SendOrderStatusRequest) -> Body:
    return [
        f"37={effect.venue_order_id}",
        f"11={effect.cl_ord_id}",
        f"55={effect.symbol}",
        f"54={effect.side}",
    ]


def _market_data_request(effect: SendMarketDataRequest) -> Body:
    """Snapshot plus updates (263=1), top of book (264=1), incremental (265=1), bid and offer."""
    head = [f"262={effect.md_req_id}", "263=1", "264=1", "265=1", "267=2", "269=0", "269=1"]
    return [*head, f"146={len(effect.symbols)}", *(f"55={symbol}" for symbol in effect.symbols)]


def _reject(effect: SendReject) -> tuple[str, Body]:
    body = [f"45={effect.ref_seq_num}", f"372={effect.ref_msg_type}"]
    reason, text = effect.reason_code, f"58={effect.text[:MAX_TEXT]}"
    if effect.business:
        body += [f"379={effect.ref_id}", f"380={reason}", text]
        return MsgType.BUSINESS_MESSAGE_REJECT.value, body
    return MsgType.REJECT.value, [*body, f"371={effect.ref_tag or ''}", f"373={reason}", text]
