"""A queued replace that is not taken up is a refusal of ours: listed, and counted, as one."""

from prometheus_client import CollectorRegistry

from oms.core import replay
from oms.domain.commands import Command
from oms.domain.events import ReplaceRejected
from oms.domain.state import State
from oms.runtime.metrics import CoreMetrics
from oms.store.projector import Projector
from tests.support.world import World, of_type
from tests.unit.test_chained_replaces import (
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
