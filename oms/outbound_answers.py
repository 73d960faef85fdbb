"""What clients are told in answer to what they asked for beyond single orders; pure."""

from collections.abc import Iterator
from typing import assert_never

from oms.domain.answer_effects import SendOrderMassCancelReport
from oms.domain.answers import (
    AnswerFact,
    MassCancelAnswered,
    NoOrdersReported,
    OrderMassStatusReported,
)
from oms.domain.effects import Effect, SendExecutionReport, SendMassStatusReport
from oms.domain.events import OrderStatusReported, UnknownOrderStatusReported
from oms.domain.state import State
from oms.outbound_client import client_messages

# MassCancelResponse (531)
_REJECTED = "0"


def answer_messages(state: State, seq: int, event: AnswerFact) -> Iterator[Effect]:
    """The messages of one such event; none where nobody asked over FIX."""
    if not event.session:
        return
    match event:
        case MassCancelAnswered():
            yield _mass_cancel_report(state, seq, event)
        case OrderMassStatusReported():
            yield from _mass_status(state, seq, event)
        case NoOrdersReported():
            yield from _no_orders(state, seq, event)
        case _:
            assert_never(event)


def _mass_cancel_report(
    state: State, seq: int, event: MassCancelAnswered
) -> SendOrderMassCancelReport:
    return SendOrderMassCancelReport(
        session=event.session,
        event_seq=seq,
        at=state.at,
        request_id=event.request_id,
        cl_ord_id=event.cl_ord_id,
        request_type=event.request_type,
        response=_REJECTED if event.reject_reason else event.request_type,
        reject_reason=event.reject_reason,
        affected=event.affected,
        symbol=event.symbol,
        side=event.side,
        text=event.text,
    )


def _mass_status(state: State, seq: int, event: OrderMassStatusReported) -> Iterator[Effect]:
    reported = OrderStatusReported(
        order_id=event.order_id,
        session=event.session,
        cl_ord_id=state.orders[event.order_id].cl_ord_id,
        ord_status_req_id="",
    )
    for report in client_messages(state, seq, reported):
        if isinstance(report, SendExecutionReport):
            yield _of_many(report, event, event.tot_num_reports, last=event.last_rpt_requested)


def _no_orders(state: State, seq: int, event: NoOrdersReported) -> Iterator[Effect]:
    """One report, of no order: none of TotNumReports, and the last one."""
    unknown = UnknownOrderStatusReported(
        session=event.session, cl_ord_id="", order_id="", ord_status_req_id=""
    )
    for report in client_messages(state, seq, unknown):
        if isinstance(report, SendExecutionReport):
            report.text = event.text
            yield _of_many(report, event, 0, last=True)


def _of_many(
    report: SendExecutionReport,
    event: OrderMassStatusReported | NoOrdersReported,
    total: int,
    *,
    last: bool,
) -> SendMassStatusReport:
    return SendMassStatusReport(
        session=event.session,
        event_seq=report.event_seq,
        at=report.at,
        report=report,
        mass_status_req_id=event.mass_status_req_id,
        tot_num_reports=total,
        last_rpt_requested=last,
    )
