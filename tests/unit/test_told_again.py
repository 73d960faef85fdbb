"""What is told a second time is said once, and what nobody asked for names no question."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ems.simulator.commands import RepriceOrder
from oms.domain.commands import SYSTEM, OrderCancelRequest, SetRiskLimit
from oms.domain.events import (
    CommandAnswered,
    OrderAcknowledged,
    OrderStatusReported,
)
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.standing_events import OrderMarked
from tests.support.checked_world import connected
from tests.unit.simulator_venues import AT, new, order, reports, venue


def test_a_status_is_the_first_word_of_an_order_and_no_second_one() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.tick(6_000_000)
    world.status(child, OrdStatus.NEW, order_id="V-1")
    [told] = [one for one in world.of(OrderAcknowledged) if one.order_id == child.order_id]
    assert told.venue_order_id == "V-1"
    world.status(child, OrdStatus.NEW, order_id="V-1")
    assert not world.of(OrderAcknowledged)


@pytest.mark.parametrize("status", [OrdStatus.PENDING_NEW, OrdStatus.REJECTED])
def test_a_status_that_is_no_yes_acknowledges_nothing(status: OrdStatus) -> None:
    world = connected()
    world.new("c1")
    world.status(world.child("c1"), status, leaves_qty=Decimal(0))
    assert not world.of(OrderAcknowledged)


def test_a_standing_that_is_told_twice_is_marked_once() -> None:
    world = connected()
    child = world.working()
    for marked in (True, False):
        kind, status = ExecType.SUSPENDED, OrdStatus.SUSPENDED
        report = world.report(child.counterparty, child.cl_ord_id, kind, status)
        world.send(replace(report, leaves_qty=Decimal(100)))
        found = [one.order_id for one in world.of(OrderMarked)]
        assert found == ([child.order_id, child.parent_id] if marked else [])


def test_a_standing_of_a_closed_order_is_no_news() -> None:
    world = connected()
    child = world.working()
    world.canceled(child)
    kind, status = ExecType.SUSPENDED, OrdStatus.SUSPENDED
    world.send(world.report(child.counterparty, child.cl_ord_id, kind, status))
    assert not world.of(OrderMarked)


def test_a_limit_for_a_symbol_that_nobody_configured_protects_nobody() -> None:
    world = connected()
    for subject, accepted in (("AAPL", True), ("NONE", False)):
        world.send(
            SetRiskLimit(
                origin=SYSTEM,
                rule="MAX_ORDER_QTY",
                level="SYMBOL",
                subject=subject,
                value=Decimal(1),
            )
        )
        answers = world.of(CommandAnswered)
        assert (not answers or answers[0].accepted) is accepted
        if not accepted:
            assert answers[0].text == "subject = NONE: must be a configured symbol"


def test_the_status_that_answers_a_repeated_request_answers_no_status_request() -> None:
    world = connected()
    world.working()
    request = OrderCancelRequest(origin=world.origin("ALPHA"), cl_ord_id="c2", orig_cl_ord_id="c1")
    world.send(request)
    world.send(replace(request, origin=replace(world.origin("ALPHA"), poss_resend=True)))
    [told] = world.of(OrderStatusReported)
    assert (told.ord_status_req_id, told.cl_ord_id) == ("", "c2")


def test_a_simulated_venue_takes_a_price_below_one() -> None:
    market = venue()
    reports(market, new("A", "1", "100", "100"))
    assert market.apply(RepriceOrder(price=Decimal("0.5")), AT).refused == ""
    assert order(market, "A").price == Decimal("0.5")


def test_orders_of_one_price_trade_in_the_order_in_which_they_came() -> None:
    market = venue()
    for name in ("A", "B", "C"):
        reports(market, new(name, "1", "10", "100"))
    traded = [
        one.cl_ord_id
        for one in reports(market, new("S", "2", "30", "100"))
        if one.exec_type is ExecType.TRADE and one.cl_ord_id != "S"
    ]
    assert traded == ["A", "B", "C"]
