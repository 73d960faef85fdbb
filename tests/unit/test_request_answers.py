"""What a cancel or replace may name and ask, and what one that came before is answered."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.commands import (
    SYSTEM,
    EngageKillSwitch,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    Origin,
)
from oms.domain.conditions import Conditions
from oms.domain.events import (
    CancelPending,
    DuplicateOrderRefused,
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderReplaced,
    OrderStatusReported,
    ReplacePending,
    ReplaceRejected,
    RequestRefused,
)
from oms.domain.fix import OrdStatus, OrdType, Side, TimeInForce
from oms.domain.profile import BelowCumQty, ClientProfile
from oms.domain.reasons import Reason
from tests.support.checked_world import REST, CheckedWorld, connected
from tests.support.world import REFERENCE


def cancel(world: CheckedWorld, **more: object) -> list[Event]:
    """A cancel of ALPHA's, as c2."""
    fields: dict[str, object] = {"origin": world.origin("ALPHA"), "cl_ord_id": "c2"}
    return world.send(OrderCancelRequest(**(fields | more)))  # type: ignore[arg-type]


def amend(world: CheckedWorld, **more: object) -> list[Event]:
    """A replace of c1 of ALPHA's, as c2, to 80 at 100."""
    fields: dict[str, object] = {
        "origin": world.origin("ALPHA"),
        "cl_ord_id": "c2",
        "orig_cl_ord_id": "c1",
        "order_qty": Decimal(80),
        "price": Decimal(100),
    }
    return world.send(OrderCancelReplaceRequest(**(fields | more)))  # type: ignore[arg-type]


def refusal(world: CheckedWorld) -> tuple[Reason, str]:
    [refused] = world.of(RequestRefused)
    return refused.reason, refused.text


def test_an_order_may_be_named_by_its_order_id_alone() -> None:
    world = connected()
    world.working()
    cancel(world, order_id=world.order("c1").order_id)
    pending = {one.order_id for one in world.of(CancelPending)}
    assert world.order("c1").order_id in pending


@pytest.mark.parametrize("named", ["nobody's", "a child's", "another client's"])
def test_an_order_id_that_is_not_a_client_order_of_ones_own_is_unknown(named: str) -> None:
    world = connected()
    child = world.working()
    world.new("b1", client="BETA", account="B1")
    order_id = {
        "nobody's": "no-such-order",
        "a child's": child.order_id,
        "another client's": world.order("b1", "BETA").order_id,
    }[named]
    cancel(world, order_id=order_id)
    assert refusal(world) == (
        Reason.UNKNOWN_ORDER,
        f"OrderID (37) = {order_id}: no such order",
    )
    assert world.told() == [("c2", "CANCEL_REJECT", "REJECTED")]


def test_an_unknown_orig_cl_ord_id_is_refused_by_name() -> None:
    world = connected()
    amend(world, orig_cl_ord_id="never")
    assert refusal(world) == (Reason.UNKNOWN_ORDER, "OrigClOrdID (41) = never: no such order")
    assert [one.order_id for one in world.of(RequestRefused)] == [""]


@pytest.mark.parametrize("own", [True, False])
def test_a_cancel_says_so_where_the_server_began_it(*, own: bool) -> None:
    world = connected()
    child = world.working()
    if own:
        world.cancel("c2", "c1")
    else:
        world.send(EngageKillSwitch(origin=SYSTEM, level="FIRM", subject="*", reason="test"))
    world.canceled(child, child.requests[0].cl_ord_id)
    [told] = [one for one in world.of(OrderCanceled) if one.order_id == child.parent_id]
    assert told.text == ("" if own else "cancelled by the server: KILL_SWITCH")


Send = Callable[[CheckedWorld, Origin], list[Event]]
SENT: dict[str, Send] = {
    "cancel": lambda w, origin: cancel(w, origin=origin, orig_cl_ord_id="c1"),
    "replace": lambda w, origin: amend(w, origin=origin),
}


@pytest.mark.parametrize("kind", SENT)
@pytest.mark.parametrize("over", ["REST", "PossResend", "neither"])
def test_a_request_that_came_before_is_answered_with_the_status(kind: str, over: str) -> None:
    world = connected()
    world.working()

    def origin() -> Origin:
        if over == "REST":
            return REST
        return replace(world.origin("ALPHA"), poss_resend=over == "PossResend")

    SENT[kind](world, REST if over == "REST" else world.origin("ALPHA"))
    SENT[kind](world, origin())
    if over == "neither":
        assert world.of(RequestRefused)
    else:
        assert [one.order_id for one in world.of(OrderStatusReported)] == [
            world.order("c1").order_id
        ]
        assert not world.of(RequestRefused)


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("other", [{"order_qty": Decimal(81)}, {"price": Decimal(99)}])
def test_a_replace_repeated_with_other_content_is_refused(
    other: dict[str, object], *, answered: bool
) -> None:
    world = connected()
    child = world.working()
    amend(world)
    if answered:
        world.replaced(child, "80")
    again = replace(world.origin("ALPHA"), poss_resend=True)
    amend(world, origin=again, **other)
    assert refusal(world)[0] is Reason.DUPLICATE_CL_ORD_ID
    again = replace(world.origin("ALPHA"), poss_resend=True)
    amend(world, origin=again)
    assert world.of(OrderStatusReported)


