"""What the sender of a command is answered: of the command itself, not of what follows from it."""

from dataclasses import replace
from decimal import Decimal

from oms.domain.commands import (
    SYSTEM,
    Channel,
    CloseTradingDay,
    Command,
    OrderCancelReplaceRequest,
    Origin,
    ResolveOrder,
)
from oms.domain.events import CancelPending, ReplacePending
from oms.domain.fix import OrdStatus
from oms.store.answers import Answers
from oms.store.rows import Row
from tests.support.checked_world import connected
from tests.support.world import DATE, World, of_type
from tests.unit.test_chained_replaces import world_with_two_replaces

BY_REST = replace(SYSTEM, channel=Channel.OPERATOR, user="anne", inbox_id=7)


def answer_to(world: World, command: Command) -> Row:
    """accepted, reason, order_id, text."""
    events = world.send(command)
    answers = Answers()
    answers.observe_command(1, 1, command)
    for event in events:
        answers.observe_event(event)
    [row] = answers.rows()
    assert row[0] == BY_REST.inbox_id
    return row[2:6]


def test_the_end_of_the_day_is_not_about_one_of_the_orders_that_it_withdraws() -> None:
    world = connected()
    world.new("c1")
    world.ack(world.child("c1"))
    found = answer_to(world, CloseTradingDay(origin=BY_REST, trade_date=DATE))
    assert of_type(world, CancelPending)
    assert found == (True, "", "", "")


def test_a_decision_about_a_child_is_about_it_though_it_is_a_waiting_replaces_turn() -> None:
    world = world_with_two_replaces()
    child = world.child("X")
    world.disconnect("XA")
    assert child.in_doubt
    decided = ResolveOrder(
        origin=BY_REST, order_id=child.order_id, outcome=OrdStatus.CANCELED, reason="by phone"
    )
    found = answer_to(world, decided)
    assert of_type(world, ReplacePending)
    assert found == (True, "", child.order_id, "")


def test_a_replace_is_about_its_order_and_not_about_that_at_the_venue() -> None:
    world = connected()
    world.new("c1")
    world.ack(world.child("c1"))
    origin = Origin(channel=Channel.REST, counterparty="ALPHA", inbox_id=BY_REST.inbox_id)
    order_id = world.order("c1").order_id
    asked = OrderCancelReplaceRequest(
        origin=origin,
        cl_ord_id="c2",
        order_id=order_id,
        order_qty=Decimal(50),
        price=Decimal(100),
    )
    assert answer_to(world, asked) == (True, "", order_id, "")
