"""FIX 4.4 text to the venue's commands, and its answers to FIX fields."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from ems.simulator.commands import CancelOrder, NewOrder, ReplaceOrder
from ems.simulator.ledger import Echo
from ems.simulator.model import Answer, ExecutionReport, OrderCancelReject
from fix_sessions.wire import WireError, parse_utc_timestamp, utc_timestamp_ms
from oms.domain.fix import BusinessRejectReason, MsgType
from oms.domain.values import ValueRefused, decimal_text, parse_decimal, plain

Fields = list[tuple[int, str]]
Request = NewOrder | CancelOrder | ReplaceOrder


class MessageRefused(ValueError):
    """A message that cannot be carried out; the text says the field and the rule."""

    def __init__(self, text: str, reason: BusinessRejectReason) -> None:
        super().__init__(text)
        self.reason = reason


class Body:
    """The fields of one message by tag; the first of a tag counts, `every` gives a group's."""

    __slots__ = ("_fields", "_first")

    def __init__(self, fields: Iterable[tuple[int, str]]) -> None:
        self._fields = list(fields)
        self._first = dict(reversed(self._fields))

    def get(self, tag: int) -> str:
        return self._first.get(tag, "")

    def every(self, tag: int) -> list[str]:
        return [value for found, value in self._fields if found == tag]

    def text(self, tag: int, name: str) -> str:
        """A field that must be there."""
        value = self._first.get(tag)
        if not value:
            reason = BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING
            raise MessageRefused(f"{name} ({tag}): missing", reason)
        return value

    def number(self, tag: int, name: str) -> Decimal:
        """A decimal that must be there."""
        value = self.text(tag, name)
        try:
            return parse_decimal(value)
        except ValueRefused as error:
            raise MessageRefused(f"{name} ({tag}): {error}", BusinessRejectReason.OTHER) from None

    def optional_number(self, tag: int, name: str) -> Decimal | None:
        return self.number(tag, name) if self._first.get(tag) else None

    def moment(self, tag: int, name: str) -> int:
        """A UTCTimestamp as microseconds since 1970; 0 where it is absent."""
        value = self._first.get(tag)
        if not value:
            return 0
        try:
            return parse_utc_timestamp(value)
        except WireError as error:
            raise MessageRefused(f"{name} ({tag}): {error}", BusinessRejectReason.OTHER) from None

    def integer(self, tag: int, name: str) -> int:
        value = self.text(tag, name)
        if not value.isascii() or not value.isdigit() or len(value) > 9:
            rule = "must be a whole number, 0 or more"
            raise MessageRefused(
                f"{name} ({tag}): {value[:20]}: {rule}", BusinessRejectReason.OTHER
            )
        return int(value)


def decode_new(owner: str, body: Body) -> NewOrder:
    """NewOrderSingle (D); what the venue itself judges is passed on as it is."""
    return NewOrder(
        owner=owner,
        cl_ord_id=body.text(11, "ClOrdID"),
        symbol=body.text(55, "Symbol"),
        side=body.text(54, "Side"),
        ord_type=body.text(40, "OrdType"),
        order_qty=body.number(38, "OrderQty"),
        price=body.optional_number(44, "Price"),
        time_in_force=body.get(59) or "0",
        account=body.get(1),
        poss_resend=body.get(97) == "Y",
        stop_px=body.optional_number(99, "StopPx"),
        min_qty=body.optional_number(110, "MinQty"),
        max_floor=body.optional_number(111, "MaxFloor"),
        exec_inst=body.get(18),
        expire_time=body.moment(126, "ExpireTime"),
        expire_date=body.get(432),
    )


def decode_cancel(owner: str, body: Body) -> CancelOrder:
    """OrderCancelRequest (F)."""
    return CancelOrder(
        owner=owner,
        cl_ord_id=body.text(11, "ClOrdID"),
        orig_cl_ord_id=body.text(41, "OrigClOrdID"),
        symbol=body.text(55, "Symbol"),
        side=body.text(54, "Side"),
        poss_resend=body.get(97) == "Y",
    )


def decode_replace(owner: str, body: Body) -> ReplaceOrder:
    """OrderCancelReplaceRequest (G)."""
    return ReplaceOrder(
        owner=owner,
        cl_ord_id=body.text(11, "ClOrdID"),
        orig_cl_ord_id=body.text(41, "OrigClOrdID"),
        symbol=body.text(55, "Symbol"),
        side=body.text(54, "Side"),
        ord_type=body.text(40, "OrdType"),
        order_qty=body.number(38, "OrderQty"),
        price=body.optional_number(44, "Price"),
        poss_resend=body.get(97) == "Y",
        stop_px=body.optional_number(99, "StopPx"),
    )


