"""ExecRestatementReason (378): why a venue cancelled of its own accord reaches the client."""

from dataclasses import replace

import pytest

from oms.domain import effects as fx
from oms.domain.commands import ExecutionReport
from oms.domain.fix import ExecType, OrdStatus
from tests.support.messages import NOW, read, report, sent
from tests.support.world import REFERENCE, World

CANCELED = {35: "8", 34: "9", 37: "V1", 11: "o1", 17: "e1", 150: "4", 39: "4", 55: "AAPL"}
CANCELED |= {54: "1", 14: "0", 151: "0", 6: "0", 60: NOW}


def reasons_told(world: World) -> list[str]:
    return [one.restatement for one in world.effects if isinstance(one, fx.SendExecutionReport)]


def test_it_is_passed_on_when_the_order_ends_by_it() -> None:
    world = World(replace(REFERENCE, venues={"XA": REFERENCE.venues["XA"]}))
    world.connect("XA")
    world.new("X")
    child = world.child("X")
    world.ack(child)
    ended = world.report(
        "XA", child.cl_ord_id, ExecType.CANCELED, OrdStatus.CANCELED, restatement="6"
    )
    world.send(ended)
    assert reasons_told(world) == ["6"]


def test_a_cancel_that_was_asked_for_has_none() -> None:
    world = World()
    world.connect("XA")
    world.new("X")
    child = world.child("X")
    world.ack(child)
    world.cancel("Y", "X")
    request = child.requests[0].cl_ord_id
    ended = world.report("XA", request, ExecType.CANCELED, OrdStatus.CANCELED, restatement="4")
    world.send(ended)
    assert reasons_told(world) == [""]


@pytest.mark.parametrize(
    ("told", "kept"), [("6", "6"), ("99", "99"), ("", ""), ("halted", ""), ("1234", "")]
)
def test_nonsense_in_it_is_left_out_and_the_report_taken(told: str, kept: str) -> None:
    command = read("FIX.4.4", CANCELED | ({378: told} if told else {}), venue=True)
    assert isinstance(command, ExecutionReport)
    assert command.restatement == kept


@pytest.mark.parametrize(
    ("version", "reason", "said"),
    [
        ("FIX.4.4", "9", "9"),
        ("FIXT.1.1", "9", "9"),
        ("FIX.4.2", "2", "2"),
        ("FIX.4.2", "6", "4"),
    ],
)
def test_a_version_that_has_not_the_reason_says_broker_option(
    version: str, reason: str, said: str
) -> None:
    effect = report(ExecType.CANCELED, (OrdStatus.CANCELED, "0", "0"), restatement=reason)
    assert sent(version, effect)[378] == said
