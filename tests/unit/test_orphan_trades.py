"""Orphans at their edges: said twice, by two sessions, adopted into an order that is there."""

from decimal import Decimal

import pytest

from oms.domain import orphan_events
from oms.domain.events import DuplicateExecutionDropped, OrphanReported, TradeExecuted
from oms.domain.fix import ExecType
from oms.domain.orphan_events import OrphanSettled, TradeMatched
from oms.domain.orphans import OrphanVerdict, Settlement, copy_id
from oms.domain.profile import OrphanPolicy
from tests.support.invariants import check_same
from tests.support.world import of_type
from tests.unit.test_early_amendments import BUST, COPY, CORRECTION, TRADE, EarlyWorld
from tests.unit.test_orphans import decide, external, stranger, world_with


def test_an_amendment_that_waits_for_its_trade_and_comes_again_is_dropped_as_nobodys() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, BUST)
    world.told(child.cl_ord_id, BUST)
    [dropped] = of_type(world, DuplicateExecutionDropped)
    assert (dropped.order_id, dropped.exec_id) == ("", "B-1")


@pytest.mark.parametrize("first", ["XA", COPY])
def test_a_correction_that_two_sessions_told_before_the_trade_counts_once(first: str) -> None:
    world = EarlyWorld()
    child = world.placed()
    for source in (first, COPY if first == "XA" else "XA"):
        world.told(child.cl_ord_id, (CORRECTION[0], source, CORRECTION[2]))
    assert child.cum_qty == 0
    world.told(child.cl_ord_id, TRADE)
    world.told(child.cl_ord_id, (TRADE[0], COPY, TRADE[2]))
    assert (child.cum_qty, world.order("c1").cum_qty, world.quantity()) == (8, 8, 8)
    assert not world.state.orphans.early
    world.told(child.cl_ord_id, ("B-9", COPY, BUST[2] | {"exec_ref_id": "C-1"}))
    assert (child.cum_qty, world.order("c1").cum_qty) == (0, 0), "the copy's next step is news"
    check_same(world.state, world.replayed())


def test_an_operator_adopts_by_the_account_that_is_set_for_the_venue() -> None:
    world = world_with(OrphanPolicy.HOLD, "HOUSE")
    stranger(world)
    [number] = world.state.orphans
    decide(world, number, OrphanVerdict.ADOPT)
    assert [one.settlement for one in of_type(world, OrphanSettled)] == [Settlement.ADOPTED]
    assert external(world).account == "HOUSE"


@pytest.mark.parametrize(
    "named", [{"cl_ord_id": "whose", "order_id": "V-10"}, {"cl_ord_id": "", "order_id": "V-9"}]
)
def test_another_trade_of_what_was_adopted_is_adopted_into_the_same_order(
    named: dict[str, str],
) -> None:
    world = world_with(OrphanPolicy.HOLD, "HOUSE")
    stranger(world)
    stranger(world, "S-2", last_qty=Decimal(5), last_px=Decimal(51), **named)
    first, second = sorted(world.state.orphans)
    decide(world, first, OrphanVerdict.ADOPT)
    decide(world, second, OrphanVerdict.ADOPT)
    [trade] = of_type(world, TradeExecuted)
    parent = external(world)
    assert trade.parent_id == parent.order_id
    assert (trade.excess, trade.late) == (False, False)
    assert parent.cum_qty == parent.order_qty == 15
    stranger(world, "S-3", last_qty=Decimal(1), last_px=Decimal(52), **named)
    assert external(world).cum_qty == 16


def test_an_amendment_waits_for_a_trade_that_turns_out_to_be_nobodys() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world, "B-1", source=COPY, kind=ExecType.TRADE_CANCEL, exec_ref_id="C-1")
    stranger(world)
    stranger(world, "C-1", source=COPY)
    [matched] = of_type(world, TradeMatched)
    assert (matched.exec_id, matched.order_id) == ("S-1", "")
    check_same(world.state, world.replayed())


def test_a_bust_by_the_exec_id_that_a_copy_has_told_is_of_that_trade() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, (TRADE[0], COPY, TRADE[2]))
    world.told(child.cl_ord_id, BUST)
    assert of_type(world, TradeMatched)
    assert child.cum_qty == 0
    world.told(child.cl_ord_id, TRADE)
    assert (child.cum_qty, world.order("c1").cum_qty, world.quantity()) == (0, 0, 0)
    check_same(world.state, world.replayed())


def test_adopting_a_trade_of_an_order_of_ours_says_whether_it_is_too_much() -> None:
    for quantity, excess in (("90", False), ("91", True)):
        world = EarlyWorld()
        child = world.placed()
        world.fill(child, "10", "60", exec_id="mine", transact_time=1)
        wrong = {"last_qty": Decimal(quantity), "last_px": Decimal(59), "symbol": "HALT"}
        world.told(child.cl_ord_id, ("D-1", COPY, wrong))
        [number] = world.state.orphans
        decide(world, number, OrphanVerdict.ADOPT, account="A1")
        [trade] = of_type(world, TradeExecuted)
        assert trade.order_id == child.order_id
        assert (trade.excess, trade.late) == (excess, False)
        [settled] = [one for one in of_type(world, OrphanSettled) if one.orphan == number]
        assert (settled.settlement, settled.order_id) == (Settlement.ADOPTED, child.order_id)


