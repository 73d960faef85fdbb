"""The matrices facing clients: a scripted venue makes happen what each row says."""

from collections import deque
from decimal import Decimal

import pytest

from oms.conformance.matrix import Row, name_of, paths, rows, scenarios
from oms.domain import effects as fx
from oms.domain.commands import SYSTEM, EngageKillSwitch, OrderCancelReject, OrderStatusRequest
from oms.domain.events import Event
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus, TimeInForce
from oms.domain.instrument import Reference
from tests.matrices.scope import CLIENT_REFUSALS, CLIENT_ROWS, CLIENT_SCENARIOS, OUT_OF_SCOPE
from tests.support.invariants import check_packing, check_same, check_state
from tests.support.world import REFERENCE, World

Told = fx.SendExecutionReport | fx.SendOrderCancelReject

ONE_VENUE = Reference(
    instruments=REFERENCE.instruments,
    venues={"XA": REFERENCE.venues["XA"]},
    clients=REFERENCE.clients,
)
PATHS = [
    path
    for name, scenario in scenarios().items()
    if name not in OUT_OF_SCOPE | CLIENT_SCENARIOS
    for path in paths(scenario)
    if path[-1].branch != "alt" or path[-1].place not in CLIENT_REFUSALS
]
NAMED = [name_of(path) for path in PATHS]


class Script:
    """One path, played. told: what the client has been told and no row has named yet."""

    def __init__(self, path: list[Row]) -> None:
        self.path = path
        self.world = World(ONE_VENUE)
        self.world.connect("XA")
        self.told: deque[Told] = deque()
        self.exec_ids: dict[str, str] = {}
        self.first = ""

    def play(self) -> None:
        for row in self._ordered():
            if row.place in CLIENT_ROWS:
                continue
            if row.inbound:
                self._receive(row)
            else:
                self._expect(row)
        pending = [one for one in self.told if not _is_pending(one)]
        assert not pending, f"no row has {pending}"

    def _ordered(self) -> list[Row]:
        """Where two messages cross, ours left before theirs came."""
        found: list[Row] = []
        for row in self.path:
            if row.branch == "cross" and not row.inbound:
                found.insert(len(found) - 1, row)
            else:
                found.append(row)
        return found

    def _took(self, events: list[Event]) -> None:
        assert events
        for effect in self.world.effects:
            if isinstance(effect, fx.SendExecutionReport | fx.SendOrderCancelReject):
                self.told.append(effect)
        check_state(self.world.state)
        check_packing(self.world.state)
        check_same(self.world.state, self.world.replayed())

    def _receive(self, row: Row) -> None:
        if self._refused_at_the_desk(row):
            stop = EngageKillSwitch(
                origin=SYSTEM,
                level="FIRM",
                subject="*",
                reason="test",
                cancel_open_orders=False,
            )
            self.world.send(stop)
        match row.msg_type:
            case "D":
                self._new(row)
            case "F":
                self._took(self.world.cancel(row.cl_ord_id, row.orig_cl_ord_id))
            case "G":
                quantity = str(row.order_qty)
                self._took(self.world.replace(row.cl_ord_id, row.orig_cl_ord_id, quantity))
            case "H":
                asked = OrderStatusRequest(
                    origin=self.world.origin("ALPHA"), cl_ord_id=row.cl_ord_id
                )
                self._took(self.world.send(asked))
            case _:
                raise AssertionError(row)

    def _refused_at_the_desk(self, row: Row) -> bool:
        """Whether this path ends with our own refusal of this very message."""
        last, position = self.path[-1], self.path.index(row)
        main = [one for one in scenarios()[row.scenario] if one.branch != "alt"]
        sibling = next((one for one in main if one.step == last.step), None)
        ours = sibling is None or sibling.exec_type in ("0", "E")
        return last.branch == "alt" and position == len(self.path) - 2 and ours

    def _new(self, row: Row) -> None:
        tif = {"TimeInForce=4": TimeInForce.FOK, "TimeInForce=3": TimeInForce.IOC}
        events = self.world.new(
            row.cl_ord_id,
            str(row.order_qty),
            tif=tif.get(row.note, TimeInForce.DAY),
            poss_resend=row.note == "PossResend=Y",
        )
        if not self.first:
            self.first = row.cl_ord_id
        self._took(events)

    def _expect(self, row: Row) -> None:
        self._skip_pending(row)
        if not self.told:
            self._venue_does(row)
            self._skip_pending(row)
        assert self.told, f"{row}: nothing was told"
        told = self.told.popleft()
        if isinstance(told, fx.SendOrderCancelReject):
            _compare_reject(row, told)
        else:
            _compare_report(row, told)
            self._compare_trade(row, told)

    def _skip_pending(self, row: Row) -> None:
        """A pending report may come where the matrix prints none."""
        while self.told and _is_pending(self.told[0]) and row.exec_type not in ("6", "E"):
            self.told.popleft()

    def _compare_trade(self, row: Row, told: fx.SendExecutionReport) -> None:
        if row.avg_px is not None:
            assert told.avg_px == row.avg_px, row
        if row.exec_ref_id:
            assert told.exec_ref_id == self.exec_ids[row.exec_ref_id], row
        if row.exec_id:
            self.exec_ids[row.exec_id] = told.exec_id

    def _venue_does(self, row: Row) -> None:
        child = self.world.child(self.first)
        if row.msg_type == "9":
            self._venue_refuses()
        elif row.exec_type == "F":
            more = {"exec_id": row.exec_id} if row.exec_id else {}
            assert row.last_qty is not None
            price = str(row.last_px or 100)
            self._took(self.world.fill(child, str(row.last_qty), price, **more))
        elif row.exec_type in ("G", "H"):
            self._venue_amends(row)
        else:
            request = child.requests[-1].cl_ord_id if child.requests else child.cl_ord_id
            kind = ExecType(row.exec_type)
            report = self.world.report(
                "XA",
                request,
                kind,
                OrdStatus(row.ord_status),
                order_qty=row.order_qty if kind in _WITH_QUANTITY else None,
                last_qty=row.last_qty,
                last_px=Decimal("50.10"),
                restatement=row.note.partition("ExecRestatementReason=")[2][:1],
            )
            self._took(self.world.send(report))

    def _venue_amends(self, row: Row) -> None:
        child = self.world.child(self.first, 0)
        corrects = row.exec_type == "G"
        report = self.world.report(
            "XA",
            child.cl_ord_id,
            ExecType(row.exec_type),
            OrdStatus(row.ord_status),
            exec_id=row.exec_id,
            exec_ref_id=row.exec_ref_id,
            last_qty=row.last_qty if corrects else None,
            last_px=row.last_px or Decimal(120) if corrects else None,
            leaves_qty=row.leaves_qty,
        )
        self._took(self.world.send(report))

    def _venue_refuses(self) -> None:
        child = self.world.child(self.first)
        request = child.requests[-1]
        reject = OrderCancelReject(
            origin=self.world.origin("XA"),
            order_id="V",
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id=request.orig_cl_ord_id,
            ord_status=OrdStatus.NEW,
            cxl_rej_reason=CxlRejReason.BROKER_OPTION,
            response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
            text="no",
        )
        self._took(self.world.send(reject))


