"""A replace while another is pending, where the client's profile lets it wait (D.2.a, D.2.c)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.domain import effects as fx
from oms.domain.commands import (
    SYSTEM,
    CloseTradingDay,
    EngageKillSwitch,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    SetRiskLimit,
)
from oms.domain.events import (
    OrderStatusReported,
    ReplacePending,
    ReplaceRejected,
    RequestRefused,
)
from oms.domain.fix import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus
from oms.domain.instrument import Client
from oms.domain.profile import BelowCumQty, ChainedReplace, ClientProfile
from oms.domain.reasons import Reason
from oms.domain.verdict import Verdict
from oms.orders.settle import taken_up
from tests.support.desk_model import ACTIONS, Desk
from tests.support.invariants import check_same, check_state
from tests.support.world import DATE, REFERENCE, World, of_type

QUEUE = ClientProfile(chained_replaces=ChainedReplace.QUEUE)


def world_with_two_replaces(profile: ClientProfile = QUEUE, third: str = "70") -> World:
    """X of 100 works with 10 filled; Y asks for 80, and Z, which names Y, for `third`."""
    world = World(replace(REFERENCE, clients={"ALPHA": _alpha(profile)}))
    world.connect("XA")
    world.new("X", "100")
    world.ack(world.child("X"))
    world.fill(world.child("X"), "10")
    world.replace("Y", "X", "80")
    assert told(world) == [("Y", "X", "E", "E")]
    world.replace("Z", "Y", third)
    return world


def _alpha(profile: ClientProfile) -> Client:
    return replace(REFERENCE.clients["ALPHA"], profile=profile)


def told(world: World) -> list[tuple[str, str, str, str]]:
    """ClOrdID, OrigClOrdID, ExecType (9 for a cancel reject) and OrdStatus of what clients hear."""
    return [
        (
            one.cl_ord_id,
            one.orig_cl_ord_id,
            one.exec_type.value if isinstance(one, fx.SendExecutionReport) else "9",
            one.ord_status.value,
        )
        for one in world.effects
        if isinstance(one, fx.SendExecutionReport | fx.SendOrderCancelReject)
    ]


def venue_grants(world: World) -> None:
    child = world.child("X")
    request = child.requests[0]
    world.send(
        world.report(
            child.counterparty,
            request.cl_ord_id,
            ExecType.REPLACED,
            OrdStatus.PARTIALLY_FILLED,
            order_qty=request.order_qty,
        )
    )


def venue_refuses(world: World) -> None:
    child = world.child("X")
    request = child.requests[0]
    world.send(
        OrderCancelReject(
            origin=world.origin(child.counterparty),
            order_id="V",
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id=request.orig_cl_ord_id,
            ord_status=OrdStatus.NEW,
            cxl_rej_reason=CxlRejReason.BROKER_OPTION,
            response_to=CxlRejResponseTo.ORDER_CANCEL_REPLACE_REQUEST,
            text="no",
        )
    )


def check(world: World) -> None:
    check_state(world.state)
    check_same(world.state, world.replayed())


def test_it_is_taken_up_when_the_one_before_is_granted() -> None:
    world = world_with_two_replaces()
    assert told(world) == [], "nothing is said of what waits"
    check(world)
    venue_grants(world)
    assert told(world) == [("Y", "X", "5", "1"), ("Z", "Y", "E", "E")]
    [sent] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReplaceRequest)]
    assert sent.order_qty == Decimal(70)
    venue_grants(world)
    assert told(world) == [("Z", "Y", "5", "1")]
    assert world.order("Z").order_qty == Decimal(70)
    check(world)


def test_it_is_taken_up_when_the_one_before_is_refused_under_the_last_accepted_id() -> None:
    world = world_with_two_replaces()
    venue_refuses(world)
    assert told(world) == [("Y", "X", "9", "1"), ("Z", "X", "E", "E")]
    venue_refuses(world)
    assert told(world) == [("Z", "X", "9", "1")]
    assert world.order("X").order_qty == Decimal(100)
    check(world)


def test_by_default_it_is_refused_as_already_pending() -> None:
    world = world_with_two_replaces(ClientProfile())
    assert told(world) == [("Z", "X", "9", "E")]
    check(world)


def test_a_cancel_ends_what_waits() -> None:
    world = world_with_two_replaces()
    world.cancel("W", "X")
    venue_grants(world)
    assert told(world) == [("Y", "X", "5", "6")]
    child = world.child("X")
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert told(world) == [("W", "Y", "4", "4"), ("Z", "Y", "9", "4")]
    check(world)


@pytest.mark.parametrize(
    ("third", "below", "told_then"),
    [
        ("70", BelowCumQty.REJECT, [("Z", "Y", "9", "2")]),
        ("70", BelowCumQty.AT_CUM_QTY, [("Z", "Y", "9", "2")]),
        ("80", BelowCumQty.AT_CUM_QTY, [("Z", "Y", "9", "2")]),
        ("120", BelowCumQty.REJECT, [("Z", "Y", "E", "E"), ("Z", "Y", "5", "1")]),
    ],
)
def test_after_a_complete_fill_only_what_adds_is_granted(
    third: str, below: BelowCumQty, told_then: list[tuple[str, str, str, str]]
) -> None:
    profile = replace(QUEUE, replace_below_cum_qty=below)
    world = world_with_two_replaces(profile, third)
    world.fill(world.child("X"), "70")
    venue_grants(world)
    assert told(world) == [("Y", "X", "5", "2"), *told_then]
    check(world)


def test_a_kill_switch_that_was_engaged_meanwhile_refuses_it() -> None:
    world = world_with_two_replaces()
    stop = EngageKillSwitch(
        origin=SYSTEM, level="FIRM", subject="*", reason="test", cancel_open_orders=False
    )
    world.send(stop)
    venue_grants(world)
    assert told(world) == [("Y", "X", "5", "1"), ("Z", "Y", "9", "1")]
    check(world)


def limited(
    world: World, rule: str, value: str, level: str = "ACCOUNT", subject: str = "A1"
) -> None:
    world.send(
        SetRiskLimit(origin=SYSTEM, rule=rule, level=level, subject=subject, value=Decimal(value))
    )


@pytest.mark.parametrize(
    ("rule", "limit", "measured"),
    [
        ("MAX_ORDER_QTY", "149", "150"),
        ("MAX_ORDER_NOTIONAL", "14999.5", "15000"),
        ("MAX_POSITION", "149", "150"),
    ],
)
def test_a_limit_that_was_lowered_meanwhile_refuses_it(
    rule: str, limit: str, measured: str
) -> None:
    """Found by seed 40365 of the simulator: it was judged when it came, and never again."""
    world = world_with_two_replaces(third="150")
    limited(world, rule, limit)
    venue_grants(world)
    assert told(world) == [("Y", "X", "5", "1"), ("Z", "Y", "9", "1")]
    [refusal] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReject)]
    assert refusal.text == f"{rule} at ACCOUNT A1: limit {limit}, measured {measured}"
    assert refusal.cxl_rej_reason is CxlRejReason.OTHER
    [event] = of_type(world, ReplaceRejected)
    [figure] = event.figures
    assert (figure.rule, figure.level, figure.subject) == (rule, "ACCOUNT", "A1")
    assert (figure.limit, figure.measured) == (Decimal(limit), Decimal(measured))
    assert not figure.passed
    order = world.order("X")
    assert (order.cl_ord_id, order.order_qty, order.price) == ("Y", Decimal(80), Decimal(100))
    assert not [one for one in world.effects if isinstance(one, fx.SendOrderCancelReplaceRequest)]
    check(world)


def test_a_fresh_replace_and_one_that_waited_are_refused_with_the_same_words() -> None:
    world = world_with_two_replaces(third="150")
    limited(world, "MAX_POSITION", "140", "FIRM", "*")
    venue_grants(world)
    [waited] = of_type(world, ReplaceRejected)
    world.replace("W", "Y", "150")
    [fresh] = of_type(world, RequestRefused)
    assert (fresh.reason, fresh.text) == (waited.reason, waited.text)
    assert fresh.figures == waited.figures
    assert fresh.reason is Reason.MAX_POSITION


def test_a_position_that_grew_meanwhile_refuses_it() -> None:
    """Its venue fills more than was asked for while the first replace is on its way."""
    world = world_with_two_replaces(third="120")
    limited(world, "MAX_POSITION", "130")
    world.new("other", "10")
    other = world.child("other")
    world.ack(other)
    world.fill(other, "30")
    venue_grants(world)
    [refused] = of_type(world, ReplaceRejected)
    assert refused.text == "MAX_POSITION at ACCOUNT A1: limit 130, measured 150"
    check(world)


def test_a_price_that_the_market_has_left_meanwhile_refuses_it() -> None:
    world = world_with_two_replaces()
    limited(world, "PRICE_COLLAR", "500")
    world.quote("XA", "119.99", "120.01")
    venue_grants(world)
    [refused] = of_type(world, ReplaceRejected)
    assert refused.text.startswith("PRICE_COLLAR at ACCOUNT A1: limit 500, measured 16")
    check(world)


def test_after_a_refusal_the_next_one_has_its_turn() -> None:
    world = world_with_two_replaces(third="150")
    world.replace("W", "Y", "90")
    limited(world, "MAX_ORDER_QTY", "100")
    venue_grants(world)
    assert told(world) == [
        ("Y", "X", "5", "1"),
        ("Z", "Y", "9", "1"),
        ("W", "Y", "E", "E"),
    ]
    taken = next(one for one in of_type(world, ReplacePending) if one.cl_ord_id == "W")
    assert [(one.rule, one.measured, one.passed) for one in taken.figures] == [
        ("MAX_ORDER_QTY", Decimal(90), True)
    ]
    check(world)


def test_its_rate_is_not_measured_again_as_no_message_comes() -> None:
    world = world_with_two_replaces()
    limited(world, "MAX_MESSAGE_RATE", "1", "SESSION", "ALPHA")
    venue_grants(world)
    assert told(world) == [("Y", "X", "5", "1"), ("Z", "Y", "E", "E")]
    check(world)


@pytest.mark.parametrize(("quantity", "price", "same"), [(70, 100, 1), (75, 100, 0), (70, 99, 0)])
def test_one_that_waits_is_repeated_only_by_the_same_content(
    quantity: int, price: int, same: int
) -> None:
    world = world_with_two_replaces()
    again = OrderCancelReplaceRequest(
        origin=replace(world.origin("ALPHA"), poss_resend=True),
        cl_ord_id="Z",
        orig_cl_ord_id="Y",
        order_qty=Decimal(quantity),
        price=Decimal(price),
    )
    world.send(again)
    assert len(of_type(world, OrderStatusReported)) == same
    assert len(of_type(world, RequestRefused)) == 1 - same
    check(world)


def test_one_below_what_has_traded_meanwhile_is_refused_by_name() -> None:
    profile = replace(QUEUE, replace_below_cum_qty=BelowCumQty.REJECT)
    world = world_with_two_replaces(profile, "30")
    world.fill(world.child("X"), "40")
    venue_grants(world)
    [refused] = of_type(world, ReplaceRejected)
    assert refused.text == "OrderQty (38) = 30: must not be below CumQty 50"
    check(world)


def test_the_queue_has_an_end() -> None:
    world = world_with_two_replaces()
    for number in range(15):
        world.replace(f"Z{number}", "Y", "60")
        assert told(world) == []
    world.replace("one too many", "Y", "60")
    assert told(world) == [("one too many", "X", "9", "E")]
    check(world)


ACTS = st.lists(
    st.tuples(st.integers(0, len(ACTIONS) - 1), st.integers(0, 999)), min_size=40, max_size=200
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS)
def test_any_traffic_keeps_every_law_and_answers_each_request_once(
    acts: list[tuple[int, int]],
) -> None:
    clients = {**REFERENCE.clients, "ALPHA": _alpha(QUEUE)}
    desk = Desk(
        lambda one: check_state(one.world.state, one.stubborn),
        replace(REFERENCE, clients=clients),
    )
    for kind, n in acts:
        desk.act(kind, n)
    desk.settle()
    check_same(desk.world.state, desk.world.replayed())
    assert dict(desk.answers) == dict.fromkeys(desk.asked, 1)


@pytest.mark.parametrize(
    ("below", "told_then"),
    [
        (BelowCumQty.REJECT, [("Z", "Y", "9", "1")]),
        (BelowCumQty.AT_CUM_QTY, [("Z", "Y", "E", "E")]),
    ],
)
def test_one_that_waits_is_below_what_has_traded_by_now(
    below: BelowCumQty, told_then: list[tuple[str, str, str, str]]
) -> None:
    world = world_with_two_replaces(replace(QUEUE, replace_below_cum_qty=below), "40")
    world.fill(world.child("X"), "40")
    venue_grants(world)
    assert told(world)[:2] == [("Y", "X", "5", "1"), *told_then]
    check(world)


def test_one_that_waits_for_exactly_what_has_traded_is_not_below_it() -> None:
    world = world_with_two_replaces(replace(QUEUE, replace_below_cum_qty=BelowCumQty.REJECT), "50")
    world.fill(world.child("X"), "40")
    venue_grants(world)
    assert told(world)[:2] == [("Y", "X", "5", "1"), ("Z", "Y", "E", "E")]
    check(world)


@pytest.mark.parametrize("why", ["in doubt", "expiring"])
def test_one_that_waits_is_refused_by_what_has_become_of_its_order(why: str) -> None:
    world = world_with_two_replaces()
    order = world.order("X")
    order.doubt_since, order.expiring = int(why == "in doubt"), why == "expiring"
    refused = taken_up(world.state, order, Verdict())
    assert isinstance(refused, ReplaceRejected)
    reasons = {"in doubt": Reason.ORDER_STATE_UNKNOWN, "expiring": Reason.TOO_LATE}
    assert (refused.cl_ord_id, refused.reason) == ("Z", reasons[why])


def test_one_that_waits_when_the_day_ends_is_refused() -> None:
    world = world_with_two_replaces()
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    heard = told(world)
    venue_grants(world)
    heard += told(world)
    child = world.child("X")
    world.canceled(child, child.requests[-1].cl_ord_id)
    heard += told(world)
    assert [one[2] for one in heard if one[0] == "Z"] == ["9"]
    assert world.order("X").ord_status is OrdStatus.EXPIRED
    check(world)


def test_none_waits_behind_a_cancel() -> None:
    world = world_with_two_replaces()
    world.cancel("W", "X")
    world.replace("V", "X", "60")
    assert [one[0] for one in told(world)] == ["V"]
    assert told(world)[0][2] == "9"
    check(world)
