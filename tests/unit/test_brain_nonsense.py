"""Venues that mix up their reports, repeat them, or send nonsense: facts stay facts, laws hold."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.commands import ExecutionReport, MessageRejectedByPeer, OrderCancelReject
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus, Side
from oms.domain.instrument import Reference
from oms.domain.order import Order
from tests.support.desk_model import ACTIONS, Desk
from tests.support.invariants import check_same, check_state
from tests.support.world import REFERENCE, World

ONE_VENUE = Reference(
    instruments=REFERENCE.instruments,
    venues={"XA": REFERENCE.venues["XA"]},
    clients=REFERENCE.clients,
)
QUANTITIES = [Decimal(one) for one in (-5, 0, 1, 10, 40, 100, 10**15)]


def _stream(
    world: World, child: Order, parts: list[int], end: ExecType | None
) -> list[ExecutionReport]:
    """What a venue tells of the child: New, its trades, and how it ends."""
    name, booked = child.cl_ord_id, Decimal(0)
    told = [world.report("XA", name, ExecType.NEW, OrdStatus.NEW, leaves_qty=Decimal(100))]
    for part in parts:
        last_qty = min(Decimal(part), 100 - booked)
        if last_qty <= 0:
            break
        booked += last_qty
        status = OrdStatus.FILLED if booked == 100 else OrdStatus.PARTIALLY_FILLED
        told.append(
            world.report(
                "XA",
                name,
                ExecType.TRADE,
                status,
                last_qty=last_qty,
                last_px=Decimal(100) + part,
                cum_qty=booked,
                leaves_qty=100 - booked,
            )
        )
    if end is not None and booked < 100:
        told.append(world.report("XA", name, end, OrdStatus(end.value), cum_qty=booked))
    return told


def _play(
    parts: list[int], end: ExecType | None, order: list[int] | None
) -> tuple[World, Order, ExecutionReport]:
    world = World(ONE_VENUE)
    world.connect("XA")
    world.new("c1", "100")
    child = world.child("c1")
    stream = _stream(world, child, parts, end)
    last = stream[-1]
    if order is not None:
        stream = [stream[n % len(stream)] for n in order] + stream[::-1]
    for report in stream:
        world.send(replace(report, origin=replace(report.origin, msg_seq_num=0)))
        check_state(world.state)
    return world, child, last


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(st.integers(1, 70), max_size=5),
    end=st.sampled_from([None, ExecType.CANCELED, ExecType.EXPIRED]),
    order=st.lists(st.integers(0, 9), max_size=12),
)
def test_any_order_and_repetition_of_reports_ends_alike(
    parts: list[int], end: ExecType | None, order: list[int]
) -> None:
    straight, expected, last = _play(parts, end, None)
    mixed, child, _ = _play(parts, end, order)
    if child.in_doubt:  # the venue counted fills that had not come yet: asked again, it says
        answer = replace(
            last,
            origin=replace(last.origin, msg_seq_num=0),
            exec_type=ExecType.ORDER_STATUS,
            leaves_qty=Decimal(0) if end else last.leaves_qty,
        )
        mixed.send(answer)
    assert set(child.executions) == set(expected.executions)
    assert (child.cum_qty, child.leaves_qty) == (expected.cum_qty, expected.leaves_qty)
    assert child.ord_status is expected.ord_status
    ours, theirs = mixed.order("c1"), straight.order("c1")
    assert (ours.cum_qty, ours.traded_value) == (theirs.cum_qty, theirs.traded_value)
    assert ours.ord_status is theirs.ord_status
    for key, position in straight.state.positions.items():
        assert mixed.state.positions[key].cost == position.cost
        assert mixed.state.positions[key].quantity == position.quantity
    check_same(mixed.state, mixed.replayed())


def _laws_of_a_liar(desk: Desk) -> None:
    """Its venues may answer a cancel with anything, so what it covers is not looked at."""
    state = desk.world.state
    check_state(state, {one.order_id for one in state.orders.values() if one.is_child})


class Liar:
    """Sends anything about anything, in the middle of a day's traffic."""

    def __init__(self) -> None:
        self.desk = Desk(_laws_of_a_liar)

    def act(self, kind: int, n: int) -> None:
        if kind % 3:
            self.desk.act(kind, n)
        else:
            self._lie(n)

    def _lie(self, n: int) -> None:
        world = self.desk.world
        names = [name for _, name in world.state.child_cl_ord_ids] or ["nobody"]
        name = [*names, "nobody"][n % (len(names) + 1)]
        venue = ("XA", "XB")[n // 2 % 2]
        origin = replace(world.origin(venue), msg_seq_num=0)
        known = [exec_id for _, exec_id in world.state.exec_ids] or ["none"]
        if n % 7 == 0:
            self.desk.send(
                OrderCancelReject(
                    origin=origin,
                    order_id="V",
                    cl_ord_id=name,
                    orig_cl_ord_id="",
                    ord_status=list(OrdStatus)[n % len(OrdStatus)],
                    cxl_rej_reason=list(CxlRejReason)[n % len(CxlRejReason)],
                    response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
                )
            )
        elif n % 7 == 1:
            self.desk.send(
                MessageRejectedByPeer(
                    origin=origin,
                    ref_seq_num=n,
                    ref_msg_type="DFGH8"[n % 5],
                    ref_id=name,
                    text="nonsense",
                )
            )
        else:
            self.desk.send(self._report(n, venue, name, known))

    def _report(self, n: int, venue: str, name: str, known: list[str]) -> ExecutionReport:
        world = self.desk.world
        kind = list(ExecType)[n % len(ExecType)]
        traded = kind in (ExecType.TRADE, ExecType.TRADE_CORRECT)
        positive = [one for one in QUANTITIES if one > 0]
        report = world.report(
            venue,
            name,
            kind,
            list(OrdStatus)[n // 3 % len(OrdStatus)],
            exec_id=known[n % len(known)] if n % 5 == 0 else f"lie{n}",
            exec_ref_id=known[n // 5 % len(known)],
            side=[None, *Side][n % 4],
            symbol=("AAPL", "NOPE")[n % 9 == 0],
            order_qty=QUANTITIES[n // 7 % len(QUANTITIES)],
            price=QUANTITIES[n // 11 % len(QUANTITIES)],
            last_qty=positive[n % len(positive)] if traded else None,
            last_px=QUANTITIES[n // 13 % len(QUANTITIES)] if traded else None,
            cum_qty=QUANTITIES[n // 17 % len(QUANTITIES)],
            leaves_qty=QUANTITIES[n // 19 % len(QUANTITIES)],
            mass_status_req_id=world.state.session(venue).resync_id if n % 11 == 0 else "",
            tot_num_reports=n % 3 if n % 11 == 0 else None,
            ord_rej_reason=str(n % 8),
        )
        return replace(report, origin=replace(report.origin, msg_seq_num=0))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(ACTIONS) - 1), st.integers(0, 99_999)),
        min_size=20,
        max_size=80,
    )
)
def test_a_venue_that_sends_nonsense_breaks_no_law(acts: list[tuple[int, int]]) -> None:
    liar = Liar()
    for kind, n in acts:
        liar.act(kind, n)
    check_same(liar.desk.world.state, liar.desk.world.replayed())
