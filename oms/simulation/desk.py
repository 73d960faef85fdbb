"""What the desk says of a report that is held: whoever asks a venue by telephone knows its book."""

from dataclasses import replace
from typing import TYPE_CHECKING

from oms.domain.commands import SYSTEM
from oms.domain.fix import ExecType
from oms.domain.orphans import DecideOrphan, OrphanKind, OrphanVerdict
from oms.simulation.agenda import chance

if TYPE_CHECKING:
    from oms.domain.order import Order
    from oms.domain.orphan_events import Orphan
    from oms.domain.state import State
    from oms.simulation.world import World

OPERATOR = replace(SYSTEM, counterparty="operator:kim", user="kim")


def at_venue(name: str) -> str:
    """What the venue calls what we have as this: its drop copy puts C- before it."""
    return name.rpartition(":")[2].removeprefix("C-")


def is_ours(world: "World", held: "Orphan") -> bool:
    """Whose a trade is."""
    return held.event.cl_ord_id not in world.venues[held.event.venue].strangers.by_id


def word_on(world: "World", state: "State", held: "Orphan") -> OrphanVerdict | None:
    """Of a report about an order of ours; None: that is to be seen."""
    event = held.event
    if event.kind is OrphanKind.AMENDS:
        same = at_venue(event.twin) == at_venue(event.exec_ref_id)
        return OrphanVerdict.ADOPT if same else None
    child = state.child_of(event.venue, event.cl_ord_id)
    if event.kind is OrphanKind.SAME_TRADE:
        booked = child is not None and _is_booked(child, event.exec_id)
        return OrphanVerdict.REFUSE if booked else OrphanVerdict.ADOPT
    if event.exec_type is not ExecType.TRADE_CORRECT:
        return OrphanVerdict.REFUSE
    standing = world.venues[event.venue].by_id.get(event.cl_ord_id)
    if child is None or standing is None:
        return None
    # That it counts is all that the venue says: which of our bookings it is of, we know ourselves.
    return OrphanVerdict.ADOPT if at_venue(event.exec_ref_id) in standing.trades else None


def desk_of(world: "World") -> int:
    """How often somebody looks at what is held, in microseconds: where a venue forgets to tell."""
    plan = world.plan
    if not any(one.forget for one in plan.manners.values()):
        return 0
    return chance(plan.seed, "desk").choice((20_000, 200_000, 1_000_000))


def look(world: "World") -> None:
    """Whoever has asked the venue decides."""
    state = world.shadow.state
    for held in state.orphans.values():
        word = word_on(world, state, held) if is_ours(world, held) else None
        if word is not None:
            world.story.tell(f"the desk has asked, and decides: {word} {held.seq}")
            world.ask(
                DecideOrphan(
                    origin=OPERATOR, orphan=held.seq, verdict=word, reason="asked", account="A1"
                )
            )


def _is_booked(child: "Order", name: str) -> bool:
    wanted = at_venue(name)
    for one in child.executions.values():
        told = one.tale.told.values() if one.tale is not None else ()
        if wanted in {at_venue(known) for names in ((one.exec_id,), *told) for known in names}:
            return True
    return False
