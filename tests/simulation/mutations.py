"""Deliberate bugs in the product, each of which a checker of the simulator must catch."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ems import (
    amended_trades,
    amendments,
    child_orders,
    drop_copy,
    orphan_verdicts,
    orphans,
    resync,
    unnamed_amendments,
)
from fix_sessions import edge
from oms import fold_orders, outbound, outbound_client, outbound_venue, placing, reactions
from oms.app import reload_steps
from oms.core import step
from oms.domain.commands import Command, Stamped
from oms.domain.effects import FixMessage, SendExecutionReport
from oms.domain.events import OrderCanceled, OrderConfirmed
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.order import add_execution
from oms.domain.profile import ChainedReplace
from oms.domain.reasons import Reason
from oms.domain.verdict import Verdict
from oms.fold import fold_event
from oms.orders import good_till, requests, splits
from oms.risk import checks
from oms.runtime import recovery, sequencer
from oms.simulation import core, disk, plan
from oms.simulation.acts import ACTS
from oms.store import codec, projector
from oms.store.leader import LeadershipLost

Patch = pytest.MonkeyPatch
MUTATIONS: dict[str, Callable[[Patch], None]] = {}


def mutation(make: Callable[[Patch], None]) -> Callable[[Patch], None]:
    """Keep it by its name."""
    MUTATIONS[make.__name__] = make
    return make


def nothing(*_: Any, **__: Any) -> Iterator[Any]:
    """In the place of what yields events."""
    yield from ()


@mutation
def a_fill_is_counted_twice(patch: Patch) -> None:
    def twice(order: Any, execution: Any) -> None:
        add_execution(order, execution)
        order.cum_qty += execution.last_qty

    patch.setattr(fold_orders, "add_execution", twice)


@mutation
def a_repeated_fill_is_booked_again(patch: Patch) -> None:
    real = child_orders._trade

    def again(state: Any, venue: Any, child: Any, report: Any) -> Iterator[Any]:
        if (venue.name, report.exec_id) in state.exec_ids:
            report = replace(report, exec_id=f"{report.exec_id}-{state.seq}")
        return real(state, venue, child, report)

    patch.setattr(child_orders, "_trade", again)


@mutation
def a_fill_of_a_closed_order_is_dropped(patch: Patch) -> None:
    real = child_orders._trade

    def drop(state: Any, venue: Any, child: Any, report: Any) -> Iterator[Any]:
        return nothing() if child.closed else real(state, venue, child, report)

    patch.setattr(child_orders, "_trade", drop)


@mutation
def a_bust_is_ignored(patch: Patch) -> None:
    patch.setattr(child_orders, "decide_bust", nothing)


@mutation
def a_correction_told_after_its_bust_counts_again(patch: Patch) -> None:
    """Where every drop copy tells much that its venue does not: elsewhere it shows once in a
    hundred seeds.
    """
    real = amendments.known_as

    def news(steps: Any, amendment: Any, *, step: int, busted: bool) -> Any:
        late = busted and step >= len(steps) and not amendment.is_bust
        return None if late else real(steps, amendment, step=step, busted=busted)

    patch.setattr(amendments, "known_as", news)

    def forgetful(drawn: plan.Plan, _: Any) -> None:
        for name in drawn.copies.values():
            drawn.manners[name].forget = 0.6

    patch.setattr(plan, "_forgetful", forgetful)


@mutation
def a_correction_of_a_fill_that_was_not_told_is_another_trades(patch: Patch) -> None:
    def held(state: Any, venue: Any, child: Any, report: Any, source: str) -> Iterator[Any]:
        del child
        return orphans.decide_orphan(state, venue, report, source)

    for module in (amended_trades, drop_copy):
        patch.setattr(module, "decide_unnamed", held)
    patch.setattr(unnamed_amendments, "after_trades", nothing)
    patch.setattr(orphan_verdicts, "_amends", lambda *_: None)


@mutation
def effects_leave_before_their_commit(patch: Patch) -> None:
    real = sequencer.Sequencer._hand_over

    def early(self: Any) -> None:
        effects, self._effects = self._effects, []
        self._deliver(effects)
        real(self)

    patch.setattr(sequencer.Sequencer, "_hand_over", early)


@mutation
def a_refused_append_is_acknowledged(patch: Patch) -> None:
    real = sequencer.Sequencer._deliver_committed

    def anyway(self: Any) -> None:
        try:
            real(self)
        except LeadershipLost:
            self._deliver(self._in_flight)
            raise

    patch.setattr(sequencer.Sequencer, "_deliver_committed", anyway)


@mutation
def replay_decides_again(patch: Patch) -> None:
    def decide(state: Any, seq: int, at: int, entry: Any) -> None:
        if isinstance(entry, Command):
            for _ in step(state, Stamped(seq=seq, at=at, command=entry)):
                pass
        elif seq > state.seq:
            fold_event(state, seq, at, entry)

    patch.setattr(recovery, "replay", decide)
    patch.setattr(disk, "decode_for_fold", codec.decode)  # else commands lack what is decided on


@mutation
def recovery_tells_nobody_again(patch: Patch) -> None:
    real = recovery.recover
    patch.setattr(core, "recover", lambda *args: replace(real(*args), undelivered=[]))


@mutation
def repeated_reports_are_not_marked(patch: Patch) -> None:
    patch.setattr(recovery, "_possibly_sent", lambda effect: effect)


@mutation
def a_stale_status_is_published(patch: Patch) -> None:
    real = outbound_client._report

    def stale(state: Any, seq: int, order_id: str, exec_type: ExecType, **more: Any) -> Any:
        for report in real(state, seq, order_id, exec_type, **more):
            if exec_type is ExecType.CANCELED:
                report.ord_status = OrdStatus.PENDING_CANCEL
            yield report

    patch.setattr(outbound_client, "_report", stale)


@mutation
def leaves_are_not_reduced_by_fills(patch: Patch) -> None:
    real = outbound.effects_of

    def wrong(*args: Any) -> Iterator[Any]:
        for effect in real(*args):
            if isinstance(effect, SendExecutionReport) and effect.exec_type is ExecType.TRADE:
                effect.leaves_qty = effect.order_qty
            yield effect

    for module in (outbound, sequencer, recovery):
        patch.setattr(module, "effects_of", wrong)


@mutation
def journaled_messages_are_taken_again(patch: Patch) -> None:
    patch.setattr(sequencer, "is_duplicate", lambda *_: False)
    patch.setattr(edge.Edge, "set_numbers", _numbers_from_one)


def _numbers_from_one(self: edge.Edge, *_: Any) -> None:
    for name in self._counterparties:
        number = self.engine.expected_inbound(name)
        self.engine.set_expected_inbound(name, max(1, number - 5))


@mutation
def numbers_are_not_taken_from_the_journal(patch: Patch) -> None:
    patch.setattr(edge.Edge, "set_numbers", lambda *_: None)


@mutation
def a_taking_over_core_goes_on_with_known_numbers(patch: Patch) -> None:
    known = lambda in_files, highest, _, noted: max(in_files, highest + 1, noted + 1)  # noqa: E731
    patch.setattr(core, "first_number", known)


@mutation
def a_known_cl_ord_id_makes_another_order(patch: Patch) -> None:
    patch.setattr(requests, "known", lambda *_: None)


@mutation
def a_lost_venue_leaves_no_doubt(patch: Patch) -> None:
    patch.setattr(resync, "lose_sight", nothing)


@mutation
def time_resolves_doubt(patch: Patch) -> None:
    real = resync.due

    def due(state: Any, at: int, seq: int) -> Iterator[Any]:
        yield from real(state, at, seq)
        for order_id in list(state.in_doubt):
            if at - state.orders[order_id].doubt_since > 3_000_000:
                yield OrderConfirmed(order_id=order_id, user="", text="it has been a while")

    patch.setattr(resync, "due", due)


@mutation
def not_found_is_taken_for_cancelled(patch: Patch) -> None:
    def gone(state: Any, child: Any) -> Iterator[Any]:
        del state
        if child.is_live:
            yield OrderCanceled(
                order_id=child.order_id, cl_ord_id="", reason=Reason.VENUE_CLOSED_ORDER, text=""
            )

    patch.setattr(resync, "_unknown_there", gone)


@mutation
def an_order_sent_again_is_not_marked(patch: Patch) -> None:
    real = outbound_venue._new_order

    def unmarked(*args: Any, **_: Any) -> Any:
        return real(*args, poss_resend=False)

    patch.setattr(outbound_venue, "_new_order", unmarked)


@mutation
def the_kill_switch_does_not_stop_routing(patch: Patch) -> None:
    patch.setattr(placing, "killed", lambda *_: None)
    patch.setattr(checks, "_kill_switch", lambda _: None)
    checked = tuple(one for one in checks._CONTENT_CHECKS if one.__name__ != "_kill_switch")
    patch.setattr(checks, "_CONTENT_CHECKS", checked)


@mutation
def a_limit_may_be_exceeded_a_little(patch: Patch) -> None:
    real = checks._at_most

    def generous(rule: Any, limits: Any, measured: Decimal | None) -> list[Any]:
        return [
            replace(one, passed=one.passed or (measured or 0) <= one.limit + 30)
            for one in real(rule, limits, measured)
        ]

    patch.setattr(checks, "_at_most", generous)


@mutation
def an_old_order_is_taken(patch: Patch) -> None:
    checked = tuple(one for one in checks._CONTENT_CHECKS if one.__name__ != "_late")
    assert len(checked) < len(checks._CONTENT_CHECKS)
    patch.setattr(checks, "_CONTENT_CHECKS", checked)


@mutation
def a_replace_that_waited_is_not_judged_at_its_turn(patch: Patch) -> None:
    """Where all clients' replaces wait, and long, and limits are changed often: elsewhere it shows
    once in hundreds of seeds.
    """
    patch.setattr(reactions, "waited_verdict", lambda *_: Verdict())
    client, manners = plan.draw_client, plan._manners
    queued = lambda chance: replace(client(chance), chained_replaces=ChainedReplace.QUEUE)  # noqa: E731
    slow = lambda chance: replace(manners(chance), speed_us=1_500_000)  # noqa: E731
    patch.setattr(plan, "draw_client", queued)
    patch.setattr(plan, "_manners", slow)
    for name, weight in (("limit", 8), ("amend", 20), ("rest_amend", 20)):
        patch.setitem(ACTS, name, replace(ACTS[name], weight=weight, always=True))


@mutation
def positions_forget_short_sales(patch: Patch) -> None:
    real = fold_orders.book_trade

    def book(position: Any, side: Any, last_qty: Decimal, last_px: Decimal) -> None:
        if side.name != "SELL_SHORT":
            real(position, side, last_qty, last_px)

    patch.setattr(fold_orders, "book_trade", book)


@mutation
def the_read_table_of_the_parent_is_not_written(patch: Patch) -> None:
    def child_alone(self: Any, order_id: str, seq: int) -> None:
        self._orders[order_id] = (self._state.orders[order_id], seq)

    patch.setattr(projector.Projector, "_touch", child_alone)


@mutation
def held_orders_are_forgotten(patch: Patch) -> None:
    real = reactions.react

    def forgetful(state: Any, event: Any, seq: int) -> Iterator[Any]:
        name = type(event).__name__
        return nothing() if name == "ResyncCompleted" else real(state, event, seq)

    from oms import core as brain

    patch.setattr(brain, "react", forgetful)


@mutation
def a_cancel_does_not_reach_the_venue(patch: Patch) -> None:
    real = edge.Edge.deliver

    def lossy(self: Any, effect: FixMessage) -> Any:
        if type(effect).__name__ == "SendOrderCancelRequest":
            return None
        return real(self, effect)

    patch.setattr(edge.Edge, "deliver", lossy)


@mutation
def what_a_reload_made_anew_is_not_opened(patch: Patch) -> None:
    patch.setattr(reload_steps.ReloadSteps, "_open", lambda *_: None)


@mutation
def a_split_leaves_orders_at_venues_in_old_shares(patch: Patch) -> None:
    real = splits.concerned
    clients = lambda *args: [one for one in real(*args) if not one.is_child]  # noqa: E731
    patch.setattr(splits, "concerned", clients)


@mutation
def good_till_orders_are_not_told_of_a_new_date(patch: Patch) -> None:
    patch.setattr(good_till, "opened", nothing)