def test_the_same_orphan_by_two_sessions_is_matched_by_what_they_call_it() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    stranger(world, "C-1", source=COPY)
    [matched] = of_type(world, TradeMatched)
    assert (matched.exec_id, matched.source, matched.order_id) == ("S-1", COPY, "")
    assert matched.parent_id == ""
    assert len(world.state.orphans) == 1
    stranger(world, "C-2", source=COPY, kind=ExecType.TRADE_CANCEL, exec_ref_id="C-1")
    assert [one.settlement for one in of_type(world, OrphanSettled)] == [Settlement.AMENDED]


def test_what_two_sessions_told_is_adopted_with_what_each_calls_it() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    [held] = of_type(world, OrphanReported)
    assert held.exec_ref_id == ""
    stranger(world, "C-1", source=COPY)
    [number] = world.state.orphans
    decide(world, number, OrphanVerdict.ADOPT, account="A1")
    [matched] = of_type(world, TradeMatched)
    assert (matched.exec_id, matched.source, matched.told_as) == ("S-1", COPY, copy_id(COPY, "C-1"))
    check_same(world.state, world.replayed())


def test_a_correction_that_is_adopted_ends_once() -> None:
    world = EarlyWorld()
    world.told("whose", CORRECTION)
    world.adopt()
    assert [one.settlement for one in of_type(world, OrphanSettled)] == [Settlement.ADOPTED]


def test_a_bust_that_waited_is_the_only_word_beside_its_trade() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, BUST)
    world.told(child.cl_ord_id, TRADE)
    assert child.cum_qty == 0
    assert not of_type(world, TradeMatched)


def test_of_those_that_wait_for_a_trade_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphan_events, "EARLY_KEPT", 2)
    world = EarlyWorld()
    child = world.placed()
    for n in range(4):
        world.told(child.cl_ord_id, (f"B-{n}", "XA", BUST[2] | {"exec_ref_id": f"T-{n}"}))
    assert [name for _, name in world.state.orphans.early] == ["T-2", "T-3"]
    waiting = world.state.orphans.early_named("XA", child.cl_ord_id)
    assert [one.event.exec_id for one in waiting] == ["B-2", "B-3"]


def test_a_correction_that_waits_no_more_is_carried_out_when_it_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others took its place; it is held for the desk all the same."""
    monkeypatch.setattr(orphan_events, "EARLY_KEPT", 1)
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, CORRECTION)
    world.told(child.cl_ord_id, ("B-9", "XA", BUST[2] | {"exec_ref_id": "T-9"}))
    world.told(child.cl_ord_id, TRADE)
    assert (child.cum_qty, len(world.state.orphans)) == (10, 1)
    world.told(child.cl_ord_id, CORRECTION)
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.order_id) == (Settlement.BOOKED, child.order_id)
    assert (child.cum_qty, len(world.state.orphans)) == (8, 0)
    check_same(world.state, world.replayed())


def test_a_bust_of_a_strangers_trade_that_nobody_told_is_dropped_when_it_comes_again() -> None:
    world = world_with(OrphanPolicy.HOLD)
    for _ in range(2):
        stranger(world, "B-1", kind=ExecType.TRADE_CANCEL, exec_ref_id="S-1")
    [dropped] = of_type(world, DuplicateExecutionDropped)
    assert (dropped.order_id, dropped.exec_id) == ("", "B-1")


def test_an_exec_id_alone_does_not_make_two_trades_one() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    stranger(world, source=COPY, last_qty=Decimal(20), last_px=Decimal(51))
    assert not of_type(world, TradeMatched)
    assert len(world.state.orphans) == 2


def test_a_question_without_a_trade_that_is_refused_is_no_trade() -> None:
    world = EarlyWorld()
    child = world.placed()
    wrong = {"last_qty": Decimal(10), "last_px": Decimal(59), "symbol": "HALT"}
    world.told(child.cl_ord_id, ("D-1", COPY, wrong))
    [number] = world.state.orphans
    decide(world, number, OrphanVerdict.REFUSE)
    assert [one.settlement for one in of_type(world, OrphanSettled)] == [Settlement.REFUSED]
    assert not of_type(world, TradeMatched)


def test_a_refused_orphan_is_no_orders_and_says_who_refused_it() -> None:
    world = world_with(OrphanPolicy.HOLD)
    stranger(world)
    [number] = world.state.orphans
    decide(world, number, OrphanVerdict.REFUSE)
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.order_id) == (Settlement.REFUSED, "")
    assert (settled.user, settled.declined) == ("eve", False)
