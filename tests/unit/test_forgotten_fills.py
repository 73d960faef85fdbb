"""A session that never tells a fill, or late, and tells its correction or bust; the other one tells
the fill by another name: whatever the order of arrival and whoever adopts, the trade counts once.
"""

import itertools
from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.commands import SYSTEM
from oms.domain.events import CommandAnswered, DiscrepancyFound, OrphanReported
from oms.domain.fix import ExecType
from oms.domain.orphan_events import OrphanSettled
from oms.domain.orphans import DecideOrphan, OrphanKind, OrphanVerdict, Settlement, TradeIds
from oms.domain.profile import OrphanPolicy
from tests.support.invariants import check_same
from tests.support.world import of_type
from tests.unit.test_early_amendments import (
    BUST,
    COPY,
    CORRECTION,
    TRADE,
    EarlyWorld,
    Message,
    left,
)

# What happened at the venue: one trade, what became of it, and what it comes to.
STORIES = {"C": (8, 51), "B": (0, 0), "CC": (7, 52), "CB": (0, 0)}
SECOND = {"last_qty": Decimal(7), "last_px": Decimal(52)}
KINDS = {"C": ExecType.TRADE_CORRECT, "B": ExecType.TRADE_CANCEL}


def tape(story: str, source: str, style: str) -> list[Message]:
    """All that happened, as that session tells it: first the trade, then each change of it."""
    prefix = "" if source == "XA" or style == "same ids" else "D"
    ids = TradeIds(trd_match_id="M-1") if style == "match ids" else None
    told: list[Message] = [(f"{prefix}T", source, TRADE[2] | {"ids": ids})]
    for number, kind in enumerate(story):
        figures = {} if kind == "B" else CORRECTION[2] if number == 0 else SECOND
        more = {"kind": KINDS[kind], "exec_ref_id": told[-1][0], "ids": ids}
        told.append((f"{prefix}{kind}{number}", source, figures | more))
    return told


def in_turn(messages: tuple[Message, ...]) -> bool:
    """Whether each session tells a change of a correction after that one."""
    for source in ("XA", COPY):
        changes = [one[0][-1] for one in messages if one[1] == source and one[0][-1] != "T"]
        if changes != sorted(changes):
            return False
    return True


def decide(world: EarlyWorld) -> None:
    """Operators have asked the venue, and say how it is: one trade, whoever told it how."""
    while world.state.orphans:
        number, orphan = next(iter(world.state.orphans.items()))
        same = orphan.event.kind is OrphanKind.SAME_TRADE
        for verdict in (OrphanVerdict.REFUSE, OrphanVerdict.ADOPT)[:: 1 if same else -1]:
            if number not in world.state.orphans:
                break
            world.send(
                DecideOrphan(
                    origin=replace(SYSTEM, user="eve"),
                    orphan=number,
                    verdict=verdict,
                    reason="asked",
                    account="A1",
                )
            )
        assert number not in world.state.orphans, orphan.event


