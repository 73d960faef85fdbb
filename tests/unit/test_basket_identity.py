"""Lists of orders in the brain: what is no list, the same list again, and whose a ListID is."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.baskets import (
    MAX_ORDERS,
    ListAccepted,
    ListExecute,
    ListOrder,
    ListRefused,
    ListStatusRequest,
)
from oms.domain.commands import SYSTEM, CloseTradingDay, OpenTradingDate
from oms.domain.events import MessageRefused, OrderAccepted
from oms.domain.fix import OrdStatus
from oms.domain.profile import ClientProfile, ClOrdIdScope
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
from tests.support.world import DATE, REFERENCE, World, connected, of_type


@pytest.mark.parametrize(
    ("orders", "more", "said"),
    [
        (THREE, {"tot_no_orders": 2}, "TotNoOrders (68) = 2: 3 have come, and LastFragment"),
        (THREE, {"tot_no_orders": 4}, "TotNoOrders (68) = 4: 3 have come, and LastFragment"),
        (THREE, {"last_fragment": False}, "TotNoOrders (68) = 3: 3 have come, and LastFragment"),
        (THREE, {"tot_no_orders": MAX_ORDERS + 1}, "TotNoOrders (68) = 1001: a list may have 1000"),
        ((listed(1), listed(2, cl_ord_id="o1")), {}, "ClOrdID (11) = o1: 2 orders of the list"),
        ((listed(1), listed(1, cl_ord_id="o2")), {}, "ListSeqNo (67) = 1: 2 orders of the list"),
        ((listed(1), listed(5)), {}, "ListSeqNo (67) = 5: must be from 1 to 2"),
        (THREE, {"bid_type": "1"}, "BidType (394) = 1: must be 3"),
        (THREE, {"exec_inst_type": "3"}, "ListExecInstType (433) = 3: must be 1"),
        (THREE, {"contingency_type": "1"}, "ContingencyType (1385) = 1: the orders of a list do"),
        (THREE, {"prog_rpt_reqs": "2"}, "ProgRptReqs (414) = 2: must be 1 or 3"),
        (THREE, {"exec_inst": True}, "ListExecInst (69): instructions in words"),
    ],
)
def test_what_is_no_list_is_refused_whole(
    orders: tuple[ListOrder, ...], more: dict[str, object], said: str
) -> None:
    world = connected()
    send_list(world, orders, **more)
    assert told(world) == [("2", "7")]
    [status] = statuses(world)
    assert status.text.startswith(said)
    assert {one.ord_status for one in status.orders} == {OrdStatus.REJECTED}
    assert not world.state.orders
    assert not world.state.lists
    send_list(world, THREE)
    assert of_type(world, ListAccepted), "the ListID is free"
    check(world)


def test_the_same_again_is_answered_and_places_nothing() -> None:
    world = taken()
    world.fill(world.child("o1"), "100", "99")
    send_list(world, THREE, again=True)
    assert told(world) == [("2", "3")]
    assert figures(statuses(world)[0])[0] == ("o1", "FILLED", "100", "0", "0")
    assert not of_type(world, OrderAccepted)
    check(world)


def test_a_list_that_waits_is_not_executed_by_the_same_list_at_once() -> None:
    world = connected()
    send_list(world, THREE, exec_inst_type="2")
    send_list(world, THREE, again=True)
    assert told(world) == [("2", "7")]
    send_list(world, THREE, again=True, exec_inst_type="2")
    assert told(world) == [("2", "2")]
    assert not world.state.orders
    check(world)


@pytest.mark.parametrize("again", [True, False])
def test_a_list_id_in_use_is_refused_and_its_list_untouched(again: bool) -> None:
    world = taken()
    before = world.state.lists["ALPHA", "L1"].orders
    other = THREE if not again else (*THREE[:2], replace(THREE[2], order_qty=Decimal(301)))
    send_list(world, other, again=again)
    assert told(world) == [("2", "7")]
    [refused] = of_type(world, ListRefused)
    assert (refused.reason, refused.known) == (Reason.DUPLICATE_CL_ORD_ID, True)
    [status] = statuses(world)
    assert status.text == "ListID (66) = L1: already used"
    assert figures(status)[1] == ("o2", "NEW", "0", "200", "0")
    assert world.state.lists["ALPHA", "L1"].orders == before
    assert not of_type(world, OrderAccepted)
    send_list(world, [listed(1, account="B1")], client="BETA")
    assert of_type(world, ListAccepted), "another client's ListIDs are its own"
    check(world)


def test_a_list_id_is_free_on_the_next_date_unless_an_order_of_it_works() -> None:
    world = taken((listed(1), listed(2, "50", "98")))
    for name in ("o1", "o2"):
        end(world, name)
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    assert not world.state.lists
    send_list(world, (listed(1), listed(2, "50", "98")))
    assert len(of_type(world, OrderAccepted)) == 2
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-23"))
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-24"))
    send_list(world, THREE)
    assert told(world) == [("2", "7")]
    check(world)


@pytest.mark.parametrize("closed", [True, False])
def test_what_waits_ends_with_its_date(closed: bool) -> None:
    world = connected()
    send_list(world, THREE, "L1", exec_inst_type="2")
    send_list(world, THREE, "L2", tot_no_orders=4, last_fragment=False)
    lapses = [("2", "6"), ("2", "6")]
    world.send(CloseTradingDay(origin=SYSTEM, trade_date="2026-09-20"))
    assert told(world) == []
    if closed:
        world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
        assert told(world) == [*lapses, *[("5", "6"), ("5", "6")]]
        ask(world, ListExecute)
        assert told(world) == [("2", "6")]
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    assert told(world) == ([] if closed else lapses)
    for status in statuses(world):
        assert {one.ord_status for one in status.orders} == {OrdStatus.CANCELED}
        assert status.text == "the trading date ended before the list was executed"
    ask(world, ListExecute)
    assert of_type(world, MessageRefused)
    check(world)


def test_orders_done_before_the_last_date_are_listed_no_more() -> None:
    world = taken((listed(1), listed(2, "50", "98")))
    end(world, "o1")
    for date in ("2026-09-22", "2026-09-23", "2026-09-24"):
        world.send(OpenTradingDate(origin=SYSTEM, trade_date=date))
    ask(world, ListStatusRequest)
    [status] = statuses(world)
    assert figures(status) == [("o2", "NEW", "0", "50", "0")]
    assert status.tot_no_orders == 1
    check(world)


def test_where_ids_are_free_once_done_a_list_id_is_too() -> None:
    profile = ClientProfile(cl_ord_id_scope=ClOrdIdScope.WORKING)
    clients = REFERENCE.clients | {"ALPHA": replace(REFERENCE.clients["ALPHA"], profile=profile)}
    world = World(replace(REFERENCE, clients=clients))
    world.connect("XA", "XB")
    send_list(world, THREE[:1])
    world.ack(world.child("o1"))
    send_list(world, THREE[:1])
    assert told(world) == [("2", "7")]
    end(world, "o1")
    send_list(world, THREE[:1], again=True)
    assert told(world) == [("2", "6")]
    send_list(world, THREE[:1])
    assert len(of_type(world, OrderAccepted)) == 1
    check(world)
