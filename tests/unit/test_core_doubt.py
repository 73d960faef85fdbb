"""Doubt, recovery, kill switches, limits and the end of the day through the brain."""

from dataclasses import replace
from decimal import Decimal

from oms.domain import effects as fx
from oms.domain.commands import (
    SYSTEM,
    CloseTradingDay,
    CoreStarted,
    EngageKillSwitch,
    MessageRejectedByPeer,
    ResolveOrder,
    SequenceReset,
    SessionLoggedOn,
    SetRiskLimit,
)
from oms.domain.events import (
    CommandAnswered,
    DiscrepancyFound,
    DuplicateExecutionDropped,
    OrderInDoubt,
    OrderRefused,
    OrderResent,
    OrderStatusQueried,
    RequestRefused,
)
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.reasons import Reason
from tests.support.world import DATE, REFERENCE, World, connected, of_type, reports


def test_silence_makes_the_child_unknown_and_asks() -> None:
    world = connected()
    world.new("c1")
    assert world.tick(4_000_000) == []
    world.tick(1_500_000)
    assert of_type(world, OrderInDoubt)
    assert of_type(world, OrderStatusQueried)
    assert world.order("c1").in_doubt
    world.replace("c2", "c1", "50")
    assert of_type(world, RequestRefused)[0].reason is Reason.ORDER_STATE_UNKNOWN
    world.ack(world.child("c1"))
    assert not world.order("c1").in_doubt


def test_each_venue_is_waited_for_as_long_as_it_may_take() -> None:
    slow = replace(REFERENCE.venues["XA"], ack_timeout_ms=60_000)
    aapl = replace(REFERENCE.instruments["AAPL"], venues=("XB",))
    venues = REFERENCE.venues | {"XA": slow}
    instruments = REFERENCE.instruments | {
        "AAPL": aapl,
        "AT_XA": replace(aapl, symbol="AT_XA", venues=("XA",)),
    }
    world = World(replace(REFERENCE, venues=venues, instruments=instruments))
    world.connect("XA", "XB")
    world.new("c1", symbol="AT_XA")
    world.new("c2")
    world.tick(6_000_000)
    assert [world.child(one).in_doubt for one in ("c1", "c2")] == [False, True]


def test_not_found_after_silence_resolves_nothing() -> None:
    world = connected()
    world.new("c1")
    world.tick(6_000_000)
    child = world.child("c1")
    world.send(
        world.report(
            child.counterparty,
            child.cl_ord_id,
            ExecType.ORDER_STATUS,
            OrdStatus.REJECTED,
            ord_rej_reason="5",
        )
    )
    assert child.in_doubt
    assert child.is_open
    world.send(
        ResolveOrder(
            origin=replace(SYSTEM, user="kim"),
            order_id=child.order_id,
            outcome=OrdStatus.REJECTED,
            reason="venue confirmed by phone",
        )
    )
    assert not child.is_open


def test_unsent_child_is_sent_again_after_a_restart_and_acked_one_is_not() -> None:
    world = connected()
    world.new("c1")
    world.new("c2")
    acked, unsent = world.child("c1"), world.child("c2")
    world.ack(acked)
    world.send(CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=DATE))
    assert len(of_type(world, OrderInDoubt)) == 2
    world.send(SessionLoggedOn(origin=replace(world.origin("XA"), msg_seq_num=0)))
    resync = world.state.session("XA").resync_id
    world.send(
        world.report(
            "XA",
            acked.cl_ord_id,
            ExecType.ORDER_STATUS,
            OrdStatus.NEW,
            mass_status_req_id=resync,
            tot_num_reports=1,
            last_rpt_requested=True,
        )
    )
    assert not acked.in_doubt
    [asked] = of_type(world, OrderStatusQueried)
    assert asked.order_id == unsent.order_id
    world.send(
        world.report(
            "XA",
            unsent.cl_ord_id,
            ExecType.ORDER_STATUS,
            OrdStatus.REJECTED,
            ord_rej_reason="5",
        )
    )
    assert of_type(world, OrderResent)
    [again] = [one for one in world.effects if isinstance(one, fx.SendNewOrderSingle)]
    assert again.poss_resend
    assert again.cl_ord_id == unsent.cl_ord_id


def test_cancel_while_the_venue_is_away_goes_when_it_is_back() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.disconnect(child.counterparty)
    world.cancel("c2", "c1")
    assert not [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.send(SessionLoggedOn(origin=replace(world.origin("XA"), msg_seq_num=0)))
    world.send(
        world.report(
            "XA",
            child.cl_ord_id,
            ExecType.ORDER_STATUS,
            OrdStatus.NEW,
            mass_status_req_id=world.state.session("XA").resync_id,
            last_rpt_requested=True,
        )
    )
    assert [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]


def test_cancel_lost_with_the_session_is_asked_again() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.cancel("c2", "c1")
    world.disconnect(child.counterparty)
    world.send(SessionLoggedOn(origin=replace(world.origin("XA"), msg_seq_num=0)))
    world.send(
        world.report(
            "XA",
            child.cl_ord_id,
            ExecType.ORDER_STATUS,
            OrdStatus.NEW,
            mass_status_req_id=world.state.session("XA").resync_id,
            last_rpt_requested=True,
        )
    )
    assert [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert world.order("c1").ord_status is OrdStatus.CANCELED


def test_kill_switch_refuses_and_withdraws() -> None:
    world = connected()
    world.new("c1")
    world.ack(world.child("c1"))
    world.send(EngageKillSwitch(origin=SYSTEM, level="ACCOUNT", subject="A1", reason="test"))
    assert [one for one in world.effects if isinstance(one, fx.SendOrderCancelRequest)]
    world.new("c2")
    [refused] = of_type(world, OrderRefused)
    assert refused.text == "KILL_SWITCH at ACCOUNT A1: limit 0 orders, measured 1"
    world.new("c3", account="A2")
    assert not of_type(world, OrderRefused)


def test_limit_refusal_says_rule_level_limit_and_measured() -> None:
    world = connected()
    world.send(
        SetRiskLimit(
            origin=SYSTEM,
            rule="MAX_POSITION",
            level="ACCOUNT",
            subject="A1",
            value=Decimal(150),
        )
    )
    world.new("c1", "100")
    world.new("c2", "51")
    [refused] = of_type(world, OrderRefused)
    assert refused.text == "MAX_POSITION at ACCOUNT A1: limit 150, measured 151"
    world.new("c3", "200", side=Side.SELL)
    assert of_type(world, OrderRefused)


def test_end_of_day_withdraws_and_expires_day_orders() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=DATE))
    world.canceled(child, child.requests[-1].cl_ord_id)
    assert reports(world) == [(ExecType.EXPIRED, OrdStatus.EXPIRED)]


