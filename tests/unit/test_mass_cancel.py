"""Mass cancels in the brain: what is cancelled, what is answered, and what a repetition does."""

from dataclasses import replace
from decimal import Decimal

import pytest

from oms.domain.answer_effects import SendOrderMassCancelReport
from oms.domain.answers import MassCancelAnswered
from oms.domain.commands import SYSTEM, Channel, OpenTradingDate, OrderMassCancelRequest, Origin
from oms.domain.events import CancelPending, OrderCanceled, OrderRefused, RequestRefused
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.profile import ClOrdIdScope
from oms.domain.reasons import Reason
from tests.support.world import REFERENCE, World, connected, of_type, reports

REST = Origin(channel=Channel.REST, counterparty="ALPHA", user="kim")


def ask(
    world: World, name: str = "m1", kind: str = "7", **more: object
) -> SendOrderMassCancelReport:
    """The answer to a client's mass cancel over FIX."""
    origin = replace(world.origin("ALPHA"), poss_resend=bool(more.pop("again", False)))
    world.send(
        OrderMassCancelRequest(origin=origin, cl_ord_id=name, request_type=kind, **more)  # type: ignore[arg-type]
    )
    assert world.replayed() == world.state
    [report] = [one for one in world.effects if isinstance(one, SendOrderMassCancelReport)]
    assert report is world.effects[0]
    return report


def desk() -> World:
    """Two orders of ALPHA at work and one that is filled, and one of BETA's."""
    world = connected()
    world.new("a1", "100", "99")
    world.new("a2", "200", "101", side=Side.SELL)
    world.new("a3", "10", "100")
    for name in ("a1", "a2", "a3"):
        world.ack(world.child(name))
    world.fill(world.child("a3"), "10")
    world.new("b1", "100", "98", client="BETA", account="B1")
    return world


def test_all_orders_of_the_client_and_nobody_elses_are_cancelled() -> None:
    world = desk()
    report = ask(world)
    assert (report.response, report.request_type, report.affected) == ("7", "7", 2)
    assert (report.cl_ord_id, report.reject_reason) == ("m1", "")
    for name in ("a1", "a2"):
        child = world.child(name)
        assert world.order(name).ord_status is OrdStatus.PENDING_CANCEL
        world.canceled(child, child.requests[-1].cl_ord_id)
        assert world.order(name).ord_status is OrdStatus.CANCELED
        assert reports(world) == [(ExecType.CANCELED, OrdStatus.CANCELED)]
        [canceled, _] = of_type(world, OrderCanceled)
        assert canceled.order_id == child.order_id
    assert world.order("a3").ord_status is OrdStatus.FILLED
    assert world.order("b1", "BETA").is_open


def test_an_order_whose_cancel_is_refused_by_its_venue_works_on() -> None:
    world = desk()
    ask(world)
    child = world.child("a1")
    world.fill(child, "100")
    assert world.order("a1").ord_status is OrdStatus.FILLED


def test_a_side_narrows_it_and_an_account() -> None:
    world = desk()
    assert ask(world, side=Side.SELL).affected == 1
    assert world.order("a2").requests
    assert not world.order("a1").requests
    assert ask(world, "m2", account="A2").affected == 0


def test_by_security_its_symbol_counts_and_for_all_orders_it_does_not() -> None:
    world = desk()
    assert ask(world, "m1", "1", symbol="HALT").affected == 0
    report = ask(world, "m2", "1", symbol="AAPL", side=Side.BUY)
    assert (report.response, report.affected, report.symbol) == ("1", 1, "AAPL")
    report = ask(world, "m3", "7", symbol="HALT")
    assert (report.response, report.affected, report.symbol) == ("7", 1, "")


@pytest.mark.parametrize(
    ("kind", "symbol", "reject_reason", "said"),
    [
        ("6", "", "0", "MassCancelRequestType (530) = 6: must be 1"),
        ("1", "NONE", "1", "Symbol (55) = NONE: must be"),
        ("1", "", "1", "Symbol (55) = absent: must be"),
    ],
)
def test_what_cannot_be_done_is_refused_by_the_report(
    kind: str, symbol: str, reject_reason: str, said: str
) -> None:
    world = desk()
    report = ask(world, "m1", kind, symbol=symbol)
    assert (report.response, report.reject_reason, report.affected) == ("0", reject_reason, 0)
    assert report.text.startswith(said)
    assert not of_type(world, CancelPending)