def play(messages: tuple[Message, ...], decide_at: int, *, again: bool, known: bool) -> EarlyWorld:
    """Told in this order, with the operators' word after so many of them, and at the end."""
    world = EarlyWorld()
    name = world.placed().cl_ord_id if known else "whose"
    for number, message in enumerate(messages):
        world.told(name, message)
        if again:
            world.told(name, message)
        if number == decide_at:
            decide(world)
        assert world.quantity() <= 10, (messages, decide_at)
    decide(world)
    if again:
        for message in messages:
            world.told(name, message)
            decide(world)
    return world


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("style", ["other ids", "same ids", "match ids"])
@pytest.mark.parametrize("forgetful", ["XA", COPY])
@pytest.mark.parametrize("story", STORIES)
def test_a_trade_whose_fill_one_session_forgot_counts_once(
    story: str, forgetful: str, style: str, known: bool
) -> None:
    """The other session tells all of it, or the fill alone; and perhaps it does tell it, late."""
    other = COPY if forgetful == "XA" else "XA"
    quantity, _ = STORIES[story]
    for length, begins in ((1, 1), (len(story) + 1, 1), (len(story) + 1, 0)):
        told = [*tape(story, other, style)[:length], *tape(story, forgetful, style)[begins:]]
        orders = [one for one in itertools.permutations(told) if in_turn(one)]
        for turn, messages in enumerate(orders[:: max(1, len(orders) // 24)]):
            for decide_at in {turn % len(told), len(told)}:
                again = turn % 2 == 0
                world = play(messages, decide_at, again=again, known=known)
                seen = [(one[1], one[0]) for one in messages]
                assert world.quantity() == quantity, (seen, decide_at, again)
                assert not world.state.orphans, seen
                check_same(world.state, world.replayed())


def amendment(exec_id: str = "C0", ref: str = "T", source: str = "XA", **more: object) -> Message:
    """A correction to 8 at 51."""
    return exec_id, source, CORRECTION[2] | {"exec_ref_id": ref} | more


def fill(exec_id: str, source: str = COPY, **more: object) -> Message:
    """10 at 50, if nothing else is said."""
    return exec_id, source, TRADE[2] | more


def verdict(world: EarlyWorld, word: OrphanVerdict) -> list[CommandAnswered]:
    [number] = world.state.orphans
    origin = replace(SYSTEM, user="eve")
    world.send(DecideOrphan(origin=origin, orphan=number, verdict=word, reason="asked"))
    return of_type(world, CommandAnswered)


def test_a_correction_of_a_fill_that_only_a_copy_told_is_a_question_and_books_nothing() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, fill("D"))
    world.told(child.cl_ord_id, amendment())
    [asked] = of_type(world, OrphanReported)
    assert (asked.kind, asked.order_id, asked.twin) == (
        OrphanKind.AMENDS,
        child.order_id,
        "XA-DC:D",
    )
    assert asked.text == "of T: may be of XA-DC:D, which is 10 at 50"
    assert world.quantity() == 10
    verdict(world, OrphanVerdict.ADOPT)
    [trade] = child.executions.values()
    assert (trade.exec_id, trade.last_qty, trade.last_px) == ("T", 8, 51)
    [settled] = of_type(world, OrphanSettled)
    assert (settled.settlement, settled.user) == (Settlement.ADOPTED, "eve")
    assert (settled.order_id, child.ahead) == (child.order_id, 0)


def test_a_question_that_is_refused_changes_nothing_and_is_not_asked_again() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, fill("D"))
    for message in (amendment(), ("B1", "XA", BUST[2] | {"exec_ref_id": "C0"})):
        world.told(child.cl_ord_id, message)
    verdict(world, OrphanVerdict.REFUSE)
    assert [one.settlement for one in of_type(world, OrphanSettled)] == [Settlement.REFUSED]
    world.told(child.cl_ord_id, message)
    assert (world.quantity(), len(world.state.orphans)) == (10, 0)


@pytest.mark.parametrize("source", ["XA", COPY])
def test_of_two_fills_the_one_that_is_named_is_meant(source: str) -> None:
    """By TrdMatchID (880), by SecondaryExecID (527) on either side, or by its figures."""
    other = COPY if source == "XA" else "XA"
    first, second = TradeIds(trd_match_id="M-1"), TradeIds(trd_match_id="M-2")
    named = (
        ({"ids": first}, {"ids": second}, {"ids": second}),
        ({}, {"ids": TradeIds(secondary_exec_id="T")}, {}),
        ({}, {}, {"ids": TradeIds(secondary_exec_id="E2")}),
    )
    for one, two, correction in named:
        world = EarlyWorld()
        child = world.placed()
        world.told(child.cl_ord_id, fill("E1", other, **one))
        world.told(child.cl_ord_id, fill("E2", other, transact_time=9, **two))
        world.told(child.cl_ord_id, amendment(source=source, **correction))
        assert [int(trade.last_qty) for trade in child.executions.values()] == [10, 8]
        assert not world.state.orphans
        check_same(world.state, world.replayed())


def test_a_correction_of_another_match_is_of_none_of_them() -> None:
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, fill("D", ids=TradeIds(trd_match_id="M-1")))
    world.told(child.cl_ord_id, amendment(ids=TradeIds(trd_match_id="M-2")))
    [held] = world.state.orphans.values()
    assert held.event.kind is OrphanKind.UNKNOWN
    verdict(world, OrphanVerdict.ADOPT)
    assert world.quantity() == 18, "two trades, as the venue says"


def test_an_exec_id_is_no_name_where_sessions_number_trades_differently() -> None:
    world = EarlyWorld()
    child = world.placed()
    for message in (fill("1", "XA"), fill("7"), fill("2", last_qty=Decimal(20))):
        world.told(child.cl_ord_id, message)
    world.told(child.cl_ord_id, amendment(ref="2"))
    [held] = world.state.orphans.values()
    assert (held.event.kind, held.event.twin) == (OrphanKind.AMENDS, "XA-DC:2")
    assert world.quantity() == 30, "it may be of another trade with that number"


def test_the_same_bust_by_both_sessions_is_no_question_where_one_trade_can_be_meant() -> None:
    bust = ("B", "XA", BUST[2] | {"exec_ref_id": "T"})
    for other, left_open in ((False, 0), (True, 1)):
        world = EarlyWorld()
        child = world.placed()
        for message in [fill("D"), *([fill("E", last_qty=Decimal(5))] if other else [])]:
            world.told(child.cl_ord_id, message)
        world.told(child.cl_ord_id, ("DB", COPY, BUST[2] | {"exec_ref_id": "D"}))
        world.told(child.cl_ord_id, bust)
        assert len(world.state.orphans) == left_open, "which of the two its session means"
        assert world.quantity() == (5 if other else 0)


