"""Rates of sessions that refuse: what a client sends too fast, what a venue has no room for."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ems.room import has_room
from oms.domain.commands import SYSTEM, NewOrderSingle, OrderCancelReplaceRequest
from oms.domain.events import OrderRefused, OrderRouted, ReplacePending, RequestRefused
from oms.domain.fix import (
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from oms.domain.instrument import Reference
from oms.domain.profile import ClientProfile, Throttle, VenueProfile
from oms.domain.reasons import SPECS, Reason
from tests.support.invariants import check_same
from tests.support.world import REFERENCE, World, of_type, reports

NEW = [(ExecType.NEW, OrdStatus.NEW)]
REFUSED = [(ExecType.REJECTED, OrdStatus.REJECTED)]


def with_client() -> World:
    """ALPHA may send three messages a second."""
    profile = ClientProfile(max_messages_per_second=3, throttle=Throttle.REJECT)
    alpha = replace(REFERENCE.clients["ALPHA"], profile=profile)
    return connected(replace(REFERENCE, clients=REFERENCE.clients | {"ALPHA": alpha}))


def with_venues(*names: str) -> World:
    """These venues take two messages a second and are sent no new order beyond."""
    venues = dict(REFERENCE.venues)
    for name in names:
        profile = VenueProfile(throttle=Throttle.REJECT)
        venues[name] = replace(venues[name], max_messages_per_second=2, profile=profile)
    return connected(replace(REFERENCE, venues=venues))


def connected(reference: Reference) -> World:
    world = World(reference)
    world.connect("XA", "XB")
    return world


def refused(world: World) -> tuple[Reason, str]:
    [event] = [*of_type(world, OrderRefused), *of_type(world, RequestRefused)]
    return event.reason, event.text


def venues_of(world: World) -> list[str]:
    return [event.terms.counterparty for event in of_type(world, OrderRouted)]


def test_a_client_beyond_its_rate_is_refused_and_may_still_cancel() -> None:
    world = with_client()
    for name in ("c1", "c2", "c3"):
        world.new(name)
        assert reports(world) == NEW
    world.new("c4")
    assert reports(world) == REFUSED
    text = "max_messages_per_second = 3: measured 4"
    assert refused(world) == (Reason.MAX_MESSAGE_RATE, text)
    world.replace("r1", "c1", "50")
    assert refused(world) == (Reason.MAX_MESSAGE_RATE, text.replace("4", "5"))
    world.cancel("x1", "c2")
    assert reports(world) == [(ExecType.PENDING_CANCEL, OrdStatus.PENDING_CANCEL)]
    world.new("b1", client="BETA", account="B1")
    assert reports(world) == NEW, "another session's rate"
    world.tick(1_000_000)
    world.new("c5")
    assert reports(world) == NEW
    check_same(world.state, world.replayed())


def test_what_was_sent_before_and_comes_late_is_not_too_fast() -> None:
    world = with_client()
    order = NewOrderSingle(
        origin=SYSTEM,
        cl_ord_id="",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT,
        price=Decimal(100),
    )
    for n in range(6):
        origin = replace(world.origin("ALPHA"), poss_dup=True)
        world.send(replace(order, origin=origin, cl_ord_id=f"c{n}"))
        assert reports(world) == NEW


@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.IOC])
def test_a_venue_without_room_is_passed_over_for_another(tif: TimeInForce) -> None:
    world = with_venues("XA")
    for name, venue in (("c1", "XA"), ("c2", "XA"), ("c3", "XB"), ("c4", "XB")):
        world.new(name, tif=tif)
        assert venues_of(world) == [venue]


def test_where_no_venue_has_room_a_new_order_is_refused_and_a_cancel_goes() -> None:
    world = with_venues("XA", "XB")
    for name in ("c1", "c2", "c3", "c4"):
        world.new(name)
        assert reports(world) == NEW
    world.new("c5")
    assert reports(world) == REFUSED
    text = "no more messages in this second to XA (2), XB (2)"
    assert refused(world) == (Reason.MAX_MESSAGE_RATE, text)
    world.ack(world.child("c1"))
    world.cancel("x1", "c1")
    assert world.child("c1").requests
    world.tick(1_000_000)
    world.new("c6")
    assert reports(world) == NEW
    check_same(world.state, world.replayed())


@pytest.mark.parametrize(("ago_us", "room"), [(999_999, False), (1_000_000, True)])
def test_a_message_to_a_venue_counts_for_a_second(ago_us: int, *, room: bool) -> None:
    world = with_venues("XA")
    venue = world.state.reference.venues["XA"]
    for name in ("c1", "c2"):
        world.new(name, tif=TimeInForce.IOC)
    [sent, _] = world.state.message_times["to XA"]
    world.state.at = sent + ago_us
    assert has_room(world.state, venue) is room


def test_a_venue_without_a_rate_has_room() -> None:
    profile = VenueProfile(throttle=Throttle.REJECT)
    venue = replace(REFERENCE.venues["XA"], profile=profile, max_messages_per_second=0)
    world = connected(replace(REFERENCE, venues=REFERENCE.venues | {"XA": venue}))
    assert has_room(world.state, venue)


def test_a_cancel_counts_too() -> None:
    world = with_venues("XA", "XB")
    for name in ("c1", "c2", "c3"):
        world.new(name)
    world.ack(world.child("c3"))
    world.cancel("x3", "c3")
    world.new("c4")
    assert reports(world) == REFUSED


AGE_MS = 60_000


def sent_ago(world: World, name: str, ago_us: int, *, by_rest: bool = False) -> OrderRefused | None:
    """The refusal, if any, of an order that is decided so long after it was sent."""
    world.new("template")
    [template] = [one for _, _, one in world.journal if isinstance(one, NewOrderSingle)][-1:]
    at = world.at - ago_us
    origin = replace(template.origin, received_at=at if by_rest else world.at)
    sent_at = 0 if by_rest else at
    world.send(replace(template, origin=origin, cl_ord_id=name, transact_time=sent_at), after_us=0)
    found = [one for one in of_type(world, OrderRefused) if one.terms.cl_ord_id == name]
    return found[0] if found else None


@pytest.mark.parametrize("by_rest", [False, True])
def test_an_order_that_comes_long_after_it_was_sent_is_refused(by_rest: bool) -> None:
    """After an outage a client's engine sends what it kept: a market of an hour ago is gone."""
    profile = ClientProfile(max_order_age_ms=AGE_MS)
    alpha = replace(REFERENCE.clients["ALPHA"], profile=profile)
    world = connected(replace(REFERENCE, clients=REFERENCE.clients | {"ALPHA": alpha}))
    assert sent_ago(world, "just", AGE_MS * 1_000 + 999, by_rest=by_rest) is None
    refusal = sent_ago(world, "late", AGE_MS * 1_000 + 1_000, by_rest=by_rest)
    assert refusal is not None
    assert refusal.reason is Reason.STALE
    text = "max_order_age_ms = 60000: measured 60001, it was sent too long ago"
    assert refusal.text == text
    assert SPECS[Reason.STALE].ord_rej_reason is OrdRejReason.TOO_LATE_TO_ENTER


