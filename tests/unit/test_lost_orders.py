"""Orders of before the database was restored are neither taken again nor denied."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.baskets import ListExecute, ListExecutionBegan
from oms.domain.commands import SYSTEM, CoreStarted, NewOrderSingle
from oms.domain.events import LeaderStarted, MessageRefused, OrderAccepted, OrderStatusReported
from oms.domain.fix import OrdType, Side
from oms.domain.origin import Channel
from tests.support.baskets import THREE, send_list
from tests.support.world import DATE, World, connected, of_type


def restored(world: World) -> int:
    """The stamp at which the world was declared to be restored."""
    values = {"origin": SYSTEM, "leader_epoch": 2, "version": "1", "trade_date": DATE}
    world.send(CoreStarted(restored="a replica took over", **values))  # type: ignore[arg-type]
    assert [one.restored for one in of_type(world, LeaderStarted)] == ["a replica took over"]
    world.connect("XA", "XB")
    assert (world.state.restores, world.state.restored_at) == (1, world.replayed().restored_at)
    return world.state.restored_at


def send(world: World, name: str, sent_at: int, **flags: object) -> None:
    order = NewOrderSingle(
        origin=replace(world.origin("ALPHA"), **flags),  # type: ignore[arg-type]
        cl_ord_id=name,
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT,
        price=Decimal(99),
        transact_time=sent_at,
    )
    world.send(order)


@pytest.mark.parametrize("flag", ["poss_dup", "poss_resend"])
@pytest.mark.parametrize("has_time", [True, False])
def test_what_may_have_been_taken_is_not_taken_again(flag: str, has_time: bool) -> None:
    world = connected()
    at = restored(world)
    send(world, "o1", at - 1 if has_time else 0, **{flag: True})
    [event] = world.events
    assert isinstance(event, MessageRefused)
    assert (event.ref_msg_type, event.ref_id, event.business) == ("D", "o1", True)
    assert "whether it was taken is not known" in event.text
    [answer] = world.effects
    assert isinstance(answer, fx.SendReject)
    assert not world.state.orders


@pytest.mark.parametrize(
    ("late_us", "flags"),
    [
        (-1, {}),
        (0, {"poss_dup": True}),
        (1, {"poss_resend": True}),
        (-1, {"channel": Channel.REST}),
    ],
)
def test_any_other_order_is_taken(late_us: int, flags: dict[str, object]) -> None:
    world = connected()
    send(world, "o1", restored(world) + late_us, **flags)
    assert of_type(world, OrderAccepted)


def test_without_a_restored_database_nothing_is_held_to_be_lost() -> None:
    world = connected()
    send(world, "o1", 0, poss_dup=True)
    assert of_type(world, OrderAccepted)


def test_what_the_journal_has_is_told_of_as_ever() -> None:
    world = connected()
    send(world, "o1", world.at)
    at = restored(world)
    send(world, "o1", at - 1, poss_resend=True)
    assert of_type(world, OrderStatusReported)


def test_without_a_time_the_next_trading_date_is_later() -> None:
    world = connected()
    restored(world)
    start = CoreStarted(origin=SYSTEM, leader_epoch=3, version="1", trade_date="2026-09-22")
    world.send(start)
    world.connect("XA", "XB")
    send(world, "o1", 0, poss_dup=True)
    assert of_type(world, OrderAccepted)


def test_lists_and_what_begins_them_are_not_taken_again_either() -> None:
    world = connected()
    send_list(world, THREE, "L1", exec_inst_type="2")
    send_list(world, THREE[:2], "L2", tot_no_orders=3, last_fragment=False)
    restored(world)
    refused = []
    send_list(world, THREE[2:], "L2", tot_no_orders=3, again=True)
    refused += of_type(world, MessageRefused)
    send_list(world, THREE, "L3", again=True)
    refused += of_type(world, MessageRefused)
    execute = ListExecute(origin=replace(world.origin("ALPHA"), poss_dup=True), list_id="L1")
    world.send(execute)
    refused += of_type(world, MessageRefused)
    told = [(one.ref_msg_type, one.ref_id) for one in refused]
    assert told == [("E", "L2"), ("E", "L3"), ("L", "L1")]
    assert not world.state.orders
    world.send(replace(execute, origin=world.origin("ALPHA")))
    assert of_type(world, ListExecutionBegan)


def test_lists_of_the_next_trading_date_are_no_lost_ones() -> None:
    world = connected()
    restored(world)
    start = CoreStarted(origin=SYSTEM, leader_epoch=3, version="1", trade_date="2026-09-22")
    world.send(start)
    world.connect("XA", "XB")
    send_list(world, THREE, "L1", exec_inst_type="2", again=True)
    assert not of_type(world, MessageRefused)
    origin = replace(world.origin("ALPHA"), poss_dup=True)
    world.send(ListExecute(origin=origin, list_id="L1"))
    assert of_type(world, ListExecutionBegan)
