"""Each knob of a counterparty's profile changes what the brain decides or tells, and only that."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import SYSTEM, Command, CoreStarted
from oms.domain.events import (
    CancelPending,
    DuplicateOrderRefused,
    OrderAccepted,
    OrderConfirmed,
    OrderStatusQueried,
    OrderStatusReported,
    ReplacePending,
    RequestRefused,
    ResyncCompleted,
)
from oms.domain.fix import ExecType, OrdStatus, TimeInForce
from oms.domain.profile import BelowCumQty, ClientProfile, ClOrdIdScope, VenueProfile
from oms.domain.reasons import Reason
from oms.outbound import bundled
from tests.support.memory_core import MemoryCore, MemoryJournal
from tests.support.world import REFERENCE, World, of_type, reports


def world_with(client: ClientProfile | None = None, venue: VenueProfile | None = None) -> World:
    """Both venues up; ALPHA and XA have these profiles."""
    clients, venues = dict(REFERENCE.clients), dict(REFERENCE.venues)
    if client is not None:
        clients["ALPHA"] = replace(clients["ALPHA"], profile=client)
    if venue is not None:
        venues["XA"] = replace(venues["XA"], profile=venue)
    world = World(replace(REFERENCE, clients=clients, venues=venues))
    world.connect("XA", "XB")
    return world


def filled(world: World, cl_ord_id: str, qty: str = "100") -> None:
    world.new(cl_ord_id, qty)
    world.ack(world.child(cl_ord_id))
    world.fill(world.child(cl_ord_id), qty)
    assert world.order(cl_ord_id).ord_status is OrdStatus.FILLED


def test_an_id_of_a_done_order_is_a_duplicate_for_the_day_by_default() -> None:
    world = world_with()
    filled(world, "c1")
    world.new("c1", "50")
    assert of_type(world, DuplicateOrderRefused)


def test_an_id_is_free_once_its_order_is_done_where_the_scope_is_working() -> None:
    world = world_with(ClientProfile(cl_ord_id_scope=ClOrdIdScope.WORKING))
    world.new("c1", "100")
    world.new("c1", "50")
    assert of_type(world, DuplicateOrderRefused), "the order works still"
    world.ack(world.child("c1"))
    world.fill(world.child("c1"), "100")
    first = world.order("c1").order_id
    world.new("c1", "100", poss_resend=True)
    [answer] = of_type(world, OrderStatusReported)
    assert answer.order_id == first, "a message that may be a repetition is never a second order"
    world.new("c1", "50")
    [accepted] = of_type(world, OrderAccepted)
    assert accepted.order_id != first
    assert world.order("c1").order_qty == Decimal(50)


@pytest.mark.parametrize("told", [True, False])
def test_pending_acks(told: bool) -> None:
    world = world_with(ClientProfile(pending_acks=told))
    world.new("c1")
    world.ack(world.child("c1"))
    world.replace("c2", "c1", "120")
    pending = [(ExecType.PENDING_REPLACE, OrdStatus.PENDING_REPLACE)]
    assert reports(world) == (pending if told else [])
    [request] = of_type(world, ReplacePending)[:1]
    assert request.cl_ord_id == "c2"
    world.send(
        world.report(
            "XA",
            world.child("c1").requests[0].cl_ord_id,
            ExecType.REPLACED,
            OrdStatus.NEW,
            order_qty=Decimal(120),
        )
    )
    assert reports(world) == [(ExecType.REPLACED, OrdStatus.NEW)]
    world.cancel("c3", "c2")
    pending = [(ExecType.PENDING_CANCEL, OrdStatus.PENDING_CANCEL)]
    assert reports(world) == (pending if told else [])


def test_an_immediate_order_is_acknowledged_by_its_outcome_alone() -> None:
    world = world_with(ClientProfile(new_for_immediate=False))
    world.new("c1", tif=TimeInForce.IOC)
    assert reports(world) == []
    world.canceled(world.child("c1"))
    world.canceled(world.child("c1"))
    assert world.order("c1").closed is OrdStatus.CANCELED
    assert reports(world) == [(ExecType.CANCELED, OrdStatus.CANCELED)]
    world.new("c2")
    assert reports(world) == [(ExecType.NEW, OrdStatus.NEW)], "what may rest is acknowledged"


def test_a_replace_below_what_has_traded_is_refused_by_default() -> None:
    world = world_with()
    world.new("c1", "100")
    world.ack(world.child("c1"))
    world.fill(world.child("c1"), "80")
    world.replace("c2", "c1", "70")
    [refused] = of_type(world, RequestRefused)
    assert refused.reason is Reason.BELOW_CUM_QTY


def test_a_replace_below_what_has_traded_ends_the_order_with_that() -> None:
    profile = ClientProfile(replace_below_cum_qty=BelowCumQty.AT_CUM_QTY)
    world = world_with(profile)
    world.new("c1", "100")
    world.ack(world.child("c1"))
    world.fill(world.child("c1"), "80")
    world.replace("c2", "c1", "70")
    assert reports(world) == [(ExecType.PENDING_REPLACE, OrdStatus.PENDING_REPLACE)]
    child = world.child("c1")
    world.canceled(child, child.requests[0].cl_ord_id)
    [report] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (report.exec_type, report.ord_status) == (ExecType.REPLACED, OrdStatus.FILLED)
    assert (report.cl_ord_id, report.orig_cl_ord_id) == ("c2", "c1")
    assert (report.order_qty, report.cum_qty, report.leaves_qty) == (*[Decimal(80)] * 2, Decimal(0))


@pytest.mark.parametrize("final", [True, False])
def test_whether_a_replace_opens_a_filled_order_again(final: bool) -> None:
    world = world_with(ClientProfile(filled_is_final=final))
    filled(world, "c1")
    world.replace("c2", "c1", "150")
    refused = of_type(world, RequestRefused)
    assert [one.reason for one in refused] == ([Reason.TOO_LATE] if final else [])
    assert world.order("c1").is_open is not final


def test_the_end_of_a_session_cancels_what_came_by_it() -> None:
    world = world_with(ClientProfile(cancel_on_disconnect=True))
    world.new("c1")
    world.ack(world.child("c1"))
    world.new("b1", client="BETA", account="B1")
    filled(world, "c2", "10")
    world.disconnect("ALPHA")
    asked = of_type(world, CancelPending)
    assert [one.order_id for one in asked] == [
        world.order("c1").order_id,
        world.child("c1").order_id,
    ]
    assert asked[0].reason is Reason.CLIENT_DISCONNECTED
    child = world.child("c1")
    world.canceled(child, child.requests[0].cl_ord_id)
    assert reports(world) == [(ExecType.CANCELED, OrdStatus.CANCELED)]
    assert world.order("b1", "BETA").is_open


def test_a_restart_is_the_end_of_a_session_too() -> None:
    world = world_with(ClientProfile(cancel_on_disconnect=True))
    world.connect_only("ALPHA")
    world.new("c1")
    world.ack(world.child("c1"))
    world.send(CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date="2026-09-21"))
    [asked] = of_type(world, CancelPending)
    assert asked.order_id == world.order("c1").order_id
    world.connect("XA")
    world.send(
        world.report("XA", world.child("c1").cl_ord_id, ExecType.ORDER_STATUS, OrdStatus.NEW)
    )
    [withdrawn] = of_type(world, CancelPending)
    assert withdrawn.order_id == world.child("c1").order_id


def test_by_default_orders_outlive_their_session() -> None:
    world = world_with()
    world.new("c1")
    world.disconnect("ALPHA")
    assert not of_type(world, CancelPending)


def test_a_venue_without_mass_status_is_asked_for_each_order() -> None:
    world = world_with(venue=VenueProfile(mass_status=False))
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.disconnect("XA")
    assert child.in_doubt
    world.connect_only("XA")
    assert world.state.session("XA").ready
    [asked] = of_type(world, OrderStatusQueried)
    assert asked.order_id == child.order_id
    assert of_type(world, ResyncCompleted)
    kinds = [type(one) for one in world.effects]
    assert fx.SendOrderStatusRequest in kinds
    assert fx.SendOrderMassStatusRequest not in kinds
    world.send(world.report("XA", child.cl_ord_id, ExecType.ORDER_STATUS, OrdStatus.NEW))
    assert not child.in_doubt


@pytest.mark.parametrize("final", [True, False])
def test_whether_a_canceled_order_may_come_back(final: bool) -> None:
    world = world_with(venue=VenueProfile(canceled_is_final=final))
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.canceled(child)
    assert child.closed is OrdStatus.CANCELED
    restated = world.report(
        "XA", child.cl_ord_id, ExecType.RESTATED, OrdStatus.NEW, leaves_qty=Decimal(100)
    )
    world.send(restated)
    assert (child.closed is None) is not final
    assert [one.user for one in of_type(world, OrderConfirmed)] == [""] * (not final)


@pytest.mark.parametrize(
    ("kind", "leaves", "back"),
    [
        (ExecType.TRADE, "0", False),
        (ExecType.TRADE, "1", True),
        (ExecType.PENDING_CANCEL, "100", False),
    ],
)
def test_only_what_shows_it_at_work_brings_a_canceled_order_back(
    kind: ExecType, leaves: str, *, back: bool
) -> None:
    world = world_with(venue=VenueProfile(canceled_is_final=False))
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.canceled(child)
    said = {"last_qty": Decimal(5), "last_px": Decimal(100), "leaves_qty": Decimal(leaves)}
    world.send(world.report("XA", child.cl_ord_id, kind, OrdStatus.PARTIALLY_FILLED, **said))
    assert (child.closed is None) is back


@pytest.mark.parametrize("wanted", [True, False])
def test_fill_and_end_of_an_ioc_order_in_one_report(wanted: bool) -> None:
    client = replace(REFERENCE.clients["ALPHA"], profile=ClientProfile(bundled_ioc=wanted))
    reference = replace(REFERENCE, clients={"ALPHA": client})
    world = World(reference)
    world.connect("XA")
    world.new("c1", tif=TimeInForce.IOC)
    child = world.child("c1")
    trade = world.report(
        "XA",
        child.cl_ord_id,
        ExecType.TRADE,
        OrdStatus.CANCELED,
        last_qty=Decimal(40),
        last_px=Decimal(100),
        cum_qty=Decimal(40),
    )
    core = MemoryCore(reference, MemoryJournal())
    for _, _, entry in [*world.journal]:
        if isinstance(entry, Command):
            core.submit(entry)
    core.submit(trade)
    core.drain()
    told = [one for one in core.outlet.sent if isinstance(one, fx.SendExecutionReport)][1:]
    figures = [(one.exec_type, one.ord_status, one.cum_qty, one.leaves_qty) for one in told]
    if wanted:
        assert figures == [(ExecType.TRADE, OrdStatus.CANCELED, Decimal(40), Decimal(0))]
        assert (told[0].last_qty, told[0].exec_id[:1]) == (Decimal(40), "E")
    else:
        assert [one[:2] for one in figures] == [
            (ExecType.TRADE, OrdStatus.PARTIALLY_FILLED),
            (ExecType.CANCELED, OrdStatus.CANCELED),
        ]


def test_only_the_reports_of_an_ioc_order_that_adjoin_are_bundled() -> None:
    world = World()
    world.connect("XA")
    world.new("c1", tif=TimeInForce.IOC)
    world.fill(world.child("c1"), "40")
    fill = list(world.effects)
    world.canceled(world.child("c1"))
    both = [*fill, *world.effects]
    reports = [one for one in both if isinstance(one, fx.SendExecutionReport)]
    assert [one.exec_type for one in reports] == [ExecType.TRADE, ExecType.CANCELED]
    [told] = bundled(both, {"ALPHA"})
    assert isinstance(told, fx.SendExecutionReport)
    assert told.event_seq == reports[1].event_seq
    assert bundled(both, {"BETA"}) == both
    assert bundled([reports[0], reports[0], *reports[1:]], {"ALPHA"})[:1] == reports[:1]
    resting = [replace(one, time_in_force=TimeInForce.DAY) for one in reports]
    assert bundled(resting, {"ALPHA"}) == resting
    asked = [reports[0], replace(reports[1], orig_cl_ord_id="c0")]
    assert bundled(asked, {"ALPHA"}) == asked
