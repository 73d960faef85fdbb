"""FIX text in, commands out: the only place that knows how a version spells a message.

What cannot be read becomes an `UnreadableMessage` that carries the answer FIX prescribes, so that
it is journaled, answered and counted like everything else that came in.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from fix_sessions.beyond import refuse_beyond
from fix_sessions.conditions import read_conditions
from fix_sessions.decode_baskets import BASKET_READERS
from fix_sessions.decode_inquiries import INQUIRY_READERS
from fix_sessions.dialects import Dialect, dialect_of
from fix_sessions.drop_copy import MAY_COME
from fix_sessions.fields import Fields, Refusal, shown, unsupported
from fix_sessions.order_fields import read_order
from fix_sessions.quotes import TopOfBook
from fix_sessions.registry import Counterparty
from oms.domain.commands import (
    Channel,
    Command,
    ExecutionReport,
    MessageRejectedByPeer,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderStatusRequest,
    Origin,
    UnreadableMessage,
)
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    MsgType,
    OrdStatus,
    OrdType,
    SessionRejectReason,
    Side,
    TimeInForce,
)
from oms.domain.orphans import TradeIds
from oms.domain.values import ZERO

MAX_MESSAGE_CHARACTERS = 65_536
_DIGITS = 18
_RESTATEMENT = re.compile("[0-9]{1,3}").fullmatch
_MSG_TYPE = re.compile("[0-9A-Za-z]{1,8}")

Reader = Callable[[Fields, Origin], Command]

# Looked up by value: calling an enumeration costs four times as much.
_SIDES = {one.value: one for one in Side}
_CXL_REJ_REASONS = {one.value: one for one in CxlRejReason}


class Decoder:
    """Decodes the messages of one session; remembers the quotes that updates refer to."""

    def __init__(self, counterparty: Counterparty) -> None:
        self._counterparty = counterparty
        self._client = counterparty.role == "client"
        self._channel = Channel.CLIENT if self._client else Channel.VENUE
        self._readers = READERS[counterparty.role]
        self._quotes = counterparty.role == "venue"
        self._dialect = dialect_of(counterparty.begin_string)
        self._book = TopOfBook()

    def decode(self, text: str, *, epoch: int, at: int) -> list[Command]:
        """The commands in one message, one for all but market data.

        epoch: the session's reset count; at: when it was received, as a sequencer stamp.
        """
        try:
            fields = Fields(text, groups=_IS_MARKET_DATA(text) is not None)
        except Refusal as refusal:
            return [self._unreadable(self._origin({}, text, epoch, at), "", refusal)]
        by_tag = fields.by_tag
        origin = self._origin(by_tag, text, epoch, at)
        msg_type = by_tag.get(35, "")
        try:
            if len(text) > MAX_MESSAGE_CHARACTERS:
                raise _too_long(fields)
            if self._quotes and msg_type in _MARKET_DATA:
                return list(self._book.read(msg_type, fields, origin))
            reader = self._readers.get(msg_type)
            if reader is None:
                raise unsupported(msg_type)
            if msg_type != _LIST:  # of which each order is looked at
                fields.refuse_repeats()
            if self._dialect is not None:
                _translate(self._dialect, msg_type, fields, from_client=self._client)
            return [reader(fields, origin)]
        except Refusal as refusal:
            return [self._unreadable(origin, msg_type, refusal)]

    def _origin(self, by_tag: dict[int, str], text: str, epoch: int, at: int) -> Origin:
        number = by_tag.get(34, "")
        return Origin(
            channel=self._channel,
            counterparty=self._counterparty.name,
            session=self._counterparty.session_id,
            epoch=epoch,
            msg_seq_num=int(number) if number.isdecimal() and len(number) <= _DIGITS else 0,
            poss_dup=by_tag.get(43) == "Y",
            poss_resend=by_tag.get(97) == "Y",
            received_at=at,
            raw=text[:MAX_MESSAGE_CHARACTERS],
        )

    def _unreadable(self, origin: Origin, msg_type: str, refusal: Refusal) -> UnreadableMessage:
        return UnreadableMessage(
            origin=origin,
            ref_msg_type=msg_type if _MSG_TYPE.fullmatch(msg_type) else "",
            business=refusal.business,
            reason_code=refusal.reason_code,
            ref_tag=refusal.tag,
            text=refusal.text,
        )


# As the engine gives them; in another order they are only slower.
_IS_MARKET_DATA = re.compile("8=[^\x01]*\x019=[0-9]*\x0135=[WX]\x01").match
_LIST = "E"
_MARKET_DATA = frozenset(
    {
        MsgType.MARKET_DATA_SNAPSHOT.value,
        MsgType.MARKET_DATA_INCREMENTAL_REFRESH.value,
        MsgType.MARKET_DATA_REQUEST_REJECT.value,
    }
)


def _translate(dialect: Dialect, msg_type: str, fields: Fields, *, from_client: bool) -> None:
    """Make the fields those of FIX 4.4. Raises Refusal for what the version does not allow.

    Clients are held to what their version requires; a venue's report is taken as far as it can be.
    """
    version = fields.by_tag.get(1128, dialect.appl_ver_id)
    if msg_type in dialect.absent:
        raise unsupported(msg_type)
    if dialect.appl_ver_id and version != dialect.appl_ver_id:
        raise Refusal(
            reason_code=SessionRejectReason.VALUE_IS_INCORRECT,
            tag=1128,
            text=f"ApplVerID (1128) = {shown(version)}: must be {dialect.appl_ver_id}",
        )
    if from_client:
        fields.require(dialect.required.get(msg_type, ()))
    translation = dialect.read.get(msg_type)
    if translation is not None:
        fields.translated(translation)


def _too_long(fields: Fields) -> Refusal:
    tag, value = max(fields.ordered, key=lambda field: len(field[1]))
    return Refusal(
        reason_code=SessionRejectReason.VALUE_IS_INCORRECT,
        tag=tag,
        text=f"tag {tag}: {len(value)} characters: a message may have {MAX_MESSAGE_CHARACTERS}",
    )


def _new_order_single(fields: Fields, origin: Origin) -> NewOrderSingle:
    return NewOrderSingle(origin=origin, **read_order(fields))


def _order_cancel_request(fields: Fields, origin: Origin) -> OrderCancelRequest:
    return OrderCancelRequest(
        origin=origin,
        cl_ord_id=fields.text(11),
        orig_cl_ord_id=fields.text(41),
        order_id=fields.optional_text(37),
    )


def _order_cancel_replace_request(fields: Fields, origin: Origin) -> OrderCancelReplaceRequest:
    refuse_beyond(fields)
    return OrderCancelReplaceRequest(
        origin=origin,
        cl_ord_id=fields.text(11),
        orig_cl_ord_id=fields.text(41),
        order_id=fields.optional_text(37),
        order_qty=fields.decimal(38),
        price=fields.optional_decimal(44),
        symbol=fields.optional_text(55),
        side=fields.optional_choice(54, Side),
        ord_type=fields.optional_choice(40, OrdType),
        time_in_force=fields.optional_choice(59, TimeInForce),
        conditions=read_conditions(fields),
        transact_time=fields.timestamp(60),
        currency=fields.optional_text(15),
    )


def _order_status_request(fields: Fields, origin: Origin) -> OrderStatusRequest:
    return OrderStatusRequest(
        origin=origin,
        cl_ord_id=fields.text(11),
        order_id=fields.optional_text(37),
        ord_status_req_id=fields.optional_text(790),
    )


def _execution_report(fields: Fields, origin: Origin) -> ExecutionReport:
    exec_type = fields.choice(150, ExecType)
    trade = exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT)
    status = exec_type is ExecType.ORDER_STATUS
    corrects = exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)
    return ExecutionReport(
        origin=origin,
        order_id=fields.text(37),
        cl_ord_id=fields.optional_text(11),
        orig_cl_ord_id=fields.optional_text(41),
        exec_id=fields.text(17),
        exec_ref_id=fields.text(19) if corrects else fields.optional_text(19),
        exec_type=exec_type,
        ord_status=fields.choice(39, OrdStatus),
        # The answer to a mass status request that finds no orders names none.
        symbol=fields.optional_text(55) if status else fields.text(55),
        side=_side(fields),
        order_qty=fields.optional_decimal(38),
        price=fields.optional_decimal(44),
        last_qty=_positive(fields, 32) if trade else fields.optional_decimal(32),
        last_px=fields.decimal(31) if trade else fields.optional_decimal(31),
        cum_qty=fields.optional_decimal(14) or ZERO,
        leaves_qty=fields.optional_decimal(151) or ZERO,
        avg_px=fields.optional_decimal(6) or ZERO,
        ord_rej_reason=fields.optional_text(103),
        restatement=_restatement(fields),
        transact_time=fields.timestamp(60),
        text=fields.remark(58),
        mass_status_req_id=fields.optional_text(584),
        tot_num_reports=fields.integer(911) if 911 in fields.by_tag else None,
        last_rpt_requested=fields.flag(912),
        ids=_trade_ids(fields),
    )


def _trade_ids(fields: Fields) -> TradeIds | None:
    """TrdMatchID, SecondaryExecID, SecondaryOrderID; None for most reports, that have none."""
    if fields.by_tag.keys().isdisjoint((880, 527, 198)):
        return None
    return TradeIds(
        trd_match_id=fields.optional_text(880),
        secondary_exec_id=fields.optional_text(527),
        secondary_order_id=fields.optional_text(198),
    )


def _restatement(fields: Fields) -> str:
    """ExecRestatementReason; a venue's own text in its place is not passed on."""
    reason = fields.by_tag.get(378, "")
    return reason if _RESTATEMENT(reason) else ""


