"""What clients are told of how their orders stand at a venue besides their fills; pure."""

from collections.abc import Iterator
from typing import Final

from oms.domain.effects import Effect, SendExecutionReport
from oms.domain.events import OrderStatusReported
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.standing_events import OrderMarked, StandingFact
from oms.domain.state import State
from oms.outbound_client import client_messages

_EXEC_TYPES: Final = {
    OrdStatus.STOPPED: ExecType.STOPPED,
    OrdStatus.SUSPENDED: ExecType.SUSPENDED,
    OrdStatus.CALCULATED: ExecType.CALCULATED,
    OrdStatus.DONE_FOR_DAY: ExecType.DONE_FOR_DAY,
}
# ExecRestatementReason (378): market (exchange) option.
_MARKET_OPTION: Final = "8"


def standing_messages(state: State, seq: int, event: StandingFact) -> Iterator[Effect]:
    """The report on a client order; nothing of a child, or where the order came by no session.

    There is no ExecType for the end of a suspension: Restated tells the status that holds again.
    """
    order = state.orders[event.order_id]
    if order.is_child or not order.session:
        return
    status = OrderStatusReported(
        order_id=order.order_id,
        session=order.session,
        cl_ord_id=order.cl_ord_id,
        ord_status_req_id="",
    )
    for report in client_messages(state, seq, status):
        if not isinstance(report, SendExecutionReport):
            continue
        report.exec_id = f"E{seq}"
        report.text = event.text
        if isinstance(event, OrderMarked):
            report.exec_type = ExecType.RESTATED
            if event.mark is None:
                report.restatement = _MARKET_OPTION
            else:
                report.exec_type = _EXEC_TYPES[event.mark]
                report.last_qty, report.last_px = event.last_qty, event.last_px
                report.last_mkt = event.venue
        else:
            report.exec_type = ExecType.RESTATED
            report.restatement = event.restatement or _MARKET_OPTION
        yield report