def test_what_waits_for_a_question_is_not_decided_before_it() -> None:
    """A copy's clock is wrong, so that its trade is asked about; then it corrects that."""
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, fill("T", "XA"))
    world.told(child.cl_ord_id, fill("D", transact_time=world.state.trade_date_at + 9_000_000))
    world.told(child.cl_ord_id, amendment("DC", "D", COPY))
    same, changed = sorted(world.state.orphans)
    assert world.state.orphans[changed].event.twin == "XA-DC:D"
    for number, word, accepted in (
        (changed, OrphanVerdict.ADOPT, False),
        (same, OrphanVerdict.REFUSE, True),
    ):
        origin = replace(SYSTEM, user="eve")
        world.send(DecideOrphan(origin=origin, orphan=number, verdict=word, reason="asked"))
        refused = [one.text for one in of_type(world, CommandAnswered) if not one.accepted]
        assert bool(refused) is not accepted, refused
    assert (world.quantity(), left(world)) == (8, (0, 0))


def test_an_adopted_correction_that_two_sessions_told_goes_on_counting() -> None:
    """What the other one told early is no step beyond: the next correction is news."""
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, amendment(source=COPY))
    world.told(child.cl_ord_id, amendment())
    verdict(world, OrphanVerdict.ADOPT)
    world.told(child.cl_ord_id, amendment("C1", "C0", last_qty=Decimal(7)))
    assert (world.quantity(), left(world)) == (7, (0, 0))
    world.told(child.cl_ord_id, amendment("C1", "C0", COPY, last_qty=Decimal(7)))
    assert (world.quantity(), left(world)) == (7, (0, 0))


@pytest.mark.parametrize("cum_qty", [0, 18])
def test_the_fill_of_a_correction_that_was_adopted_comes_by_another_name(cum_qty: int) -> None:
    """A question, unless CumQty (14) shows that it is a trade beyond that one."""
    world = EarlyWorld()
    child = world.placed()
    world.told(child.cl_ord_id, amendment())
    verdict(world, OrphanVerdict.ADOPT)
    world.told(child.cl_ord_id, fill("D", cum_qty=Decimal(cum_qty)))
    assert world.quantity() == (18 if cum_qty else 8)
    assert len(world.state.orphans) == (0 if cum_qty else 1)


def test_policy_adopts_a_fill_and_asks_whether_a_correction_is_of_it() -> None:
    for messages in itertools.permutations([fill("D"), amendment()]):
        world = EarlyWorld(OrphanPolicy.ADOPT)
        for message in messages:
            world.told("whose", message)
        [held] = world.state.orphans.values()
        correction = messages[0][0] == "C0"
        assert held.event.kind is (OrphanKind.SAME_TRADE if correction else OrphanKind.AMENDS)
        assert world.quantity("HOUSE") == (8 if correction else 10)
        verdict(world, OrphanVerdict.REFUSE if correction else OrphanVerdict.ADOPT)
        assert (world.quantity("HOUSE"), len(world.state.orphans)) == (8, 0)
        check_same(world.state, world.replayed())


def test_a_trade_that_an_operator_adopts_says_nothing_of_an_order_out_of_sight() -> None:
    for quantity in (8, 100):
        world = EarlyWorld()
        child = world.placed()
        world.told(child.cl_ord_id, amendment(last_qty=Decimal(quantity)))
        world.disconnect("XA")
        verdict(world, OrphanVerdict.ADOPT)
        assert child.cum_qty == quantity
        assert child.in_doubt is (quantity == 8), "which its venue, away, may have filled since"


@pytest.mark.parametrize("corrects", [True, False])
@pytest.mark.parametrize("source", ["XA", COPY])
def test_a_bust_counts_though_another_session_told_a_correction_in_its_place(
    source: str, corrects: bool
) -> None:
    """Told ahead of that session's own correction, or without any; the other tells no bust."""
    other = COPY if source == "XA" else "XA"
    world = EarlyWorld()
    child = world.placed()
    told = [fill("T", other), fill("D", source), amendment("C", "T", other)]
    told.append(("DB", source, BUST[2] | {"exec_ref_id": "D"}))
    told += [amendment("DC", "D", source)] if corrects else []
    for message in told:
        world.told(child.cl_ord_id, message)
    assert (world.quantity(), left(world)) == (0, (0, 0))
    assert not of_type(world, DiscrepancyFound)
    for message in (("B", other, BUST[2] | {"exec_ref_id": "C"}), *told):
        world.told(child.cl_ord_id, message)
        assert (world.quantity(), len(world.state.orphans)) == (0, 0)
    assert child.ahead == (1 if source == "XA" and not corrects else 0)
    check_same(world.state, world.replayed())