@pytest.mark.parametrize("by_rest", [False, True])
def test_a_replace_that_comes_long_after_it_was_sent_is_refused(by_rest: bool) -> None:
    """The order stays as it was; a cancel is taken however old it is."""
    profile = ClientProfile(max_order_age_ms=AGE_MS)
    alpha = replace(REFERENCE.clients["ALPHA"], profile=profile)
    world = connected(replace(REFERENCE, clients=REFERENCE.clients | {"ALPHA": alpha}))
    world.new("c1")
    world.ack(world.child("c1"))
    sent_at = world.at
    world.at += AGE_MS * 1_000
    asked = OrderCancelReplaceRequest(
        origin=replace(world.origin("ALPHA"), received_at=sent_at if by_rest else world.at),
        cl_ord_id="late",
        orig_cl_ord_id="c1",
        order_qty=Decimal(50),
        price=Decimal(100),
        transact_time=0 if by_rest else sent_at,
    )
    world.send(asked)
    [refusal] = of_type(world, RequestRefused)
    text = "max_order_age_ms = 60000: measured 60001, it was sent too long ago"
    assert (refusal.reason, refusal.text) == (Reason.STALE, text)
    assert SPECS[Reason.STALE].cxl_rej_reason is CxlRejReason.OTHER
    assert world.order("c1").order_qty == Decimal(100)
    world.send(replace(asked, cl_ord_id="just", transact_time=world.at))
    assert [one.cl_ord_id for one in of_type(world, ReplacePending)][:1] == ["just"]


def test_without_a_limit_an_order_is_placed_however_old() -> None:
    assert sent_ago(connected(REFERENCE), "old", 86_400_000_000) is None
