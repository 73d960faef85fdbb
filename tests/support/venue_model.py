"""A venue that keeps to FIX, as a model: it takes our effects in order and answers as it is told.

What it answered waits in `reports` until it is read, over lost sessions too, as FIX's own resending
makes it; so a test decides when, and in which state of ours, each report arrives.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal

from oms.domain.commands import Command, ExecutionReport, OrderCancelReject
from oms.domain.effects import (
    Effect,
    SendNewOrderSingle,
    SendOrderCancelReplaceRequest,
    SendOrderCancelRequest,
    SendOrderMassStatusRequest,
    SendOrderStatusRequest,
)
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus, Side
from tests.support.world import World

Amendment = SendOrderCancelRequest | SendOrderCancelReplaceRequest


@dataclass(slots=True, kw_only=True)
class Standing:
    """One order as the venue has it; trades by ExecID, each with quantity and price."""

    cl_ord_id: str
    side: Side
    order_qty: Decimal
    price: Decimal | None
    ids: set[str] = field(default_factory=set)
    trades: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    closed: OrdStatus | None = None

    @property
    def cum_qty(self) -> Decimal:
        return sum((quantity for quantity, _ in self.trades.values()), Decimal(0))

    @property
    def leaves_qty(self) -> Decimal:
        return Decimal(0) if self.closed else max(self.order_qty - self.cum_qty, Decimal(0))

    @property
    def status(self) -> OrdStatus:
        if self.cum_qty >= self.order_qty:
            return OrdStatus.FILLED
        if self.closed:
            return self.closed
        return OrdStatus.PARTIALLY_FILLED if self.trades else OrdStatus.NEW


class VenueModel:
    """See the module."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.up = False
        self.inbox: deque[Effect] = deque()
        self.reports: deque[Command] = deque()
        self.orders: list[Standing] = []
        self._world = world
        self._count = 0

    def find(self, cl_ord_id: str) -> Standing | None:
        """The order that any request of its chain named so."""
        return next((one for one in self.orders if cl_ord_id in one.ids), None)

    def working(self) -> list[Standing]:
        """What can trade."""
        return [one for one in self.orders if one.leaves_qty > 0]

    def process(self, *, accept: bool = True) -> None:
        """Act on the next message of ours, if there is one."""
        if not self.inbox:
            return
        match self.inbox.popleft():
            case SendNewOrderSingle() as sent:
                self._new(sent, accept=accept)
            case SendOrderCancelRequest() | SendOrderCancelReplaceRequest() as sent:
                self._amend(sent, accept=accept)
            case SendOrderStatusRequest() as sent:
                self._status(self.find(sent.cl_ord_id), sent.cl_ord_id)
            case SendOrderMassStatusRequest() as sent:
                self._mass_status(sent.mass_status_req_id)
            case _:
                pass  # a subscription to quotes

    def _new(self, sent: SendNewOrderSingle, *, accept: bool) -> None:
        known = self.find(sent.cl_ord_id)
        if known is not None:
            assert sent.poss_resend, f"{sent.cl_ord_id} came twice without PossResend"
            self._status(known, sent.cl_ord_id)
            return
        standing = Standing(
            cl_ord_id=sent.cl_ord_id,
            side=sent.side,
            order_qty=sent.order_qty,
            price=sent.price,
            ids={sent.cl_ord_id},
        )
        self.orders.append(standing)
        if accept:
            self._say(standing, ExecType.NEW)
        else:
            standing.closed = OrdStatus.REJECTED
            self._say(standing, ExecType.REJECTED)

    def _amend(self, sent: Amendment, *, accept: bool) -> None:
        standing = self.find(sent.orig_cl_ord_id)
        reason = CxlRejReason.BROKER_OPTION
        if standing is None:
            self._refuse(sent, OrdStatus.REJECTED, CxlRejReason.UNKNOWN_ORDER)
            return
        standing.ids.add(sent.cl_ord_id)
        replacing = isinstance(sent, SendOrderCancelReplaceRequest)
        larger = replacing and sent.order_qty > standing.cum_qty
        if standing.closed or not (standing.leaves_qty or larger):
            accept, reason = False, CxlRejReason.TOO_LATE_TO_CANCEL
        if not accept:
            self._refuse(sent, standing.status, reason)
            return
        orig, standing.cl_ord_id = standing.cl_ord_id, sent.cl_ord_id
        if isinstance(sent, SendOrderCancelReplaceRequest):
            standing.order_qty = max(sent.order_qty, standing.cum_qty)
            standing.price = sent.price
            self._say(standing, ExecType.REPLACED, orig_cl_ord_id=orig)
        else:
            standing.closed = OrdStatus.CANCELED
            self._say(standing, ExecType.CANCELED, orig_cl_ord_id=orig)

    def _refuse(self, sent: Amendment, status: OrdStatus, reason: CxlRejReason) -> None:
        replacing = isinstance(sent, SendOrderCancelReplaceRequest)
        self.reports.append(
            OrderCancelReject(
                origin=replace(self._world.origin(self.name), msg_seq_num=0),
                order_id="V",
                cl_ord_id=sent.cl_ord_id,
                orig_cl_ord_id=sent.orig_cl_ord_id,
                ord_status=status,
                cxl_rej_reason=reason,
                response_to=CxlRejResponseTo.ORDER_CANCEL_REPLACE_REQUEST
                if replacing
                else CxlRejResponseTo.ORDER_CANCEL_REQUEST,
                text="refused",
            )
        )

    def trade(self, standing: Standing, quantity: Decimal, price: Decimal) -> None:
        """Fill some of an order."""
        self._count += 1
        exec_id = f"{self.name}-T{self._count}"
        standing.trades[exec_id] = (quantity, price)
        self._say(standing, ExecType.TRADE, exec_id=exec_id, last_qty=quantity, last_px=price)

    def bust(self, standing: Standing, exec_id: str) -> None:
        """Take a trade back; what it held is worked again where the order is not closed."""
        quantity, price = standing.trades.pop(exec_id)
        self._say(
            standing,
            ExecType.TRADE_CANCEL,
            exec_ref_id=exec_id,
            last_qty=quantity,
            last_px=price,
        )

    def end(self, standing: Standing, status: OrdStatus) -> None:
        """Close an order of the venue's own accord: canceled or expired."""
        standing.closed = status
        kind = ExecType.CANCELED if status is OrdStatus.CANCELED else ExecType.EXPIRED
        self._say(standing, kind)

    def _status(self, standing: Standing | None, cl_ord_id: str, **more: object) -> None:
        if standing is not None:
            self._say(standing, ExecType.ORDER_STATUS, **more)
            return
        report = self._world.report(
            self.name, cl_ord_id, ExecType.ORDER_STATUS, OrdStatus.REJECTED, ord_rej_reason="5"
        )
        self._queue(replace(report, **more))  # type: ignore[arg-type]

    def _mass_status(self, request_id: str) -> None:
        working = self.working()
        for standing in working:
            self._status(
                standing,
                standing.cl_ord_id,
                mass_status_req_id=request_id,
                tot_num_reports=len(working),
            )
        if not working:
            self._status(None, "", mass_status_req_id=request_id, tot_num_reports=0)

    def _say(self, standing: Standing, exec_type: ExecType, **more: object) -> None:
        self._queue(
            self._world.report(
                self.name,
                standing.cl_ord_id,
                exec_type,
                standing.status,
                **{
                    "side": standing.side,
                    "order_qty": standing.order_qty,
                    "price": standing.price,
                    "cum_qty": standing.cum_qty,
                    "leaves_qty": standing.leaves_qty,
                }
                | more,
            )
        )

    def _queue(self, report: ExecutionReport) -> None:
        self.reports.append(replace(report, origin=replace(report.origin, msg_seq_num=0)))
