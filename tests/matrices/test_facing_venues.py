"""The matrices facing venues: the venue says the rows, the child must be what they mean."""

from decimal import Decimal

import pytest

from oms.conformance.matrix import Row, name_of, paths, rows, scenarios
from oms.domain import effects as fx
from oms.domain.commands import OrderCancelReject
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus, Side, TimeInForce
from oms.domain.instrument import Reference
from oms.domain.order import Order
from tests.matrices.scope import OUT_OF_SCOPE, VENUE_ROWS, VENUE_SCENARIOS
from tests.support.invariants import check_packing, check_same, check_state
from tests.support.world import REFERENCE, World

ONE_VENUE = Reference(
    instruments=REFERENCE.instruments,
    venues={"XA": REFERENCE.venues["XA"]},
    clients=REFERENCE.clients,
)
PATHS = [
    path
    for name, scenario in scenarios().items()
    if name not in OUT_OF_SCOPE | VENUE_SCENARIOS
    for path in paths(scenario)
]
NAMED = [name_of(path) for path in PATHS]
SENT = (fx.SendNewOrderSingle, fx.SendOrderCancelRequest, fx.SendOrderCancelReplaceRequest)
SENT_BY = dict(zip("DFG", SENT, strict=True))
PENDING = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)


class Script:
    """One path, played. names: our ClOrdIDs by those of the matrix."""

    def __init__(self, path: list[Row]) -> None:
        self.path = path
        self.world = World(ONE_VENUE)
        self.world.connect("XA")
        self.names: dict[str, str] = {}
        self.order = ""

    def play(self) -> None:
        for row in self.path:
            if row.place in VENUE_ROWS:
                continue
            if row.inbound:
                self._we_send(row)
            else:
                self._venue_says(row)
                self._compare(row)
            check_state(self.world.state)
            check_packing(self.world.state)
            check_same(self.world.state, self.world.replayed())

    def _child(self, row: Row) -> Order:
        found = self.world.state.child_of("XA", self.names[row.cl_ord_id])
        assert found is not None, row
        return found

    def _we_send(self, row: Row) -> None:
        """Bring our server to send the row's message, as a client's wish."""
        match row.msg_type:
            case "D":
                self.order = row.cl_ord_id
                immediate = {"FOK": TimeInForce.FOK, "IOC": TimeInForce.IOC}
                tif = immediate.get(row.note, TimeInForce.DAY)
                self.world.new(row.cl_ord_id, str(row.order_qty), tif=tif)
            case "F":
                self.world.cancel(row.cl_ord_id, self.order)
            case "G":
                self.world.replace(row.cl_ord_id, self.order, str(row.order_qty))
            case _:
                raise AssertionError(row)
        [sent] = [one for one in self.world.effects if isinstance(one, SENT)]
        assert isinstance(sent, SENT_BY[row.msg_type])
        assert sent.order_qty == row.order_qty, row
        if not isinstance(sent, fx.SendNewOrderSingle):
            assert sent.orig_cl_ord_id == self.names[row.orig_cl_ord_id], row
        self.names[row.cl_ord_id] = sent.cl_ord_id

    def _venue_says(self, row: Row) -> None:
        if row.msg_type == "9":
            self._reject(row)
            return
        more: dict[str, object] = {"exec_id": row.exec_id} if row.exec_id else {}
        if row.exec_type in ("F", "G"):
            more |= {"last_qty": row.last_qty, "last_px": row.last_px or Decimal(100)}
        named = self.names[row.cl_ord_id]
        report = self.world.report(
            "XA",
            named,
            ExecType(row.exec_type),
            OrdStatus(row.ord_status),
            orig_cl_ord_id=self.names.get(row.orig_cl_ord_id, ""),
            exec_ref_id=row.exec_ref_id,
            order_qty=row.order_qty,
            cum_qty=row.cum_qty,
            leaves_qty=row.leaves_qty,
            side=Side.BUY,
            **more,
        )
        self.world.send(report)

    def _reject(self, row: Row) -> None:
        replace = next(
            one.msg_type == "G"
            for one in self.path
            if one.inbound and one.cl_ord_id == row.cl_ord_id
        )
        late = row.ord_status == "2"
        self.world.send(
            OrderCancelReject(
                origin=self.world.origin("XA"),
                order_id="V",
                cl_ord_id=self.names[row.cl_ord_id],
                orig_cl_ord_id=self.names[row.orig_cl_ord_id],
                ord_status=OrdStatus(row.ord_status),
                cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL
                if late
                else CxlRejReason.BROKER_OPTION,
                response_to=CxlRejResponseTo.ORDER_CANCEL_REPLACE_REQUEST
                if replace
                else CxlRejResponseTo.ORDER_CANCEL_REQUEST,
                text="no",
            )
        )

    def _compare(self, row: Row) -> None:
        child = self._child(row)
        if row.msg_type == "8":
            got = (child.order_qty, child.cum_qty)
            assert got == (row.order_qty, row.cum_qty), row
            leaves = Decimal(0) if row.ord_status in ("3", "4", "8") else row.leaves_qty
            assert child.leaves_qty == leaves, row
        if child.ord_status in PENDING:
            assert child.requests, row  # ours is on its way to the venue, or under way there
        else:
            assert child.ord_status is OrdStatus(row.ord_status), row
        if row.avg_px is not None:
            assert child.avg_px == row.avg_px, row
        parent = self.world.order(self.order)
        assert (parent.cum_qty, parent.avg_px) == (child.cum_qty, child.avg_px), row


@pytest.mark.parametrize("path", PATHS, ids=NAMED)
def test_the_child_is_what_the_venue_says(path: list[Row]) -> None:
    Script(path).play()


def test_every_row_is_executed_or_named_with_its_reason() -> None:
    named = OUT_OF_SCOPE | VENUE_SCENARIOS
    assert set(named) <= set(scenarios())
    assert VENUE_ROWS.keys() <= {row.place for row in rows()}
    played = {path[0].scenario for path in PATHS}
    assert played | set(named) == set(scenarios())