_WITH_QUANTITY = (ExecType.REPLACED, ExecType.RESTATED)


def _is_pending(told: Told) -> bool:
    pending = (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE)
    return isinstance(told, fx.SendExecutionReport) and told.exec_type in pending


def _compare_reject(row: Row, told: fx.SendOrderCancelReject) -> None:
    assert row.msg_type == "9", (row, told)
    got = (told.cl_ord_id, told.orig_cl_ord_id, told.ord_status)
    assert got == (row.cl_ord_id, row.orig_cl_ord_id, row.ord_status), row
    for reason, text in ((0, "CxlRejReason=0"), (1, "CxlRejReason=1"), (3, "CxlRejReason=3")):
        if text in row.note:
            assert told.cxl_rej_reason == str(reason), row


def _compare_report(row: Row, told: fx.SendExecutionReport) -> None:
    assert row.msg_type == "8", (row, told)
    got = (told.cl_ord_id, told.exec_type, told.ord_status)
    assert got == (row.cl_ord_id, row.exec_type, row.ord_status), row
    assert told.orig_cl_ord_id == row.orig_cl_ord_id, row
    for asked, have in (
        (row.order_qty, told.order_qty),
        (row.cum_qty, told.cum_qty),
        (row.leaves_qty, told.leaves_qty),
        (row.last_qty, told.last_qty or Decimal(0)),
    ):
        assert asked in (None, have), row
    if "ExecRestatementReason=" in row.note:
        assert told.restatement == row.note.partition("ExecRestatementReason=")[2][:1], row
    if "OrdRejReason=" in row.note:
        assert f"OrdRejReason={told.ord_rej_reason}" in row.note, row


@pytest.mark.parametrize("path", PATHS, ids=NAMED)
def test_the_client_is_told_what_the_matrix_says(path: list[Row]) -> None:
    Script(path).play()


def test_every_row_is_executed_or_named_with_its_reason() -> None:
    named = OUT_OF_SCOPE | CLIENT_SCENARIOS
    assert set(named) <= set(scenarios())
    places = {row.place for row in rows()}
    assert (CLIENT_ROWS | CLIENT_REFUSALS).keys() <= places
    played = {path[0].scenario for path in PATHS}
    assert played | set(named) == set(scenarios())


def test_our_profile_refuses_a_replace_below_cum_qty() -> None:
    """C.3.c, the other way that the standard leaves open."""
    script = Script(scenarios()["C.3.c"])
    world = script.world
    world.new("X", "10000")
    world.ack(world.child("X"))
    world.fill(world.child("X"), "8000")
    world.replace("Y", "X", "7000")
    [told] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReject)]
    assert (told.ord_status, told.cxl_rej_reason) == ("1", CxlRejReason.OTHER)
    assert told.text == "OrderQty (38) = 7000: must not be below CumQty 8000"
    assert world.order("X").order_qty == 10_000


def test_a_fill_beyond_a_smaller_replace_on_its_way_is_granted_at_cum_qty() -> None:
    """C.3.c as it comes from a venue: the replaced OrderQty is what has traded."""
    world = World(ONE_VENUE)
    world.connect("XA")
    world.new("X", "10000")
    child = world.child("X")
    world.ack(child)
    world.replace("Y", "X", "7000")
    world.fill(child, "8000")
    world.send(
        world.report(
            "XA",
            child.requests[-1].cl_ord_id,
            ExecType.REPLACED,
            OrdStatus.FILLED,
            order_qty=Decimal(8000),
        )
    )
    [told] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (told.cl_ord_id, told.exec_type, told.ord_status) == ("Y", "5", "2")
    assert (told.order_qty, told.cum_qty, told.leaves_qty) == (
        Decimal(8000),
        Decimal(8000),
        Decimal(0),
    )
