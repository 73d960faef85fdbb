"""Lists of orders in the brain: taken, refused, executed, cancelled, told of, and repeated."""

from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.baskets import (
    ListCancelRequest,
    ListDone,
    ListExecute,
    ListOrder,
    ListStatusRequest,
)
from oms.domain.commands import SYSTEM, SetRiskLimit
from oms.domain.events import CancelPending, MessageRefused, OrderAccepted, OrderRouted
from oms.domain.fix import ExecType, OrdStatus, TimeInForce
from oms.domain.reasons import Reason
from tests.support.baskets import (
    THREE,
    ask,
    check,
    end,
    figures,
    listed,
    send_list,
    statuses,
    taken,
    told,
)
from tests.support.world import connected, of_type, reports


def test_a_list_is_taken_and_each_order_goes_its_way() -> None:
    world = connected()
    send_list(world, THREE)
    assert [one.terms.cl_ord_id for one in of_type(world, OrderAccepted)] == ["o1", "o2", "o3"]
    assert len(of_type(world, OrderRouted)) == 3
    assert len({one.order_id for one in world.state.orders.values()}) == 6
    assert reports(world) == [(ExecType.NEW, OrdStatus.NEW)] * 3
    assert told(world) == [("1", "2"), ("4", "3")]
    ack, began = statuses(world)
    assert [one[1] for one in figures(ack)] == ["PENDING_NEW"] * 3
    assert figures(began)[2] == ("o3", "NEW", "0", "300", "0")
    named = [one.list_id for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert named == ["L1"] * 3
    check(world)


def test_orders_are_decided_by_list_seq_no() -> None:
    world = connected()
    send_list(world, THREE[::-1])
    assert [one.terms.cl_ord_id for one in of_type(world, OrderAccepted)] == ["o1", "o2", "o3"]


def test_each_order_meets_the_risk_that_those_before_it_left() -> None:
    world = connected()
    limit = {"rule": "MAX_POSITION", "level": "ACCOUNT", "subject": "A1", "reason": "test"}
    world.send(SetRiskLimit(origin=SYSTEM, value=Decimal(350), **limit))
    send_list(world, THREE)
    _, began = statuses(world)
    assert [one[1] for one in figures(began)] == ["NEW", "NEW", "REJECTED"]
    assert began.orders[2].ord_rej_reason == "3"
    assert "limit 350, measured 600" in began.orders[2].text
    assert reports(world)[2] == (ExecType.REJECTED, OrdStatus.REJECTED)
    check(world)


def test_every_order_counts_for_the_message_rate() -> None:
    world = connected()
    limit = {"rule": "MAX_MESSAGE_RATE", "level": "FIRM", "subject": "*", "reason": "test"}
    world.send(SetRiskLimit(origin=SYSTEM, value=Decimal(2), **limit))
    send_list(world, THREE)
    _, began = statuses(world)
    assert [one[1] for one in figures(began)] == ["NEW", "NEW", "REJECTED"]
    assert "limit 2, measured 3" in began.orders[2].text


def test_a_bad_order_is_rejected_and_the_others_are_not() -> None:
    world = connected()
    world.new("o2", "10", "90")
    send_list(world, [listed(1, symbol="NONE"), listed(2), listed(3, account="B1"), listed(4)])
    assert [one.ord_rej_reason for one in statuses(world)[1].orders] == ["1", "6", "15", ""]
    assert [one[1] for one in figures(statuses(world)[1])] == [*["REJECTED"] * 3, "NEW"]
    first = world.order("o2")
    assert (first.order_qty, first.first_terms.list_id) == (Decimal(10), "")
    [_, duplicate, *_] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (duplicate.cl_ord_id, duplicate.ord_rej_reason, duplicate.list_id) == ("o2", "6", "L1")
    assert duplicate.ord_status is OrdStatus.NEW
    check(world)


def test_a_list_of_bad_orders_is_over_at_once() -> None:
    world = connected()
    send_list(world, [listed(1, symbol="NONE"), listed(2, symbol="NONE")])
    assert told(world) == [("1", "2"), ("4", "6"), ("5", "6")]
    check(world)


def test_a_list_is_done_with_its_last_order() -> None:
    world = taken()
    world.fill(world.child("o1"), "100", "99")
    assert told(world) == []
    end(world, "o2")
    world.fill(world.child("o3"), "120", "97")
    assert told(world) == []
    world.fill(world.child("o3"), "180", "96")
    assert told(world) == [("5", "6")]
    [done] = statuses(world)
    assert figures(done) == [
        ("o1", "FILLED", "100", "0", "0"),
        ("o2", "CANCELED", "0", "0", "200"),
        ("o3", "FILLED", "300", "0", "0"),
    ]
    assert done.orders[2].avg_px == Decimal("96.4")
    check(world)


def test_what_opens_again_is_done_again() -> None:
    world = taken((listed(1, "100"),))
    world.fill(world.child("o1"), "100")
    assert told(world) == [("5", "6")]
    world.replace("o1b", "o1", "150")
    assert world.order("o1").is_live
    assert told(world) == []
    world.ack(world.child("o1"))
    world.fill(world.child("o1"), "50")
    assert told(world) == [("5", "6")]
    check(world)


def test_the_status_of_a_list_is_told() -> None:
    world = taken()
    world.fill(world.child("o1"), "40", "99")
    ask(world, ListStatusRequest)
    assert told(world) == [("2", "3")]
    [status] = statuses(world)
    assert figures(status)[0] == ("o1", "PARTIALLY_FILLED", "40", "60", "0")
    assert (status.tot_no_orders, status.no_rpts, status.rpt_seq) == (3, 1, 1)


@pytest.mark.parametrize("kind", [ListStatusRequest, ListCancelRequest, ListExecute])
def test_a_list_that_is_not_the_clients_is_unknown(kind: type[ListExecute]) -> None:
    world = taken()
    for name, client in (("L2", "ALPHA"), ("L1", "BETA")):
        ask(world, kind, name, client)
        [refused] = of_type(world, MessageRefused)
        assert (refused.business, refused.reason_code, refused.ref_id) == (True, "1", name)
        assert refused.text == f"ListID (66) = {name}: no list of yours"
        named = {ListStatusRequest: "M", ListCancelRequest: "K", ListExecute: "L"}[kind]
        assert (refused.ref_msg_type, refused.ref_tag) == (named, 0)
    check(world)


def test_cancelling_a_list_cancels_its_open_orders_and_no_other() -> None:
    world = taken()
    world.new("own", "10", "90")
    world.fill(world.child("o1"), "100", "99")
    ask(world, ListCancelRequest)
    assert told(world) == [("2", "4")]
    assert statuses(world)[0].text == "2 orders are being cancelled"
    assert len([one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]) == 2
    ask(world, ListCancelRequest)
    assert told(world) == [("2", "4")]
    assert not of_type(world, CancelPending)
    for name in ("o2", "o3"):
        child = world.child(name)
        world.canceled(child, child.requests[-1].cl_ord_id)
        assert world.order(name).closed_reason is Reason.LIST_CANCEL
    assert told(world) == [("5", "6")]
    assert figures(statuses(world)[0])[2] == ("o3", "CANCELED", "0", "0", "300")
    assert world.order("own").is_open
    ask(world, ListCancelRequest)
    assert told(world) == [("2", "6")]
    check(world)


def test_an_order_whose_cancel_comes_too_late_is_not_left_at_pending_cancel() -> None:
    """Nothing would ever end it: a cancel that the server began is refused to nobody."""
    world = taken(THREE[:1])
    ask(world, ListCancelRequest)
    assert world.order("o1").ord_status is OrdStatus.PENDING_CANCEL
    assert [figures(one) for one in statuses(world)] == [[("o1", "NEW", "0", "100", "0")]]
    child = world.child("o1")
    world.fill(child, "40")
    ask(world, ListStatusRequest)
    assert [figures(one) for one in statuses(world)] == [
        [("o1", "PARTIALLY_FILLED", "40", "60", "0")]
    ]
    world.fill(child, "60")
    assert reports(world) == [(ExecType.TRADE, OrdStatus.FILLED)]
    assert [figures(one) for one in statuses(world)] == [[("o1", "FILLED", "100", "0", "0")]]


def test_a_list_may_wait_for_its_instruction() -> None:
    world = connected()
    send_list(world, THREE, exec_inst_type="2")
    assert told(world) == [("1", "2")]
    assert not of_type(world, OrderAccepted)
    assert not world.state.orders
    ask(world, ListStatusRequest)
    assert told(world) == [("2", "2")]
    ask(world, ListExecute)
    assert told(world) == [("4", "3")]
    assert len(of_type(world, OrderRouted)) == 3
    ask(world, ListExecute)
    assert told(world) == [("2", "3")]
    assert not of_type(world, OrderAccepted)
    check(world)


def test_a_list_that_waits_may_be_cancelled() -> None:
    world = connected()
    send_list(world, THREE, exec_inst_type="2")
    ask(world, ListCancelRequest)
    assert told(world) == [("2", "6"), ("5", "6")]
    assert figures(statuses(world)[1])[1] == ("o2", "CANCELED", "0", "0", "200")
    ask(world, ListExecute)
    assert told(world) == [("2", "6")]
    assert not world.state.orders
    check(world)


@pytest.mark.parametrize("orders", [THREE[:2], (*THREE[:2], listed(4))])
def test_another_list_of_that_name_is_no_repetition(orders: tuple[ListOrder, ...]) -> None:
    world = connected()
    send_list(world, THREE)
    send_list(world, THREE, again=True)
    assert told(world) == [("2", "3")]
    send_list(world, orders, again=True)
    assert told(world) != [("2", "3")]
    assert not of_type(world, OrderRouted)


def test_fragments_make_one_list() -> None:
    world = connected()
    send_list(world, THREE[:1], tot_no_orders=3, last_fragment=False)
    assert told(world) == []
    ask(world, ListStatusRequest)
    assert told(world) == [("2", "2")]
    ask(world, ListExecute)
    assert of_type(world, MessageRefused)
    send_list(world, THREE[:1], again=True, tot_no_orders=3, last_fragment=False)
    assert told(world) == [("2", "2")]
    send_list(world, THREE[1:2], tot_no_orders=3, last_fragment=False)
    check(world)
    send_list(world, THREE[2:], tot_no_orders=3)
    assert told(world) == [("1", "2"), ("4", "3")]
    assert len(of_type(world, OrderRouted)) == 3
    send_list(world, THREE[2:], again=True, tot_no_orders=3)
    assert told(world) == [("2", "3")]
    assert not of_type(world, OrderAccepted)
    check(world)


def test_a_wrong_fragment_refuses_all_of_them() -> None:
    world = connected()
    send_list(world, THREE[:2], tot_no_orders=3, last_fragment=False)
    send_list(world, (listed(2), listed(3)), tot_no_orders=3)
    assert told(world) == [("2", "7")]
    assert [one[:2] for one in figures(statuses(world)[0])] == [
        *[("o1", "REJECTED"), ("o2", "REJECTED"), ("o2", "REJECTED"), ("o3", "REJECTED")]
    ]
    send_list(world, THREE)
    assert told(world) == [("1", "2"), ("4", "3")]
    check(world)


def test_a_bust_after_the_end_is_told_by_another_end() -> None:
    world = taken((listed(1), listed(2, "50", "98")))
    end(world, "o2")
    world.fill(world.child("o1"), "100", "99")
    assert told(world) == [("5", "6")]
    child = world.child("o1")
    [trade] = world.order("o1").executions.values()
    report = world.report(
        child.counterparty,
        child.cl_ord_id,
        ExecType.TRADE_CANCEL,
        OrdStatus.NEW,
        exec_ref_id=trade.exec_id,
    )
    world.send(report)
    assert told(world) == [("5", "6")]
    assert figures(statuses(world)[0])[0] == ("o1", "CANCELED", "0", "0", "100")
    check(world)


def test_an_order_of_a_list_that_waits_for_its_venue_is_awaited() -> None:
    world = connected()
    world.disconnect("XA")
    world.disconnect("XB")
    send_list(world, THREE[:1])
    assert told(world) == [("1", "2"), ("4", "3")]
    assert figures(statuses(world)[1]) == [("o1", "NEW", "0", "100", "0")]
    ask(world, ListCancelRequest)
    assert told(world) == [("2", "4"), ("5", "6")]
    assert figures(statuses(world)[1]) == [("o1", "CANCELED", "0", "0", "100")]
    check(world)


def test_an_order_of_a_list_in_doubt_keeps_its_list_open() -> None:
    world = taken((listed(1),))
    world.disconnect(world.child("o1").counterparty)
    ask(world, ListCancelRequest)
    ask(world, ListStatusRequest)
    assert told(world) == [("2", "4")]
    assert statuses(world)[0].orders[0].text.startswith("UNKNOWN")
    assert not of_type(world, ListDone)
    check(world)


def test_an_ioc_order_of_a_list_ends_by_itself() -> None:
    world = connected()
    send_list(world, [listed(1, tif=TimeInForce.IOC)])
    world.fill(world.child("o1"), "30")
    world.canceled(world.child("o1"))
    assert told(world) == []
    world.canceled(world.child("o1"))
    assert told(world) == [("5", "6")]
    assert figures(statuses(world)[0]) == [("o1", "CANCELED", "30", "0", "70")]


def test_a_long_list_is_told_in_several_reports() -> None:
    world = connected()
    orders = [listed(number, "1", "90") for number in range(1, 251)]
    send_list(world, orders)
    ask(world, ListStatusRequest)
    found = statuses(world)
    assert [(one.rpt_seq, one.no_rpts, one.tot_no_orders) for one in found] == [
        *[(1, 3, 250), (2, 3, 250), (3, 3, 250)]
    ]
    assert [order.cl_ord_id for one in found for order in one.orders] == [
        one.cl_ord_id for one in orders
    ]


def test_a_list_is_done_once() -> None:
    world = taken()
    for name in ("o1", "o2", "o3"):
        end(world, name)
        done = of_type(world, ListDone)
        assert len(done) == (name == "o3")
    world.canceled(world.child("o3"))
    world.fill(world.child("o3"), "10")
    assert not of_type(world, ListDone)