def test_the_same_again_is_answered_the_same_and_cancels_nothing_more() -> None:
    world = desk()
    first = ask(world)
    world.new("a4", "10", "97")
    again = ask(world, again=True)
    assert (again.response, again.affected, again.request_id) == ("7", 2, first.request_id)
    assert world.order("a4").is_open
    assert not of_type(world, CancelPending)


def test_a_used_id_is_refused_without_a_mark_or_for_something_else() -> None:
    world = desk()
    ask(world)
    for report in (ask(world), ask(world, again=True, side=Side.BUY), ask(world, "a1")):
        assert (report.response, report.reject_reason) == ("0", "99")
        assert report.text.endswith("already used")


def test_a_cancel_under_its_id_is_refused() -> None:
    world = desk()
    ask(world)
    world.new("a4", "10", "97")
    world.cancel("m1", "a4")
    [refused] = of_type(world, RequestRefused)
    assert refused.reason is Reason.DUPLICATE_CL_ORD_ID
    assert not of_type(world, CancelPending)


def test_an_id_is_free_on_the_next_date() -> None:
    world = desk()
    ask(world)
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    assert ask(world).response == "7"


def test_rest_has_the_same_decision() -> None:
    world = desk()
    world.send(OrderMassCancelRequest(origin=REST, cl_ord_id="r1", symbol="AAPL", side=Side.SELL))
    [answer] = of_type(world, MassCancelAnswered)
    assert (answer.affected, answer.reason, answer.reject_reason) == (1, Reason.NONE, "")
    assert answer.text == "1 orders are being cancelled"
    assert not [one for one in world.effects if isinstance(one, SendOrderMassCancelReport)]
    world.send(OrderMassCancelRequest(origin=REST, cl_ord_id="r1", symbol="AAPL", side=Side.SELL))
    assert [one.affected for one in of_type(world, MassCancelAnswered)] == [1]
    assert not of_type(world, CancelPending)
    assert world.order("a1").order_qty == Decimal(100)


def test_its_id_is_no_other_orders_until_tomorrow() -> None:
    """As an order's own would be refused; where ids are bound by working orders it binds none."""
    world = desk()
    ask(world, "m1")
    world.new("m1")
    assert reports(world) == [(ExecType.REJECTED, OrdStatus.REJECTED)]
    [refused] = of_type(world, OrderRefused)
    assert refused.reason is Reason.DUPLICATE_CL_ORD_ID
    assert refused.text == "ClOrdID (11) = m1: already used for a mass cancel"
    world.new("a4", "100", "99")
    for events in (world.cancel("m1", "a4"), world.replace("m1", "a4", "50")):
        [request] = [one for one in events if isinstance(one, RequestRefused)]
        assert request.reason is Reason.DUPLICATE_CL_ORD_ID
    world.new("m1", client="BETA", account="B1")
    assert reports(world) == [(ExecType.NEW, OrdStatus.NEW)], "of another client's ids"
    world.send(OpenTradingDate(origin=SYSTEM, trade_date="2026-09-22"))
    world.new("m1")
    assert reports(world) == [(ExecType.NEW, OrdStatus.NEW)]


def test_where_ids_are_bound_by_working_orders_a_mass_cancel_binds_none() -> None:
    client = REFERENCE.clients["ALPHA"]
    profile = replace(client.profile, cl_ord_id_scope=ClOrdIdScope.WORKING)
    clients = REFERENCE.clients | {"ALPHA": replace(client, profile=profile)}
    world = World(replace(REFERENCE, clients=clients))
    world.connect("XA", "XB")
    ask(world, "m1")
    world.new("m1")
    assert reports(world) == [(ExecType.NEW, OrdStatus.NEW)]
