"""A queued replace that is not taken up is a refusal of ours: listed, and counted, as one."""

from dataclasses import replace
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry

from oms.core import replay
from oms.domain import effects as fx
from oms.domain.commands import Command, OrderCancelReplaceRequest
from oms.domain.events import ReplacePending, ReplaceRejected
from oms.domain.fix import ExecType, OrdStatus, OrdType
from oms.domain.origin import Channel, Origin
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.runtime.metrics import CoreMetrics
from oms.store.codec import decode, encode
from oms.store.projector import Projector
from tests.support.terms_world import world_of
from tests.support.world import World, of_type
from tests.unit.test_chained_replaces import (
    QUEUE,
    limited,
    venue_grants,
    venue_refuses,
    world_with_two_replaces,
)


def refusals_of(world: World) -> list[tuple[object, ...]]:
    """ClOrdID, reason and text of the rows of table refusals."""
    state = State(reference=world.state.reference)
    projector = Projector(state)
    for seq, at, entry in world.journal:
        replay(state, seq, at, entry)
        if not isinstance(entry, Command):
            projector.observe_event(seq, at, entry)
    return [(row[2], *row[6:]) for row in projector.rows().get("refusals", [])]


def test_one_that_is_not_taken_up_is_listed_as_refused() -> None:
    world = world_with_two_replaces(third="150")
    limited(world, "MAX_ORDER_QTY", "100")
    venue_grants(world)
    text = "MAX_ORDER_QTY at ACCOUNT A1: limit 100, measured 150"
    assert refusals_of(world) == [("ReplaceRejected", "Z", "MAX_ORDER_QTY", text)]
    registry = CollectorRegistry()
    metrics = CoreMetrics(registry)
    for event in world.events:
        metrics.event(event)
    labels = {"reason": "MAX_ORDER_QTY"}
    assert registry.get_sample_value("plumbline_refusals_total", labels) == 1


def test_one_that_its_order_outlived_not_is_listed_as_refused() -> None:
    world = world_with_two_replaces()
    world.cancel("W", "X")
    venue_grants(world)
    child = world.child("X")
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert refusals_of(world) == [("ReplaceRejected", "Z", "TOO_LATE", "the order ended first")]


def test_one_that_its_venue_refuses_is_no_refusal_of_ours() -> None:
    world = world_with_two_replaces()
    venue_refuses(world)
    venue_refuses(world)
    assert of_type(world, ReplaceRejected)
    assert refusals_of(world) == []


@pytest.mark.parametrize(("stop_px", "taken"), [("103", False), ("101", True)])
def test_no_other_stop_price_after_its_venue_has_triggered_the_order(
    stop_px: str, *, taken: bool
) -> None:
    world = world_of(types={OrdType.STOP})
    client = replace(world.state.reference.clients["ALPHA"], profile=QUEUE)
    clients = {**world.state.reference.clients, "ALPHA": client}
    world.state.reference = replace(world.state.reference, clients=clients)
    world.ask("X", OrdType.STOP, stop_px=Decimal(101))
    child = world.child("X")
    world.ack(child)
    world.amend("Y", "X", qty="90")
    world.amend("Z", "Y", qty="80", stop_px=Decimal(stop_px))
    world.send(world.report("XA", child.cl_ord_id, ExecType.TRIGGERED, OrdStatus.NEW))
    world.replaced(child, "90")
    asked = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReplaceRequest)]
    assert bool(asked) is taken
    refused = of_type(world, ReplaceRejected)
    if not taken:
        assert [(one.cl_ord_id, one.reason, one.text) for one in refused] == [
            (
                "Z",
                Reason.FIELD_NOT_REPLACEABLE,
                "StopPx (99) = 103: the order was triggered",
            )
        ]


@pytest.mark.parametrize("by_rest", [False, True])
def test_whether_its_sender_may_use_the_account_is_asked_by_the_rights_of_its_door(
    by_rest: bool,
) -> None:
    """By REST those of the API key when it came, which may know of an account before the core
    does, as for any replace by REST; by FIX those of the client now.
    """
    world = world_with_two_replaces()
    if by_rest:
        key = Origin(channel=Channel.REST, counterparty="ALPHA", accounts=("A1",))
        world.send(
            OrderCancelReplaceRequest(
                origin=key,
                cl_ord_id="W",
                orig_cl_ord_id="Z",
                order_qty=Decimal(60),
                price=Decimal(100),
            )
        )
        venue_grants(world)
    clients = world.state.reference.clients
    without = {"ALPHA": replace(clients["ALPHA"], accounts=frozenset({"A2"}))}
    world.state.reference = replace(world.state.reference, clients=without)
    venue_grants(world)
    refused = [one.reason for one in of_type(world, ReplaceRejected)]
    assert refused == ([] if by_rest else [Reason.ACCOUNT_NOT_PERMITTED])
    assert bool(world.order("X").requests) is by_rest
    assert world.replayed().orders[world.order("X").order_id] == world.order("X")
    asked = [one for one in world.journal if isinstance(one[2], ReplacePending) and one[2].waits]
    [*_, (_, _, waits)] = asked
    assert isinstance(waits, ReplacePending)
    assert waits.accounts == (("A1",) if by_rest else ())
    assert decode("ReplacePending", encode(waits)) == waits


def test_one_that_an_older_version_journaled_has_the_rights_of_its_client() -> None:
    waits = ReplacePending(
        order_id="1",
        cl_ord_id="Z",
        orig_cl_ord_id="Y",
        order_qty=Decimal(1),
        price=None,
        waits=True,
    )
    old = encode(waits).replace(b',"accounts":[]', b"")
    assert b"accounts" not in old
    assert decode("ReplacePending", old) == waits
