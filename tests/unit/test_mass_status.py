"""OrderMassStatusRequests of clients in the brain."""

from oms.domain import effects as fx
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.inquiries import MassStatusReqType, OrderMassStatusRequest
from tests.support.world import World, connected


def ask(
    world: World, kind: MassStatusReqType = MassStatusReqType.ALL_ORDERS, **more: object
) -> list[fx.SendMassStatusReport]:
    """The reports that answer ALPHA's request s1."""
    world.send(
        OrderMassStatusRequest(
            origin=world.origin("ALPHA"),
            mass_status_req_id="s1",
            mass_status_req_type=kind,
            **more,  # type: ignore[arg-type]
        )
    )
    assert world.replayed() == world.state
    found = [one for one in world.effects if isinstance(one, fx.SendMassStatusReport)]
    assert found == world.effects
    assert {(one.session, one.mass_status_req_id) for one in found} == {("ALPHA", "s1")}
    return found


def desk() -> World:
    """Three orders of ALPHA: new, partly filled, filled; one of BETA's."""
    world = connected()
    for name, quantity in (("a1", "100"), ("a2", "200"), ("a3", "10")):
        world.new(name, quantity, "100")
        world.ack(world.child(name))
    world.fill(world.child("a2"), "50")
    world.fill(world.child("a3"), "10")
    world.new("b1", "100", "98", client="BETA", account="B1")
    return world


def test_each_open_order_of_the_client_has_a_report_and_the_last_one_says_so() -> None:
    found = ask(desk())
    told = [(one.report.cl_ord_id, one.report.ord_status.name) for one in found]
    assert told == [("a1", "NEW"), ("a2", "PARTIALLY_FILLED")]
    assert {one.report.exec_type for one in found} == {ExecType.ORDER_STATUS}
    assert [one.tot_num_reports for one in found] == [2, 2]
    assert [one.last_rpt_requested for one in found] == [False, True]


def test_many_orders_are_told_in_the_order_in_which_they_came() -> None:
    world = desk()
    names = [f"m{n}" for n in range(20)]
    for name in names:
        world.new(name, "1", "90")
    told = [one.report.cl_ord_id for one in ask(world)]
    assert told == ["a1", "a2", *names]


def test_a_security_and_a_side_narrow_it() -> None:
    world = desk()
    assert len(ask(world, MassStatusReqType.SECURITY, symbol="AAPL", side=Side.BUY)) == 2
    assert len(ask(world, MassStatusReqType.ALL_ORDERS, symbol="HALT")) == 2


def test_where_nothing_matches_one_report_says_so() -> None:
    for more in ({"side": Side.SELL}, {"account": "A2"}):
        [found] = ask(desk(), **more)
        assert (found.tot_num_reports, found.last_rpt_requested) == (0, True)
        report = found.report
        assert (report.exec_type, report.ord_status) == (ExecType.ORDER_STATUS, OrdStatus.REJECTED)
        assert (report.order_id, report.ord_rej_reason, report.exec_id) == ("NONE", "5", "0")
        assert report.text == "no open order of yours matches"


def test_an_order_in_doubt_says_so() -> None:
    world = desk()
    world.disconnect("XB")
    world.disconnect("XA")
    assert {one.report.text[:7] for one in ask(world)} == {"UNKNOWN"}