REQUESTS: dict[str, Callable[[str, Body], Request]] = {
    MsgType.NEW_ORDER_SINGLE: decode_new,
    MsgType.ORDER_CANCEL_REQUEST: decode_cancel,
    MsgType.ORDER_CANCEL_REPLACE_REQUEST: decode_replace,
}


def decode_status(owner: str, body: Body) -> tuple[Echo, str]:
    """OrderStatusRequest (H): whose order, and OrdStatusReqID."""
    echo = Echo(
        owner=owner,
        cl_ord_id=body.text(11, "ClOrdID"),
        symbol=body.text(55, "Symbol"),
        side=body.text(54, "Side"),
    )
    return echo, body.get(790)


def decode_mass_status(owner: str, body: Body) -> tuple[Echo, str]:
    """OrderMassStatusRequest (AF) for all orders (585=7) or one security's (585=1)."""
    request_id = body.text(584, "MassStatusReqID")
    kind = body.text(585, "MassStatusReqType")
    if kind not in {"1", "7"}:
        raise MessageRefused(
            f"MassStatusReqType (585): {kind}: must be 1 or 7", BusinessRejectReason.OTHER
        )
    symbol = body.text(55, "Symbol") if kind == "1" else body.get(55)
    return Echo(owner=owner, cl_ord_id="", symbol=symbol, side=body.get(54)), request_id


def encode(answer: Answer, *, poss_resend: bool = False) -> tuple[str, Fields]:
    """MsgType and fields of an answer."""
    fields: Fields = [(97, "Y")] if poss_resend else []
    if isinstance(answer, OrderCancelReject):
        _put_cancel_reject(fields, answer)
        return MsgType.ORDER_CANCEL_REJECT, fields
    _put_report(fields, answer)
    return MsgType.EXECUTION_REPORT, fields


def _put_report(fields: Fields, report: ExecutionReport) -> None:
    fields += [
        (37, report.order_id),
        (17, report.exec_id),
        (150, report.exec_type),
        (39, report.ord_status),
        (54, report.side or "7"),  # 7: undisclosed, where a request named no side
        (14, decimal_text(report.cum_qty)),
        (151, decimal_text(report.leaves_qty)),
        (6, decimal_text(plain(report.avg_px))),
        (60, utc_timestamp_ms(report.transact_time)),
    ]
    for tag, text in (
        (11, report.cl_ord_id),
        (41, report.orig_cl_ord_id),
        (1, report.account),
        (55, report.symbol),
        (40, report.ord_type),
        (59, report.time_in_force),
        (19, report.exec_ref_id),
        (103, report.ord_rej_reason),
        (58, report.text),
        (584, report.mass_status_req_id),
        (790, report.ord_status_req_id),
        (378, report.restatement),
        (18, report.exec_inst),
        (126, utc_timestamp_ms(report.expire_time) if report.expire_time else ""),
        (432, report.expire_date),
    ):
        if text:
            fields.append((tag, text))
    if report.order_qty:
        fields.append((38, decimal_text(report.order_qty)))
    for tag, number in (
        (44, report.price),
        (32, report.last_qty),
        (31, report.last_px),
        (99, report.stop_px),
        (110, report.min_qty),
        (111, report.max_floor),
    ):
        if number is not None:
            fields.append((tag, decimal_text(number)))
    if report.tot_num_reports is not None:
        fields.append((911, str(report.tot_num_reports)))
        fields.append((912, "Y" if report.last_rpt_requested else "N"))


def _put_cancel_reject(fields: Fields, reject: OrderCancelReject) -> None:
    fields += [
        (37, reject.order_id),
        (11, reject.cl_ord_id),
        (41, reject.orig_cl_ord_id),
        (39, reject.ord_status),
        (434, reject.cxl_rej_response_to),
        (102, reject.cxl_rej_reason),
        (60, utc_timestamp_ms(reject.transact_time)),
    ]
    if reject.text:
        fields.append((58, reject.text))


def business_reject(body: Body, refused: MessageRefused) -> Fields:
    """BusinessMessageReject (j) of a message, by its number, type and ClOrdID."""
    fields: Fields = [(45, body.get(34)), (372, body.get(35)), (380, refused.reason)]
    if body.get(11):
        fields.append((379, body.get(11)))
    return [*fields, (58, str(refused))]
