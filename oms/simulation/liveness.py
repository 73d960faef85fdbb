"""The second phase: the faults stop, everybody answers, and all must come to an end in time."""

from oms.domain.commands import CloseTradingDay, ResolveOrder
from oms.domain.fix import OrdStatus
from oms.domain.order import Order
from oms.simulation.desk import OPERATOR, is_ours, look, word_on
from oms.simulation.watching import Broken
from oms.simulation.world import World

LIMIT_US = 900_000_000
LOOK_US = 2_000_000
# A human looks at what stays in doubt for so long, and asks the venue by telephone.
PATIENCE_US = 70_000_000


def come_to_rest(world: World) -> None:
    """Stop the faults, wait until nothing is open to question, close the day, wait again."""
    world.story.tell("the faults stop")
    plan = world.plan
    plan.commits.calm()
    for weather in plan.weather.values():
        weather.calm()
    for manners in plan.manners.values():
        manners.calm()
    for connection in world.connections.values():
        connection.blocked_until_us = min(connection.blocked_until_us, world.agenda.now_us)
    world.crash_after = None
    _wait(world, "quiet after the faults")
    # Before anybody asks again: what was lost would be hidden by that.
    world.check_quiet()
    for client in world.clients.values():
        client.settle()
    _wait(world, "quiet after the clients asked")
    world.check_quiet()
    world.story.tell("the trading day is closed")
    world.ask(CloseTradingDay(origin=OPERATOR, trade_date=world.trade_date))
    _wait(world, "quiet after the close")
    world.check_quiet()


def _wait(world: World, what: str) -> None:
    deadline = world.agenda.now_us + LIMIT_US
    why = "it was never looked at"
    calm = 0
    while world.agenda.now_us < deadline:
        world.agenda.run_until(world.agenda.now_us + LOOK_US)
        why = _unsettled(world)
        calm = 0 if why else calm + 1
        if calm >= 2:
            return
        _telephone(world)
    raise Broken("all_ends_in_time", f"{what} did not come within {LIMIT_US // 10**6} s: {why}")


def _unsettled(world: World) -> str:
    """What still moves; empty where nothing does."""
    core = world.core
    if core is None or not core.open:
        return "no core is open"
    state = core.state
    if not core.sequencer.idle or len(world.disk.answered) < len(world.disk.inbox):
        return "the core is at work"
    halted = {symbol for one in world.venues.values() for symbol in one.halted}
    if halted:
        return f"{', '.join(sorted(halted))} is being split"
    for name, party in world.parties.items():
        if party.owes:
            return f"{name} is about to tell or ask again"
        session = core.engine.sessions.get(name)
        if session is None or core.reload.busy:
            return f"the session {name} is being made"
        if session.enabled and not session.logged_on:
            return f"the session {name} is down"
        theirs = party.session
        if (session.next_in, session.next_out) != (theirs.next_out, theirs.next_in):
            return f"something is under way to or from {name}"
    if state.in_doubt:
        return f"{', '.join(state.in_doubt)} in doubt"
    if state.awaiting:
        return f"{', '.join(state.awaiting)} awaited"
    for order_id in state.held:
        order = state.orders[order_id]
        venues = world.reference.instruments[order.symbol].venues
        killed = state.kill_switch(order.counterparty, order.account)
        waits = order_id in state.stops.get(order.symbol, {})
        if killed is None and not waits and any(state.session(one).ready for one in venues):
            return f"{order_id} is held, and a venue is ready"
    asked = [one.seq for one in state.orphans.values() if is_ours(world, one)]
    waiting = [seq for seq in asked if word_on(world, state, state.orphans[seq])]
    if waiting:
        return f"orphans {waiting} wait for a decision"
    pending = [one.order_id for one in state.orders.here() if one.is_live and one.requests]
    return f"requests on {', '.join(pending)} pending" if pending else ""


def _telephone(world: World) -> None:
    """A human decides what no message resolves, by what the venue says on the telephone."""
    core = world.core
    if core is None or not core.open:
        return
    look(world)
    for order_id in core.state.in_doubt:
        order = core.state.orders[order_id]
        if core.state.at - order.doubt_since > PATIENCE_US:
            _resolve(world, order)


def _resolve(world: World, order: Order) -> None:
    venue = world.venues[order.session]
    standing = venue.by_id.get(order.cl_ord_id)
    if standing is None or standing.closed:
        outcome = OrdStatus.CANCELED
    elif standing.cum_qty == order.cum_qty:
        outcome = OrdStatus.NEW
    else:
        venue.say_all_again()
        return
    world.story.tell(f"a human resolves {order.order_id}: {outcome.name}")
    world.ask(
        ResolveOrder(origin=OPERATOR, order_id=order.order_id, outcome=outcome, reason="telephone")
    )
