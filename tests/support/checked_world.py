"""A World for races: its laws are checked after every command; shorthand for what venues answer."""

from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from oms.domain import effects as fx
from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    OrderCancelReject,
    Origin,
    SessionLoggedOn,
)
from oms.domain.events import Event
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdStatus,
    TimeInForce,
)
from oms.domain.order import Order
from tests.support.invariants import check_state
from tests.support.world import World

E = TypeVar("E")

REST = Origin(channel=Channel.REST, counterparty="ALPHA", user="kim")
OPERATOR = replace(SYSTEM, user="kim")


class CheckedWorld(World):
    """A World whose laws are checked after every command."""

    def send(self, command: Command, after_us: int = 1_000) -> list[Event]:
        events = super().send(command, after_us)
        check_state(self.state)
        return events

    def of(self, kind: type[E]) -> list[E]:
        """Events of the last command."""
        return [one for one in self.events if isinstance(one, kind)]

    def told(self) -> list[tuple[str, str, str]]:
        """What the client was told last: ClOrdID, ExecType (or reject), OrdStatus."""
        found = []
        for one in self.effects:
            if isinstance(one, fx.SendExecutionReport):
                found.append((one.cl_ord_id, one.exec_type.name, one.ord_status.name))
            elif isinstance(one, fx.SendOrderCancelReject):
                found.append((one.cl_ord_id, "CANCEL_REJECT", one.ord_status.name))
        return found

    def working(self, cl_ord_id: str = "c1", qty: str = "100") -> Order:
        """A client order with one acknowledged child."""
        self.new(cl_ord_id, qty)
        self.ack(self.child(cl_ord_id))
        return self.child(cl_ord_id)

    def split(self, tif: TimeInForce = TimeInForce.DAY) -> tuple[Order, Order]:
        """A client order with 60 at one venue and 40 at the other, both acknowledged."""
        self.quote("XA", "99", "100", "60")
        self.quote("XB", "99", "100.01", "500")
        self.new("c1", "100", "101", tif=tif)
        first, second = self.child("c1", 0), self.child("c1", 1)
        self.ack(first)
        self.ack(second)
        return first, second

    def replaced(self, child: Order, qty: str) -> None:
        """The venue grants the replace on its way."""
        self.send(
            self.report(
                child.counterparty,
                child.requests[0].cl_ord_id,
                ExecType.REPLACED,
                OrdStatus.NEW,
                orig_cl_ord_id=child.cl_ord_id,
                order_qty=Decimal(qty),
            )
        )

    def refused(self, child: Order, reason: CxlRejReason = CxlRejReason.BROKER_OPTION) -> None:
        """The venue refuses the oldest request on its way."""
        self.send(
            OrderCancelReject(
                origin=self.origin(child.counterparty),
                order_id="V",
                cl_ord_id=child.requests[0].cl_ord_id,
                orig_cl_ord_id=child.cl_ord_id,
                ord_status=OrdStatus.NEW,
                cxl_rej_reason=reason,
                response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
                text="no",
            )
        )

    def status(self, child: Order, status: OrdStatus, **more: object) -> None:
        """The venue's answer to a status request."""
        figures: dict[str, object] = {
            "cum_qty": child.cum_qty,
            "leaves_qty": child.leaves_qty,
            "side": child.side,
        }
        values = figures | more
        named = str(values.pop("cl_ord_id", child.cl_ord_id))
        report = self.report(child.counterparty, named, ExecType.ORDER_STATUS, status, **values)
        self.send(report)

    def back(self, venue: str) -> None:
        """The venue logs on again and names no order in its mass status."""
        self.send(SessionLoggedOn(origin=replace(self.origin(venue), msg_seq_num=0)))
        self.resync_done(venue)


def connected() -> CheckedWorld:
    """Both venues are in step."""
    made = CheckedWorld()
    made.connect("XA", "XB")
    return made
