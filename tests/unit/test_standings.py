"""How orders stand at their venue besides their fills: what we make of it and what clients hear."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import SYSTEM, EngageKillSwitch, ReleaseKillSwitch
from oms.domain.events import DiscrepancyFound, OrderRouted
from oms.domain.fix import ExecType, OrdStatus, Side, TimeInForce
from oms.domain.reasons import Reason
from tests.support.checked_world import connected as checked_world
from tests.support.world import REFERENCE, World, connected, of_type, reports


def one_venue() -> World:
    """A world whose orders have nowhere else to go."""
    aapl = replace(REFERENCE.instruments["AAPL"], venues=("XA",))
    venue = replace(REFERENCE.venues["XA"], times_in_force=frozenset(TimeInForce))
    world = World(replace(REFERENCE, instruments={"AAPL": aapl}, venues={"XA": venue}))
    world.connect("XA")
    return world


def at_work(**more: object) -> World:
    """An order of a client at one venue, which has taken it."""
    world = one_venue()
    world.new("c1", "100", "100", **more)  # type: ignore[arg-type]
    world.ack(world.child("c1"))
    return world


def told(
    world: World, exec_type: ExecType, status: OrdStatus, leaves: str = "0", **more: object
) -> list[tuple[ExecType, OrdStatus]]:
    """What the client hears when the venue reports that of c1."""
    child = world.child("c1")
    report = world.report(
        child.counterparty,
        child.cl_ord_id,
        exec_type,
        status,
        cum_qty=child.cum_qty,
        leaves_qty=Decimal(leaves),
        **more,
    )
    world.send(report)
    assert world.replayed() == world.state
    return reports(world)


def sent(world: World) -> fx.SendExecutionReport:
    [found] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    return found


def test_done_for_day_is_told_so_and_ends_a_day_order() -> None:
    world = at_work()
    world.fill(world.child("c1"), "30")
    done = (ExecType.DONE_FOR_DAY, OrdStatus.DONE_FOR_DAY)
    assert told(world, *done) == [done]
    order = world.order("c1")
    assert (order.closed, order.closed_reason) == (
        OrdStatus.DONE_FOR_DAY,
        Reason.VENUE_CLOSED_ORDER,
    )
    assert sent(world).leaves_qty == 0
    # Corrections and busts of the morning after leave it done for the day (matrix J.1.d).
    child = world.child("c1")
    [trade] = child.executions.values()
    for exec_type, ref, more in (
        (ExecType.TRADE_CORRECT, trade.exec_id, {"last_qty": Decimal(20), "last_px": Decimal(99)}),
        (ExecType.TRADE_CANCEL, trade.exec_id, {}),
    ):
        after = told(world, exec_type, OrdStatus.DONE_FOR_DAY, exec_ref_id=ref, **more)
        assert after == [(exec_type, OrdStatus.DONE_FOR_DAY)]
    assert order.cum_qty == 0


def test_an_order_that_outlives_the_day_keeps_its_rest_and_works_on() -> None:
    world = at_work(tif=TimeInForce.GTC)
    done = (ExecType.DONE_FOR_DAY, OrdStatus.DONE_FOR_DAY)
    assert told(world, *done, leaves="100") == [done]
    assert world.order("c1").is_open
    assert sent(world).leaves_qty == 100
    assert told(world, *done, leaves="100") == []
    world.fill(world.child("c1"), "10")
    assert reports(world)[-1] == (ExecType.TRADE, OrdStatus.PARTIALLY_FILLED)


def test_expired_is_told_as_expired() -> None:
    world = at_work()
    world.fill(world.child("c1"), "30")
    expired = (ExecType.EXPIRED, OrdStatus.EXPIRED)
    assert told(world, *expired) == [expired]
    assert world.order("c1").closed is OrdStatus.EXPIRED


def test_an_immediate_orders_rest_is_cancelled_by_whichever_word() -> None:
    world = at_work(tif=TimeInForce.IOC)
    assert told(world, ExecType.EXPIRED, OrdStatus.EXPIRED) == [
        (ExecType.CANCELED, OrdStatus.CANCELED)
    ]


def test_a_guarantee_is_no_trade_and_outranks_the_fills_under_it() -> None:
    world = at_work()
    stopped = (ExecType.STOPPED, OrdStatus.STOPPED)
    assert told(world, *stopped, leaves="100", last_qty=Decimal(40), last_px=Decimal("50.10")) == [
        stopped
    ]
    found = sent(world)
    assert (found.last_qty, found.last_px, found.last_mkt) == (40, Decimal("50.10"), "XA")
    order = world.order("c1")
    assert (order.cum_qty, order.leaves_qty) == (0, 100)
    fill = {"last_qty": Decimal(40), "last_px": Decimal(50)}
    assert told(world, ExecType.TRADE, OrdStatus.STOPPED, "60", **fill) == [
        (ExecType.TRADE, OrdStatus.STOPPED)
    ]
    fill["last_qty"] = Decimal(60)
    assert told(world, ExecType.TRADE, OrdStatus.FILLED, **fill) == [
        (ExecType.TRADE, OrdStatus.FILLED)
    ]


def test_a_suspended_order_says_so_until_it_works_again() -> None:
    world = at_work()
    suspended = (ExecType.SUSPENDED, OrdStatus.SUSPENDED)
    assert told(world, *suspended, leaves="100") == [suspended]
    assert world.order("c1").is_open
    assert told(world, *suspended, leaves="100") == []
    assert told(world, ExecType.RESTATED, OrdStatus.NEW, "100") == [
        (ExecType.RESTATED, OrdStatus.NEW)
    ]
    assert sent(world).restatement == "8"
    assert told(world, *suspended, leaves="100") == [suspended]
    canceled = (ExecType.CANCELED, OrdStatus.CANCELED)
    assert told(world, *canceled) == [canceled]


def test_a_client_order_is_suspended_when_all_that_works_of_it_is() -> None:
    world = connected()
    world.quote("XA", "99", "100", "60")
    world.quote("XB", "99", "100", "60")
    world.new("c1", "120", "100")
    [one, other] = [world.state.orders[each] for each in world.order("c1").children]
    for child, heard in ((one, []), (other, [(ExecType.SUSPENDED, OrdStatus.SUSPENDED)])):
        world.ack(child)
        world.send(
            world.report(
                child.counterparty, child.cl_ord_id, ExecType.SUSPENDED, OrdStatus.SUSPENDED
            )
        )
        assert reports(world) == heard
    world.send(world.report(one.counterparty, one.cl_ord_id, ExecType.RESTATED, OrdStatus.NEW))
    assert reports(world) == [(ExecType.RESTATED, OrdStatus.NEW)]


def test_calculated_follows_the_fill() -> None:
    world = at_work()
    world.fill(world.child("c1"), "100")
    calculated = (ExecType.CALCULATED, OrdStatus.CALCULATED)
    assert told(world, *calculated) == [calculated]
    assert told(world, *calculated) == []
    assert world.order("c1").cum_qty == 100


def test_calculated_with_a_rest_is_the_end_of_the_day_first() -> None:
    world = at_work()
    world.fill(world.child("c1"), "40")
    heard = told(world, ExecType.CALCULATED, OrdStatus.CALCULATED)
    assert [one[0] for one in heard] == [ExecType.DONE_FOR_DAY, ExecType.CALCULATED]
    assert world.order("c1").closed is OrdStatus.DONE_FOR_DAY


def test_calculated_with_fills_that_were_not_told_sends_nothing_elsewhere() -> None:
    world = checked_world()
    child = world.working()
    world.fill(child, "40")
    calculated = (ExecType.CALCULATED, OrdStatus.CALCULATED)
    world.send(world.report(child.counterparty, child.cl_ord_id, *calculated, cum_qty=Decimal(70)))
    assert not world.of(OrderRouted)
    assert child.in_doubt
    world.fill(child, "30")
    assert child.in_doubt
    world.status(child, OrdStatus.CALCULATED, leaves_qty=Decimal(0))
    assert child.closed is OrdStatus.DONE_FOR_DAY
    assert [one.terms.order_qty for one in world.of(OrderRouted)] == [30]


@pytest.mark.parametrize(("quantity", "reason"), [("120", "2"), ("60", "5")])
def test_a_restated_quantity_is_the_orders_from_then_on(quantity: str, reason: str) -> None:
    world = at_work()
    world.fill(world.child("c1"), "10")
    heard = told(
        world,
        ExecType.RESTATED,
        OrdStatus.PARTIALLY_FILLED,
        str(int(quantity) - 10),
        order_qty=Decimal(quantity),
        restatement=reason,
    )
    assert heard == [(ExecType.RESTATED, OrdStatus.PARTIALLY_FILLED)]
    assert (sent(world).order_qty, sent(world).restatement) == (Decimal(quantity), reason)
    assert not of_type(world, DiscrepancyFound)
    world.fill(world.child("c1"), str(int(quantity) - 10))
    assert world.order("c1").ord_status is OrdStatus.FILLED


@pytest.mark.parametrize("traded", ["0", "10"])
@pytest.mark.parametrize(("told", "whole"), [("70", "110"), ("50", "90")])
def test_a_restated_part_leaves_the_part_that_waits_for_a_venue_alone(
    told: str, whole: str, traded: str
) -> None:
    world = checked_world()
    first, second = world.split()
    if Decimal(traded):
        world.fill(first, traded)
    firm = {"origin": SYSTEM, "level": "FIRM", "subject": "*", "reason": "test"}
    world.send(EngageKillSwitch(**firm, cancel_open_orders=False))
    world.canceled(second)
    order = world.order("c1")
    assert order.order_id in world.state.held
    assert order.leaves_qty == 100 - Decimal(traded)
    left = Decimal(told) - Decimal(traded)
    figures = {"order_qty": Decimal(told), "leaves_qty": left}
    kind = (ExecType.RESTATED, OrdStatus.NEW)
    world.send(world.report(first.counterparty, first.cl_ord_id, *kind, **figures))
    assert order.order_qty == Decimal(whole)
    world.send(ReleaseKillSwitch(**firm))
    assert [one.terms.order_qty for one in world.of(OrderRouted)] == [40]


def test_an_order_restated_to_what_has_traded_is_filled() -> None:
    world = at_work()
    world.fill(world.child("c1"), "40")
    told(world, ExecType.RESTATED, OrdStatus.FILLED, order_qty=Decimal(30), restatement="5")
    order = world.order("c1")
    assert (order.order_qty, order.ord_status) == (40, OrdStatus.FILLED)
    assert order.order_id not in world.state.open_orders
    assert world.state.working["A1", "AAPL"].buy == 0


def test_a_restated_price_is_the_orders_from_then_on() -> None:
    world = at_work()
    restated = {"price": Decimal(99), "restatement": "3"}
    heard = told(world, ExecType.RESTATED, OrdStatus.NEW, "100", **restated)
    assert heard == [(ExecType.RESTATED, OrdStatus.NEW)]
    assert (sent(world).price, sent(world).restatement) == (99, "3")
    assert (world.child("c1").price, world.order("c1").price) == (99, 99)
    assert not of_type(world, DiscrepancyFound)
    # Told once more it is nothing new; and it moves with a replace like any other.
    assert told(world, ExecType.RESTATED, OrdStatus.NEW, "100", **restated) == []
    world.replace("c2", "c1", "100", "98")
    [asked] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReplaceRequest)]
    assert asked.price == 98


def test_a_price_worse_than_the_limit_is_noted_and_the_limit_stays_its_clients() -> None:
    world = at_work()
    assert told(world, ExecType.RESTATED, OrdStatus.NEW, "100", price=Decimal(101)) == []
    [noted] = of_type(world, DiscrepancyFound)
    assert (noted.field, noted.ours, noted.theirs) == ("Price (44)", "100", "101")
    assert (world.child("c1").price, world.order("c1").price) == (101, 100)


def test_price_and_quantity_restated_at_once_are_both_told() -> None:
    world = at_work()
    both = {"price": Decimal(99), "order_qty": Decimal(80), "restatement": "3"}
    heard = told(world, ExecType.RESTATED, OrdStatus.NEW, "80", **both)
    assert heard == [(ExecType.RESTATED, OrdStatus.NEW)] * 2
    order = world.order("c1")
    assert (order.order_qty, order.price) == (80, 99)


def test_a_price_at_one_of_two_venues_is_not_the_orders() -> None:
    world = connected()
    world.quote("XA", "99", "100", "60")
    world.quote("XB", "99", "100.01", "500")
    world.new("c1", "100", "101")
    for n in (0, 1):
        world.ack(world.child("c1", n))
    first, second = world.child("c1", 0), world.child("c1", 1)
    for child, price in ((first, "101"), (second, "100")):
        report = world.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.RESTATED,
            OrdStatus.NEW,
            price=Decimal(100),
            leaves_qty=child.leaves_qty,
            restatement="3",
        )
        world.send(report)
        assert world.order("c1").price == Decimal(price)
        assert len(reports(world)) == (child is second)


def test_a_first_report_of_such_a_kind_acknowledges() -> None:
    world = one_venue()
    world.new("c1", "100", "100")
    told(world, ExecType.SUSPENDED, OrdStatus.SUSPENDED, "100")
    assert world.child("c1").accepted
    assert world.child("c1").order_id not in world.state.awaiting


@pytest.mark.parametrize("mark", [None, ExecType.SUSPENDED])
def test_a_restatement_that_changes_nothing_is_noted_unless_it_ends_a_standing(
    mark: ExecType | None,
) -> None:
    world = at_work()
    if mark is not None:
        told(world, mark, OrdStatus.SUSPENDED, "100")
    told(world, ExecType.RESTATED, OrdStatus.SUSPENDED if mark else OrdStatus.NEW, "100")
    noted = [(one.field, one.ours, one.theirs) for one in of_type(world, DiscrepancyFound)]
    assert noted == ([] if mark else [("ExecType (150)", "", "RESTATED")])


def test_a_quantity_of_nothing_restates_nothing() -> None:
    world = at_work()
    told(world, ExecType.RESTATED, OrdStatus.NEW, "100", order_qty=Decimal(0))
    assert (world.child("c1").order_qty, world.order("c1").order_qty) == (100, 100)
    assert [one.theirs for one in of_type(world, DiscrepancyFound)] == ["RESTATED"]


@pytest.mark.parametrize(("price", "is_now", "noted"), [("101", 101, 0), ("99", 100, 1)])
def test_a_sellers_limit_is_broken_by_a_lower_price(price: str, is_now: int, noted: int) -> None:
    world = at_work(side=Side.SELL)
    told(world, ExecType.RESTATED, OrdStatus.NEW, "100", price=Decimal(price), side=Side.SELL)
    assert len(of_type(world, DiscrepancyFound)) == noted
    assert (world.child("c1").price, world.order("c1").price) == (Decimal(price), is_now)


def test_a_sellers_price_that_comes_back_to_the_limit_is_no_news() -> None:
    world = at_work(side=Side.SELL)
    for price in ("99", "100"):
        told(world, ExecType.RESTATED, OrdStatus.NEW, "100", price=Decimal(price), side=Side.SELL)
    assert not of_type(world, DiscrepancyFound)


def test_a_price_that_comes_back_to_the_limit_is_no_news_for_the_client() -> None:
    world = at_work()
    told(world, ExecType.RESTATED, OrdStatus.NEW, "100", price=Decimal(101))
    assert told(world, ExecType.RESTATED, OrdStatus.NEW, "100", price=Decimal(100)) == []
    assert not of_type(world, DiscrepancyFound)
    assert (world.child("c1").price, world.order("c1").price) == (100, 100)


@pytest.mark.parametrize("price", ["0.5", "0.01"])
def test_a_restated_price_below_one_is_a_price(price: str) -> None:
    world = at_work()
    told(world, ExecType.RESTATED, OrdStatus.NEW, "100", price=Decimal(price))
    assert world.order("c1").price == Decimal(price)


@pytest.mark.parametrize("price", ["0", "-1"])
def test_what_is_no_price_restates_nothing(price: str) -> None:
    world = at_work()
    told(world, ExecType.RESTATED, OrdStatus.NEW, "100", price=Decimal(price))
    assert world.child("c1").price == 100
    assert [one.theirs for one in of_type(world, DiscrepancyFound)] == ["RESTATED"]


def test_a_closed_order_is_not_restated() -> None:
    world = at_work()
    world.canceled(world.child("c1"))
    told(world, ExecType.RESTATED, OrdStatus.CANCELED, price=Decimal(99), order_qty=Decimal(80))
    child = world.child("c1")
    assert (child.price, child.order_qty) == (100, 100)


def test_a_quantity_restated_while_a_request_is_pending_stays_at_its_venue() -> None:
    world = at_work()
    world.replace("c2", "c1", "120")
    told(world, ExecType.RESTATED, OrdStatus.NEW, "80", order_qty=Decimal(80), restatement="5")
    assert world.child("c1").order_qty == 80
    assert world.order("c1").order_qty == 100, "its client has asked for something else"
