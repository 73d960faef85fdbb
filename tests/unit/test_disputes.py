"""Trades that somebody does not know: clients' DontKnowTrades, and ours to venues."""

from dataclasses import replace
from decimal import Decimal

from oms.domain.answer_effects import SendDontKnowTrade
from oms.domain.answers import DisputeResolved, TradeDisputed
from oms.domain.commands import Channel, Origin
from oms.domain.effects import SendReject
from oms.domain.events import CommandAnswered, DuplicateExecutionDropped, OrphanReported
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.inquiries import DontKnowTrade, ResolveDispute
from oms.domain.profile import OrphanPolicy, VenueProfile
from oms.reconciliation.breaks import BreakKind
from oms.reconciliation.compare import compare
from oms.reconciliation.sides import OurDispute, OurSide, TheirSide
from tests.support.world import REFERENCE, World, connected, of_type

OPERATOR = Origin(channel=Channel.OPERATOR, counterparty="api:kim", user="kim")


def traded() -> tuple[World, str]:
    """A world with one fill of ALPHA's c1, and the ExecID that it was told."""
    world = connected()
    world.new("c1", "100", "100")
    world.fill(world.child("c1"), "40")
    [execution] = world.order("c1").executions.values()
    return world, execution.report_id


def dispute(world: World, exec_id: str, client: str = "ALPHA", order_id: str = "") -> None:
    world.send(
        DontKnowTrade(
            origin=world.origin(client),
            order_id=order_id or world.order("c1").order_id,
            exec_id=exec_id,
            dk_reason="C",
            text="more than we asked for",
        )
    )
    assert world.replayed() == world.state


def test_a_disputed_trade_stays_booked_and_is_kept_until_it_is_settled() -> None:
    world, exec_id = traded()
    dispute(world, exec_id)
    [found] = of_type(world, TradeDisputed)
    assert (found.order_id, found.report_id, found.dk_reason) == (
        world.order("c1").order_id,
        exec_id,
        "C",
    )
    assert not world.effects
    assert world.state.position("A1", "AAPL").quantity == 40
    assert world.order("c1").cum_qty == 40
    dispute(world, exec_id)
    assert not world.events
    [kept] = world.state.disputes.values()
    world.send(ResolveDispute(origin=OPERATOR, dispute=kept.seq, reason="they found it"))
    [over] = of_type(world, DisputeResolved)
    assert (over.user, over.text, over.dispute) == ("kim", "they found it", found)
    assert world.replayed() == world.state
    assert not world.state.disputes
    world.send(ResolveDispute(origin=OPERATOR, dispute=kept.seq, reason="again"))
    [answer] = of_type(world, CommandAnswered)
    assert not answer.accepted


def test_a_bust_or_a_correction_by_the_venue_settles_it() -> None:
    for exec_type, quantity, more in (
        (ExecType.TRADE_CANCEL, 0, {}),
        (ExecType.TRADE_CORRECT, 30, {"last_qty": Decimal(30), "last_px": Decimal(100)}),
    ):
        world, exec_id = traded()
        dispute(world, exec_id)
        child = world.child("c1")
        [trade] = child.executions.values()
        report = world.report(
            child.counterparty,
            child.cl_ord_id,
            exec_type,
            OrdStatus.PARTIALLY_FILLED,
            exec_ref_id=trade.exec_id,
            leaves_qty=Decimal(70),
            **more,
        )
        world.send(report)
        [over] = of_type(world, DisputeResolved)
        busted = exec_type is ExecType.TRADE_CANCEL
        did = "took the trade back" if busted else "corrected the trade"
        assert (over.user, over.text) == ("", f"{child.counterparty} {did}")
        assert world.state.position("A1", "AAPL").quantity == quantity
        assert world.replayed() == world.state


def test_what_the_client_was_not_told_it_cannot_dispute() -> None:
    world, exec_id = traded()
    for client, order_id, named, said in (
        ("ALPHA", "", "E0", "ExecID (17) = E0: no execution of this order"),
        ("ALPHA", "none", exec_id, "OrderID (37) = none: no order of yours"),
        ("BETA", "", exec_id, "OrderID (37) = "),
        ("ALPHA", world.child("c1").order_id, exec_id, "OrderID (37) = "),
    ):
        dispute(world, named, client, order_id)
        [reject] = world.effects
        assert isinstance(reject, SendReject)
        assert (reject.business, reject.reason_code, reject.ref_id) == (True, "1", named)
        assert (reject.ref_msg_type, reject.ref_tag) == ("Q", 0)
        assert reject.text.startswith(said)
    assert not world.state.disputes


def test_reconciliation_shows_an_open_dispute_where_both_sides_agree() -> None:
    dispute = OurDispute(
        seq=9,
        order_id="o-1",
        exec_id="X-1",
        client="ALPHA",
        report_id="E7",
        dk_reason="C",
        text="too much",
    )
    theirs = TheirSide(trades=(), orders=None)
    found = compare(OurSide(trades=(), orders=(), disputes=(dispute,)), theirs)
    [shown] = found.breaks
    assert (shown.kind, shown.order_id, shown.exec_id) == (BreakKind.DISPUTED, "o-1", "X-1")
    assert shown.evidence["our_dispute"]["report_id"] == "E7"
    assert not compare(OurSide(trades=(), orders=()), theirs).breaks


def stranger(world: World, exec_type: ExecType = ExecType.TRADE) -> OrphanReported:
    """What becomes of a venue's report on an order that nobody sent."""
    report = world.report(
        "XA",
        "whose",
        exec_type,
        OrdStatus.FILLED,
        exec_id="S-1",
        last_qty=Decimal(10),
        last_px=Decimal(5),
    )
    world.send(report)
    [found] = of_type(world, OrphanReported)
    return found


def test_an_unknown_trade_is_held_and_where_its_venue_wants_so_declined() -> None:
    assert not stranger(connected()).declined
    profile = VenueProfile(orphans=OrphanPolicy.DK)
    venues = {"XA": replace(REFERENCE.venues["XA"], profile=profile)}
    world = World(replace(REFERENCE, venues=venues))
    world.connect("XA")
    assert stranger(world).declined
    [sent] = world.effects
    assert isinstance(sent, SendDontKnowTrade)
    assert (sent.session, sent.venue_order_id, sent.exec_id) == ("XA", "V-whose", "S-1")
    assert (sent.dk_reason, sent.last_qty, sent.last_px) == ("D", 10, 5)
    # Told once; an order that is unknown and did not trade is only held.
    world.send(world.report("XA", "whose", ExecType.TRADE, OrdStatus.FILLED, exec_id="S-1"))
    assert of_type(world, DuplicateExecutionDropped)
    assert not world.effects
    assert not stranger(world, ExecType.NEW).declined
    assert not world.effects