def test_sequence_reset_opens_an_epoch() -> None:
    world = connected()
    world.new("c1")
    assert world.state.session("ALPHA").inbound == 1
    world.send(SequenceReset(origin=replace(world.origin("ALPHA"), msg_seq_num=0)))
    session = world.state.session("ALPHA")
    assert (session.epoch, session.inbound) == (1, 0)


def test_a_venue_that_the_configuration_has_no_more_leaves_its_orders_in_doubt() -> None:
    world = connected()
    world.new("c1")
    world.new("c2")
    asked, working = world.child("c1"), world.child("c2")
    world.ack(working)
    world.cancel("c3", "c2")
    venues = {name: one for name, one in REFERENCE.venues.items() if name != "XA"}
    world.state.reference = replace(REFERENCE, venues=venues)
    world.send(CoreStarted(origin=SYSTEM, leader_epoch=2, version="1", trade_date=DATE))
    doubts = {one.order_id: one.text for one in of_type(world, OrderInDoubt)}
    text = "XA is not configured any more"
    assert doubts == {asked.order_id: text, working.order_id: text}
    assert world.tick(60_000_000) == []
    for child in (asked, working):
        signed = {"outcome": OrdStatus.CANCELED, "reason": "asked the venue by telephone"}
        world.send(ResolveOrder(origin=SYSTEM, order_id=child.order_id, **signed))
    assert world.order("c2").closed is OrdStatus.CANCELED
    assert world.replayed() == world.state


def test_a_trade_that_was_an_orphan_first_is_booked_when_its_order_is_named() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    for name in ("nobody", child.cl_ord_id):
        world.send(
            world.report(
                "XA",
                name,
                ExecType.TRADE,
                OrdStatus.PARTIALLY_FILLED,
                exec_id="t1",
                last_qty=Decimal(5),
                last_px=Decimal(100),
            )
        )
    assert child.cum_qty == 5
    world.fill(child, "5", exec_id="t1")
    assert child.cum_qty == 5


def test_an_exec_id_of_another_order_is_dropped_and_flagged() -> None:
    world = connected()
    world.new("c1")
    world.new("c2")
    world.fill(world.child("c1"), "5", exec_id="t1")
    world.fill(world.child("c2"), "5", exec_id="t1")
    assert of_type(world, DuplicateExecutionDropped)
    [flagged] = of_type(world, DiscrepancyFound)
    first = world.child("c1").order_id
    assert (flagged.field, flagged.ours) == ("ExecID (17)", f"t1 of {first}")
    assert world.child("c2").cum_qty == 0


def test_a_message_that_the_venue_refused_answers_the_request_in_it() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.ack(child)
    world.cancel("c2", "c1")
    world.send(
        MessageRejectedByPeer(
            origin=world.origin("XA"),
            ref_seq_num=7,
            ref_msg_type="F",
            ref_id=child.requests[0].cl_ord_id,
            text="not now",
        )
    )
    [reject] = [one for one in world.effects if isinstance(one, fx.SendOrderCancelReject)]
    assert (reject.cl_ord_id, reject.text) == ("c2", "XA: not now")
    assert world.order("c1").requests == ()


def test_fills_with_the_venues_own_count_are_no_discrepancy() -> None:
    world = connected()
    world.new("c1")
    child = world.child("c1")
    world.fill(child, "30", cum_qty=Decimal(30))
    assert not of_type(world, DiscrepancyFound)
    world.fill(child, "20", cum_qty=Decimal(50))
    assert not of_type(world, DiscrepancyFound)
    world.fill(child, "10", cum_qty=Decimal(90))
    [flagged] = of_type(world, DiscrepancyFound)
    assert (flagged.field, flagged.ours, flagged.theirs) == ("CumQty (14)", "60", "90")


def test_a_limit_or_kill_switch_for_nobody_is_refused() -> None:
    world = connected()
    world.send(
        SetRiskLimit(
            origin=SYSTEM,
            rule="MAX_ORDER_QTY",
            level="ACCOUNT",
            subject="NOBODY",
            value=Decimal(1),
        )
    )
    [limit] = of_type(world, CommandAnswered)
    world.send(EngageKillSwitch(origin=SYSTEM, level="SESSION", subject="NOBODY", reason="x"))
    [switch] = of_type(world, CommandAnswered)
    assert (limit.accepted, limit.text) == (
        False,
        "subject = NOBODY: must be a configured account of a client",
    )
    assert (switch.accepted, switch.text) == (
        False,
        "subject = NOBODY: must be a configured client",
    )
    assert not world.state.kill_switches
