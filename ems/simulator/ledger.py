"""The venue's own record: orders, request ids, trades, numbering, the answers of one command."""

from dataclasses import dataclass
from decimal import Decimal

from ems.simulator.faults import Faults
from ems.simulator.model import (
    NO_ORDER,
    STATUS_EXEC_ID,
    ZERO,
    Answer,
    Delivery,
    ExecutionReport,
    OrderCancelReject,
    Trade,
    VenueOrder,
)
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdRejReason,
    OrdStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """The fields of a request that an answer repeats where there is no order to take them from."""

    owner: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str = ""
    time_in_force: str = ""
    order_qty: Decimal = ZERO
    price: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class Extra:
    """What a report says beyond the state of its order."""

    cl_ord_id: str = ""
    orig_cl_ord_id: str = ""
    exec_ref_id: str = ""
    last_qty: Decimal | None = None
    last_px: Decimal | None = None
    ord_rej_reason: OrdRejReason | None = None
    text: str = ""
    mass_status_req_id: str = ""
    ord_status_req_id: str = ""
    tot_num_reports: int | None = None
    last_rpt_requested: bool | None = None
    restatement: str = ""


class Ledger:
    """Mutable; every change is caused by a command, so that a replay makes the same ledger."""

    def __init__(self, id_prefix: str) -> None:
        self.faults = Faults()
        self.orders: dict[str, VenueOrder] = {}
        # Every ClOrdID that was ever taken in, by counterparty, and the order that it is about.
        self.requests: dict[tuple[str, str], VenueOrder | None] = {}
        self.trades: dict[str, Trade] = {}
        self.matches: dict[int, list[Trade]] = {}
        self.touched: set[str] = set()  # symbols whose book this command changed
        self.last_trade: dict[str, Trade] = {}
        # By symbol: stops that wait for their price, orders for the close; and ends of their own.
        self.waiting: dict[str, dict[str, VenueOrder]] = {}
        self.until: dict[str, int] = {}
        self.splits: dict[str, int] = {}  # the last match before each symbol's latest split
        self.at = 0
        self._prefix = id_prefix
        self._orders_made = 0
        self._execs_made = 0
        self._matches_made = 0
        self._answers_made = 0
        self._priorities = 0
        self._out: list[Delivery] = []

    def begin(self, at: int) -> None:
        """Start a command at `at`, microseconds since 1970 UTC."""
        self.at = at
        self.touched = set()
        self._out = []

    def end(self) -> tuple[Delivery, ...]:
        return tuple(self._out)

    def next_order_id(self) -> str:
        self._orders_made += 1
        return f"{self._prefix}-O{self._orders_made}"

    def next_exec_id(self) -> str:
        self._execs_made += 1
        return f"{self._prefix}-E{self._execs_made}"

    def next_match_id(self) -> int:
        self._matches_made += 1
        return self._matches_made

    def next_priority(self) -> int:
        self._priorities += 1
        return self._priorities

    def emit(self, answer: Answer) -> None:
        """Number an answer and let the faults decide how it leaves."""
        self._answers_made += 1
        self._out.append(self.faults.deliver(self._answers_made, answer))

    def report(self, order: VenueOrder, exec_type: ExecType, extra: Extra | None = None) -> str:
        """Emit a report with a fresh ExecID, unless the order is background; returns the ExecID."""
        order.changed_at = self.at
        if not order.owner:
            return ""
        exec_id = self.next_exec_id()
        self.emit(self.describe(order, exec_type, exec_id, extra or Extra()))
        return exec_id

    def describe(
        self, order: VenueOrder, exec_type: ExecType, exec_id: str, extra: Extra
    ) -> ExecutionReport:
        """The order's state as a report."""
        return ExecutionReport(
            owner=order.owner,
            exec_id=exec_id,
            exec_type=exec_type,
            ord_status=order.ord_status,
            order_id=order.order_id,
            cl_ord_id=extra.cl_ord_id or order.cl_ord_id,
            symbol=order.symbol,
            side=order.side,
            ord_type=order.ord_type,
            time_in_force=order.time_in_force,
            order_qty=order.order_qty,
            price=order.price,
            leaves_qty=order.leaves_qty,
            cum_qty=order.cum_qty,
            avg_px=order.avg_px,
            transact_time=self.at,
            account=order.account,
            stop_px=order.stop_px,
            min_qty=order.min_qty,
            max_floor=order.max_floor,
            exec_inst=order.exec_inst,
            expire_time=order.expire_time,
            expire_date=order.expire_date,
            restatement=extra.restatement,
            orig_cl_ord_id=extra.orig_cl_ord_id,
            exec_ref_id=extra.exec_ref_id,
            last_qty=extra.last_qty,
            last_px=extra.last_px,
            ord_rej_reason=extra.ord_rej_reason,
            text=extra.text,
            mass_status_req_id=extra.mass_status_req_id,
            ord_status_req_id=extra.ord_status_req_id,
            tot_num_reports=extra.tot_num_reports,
            last_rpt_requested=extra.last_rpt_requested,
        )

    def unknown(
        self, echo: Echo, exec_type: ExecType, exec_id: str, extra: Extra
    ) -> ExecutionReport:
        """A report about no order of ours: OrdStatus=Rejected, all quantities zero."""
        return ExecutionReport(
            owner=echo.owner,
            exec_id=exec_id,
            exec_type=exec_type,
            ord_status=OrdStatus.REJECTED,
            order_id=NO_ORDER,
            cl_ord_id=echo.cl_ord_id,
            symbol=echo.symbol,
            side=echo.side,
            ord_type=echo.ord_type,
            time_in_force=echo.time_in_force,
            order_qty=echo.order_qty,
            price=echo.price,
            leaves_qty=ZERO,
            cum_qty=ZERO,
            avg_px=ZERO,
            transact_time=self.at,
            ord_rej_reason=extra.ord_rej_reason,
            text=extra.text,
            mass_status_req_id=extra.mass_status_req_id,
            ord_status_req_id=extra.ord_status_req_id,
            tot_num_reports=extra.tot_num_reports,
            last_rpt_requested=extra.last_rpt_requested,
        )

    def status(self, order: VenueOrder, extra: Extra) -> ExecutionReport:
        """The order's state as the answer to a question: ExecType=I, which is no execution."""
        return self.describe(order, ExecType.ORDER_STATUS, STATUS_EXEC_ID, extra)

    def refuse_cancel(
        self,
        echo: Echo,
        order: VenueOrder | None,
        *,
        orig_cl_ord_id: str,
        response_to: CxlRejResponseTo,
        reason: CxlRejReason,
        text: str,
    ) -> None:
        """Emit an OrderCancelReject; OrdStatus=Rejected where no order is known (volume 4)."""
        self.emit(
            OrderCancelReject(
                owner=echo.owner,
                order_id=order.order_id if order else NO_ORDER,
                cl_ord_id=echo.cl_ord_id,
                orig_cl_ord_id=orig_cl_ord_id,
                ord_status=order.ord_status if order else OrdStatus.REJECTED,
                cxl_rej_response_to=response_to,
                cxl_rej_reason=reason,
                transact_time=self.at,
                text=text,
            )
        )