def _side(fields: Fields) -> Side | None:
    return _SIDES.get(fields.text(54))


def _positive(fields: Fields, tag: int) -> Decimal:
    value = fields.decimal(tag)
    if value <= 0:
        raise Refusal(
            reason_code=SessionRejectReason.VALUE_IS_INCORRECT,
            tag=tag,
            text=f"LastQty ({tag}) = {value}: must be greater than zero",
        )
    return value


def _order_cancel_reject(fields: Fields, origin: Origin) -> OrderCancelReject:
    reason = fields.by_tag.get(102, "")
    return OrderCancelReject(
        origin=origin,
        order_id=fields.optional_text(37),
        cl_ord_id=fields.text(11),
        orig_cl_ord_id=fields.optional_text(41),
        ord_status=fields.choice(39, OrdStatus),
        cxl_rej_reason=_CXL_REJ_REASONS.get(reason, CxlRejReason.OTHER),
        response_to=fields.choice(434, CxlRejResponseTo),
        text=fields.remark(58),
    )


def _rejected_by_peer(fields: Fields, origin: Origin) -> MessageRejectedByPeer:
    return MessageRejectedByPeer(
        origin=origin,
        ref_seq_num=fields.integer(45),
        ref_msg_type=fields.optional_text(372),
        ref_id=fields.optional_text(379),
        text=fields.remark(58),
    )


_FROM_BOTH: dict[str, Reader] = {
    MsgType.REJECT.value: _rejected_by_peer,
    MsgType.BUSINESS_MESSAGE_REJECT.value: _rejected_by_peer,
}
CLIENT_READERS: dict[str, Reader] = {
    **_FROM_BOTH,
    **INQUIRY_READERS,
    **BASKET_READERS,
    MsgType.NEW_ORDER_SINGLE.value: _new_order_single,
    MsgType.ORDER_CANCEL_REQUEST.value: _order_cancel_request,
    MsgType.ORDER_CANCEL_REPLACE_REQUEST.value: _order_cancel_replace_request,
    MsgType.ORDER_STATUS_REQUEST.value: _order_status_request,
}
VENUE_READERS: dict[str, Reader] = _FROM_BOTH | {
    MsgType.EXECUTION_REPORT.value: _execution_report,
    MsgType.ORDER_CANCEL_REJECT.value: _order_cancel_reject,
}
READERS: dict[str, dict[str, Reader]] = {
    "client": CLIENT_READERS,
    "venue": VENUE_READERS,
    "drop_copy": {one: reader for one, reader in VENUE_READERS.items() if one in MAY_COME},
}
