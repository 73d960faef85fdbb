"""ExecutionReports and OrderCancelRejects as REST shows them: FIX fields by their names."""

from datetime import datetime
from typing import Any, Literal

from oms.api.shown import Answer, Conditions
from oms.api.values import (
    Amount,
    ExecTypeShown,
    OrdStatusShown,
    OrdTypeShown,
    SideShown,
    TimeInForceShown,
)
from oms.domain.effects import SendExecutionReport, SendOrderCancelReject
from oms.domain.values import utc


class ExecutionReport(Conditions):
    """ExecutionReport (8). seq: the journal's number of the fact; at: since when it is one.

    day_*: of a good-till order (424, 425, 426). restatement: ExecRestatementReason (378). list_id:
    ListID (66) of the list that the order came in.
    """

    msg_type: Literal["8"] = "8"
    seq: int
    at: datetime
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    exec_id: str
    exec_ref_id: str
    exec_type: ExecTypeShown
    ord_status: OrdStatusShown
    account: str
    symbol: str
    side: SideShown | None
    ord_type: OrdTypeShown | None
    price: Amount | None
    time_in_force: TimeInForceShown | None
    order_qty: Amount
    last_qty: Amount | None
    last_px: Amount | None
    last_mkt: str
    cum_qty: Amount
    leaves_qty: Amount
    avg_px: Amount
    ord_rej_reason: str
    restatement: str
    list_id: str
    day_order_qty: Amount | None = None
    day_cum_qty: Amount | None = None
    day_avg_px: Amount | None = None
    text: str


class OrderCancelReject(Answer):
    """OrderCancelReject (9): a cancel or replace that comes to nothing."""

    msg_type: Literal["9"] = "9"
    seq: int
    at: datetime
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: OrdStatusShown
    cxl_rej_reason: str
    cxl_rej_response_to: str
    account: str
    list_id: str
    text: str


Report = ExecutionReport | OrderCancelReject


class ReportPage(Answer):
    """Some reports; `next` is the resume token behind them, also where there are none."""

    items: list[Report]
    next: int
    more: bool


def shown(report: SendExecutionReport | SendOrderCancelReject) -> Report:
    """As REST shows it."""
    names = {one: getattr(report, one) for one in type(report).__dataclass_fields__}
    names |= {"seq": report.event_seq, "at": utc(report.at)}
    if isinstance(report, SendExecutionReport):
        names |= _asked(report) | _of_the_day(report)
        return ExecutionReport.model_validate(names)
    names["cxl_rej_response_to"] = report.response_to
    return OrderCancelReject.model_validate(names)


def _asked(report: SendExecutionReport) -> dict[str, Any]:
    asked = report.conditions
    if asked is None:
        return {}
    found = {one: getattr(asked, one) for one in type(asked).__dataclass_fields__}
    found["expire_time"] = utc(asked.expire_time) if asked.expire_time else None
    return found | {
        "expire_date": asked.expire_date or None,
        "exec_inst": " ".join(asked.exec_inst),
    }


def _of_the_day(report: SendExecutionReport) -> dict[str, Any]:
    day = report.day
    if day is None:
        return {}
    figures = {"day_order_qty": day.order_qty, "day_cum_qty": day.cum_qty}
    return {**figures, "day_avg_px": day.avg_px}
