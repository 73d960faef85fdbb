"""Which trade a correction or a bust is of, where its session has not told that trade: of several,
when a question is asked anew, and when it is none any more.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.commands import SYSTEM
from oms.domain.events import CommandAnswered, OrderInDoubt, OrphanReported, TradeCorrected
from oms.domain.fix import ExecType
from oms.domain.order import Order
from oms.domain.orphan_events import Orphan, OrphanSettled, TradeMatched
from oms.domain.orphans import DecideOrphan, OrphanKind, OrphanVerdict, Settlement, TradeIds
from oms.domain.reasons import Reason
from tests.support.invariants import check_same
from tests.support.world import of_type
from tests.unit.test_early_amendments import BUST, COPY, EarlyWorld, Message
from tests.unit.test_forgotten_fills import amendment, fill, verdict

MATCH = TradeIds(trd_match_id="M-1")


def of(quantity: int, price: int = 50) -> dict[str, object]:
    return {"last_qty": Decimal(quantity), "last_px": Decimal(price)}


def bust(exec_id: str, ref: str, source: str = "XA", **more: object) -> Message:
    return exec_id, source, BUST[2] | {"exec_ref_id": ref} | more


def told(*messages: Message) -> tuple[EarlyWorld, Order]:
    """One order of ours, and these reports of it."""
    world = EarlyWorld()
    child = world.placed()
    for message in messages:
        world.told(child.cl_ord_id, message)
    return world, child


def asked(world: EarlyWorld) -> Orphan:
    [question] = world.state.orphans.values()
    return question


def trades(child: Order) -> list[tuple[str, int, int]]:
    """ExecID, quantity and price of each."""
    return [(one.exec_id, int(one.last_qty), int(one.last_px)) for one in child.executions.values()]


@pytest.mark.parametrize(
    ("correction", "fills", "twin"),
    [
        (of(8), [of(9, 49), of(10)], "XA-DC:D2"),
        (of(10, 51), [of(9), of(10)], "XA-DC:D2"),
        (of(10, 51), [of(10), of(9)], "XA-DC:D1"),
        (
            of(8) | {"transact_time": 9},
            [of(10) | {"transact_time": 1}, of(10) | {"transact_time": 8}],
            "XA-DC:D2",
        ),
    ],
)
def test_of_several_fills_the_one_with_the_nearest_figures_is_asked_about_then_in_time(
    correction: dict[str, object], fills: list[dict[str, object]], twin: str
) -> None:
    first, second = (fill(f"D{number}", **one) for number, one in enumerate(fills, 1))
    world, _ = told(first, second, amendment(**correction))
    assert (asked(world).event.kind, asked(world).event.twin) == (OrphanKind.AMENDS, twin)


def test_the_same_correction_by_both_sessions_is_no_question_whatever_else_was_filled() -> None:
    world, child = told(
        fill("E", **of(5)), fill("D"), amendment("DC", "D", COPY), amendment("C0", "T")
    )
    assert not world.state.orphans
    assert trades(child) == [("XA-DC:E", 5, 50), ("T", 8, 51)]


def test_of_several_that_were_taken_back_the_one_whose_figures_are_told_is_meant() -> None:
    """As it was at first, or as it was corrected."""
    world, child = told(
        fill("E", **of(5)),
        fill("D"),
        bust("DB1", "E", COPY),
        bust("DB2", "D", COPY),
        bust("B", "T", **of(10)),
    )
    assert [one.exec_id for one in of_type(world, TradeMatched)] == ["XA-DC:D", "T"]
    assert [one[:2] for one in trades(child)] == [("XA-DC:E", 5), ("T", 10)]
    assert not world.state.orphans


def test_a_secondary_exec_id_is_a_name_of_that_trade_only() -> None:
    world, _ = told(fill("D", ids=TradeIds(secondary_exec_id="Z")), amendment())
    assert asked(world).event.kind is OrphanKind.AMENDS


def test_a_second_correction_of_the_same_fill_takes_the_place_of_the_first_question() -> None:
    """By a venue whose corrections all name the fill itself."""
    world, child = told(fill("D"), amendment(), amendment("C1", "T", last_qty=Decimal(7)))
    [ended] = of_type(world, OrphanSettled)
    assert (ended.report.exec_id, ended.settlement) == ("C0", Settlement.AMENDED)
    assert asked(world).event.exec_id == "C1"
    verdict(world, OrphanVerdict.ADOPT)
    assert trades(child) == [("T", 7, 51)]


def test_what_waited_for_that_fill_is_carried_out_before_what_names_it() -> None:
    further = amendment("C1", "C0", last_qty=Decimal(7), ids=MATCH)
    world, child = told(fill("D", ids=MATCH), amendment(), further)
    assert not world.state.orphans
    assert [int(one.last_qty) for one in of_type(world, TradeCorrected)] == [8, 7]
    assert trades(child) == [("T", 7, 51)]
    check_same(world.state, world.replayed())


def test_corrections_that_name_one_another_in_a_circle_end() -> None:
    circle = [("C1", "C2"), ("C2", "C1"), ("C3", "C1"), ("C4", "C3")]
    world, child = told(*(amendment(exec_id, ref) for exec_id, ref in circle), fill("D"))
    assert asked(world).event.exec_id == "C4"
    assert trades(child) == [("XA-DC:D", 10, 50)]


def test_a_fill_that_comes_after_its_correction_has_it_carried_out_once() -> None:
    world, child = told(amendment(ids=MATCH), fill("D", ids=MATCH))
    assert len(of_type(world, TradeCorrected)) == len(of_type(world, OrphanSettled)) == 1
    assert [one.told_as for one in of_type(world, TradeMatched)] == ["T"]
    assert trades(child) == [("T", 8, 51)]


def test_a_question_stays_what_it_is_while_its_trade_may_be_meant() -> None:
    """A nearer one that is told later is not what the operator was asked about."""
    world, child = told(fill("D"), amendment())
    number = asked(world).seq
    world.told(child.cl_ord_id, fill("E", **of(8)))
    assert (asked(world).seq, asked(world).event.twin) == (number, "XA-DC:D")
    verdict(world, OrphanVerdict.ADOPT)
    assert trades(child) == [("T", 8, 51), ("XA-DC:E", 8, 50)]


@pytest.mark.parametrize("another", [True, False])
def test_a_question_whose_trade_its_session_tells_by_another_name_is_asked_anew(
    *, another: bool
) -> None:
    """About another fill; where there is none, it is held as of nothing that we know."""
    more = [fill("E", **of(5, 60))] if another else []
    world, child = told(fill("D"), *more, amendment(), fill("T-7", "XA"))
    [ended] = of_type(world, OrphanSettled)
    assert (ended.settlement, ended.text) == (Settlement.AMENDED, "asked about anew")
    event = asked(world).event
    if another:
        assert (event.kind, event.twin) == (OrphanKind.AMENDS, "XA-DC:E")
    else:
        assert (event.kind, event.order_id, event.twin) == (OrphanKind.UNKNOWN, "", "")
    assert ("T-7", 10, 50) in trades(child)


def test_a_correction_of_a_fill_that_is_asked_about_is_not_adopted_before_that() -> None:
    late = {"transact_time": 9_000_000}
    world, child = told(fill("T", "XA", transact_time=1), fill("D", **late))
    world.told(child.cl_ord_id, amendment("DC", "D", COPY))
    _, changed = sorted(world.state.orphans)
    origin = replace(SYSTEM, user="eve")
    word = DecideOrphan(
        origin=origin, orphan=changed, verdict=OrphanVerdict.ADOPT, reason="asked", account="A1"
    )
    world.send(word)
    [answer] = of_type(world, CommandAnswered)
    assert (answer.accepted, answer.reason) == (False, Reason.UNSUPPORTED_VALUE)
    assert answer.text == (
        f"orphan = {changed}: its trade must be booked: XA-DC:D is not, or is asked about"
    )
    assert child.cum_qty == 10


def test_two_sessions_corrections_before_the_fill_are_told_the_client_once_each() -> None:
    second = {"last_qty": Decimal(7)}
    world, child = told(
        amendment("C0", "T", COPY),
        amendment("C0", "T"),
        amendment("C1", "C0", COPY, **second),
        amendment("C1", "C0", **second),
        fill("T", "XA"),
    )
    assert [int(one.last_qty) for one in of_type(world, TradeCorrected)] == [8, 7]
    assert trades(child) == [("T", 7, 51)]
    assert not world.state.orphans
    check_same(world.state, world.replayed())


@pytest.mark.parametrize(("quantity", "in_doubt"), [(89, True), (90, False)])
def test_a_trade_that_an_operator_adopts_does_not_settle_what_its_venue_counts(
    quantity: int, *, in_doubt: bool
) -> None:
    """Unless it fills the order."""
    wrong = {"symbol": "HALT", "last_qty": Decimal(quantity)}
    for doubt in (True, False):
        world, child = told(fill("T", "XA"), ("D", COPY, fill("D")[2] | wrong))
        if doubt:
            counted = {"kind": ExecType.ORDER_STATUS, "cum_qty": Decimal(20)}
            world.told(child.cl_ord_id, ("S", "XA", counted | {"leaves_qty": Decimal(80)}))
            assert child.doubt_reason is Reason.VENUE_DISAGREES
        verdict(world, OrphanVerdict.ADOPT)
        assert child.cum_qty == 10 + quantity
        assert child.in_doubt is bool(of_type(world, OrderInDoubt)) is (doubt and in_doubt)


def test_a_bust_by_the_match_of_a_trade_that_is_held_ends_that_one() -> None:
    """Of nobody's order; its own session would have named it as it told it."""
    world = EarlyWorld()
    world.told("whose", fill("S-1", "XA", ids=MATCH))
    world.told("whose", fill("S-2", "XA", ids=TradeIds(trd_match_id="M-2"), **of(5)))
    world.told("whose", bust("B", "S-9", ids=MATCH))
    assert len(world.state.orphans) == 2
    world.told("whose", bust("DB", "D-9", COPY, ids=MATCH))
    assert [one.report.exec_id for one in of_type(world, OrphanSettled)] == ["S-1"]
    assert asked(world).event.exec_id == "S-2"


def test_a_trade_that_was_held_before_its_order_had_that_name_is_asked_about_then() -> None:
    """By its OrderID, which the order's session tells later."""
    world = EarlyWorld()
    world.new("c1", "100", price="60")
    child = world.child("c1")
    for exec_id, price in (("D", 50), ("E", 70)):
        message = fill(exec_id, order_id="V-9", transact_time=9_000_000, **of(10, price))
        world.told("theirs", message)
    assert [one.event.kind for one in world.state.orphans.values()] == [OrphanKind.UNKNOWN] * 2
    world.told(child.cl_ord_id, fill("T", "XA", order_id="V-9", transact_time=1))
    [question] = of_type(world, OrphanReported)
    assert (question.kind, question.order_id, question.twin) == (
        OrphanKind.SAME_TRADE,
        child.order_id,
        "T",
    )