def test_a_cancel_under_the_id_of_a_replace_that_is_pending_is_no_repetition() -> None:
    world = connected()
    world.working()
    amend(world)
    again = replace(world.origin("ALPHA"), poss_resend=True)
    cancel(world, origin=again, orig_cl_ord_id="c1")
    assert refusal(world)[0] is Reason.DUPLICATE_CL_ORD_ID


def test_a_cancel_under_the_id_of_a_replace_that_took_effect_is_no_repetition() -> None:
    world = connected()
    child = world.working()
    amend(world)
    world.replaced(child, "80")
    origin = replace(world.origin("ALPHA"), poss_resend=True)
    cancel(world, origin=origin, orig_cl_ord_id="c2")
    assert refusal(world)[0] is Reason.DUPLICATE_CL_ORD_ID


@pytest.mark.parametrize("over", ["REST", "PossResend", "neither"])
@pytest.mark.parametrize("qty", ["100", "101"])
def test_a_new_order_repeated(over: str, qty: str) -> None:
    world = connected()
    first = _new(world, world.origin("ALPHA"))
    world.send(first)
    [accepted] = world.of(OrderAccepted)
    origin = world.origin("ALPHA") if over != "REST" else REST
    origin = replace(origin, poss_resend=over == "PossResend")
    world.send(replace(first, origin=origin, order_qty=Decimal(qty)))
    assert not world.of(OrderAccepted)
    if over != "neither" and qty == "100":
        [told] = world.of(OrderStatusReported)
        assert (told.order_id, told.ord_status_req_id) == (accepted.order_id, "")
    else:
        [refused] = world.of(DuplicateOrderRefused)
        how = "without PossResend" if over == "neither" else "with other content"
        assert refused.text.endswith(f"already used for {accepted.order_id}, sent {how}")


def _new(world: CheckedWorld, origin: Origin) -> NewOrderSingle:
    del world
    return NewOrderSingle(
        origin=origin,
        cl_ord_id="c1",
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT,
        price=Decimal(100),
        time_in_force=TimeInForce.DAY,
    )


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"symbol": "HALT"}, "Symbol (55) = HALT: must stay AAPL"),
        ({"side": Side.SELL}, "Side (54) = 2: must stay 1"),
        ({"ord_type": OrdType.MARKET}, "OrdType (40) = 1: must stay 2"),
        ({"time_in_force": TimeInForce.GTC}, "TimeInForce (59) = 1: must stay 0"),
        (
            {"conditions": Conditions(stop_px=Decimal(99))},
            "StopPx (99) = 99: only on a stop or stop limit order",
        ),
        ({"conditions": Conditions(min_qty=Decimal(5))}, "MinQty (110): must stay as it is"),
        ({"conditions": Conditions(max_floor=Decimal(5))}, "MaxFloor (111): must stay as it is"),
    ],
)
def test_what_a_replace_may_not_change_is_named(changed: dict[str, object], text: str) -> None:
    world = connected()
    world.working()
    amend(world, **changed)
    assert refusal(world) == (Reason.FIELD_NOT_REPLACEABLE, text)


def test_a_replace_that_names_what_stays_is_taken_up() -> None:
    world = connected()
    world.working()
    same = {"symbol": "AAPL", "side": Side.BUY, "ord_type": OrdType.LIMIT}
    amend(world, **same, time_in_force=TimeInForce.DAY, conditions=Conditions())
    assert world.of(ReplacePending)


def below(policy: BelowCumQty) -> CheckedWorld:
    profile = ClientProfile(replace_below_cum_qty=policy)
    client = replace(REFERENCE.clients["ALPHA"], profile=profile)
    world = CheckedWorld(replace(REFERENCE, clients=REFERENCE.clients | {"ALPHA": client}))
    world.connect("XA", "XB")
    world.fill(world.working(), "60")
    return world


@pytest.mark.parametrize(("qty", "refused"), [("59", True), ("61", False)])
def test_a_replace_below_what_has_traded_is_refused_where_the_client_wants_that(
    qty: str, *, refused: bool
) -> None:
    world = below(BelowCumQty.REJECT)
    amend(world, order_qty=Decimal(qty))
    assert bool(world.of(RequestRefused)) is refused
    if refused:
        text = "OrderQty (38) = 59: must not be below CumQty 60"
        assert refusal(world) == (Reason.BELOW_CUM_QTY, text)


@pytest.mark.parametrize(
    ("qty", "status", "taken"),
    [("101", OrdStatus.PARTIALLY_FILLED, True), ("100", OrdStatus.FILLED, False)],
)
def test_a_replace_that_met_the_last_fill_opens_the_order_again_only_for_more(
    qty: str, status: OrdStatus, *, taken: bool
) -> None:
    world = connected()
    child = world.working()
    amend(world, order_qty=Decimal(qty), price=Decimal(99))
    done = list(world.fill(child, "100"))
    world.refused(child)
    done += world.events
    assert world.order("c1").ord_status is status
    kinds = {type(one) for one in done if getattr(one, "order_id", "") == child.parent_id}
    assert (OrderReplaced in kinds, ReplaceRejected in kinds) == (taken, not taken)
