from dataclasses import replace

import pytest

from oms.domain.commands import SYSTEM, CoreStarted, SessionLoggedOn, SessionLoggedOut
from oms.domain.events import CancelPending, Event
from oms.domain.profile import ClientProfile
from oms.domain.reasons import Reason
from oms.domain.session_commands import LogoutCause
from oms.domain.session_events import (
    CancelOnDisconnectArmed,
    CancelOnDisconnectDisarmed,
    CancelOnDisconnectFired,
)
from tests.support.world import DATE, REFERENCE, World, of_type

GRACE_US = 5_000_000


def world_with_orders() -> World:
    """ALPHA, whose orders are cancelled 5 s after its loss, has one working and BETA one."""
    profile = ClientProfile(cancel_on_disconnect=True, cancel_grace_ms=5_000)
    clients = dict(REFERENCE.clients)
    clients["ALPHA"] = replace(clients["ALPHA"], profile=profile)
    world = World(replace(REFERENCE, clients=clients))
    world.connect("XA", "XB")
    log_on(world)
    world.new("c1")
    world.ack(world.child("c1"))
    world.new("b1", client="BETA", account="B1")
    world.ack(world.state.orders[world.order("b1", "BETA").children[0]])
    return world


def log_on(world: World) -> list[Event]:
    return world.send(SessionLoggedOn(origin=replace(world.origin("ALPHA"), msg_seq_num=0)))


def lose(world: World, cause: LogoutCause = LogoutCause.LOST) -> list[Event]:
    origin = replace(world.origin("ALPHA"), msg_seq_num=0)
    return world.send(SessionLoggedOut(origin=origin, text="test", cause=cause))


def restart(world: World) -> None:
    world.state = world.replayed()
    world.send(CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=DATE))


def cancels(world: World) -> list[str]:
    """The client orders whose cancel the last command began."""
    asked = of_type(world, CancelPending)
    return [one.order_id for one in asked if one.reason is Reason.CLIENT_DISCONNECTED]


@pytest.mark.parametrize("cause", [LogoutCause.LOST, LogoutCause.PEER])
def test_orders_of_a_lost_client_are_cancelled_after_the_grace(cause: LogoutCause) -> None:
    world = world_with_orders()
    lose(world, cause)
    lost_at = world.at
    [armed] = of_type(world, CancelOnDisconnectArmed)
    assert armed.due_at == world.at + GRACE_US
    assert world.tick(GRACE_US - 1) == []
    world.tick(1)
    order_id = world.order("c1").order_id
    assert of_type(world, CancelOnDisconnectFired) == [
        CancelOnDisconnectFired(session="ALPHA", lost_at=lost_at, asked=(order_id,), pending=())
    ]
    assert cancels(world) == [order_id]
    assert world.child("c1").requests, "the venue is asked"
    assert world.order("b1", "BETA").is_open
    world.tick(GRACE_US)
    assert not of_type(world, CancelOnDisconnectFired)
    assert world.replayed().sessions == world.state.sessions


@pytest.mark.parametrize("cause", [LogoutCause.OURS, LogoutCause.UNANSWERED])
def test_our_own_logout_cancels_nothing(cause: LogoutCause) -> None:
    world = world_with_orders()
    lose(world, cause)
    assert not of_type(world, CancelOnDisconnectArmed)
    restart(world)
    world.tick(10 * GRACE_US)
    assert cancels(world) == []


def test_a_client_that_is_back_in_time_keeps_its_orders() -> None:
    world = world_with_orders()
    lose(world)
    log_on(world)
    assert of_type(world, CancelOnDisconnectDisarmed)
    world.tick(10 * GRACE_US)
    assert cancels(world) == []


@pytest.mark.parametrize("lost_before", [True, False])
def test_after_the_death_of_a_core_the_grace_counts_from_its_start(lost_before: bool) -> None:
    world = world_with_orders()
    if lost_before:
        lose(world)
    world.at += 2 * GRACE_US
    restart(world)
    [armed] = of_type(world, CancelOnDisconnectArmed)
    assert armed.due_at == world.at + GRACE_US
    restart(world)
    world.tick(GRACE_US - 1)
    assert cancels(world) == []
    world.tick(1_000)
    assert cancels(world) == [world.order("c1").order_id]


def test_what_is_being_cancelled_already_is_told_apart() -> None:
    world = world_with_orders()
    world.new("c2")
    world.ack(world.child("c2"))
    world.cancel("c3", "c2")
    lose(world)
    world.tick(GRACE_US)
    [fired] = of_type(world, CancelOnDisconnectFired)
    assert fired.asked == (world.order("c1").order_id,)
    assert fired.pending == (world.order("c2").order_id,)


def test_a_client_without_open_orders_is_not_waited_for() -> None:
    world = world_with_orders()
    world.fill(world.child("c1"), "100")
    assert not world.order("c1").is_open
    lose(world)
    assert not of_type(world, CancelOnDisconnectArmed)


def test_a_fill_that_crosses_the_cancel_is_booked() -> None:
    world = world_with_orders()
    lose(world)
    world.tick(GRACE_US)
    world.fill(world.child("c1"), "100")
    assert world.order("c1").is_filled
