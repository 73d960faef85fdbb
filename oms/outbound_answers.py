"""What clients are told in answer to what they asked for beyond single orders; pure."""

from collections.abc import Iterator
from typing import Final, assert_never

from oms.domain.answer_effects import (
    SendDontKnowTrade,
    SendOrderMassCancelReport,
    SendSecurityList,
    SendTradeCaptureReport,
    SendTradeRequestAck,
    SendTradingSessionStatus,
)
from oms.domain.answers import (
    AnswerFact,
    DisputeResolved,
    MassCancelAnswered,
    NoOrdersReported,
    OrderMassStatusReported,
    SecuritiesListed,
    TradeDisputed,
    TradeReported,
    TradeRequestAnswered,
    TradingSessionReported,
)
from oms.domain.effects import Effect, SendExecutionReport, SendMassStatusReport
from oms.domain.events import (
    KillSwitchEngaged,
    KillSwitchReleased,
    OrderStatusReported,
    OrphanReported,
    TradingDateOpened,
    TradingDayClosed,
    UnknownOrderStatusReported,
)
from oms.domain.fix import ExecType
from oms.domain.orphan_events import OrphanSettled
from oms.domain.state import State
from oms.orders.inquiries import TRADING_SESSION
from oms.outbound_client import client_messages
from oms.risk.limits import Level

# Instruments in one SecurityList.
FRAGMENT: Final = 100
# MassCancelResponse (531)
_REJECTED: Final = "0"
# TradSesStatus (340)
_HALTED, _OPEN, _CLOSED, _REQUEST_REJECTED = "1", "2", "3", "6"
_SAID: Final = {_HALTED: "halted by a kill switch", _OPEN: "open", _CLOSED: "closed"}

DayFact = TradingDateOpened | TradingDayClosed | KillSwitchEngaged | KillSwitchReleased
"""What changes the trading day's status."""


def answer_messages(state: State, seq: int, event: AnswerFact) -> Iterator[Effect]:
    """The messages of one such event; none where nobody asked over FIX."""
    if isinstance(event, DisputeResolved) or not event.session:
        return
    match event:
        case MassCancelAnswered():
            yield _mass_cancel_report(state, seq, event)
        case OrderMassStatusReported():
            yield from _mass_status(state, seq, event)
        case NoOrdersReported():
            yield from _no_orders(state, seq, event)
        case SecuritiesListed():
            yield from _security_list(state, seq, event)
        case TradingSessionReported():
            yield _trading_session(state, seq, event)
        case TradeRequestAnswered():
            yield SendTradeRequestAck(
                session=event.session,
                event_seq=seq,
                at=state.at,
                trade_request_id=event.trade_request_id,
                request_type=event.request_type,
                result=event.result,
                status=event.status,
                total=event.total,
                text=event.text,
            )
        case TradeDisputed():
            pass
        case TradeReported():
            yield _trade_report(state, seq, event)
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


def _security_list(state: State, seq: int, event: SecuritiesListed) -> Iterator[Effect]:
    """In fragments; where there is nothing to list, one that says so."""
    known = state.reference.instruments
    found = [known[one] for one in event.symbols if one in known]
    for start in range(0, max(len(found), 1), FRAGMENT):
        yield SendSecurityList(
            session=event.session,
            event_seq=seq,
            at=state.at,
            security_req_id=event.security_req_id,
            response_id=f"L{seq}",
            result=event.result,
            instruments=tuple(found[start : start + FRAGMENT]),
            total=len(found),
            last_fragment=start + FRAGMENT >= len(found),
            text=event.text,
        )


def _trading_session(
    state: State, seq: int, event: TradingSessionReported
) -> SendTradingSessionStatus:
    effect = _day_status(state, seq, event.session, event.trad_ses_req_id)
    if event.reject_reason:
        effect.status, effect.reject_reason = _REQUEST_REJECTED, event.reject_reason
        effect.text = event.text
    return effect


def day_news(state: State, seq: int, event: DayFact) -> Iterator[Effect]:
    """Who subscribed to the trading day's status is told of a change."""
    if isinstance(event, KillSwitchEngaged | KillSwitchReleased) and event.level != Level.FIRM:
        return
    for session, named in state.day_watchers.items():
        effect = _day_status(state, seq, session, named)
        effect.unsolicited = True
        yield effect


def _day_status(state: State, seq: int, session: str, named: str) -> SendTradingSessionStatus:
    halted = any(level == Level.FIRM for level, _ in state.kill_switches)
    status = _HALTED if halted else _OPEN
    if state.closed_date >= state.trade_date:
        status = _CLOSED
    return SendTradingSessionStatus(
        session=session,
        event_seq=seq,
        at=state.at,
        trad_ses_req_id=named,
        trading_session_id=TRADING_SESSION,
        status=status,
        reject_reason="",
        unsolicited=False,
        text=f"trading date {state.trade_date}: {_SAID[status]}",
    )


def _trade_report(state: State, seq: int, event: TradeReported) -> SendTradeCaptureReport:
    order = state.orders[event.order_id]
    named = event.venue, event.exec_id
    [execution, *_] = [
        one
        for one in order.executions.values()
        if (one.venue, one.exec_id) == named and event.child_id in ("", one.child_id)
    ]
    exec_type = ExecType.TRADE
    if execution.busted:
        exec_type = ExecType.TRADE_CANCEL
    elif execution.latest_exec_id != execution.exec_id:
        exec_type = ExecType.TRADE_CORRECT
    return SendTradeCaptureReport(
        session=event.session,
        event_seq=seq,
        at=state.at,
        report_id=f"T{seq}",
        trade_request_id=event.trade_request_id,
        exec_type=exec_type,
        exec_id=execution.report_id,
        order_id=order.order_id,
        cl_ord_id=order.cl_ord_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        last_qty=execution.last_qty,
        last_px=execution.last_px,
        last_mkt=execution.venue,
        trade_date=state.trade_date,
        transact_time=execution.at,
        total=event.total,
        last=event.last,
    )


def dont_know(state: State, seq: int, told: OrphanReported | OrphanSettled) -> Iterator[Effect]:
    """DKReason D: no matching order; where the venue's profile or an operator has us say so."""
    event = told.report if isinstance(told, OrphanSettled) else told
    if told.declined:
        yield SendDontKnowTrade(
            session=event.session,
            event_seq=seq,
            at=state.at,
            venue_order_id=event.venue_order_id,
            exec_id=event.exec_id,
            dk_reason="D",
            symbol=event.symbol,
            side=event.side,
            last_qty=event.last_qty,
            last_px=event.last_px,
            text=f"ClOrdID (11) = {event.cl_ord_id or 'absent'}: no order of ours",
        )
