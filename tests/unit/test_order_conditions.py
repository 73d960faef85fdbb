"""MinQty, icebergs, instructions, pegs, cash: passed to venues that can, else refused by name."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain import effects as fx
from oms.domain.commands import Channel, NewOrderSingle, SessionLoggedOut
from oms.domain.conditions import Ability, Conditions
from oms.domain.events import OrderAccepted, OrderRefused, OrderRouted
from oms.domain.fix import ExecInst, ExecType, OrdStatus, OrdType, Side
from oms.domain.order import RequestKind
from oms.domain.reasons import Reason
from tests.support.checked_world import REST
from tests.support.terms_world import TermsWorld, world_of
from tests.support.world import REFERENCE

ALL_OR_NONE, NOT_HELD = ExecInst.ALL_OR_NONE, ExecInst.NOT_HELD
ON_FAILURE = ExecInst.CANCEL_ON_SYSTEM_FAILURE
NOT_BEST, CANCEL_ON_HALT = ExecInst.CANCEL_IF_NOT_BEST, ExecInst.CANCEL_ON_TRADING_HALT
REINSTATE_ON_HALT = ExecInst.REINSTATE_ON_TRADING_HALT
PRIMARY, MIDPOINT = ExecInst.PRIMARY_PEG, ExecInst.MIDPOINT_PEG


def told_to_venue(world: TermsWorld) -> fx.SendNewOrderSingle:
    [sent] = [one for one in world.effects if isinstance(one, fx.SendNewOrderSingle)]
    return sent


@pytest.mark.parametrize(
    ("ability", "asked"),
    [
        (Ability.MIN_QTY, {"min_qty": Decimal(50)}),
        (Ability.MAX_FLOOR, {"max_floor": Decimal(10)}),
        (Ability.ALL_OR_NONE, {"exec_inst": (ALL_OR_NONE,)}),
        (Ability.CANCEL_IF_NOT_BEST, {"exec_inst": (NOT_BEST,)}),
        (Ability.CANCEL_ON_TRADING_HALT, {"exec_inst": (CANCEL_ON_HALT,)}),
        (Ability.REINSTATE_ON_TRADING_HALT, {"exec_inst": (REINSTATE_ON_HALT,)}),
    ],
)
def test_a_condition_goes_whole_to_a_venue_that_can_and_is_told_back(
    ability: Ability, asked: dict[str, object]
) -> None:
    world = world_of(abilities={ability})
    world.quote("XA", "99", "101", "20")
    world.quote("XB", "99", "100", "1000")
    world.ask("c1", price="101", **asked)
    sent = told_to_venue(world)
    assert (sent.session, sent.order_qty) == ("XA", 100)
    assert sent.conditions == Conditions(**asked)  # type: ignore[arg-type]
    reports = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert [one.conditions for one in reports] == [sent.conditions]


def test_a_minimum_that_has_traded_is_not_asked_of_the_rest() -> None:
    world = world_of(abilities={Ability.MIN_QTY})
    world.quote("XB", "99", "100", "1000")
    world.ask("c1", price="101", min_qty=Decimal(50))
    first = world.child("c1")
    assert first.counterparty == "XA"
    world.ack(first)
    world.fill(first, "60")
    world.canceled(first)
    rest = told_to_venue(world)
    assert (rest.session, rest.order_qty, rest.conditions) == ("XB", 40, None)


@pytest.mark.parametrize(("traded", "left"), [("0", "50"), ("1", "49"), ("30", "20"), ("50", None)])
def test_trades_count_towards_the_minimum(traded: str, left: str | None) -> None:
    asked = Conditions(min_qty=Decimal(50), max_floor=Decimal(10))
    assert asked.left(Decimal(traded)) == replace(
        asked, min_qty=None if left is None else Decimal(left)
    )


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"min_qty": Decimal(50)}, "MinQty (110)"),
        ({"max_floor": Decimal(10)}, "MaxFloor (111)"),
        ({"exec_inst": (ALL_OR_NONE,)}, "ExecInst (18) = G (ALL_OR_NONE)"),
        ({"exec_inst": (NOT_BEST,)}, "ExecInst (18) = Z (CANCEL_IF_NOT_BEST)"),
        ({"exec_inst": (CANCEL_ON_HALT,)}, "ExecInst (18) = K (CANCEL_ON_TRADING_HALT)"),
        ({"exec_inst": (REINSTATE_ON_HALT,)}, "ExecInst (18) = J (REINSTATE_ON_TRADING_HALT)"),
    ],
)
def test_what_no_venue_can_is_refused_before_it_leaves(
    asked: dict[str, object], named: str
) -> None:
    world = world_of()
    world.ask("c1", price="101", **asked)
    [refused] = world.of(OrderRefused)
    assert refused.reason is Reason.UNSUPPORTED_BY_VENUES
    assert refused.text == f"{named}: not taken by any venue of AAPL (XA, XB)"
    [report] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert report.ord_rej_reason == "11"


@pytest.mark.parametrize(("instruction", "restatement"), [(NOT_BEST, "9"), (CANCEL_ON_HALT, "6")])
def test_what_the_venue_cancels_by_the_orders_own_wish_goes_to_no_other_venue(
    instruction: ExecInst, restatement: str
) -> None:
    every = frozenset(Ability)
    venues = {name: replace(one, abilities=every) for name, one in REFERENCE.venues.items()}
    world = TermsWorld(replace(REFERENCE, venues=venues))
    world.connect("XA", "XB")
    world.ask("c1", price="100", exec_inst=(instruction,))
    child = world.child("c1")
    world.ack(child)
    world.send(
        world.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.CANCELED,
            OrdStatus.CANCELED,
            restatement=restatement,
        )
    )
    [told] = [one for one in world.effects if isinstance(one, fx.SendExecutionReport)]
    assert (told.exec_type, told.restatement) == (ExecType.CANCELED, restatement)
    assert len(world.order("c1").children) == 1
    # Another cancel of the venue's own accord sends the rest elsewhere.
    world.ask("c2", price="100", exec_inst=(REINSTATE_ON_HALT,))
    first = world.child("c2")
    world.ack(first)
    world.canceled(first)
    assert world.child("c2").counterparty != first.counterparty


def test_not_held_is_a_liberty_that_a_venue_need_not_be_told() -> None:
    world = world_of()
    world.ask("c1", price="101", exec_inst=(NOT_HELD,))
    assert told_to_venue(world).conditions is None
    able = world_of(abilities={Ability.NOT_HELD})
    able.ask("c1", price="101", exec_inst=(NOT_HELD,))
    assert told_to_venue(able).conditions == Conditions(exec_inst=(NOT_HELD,))


def test_an_order_that_asks_for_it_is_cancelled_when_its_session_is_lost() -> None:
    world = world_of()
    world.client_on()
    world.ask("c1", price="100", exec_inst=(ON_FAILURE,))
    world.new("c2", "10", "99")
    for name in ("c1", "c2"):
        world.ack(world.child(name))
    origin = replace(world.origin("ALPHA"), msg_seq_num=0)
    world.send(SessionLoggedOut(origin=origin, text="gone"))
    assert [one.kind for one in world.order("c1").requests] == [RequestKind.CANCEL]
    assert not world.order("c2").requests


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"min_qty": Decimal(101)}, "MinQty (110) = 101: must not be above OrderQty (38) = 100"),
        ({"min_qty": Decimal(0)}, "MinQty (110) = 0: must be greater than zero"),
        ({"max_floor": Decimal("0.5")}, "MaxFloor (111) = 0.5: must be a multiple of lot 1"),
        (
            {"max_floor": Decimal(10), "exec_inst": (ALL_OR_NONE,)},
            "MaxFloor (111) = 10: not together with ExecInst (18) = G (ALL_OR_NONE)",
        ),
        (
            {"exec_inst": (REINSTATE_ON_HALT, CANCEL_ON_HALT)},
            "ExecInst (18) = K (CANCEL_ON_TRADING_HALT): not together with J (REINSTATE_ON_",
        ),
        ({"exec_inst": (MIDPOINT,)}, "ExecInst (18) = M (MIDPOINT_PEG): only with OrdType (40)"),
        ({"peg_offset": Decimal(1)}, "PegOffsetValue (211) = 1: only with OrdType (40) = P"),
    ],
)
def test_a_bad_condition_is_refused_by_name(asked: dict[str, object], text: str) -> None:
    world = world_of(abilities=frozenset(Ability))
    world.ask("c1", price="100", **asked)
    assert world.of(OrderRefused)[0].text.startswith(text)


def test_a_replace_may_not_change_a_condition() -> None:
    world = world_of(abilities={Ability.MAX_FLOOR})
    world.ask("c1", price="100", max_floor=Decimal(10))
    world.ack(world.child("c1"))
    world.amend("c2", "c1", max_floor=Decimal(20))
    assert world.texts() == ["MaxFloor (111): must stay as it is"]
    world.amend("c3", "c1", qty="80", max_floor=Decimal(10))
    [asked] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReplaceRequest)]
    assert asked.conditions == Conditions(max_floor=Decimal(10))


def test_a_pegged_order_goes_only_where_it_can() -> None:
    world = world_of(types={OrdType.PEGGED}, abilities={Ability.PRIMARY_PEG})
    offset = Decimal("-0.01")
    world.ask("c1", OrdType.PEGGED, exec_inst=(PRIMARY,), peg_offset=offset)
    sent = told_to_venue(world)
    assert (sent.session, sent.ord_type, sent.price) == ("XA", OrdType.PEGGED, None)
    assert sent.conditions == Conditions(exec_inst=(PRIMARY,), peg_offset=offset)
    world.ask("c2", OrdType.PEGGED, exec_inst=(MIDPOINT,))
    assert world.texts()[0].startswith("ExecInst (18) = M (MIDPOINT_PEG): not taken by any venue")
    world.ask("c3", OrdType.PEGGED)
    assert "exactly one of ExecInst (18) R (PRIMARY_PEG) and M" in world.texts()[0]
    none = world_of()
    none.ask("c1", OrdType.PEGGED, exec_inst=(PRIMARY,), price="101")
    assert none.texts()[0].startswith("OrdType (40) = P (PEGGED), ExecInst (18) = R (PRIMARY_PEG)")


def test_cash_becomes_whole_lots_at_the_limit_price() -> None:
    world = world_of()
    world.ask("c1", qty="0", price="99.5", cash_order_qty=Decimal(10_000))
    [accepted] = world.of(OrderAccepted)
    assert accepted.terms.order_qty == 100
    asked = accepted.terms.conditions
    assert asked is not None
    assert (asked.cash_px, asked.cash_px_source) == (Decimal("99.5"), "Price (44)")
    sent = told_to_venue(world)
    assert (sent.order_qty, sent.conditions) == (100, None)


def test_cash_without_a_limit_counts_at_the_reference_price() -> None:
    world = world_of()
    world.quote("XA", "199", "201")
    world.ask("c1", OrdType.MARKET, qty="0", side=Side.SELL, cash_order_qty=Decimal(1_999))
    [accepted] = world.of(OrderAccepted)
    asked = accepted.terms.conditions
    assert asked is not None
    assert (accepted.terms.order_qty, asked.cash_px, asked.cash_px_source) == (
        9,
        200,
        "reference price",
    )


def test_cash_for_less_than_a_lot_is_refused() -> None:
    world = world_of()
    world.ask("c1", qty="0", price="99.5", cash_order_qty=Decimal(99))
    text = "CashOrderQty (152) = 99: must be enough for a lot of 1 at 99.5, the Price (44)"
    assert world.of(OrderRefused)[0].text == text
    world.ask("c2", qty="0", price="99.5", cash_order_qty=Decimal(-1))
    assert world.of(OrderRefused)[0].text == "CashOrderQty (152) = -1: must be greater than zero"


def test_cash_asked_for_again_is_the_same_order_whatever_the_market_does() -> None:
    world = world_of()
    world.quote("XA", "199", "201")
    order = NewOrderSingle(
        origin=replace(REST, channel=Channel.REST),
        cl_ord_id="c1",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(0),
        ord_type=OrdType.MARKET,
        conditions=Conditions(cash_order_qty=Decimal(1_000)),
    )
    world.send(order)
    assert world.of(OrderRouted)
    world.quote("XA", "99", "101")
    world.send(order)
    assert [type(one).__name__ for one in world.events] == ["OrderStatusReported"]
