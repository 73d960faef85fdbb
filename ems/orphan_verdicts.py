"""What an operator decides about an orphan: booked, or not. Once; and never that a question is
settled by a trade which is somebody else's.
"""

from collections.abc import Iterator

from ems.orphans import adopted, child_of, fault_of_adoption, settled
from ems.same_trade import not_told_by
from ems.unnamed_amendments import AMENDMENTS, adopted_into, asked_as, root_of, trade_meant
from oms.domain.events import CommandAnswered, Event
from oms.domain.fix import ExecType
from oms.domain.order import Execution, Order
from oms.domain.orphan_events import Orphan, TradeMatched
from oms.domain.orphans import DecideOrphan, OrphanKind, OrphanVerdict, Settlement
from oms.domain.reasons import Reason
from oms.domain.state import State

_SETTLED_AS = {
    OrphanVerdict.ADOPT: Settlement.ADOPTED,
    OrphanVerdict.REFUSE: Settlement.REFUSED,
}


def decide_verdict(state: State, command: DecideOrphan) -> Iterator[Event]:
    """An operator's decision; the same one again changes nothing, another one is refused."""
    orphan = state.orphans.get(command.orphan)
    if orphan is None:
        yield _of_one_settled(state, command)
    elif command.verdict is OrphanVerdict.REFUSE:
        yield from _refused(state, orphan, command)
    elif (meant := _amends(state, orphan)) is not None:
        child, trade = meant
        yield from _adopted_into(state, orphan, child, trade, command)
    else:
        venue = state.reference.venues.get(orphan.event.venue)
        account = command.account or (venue.profile.orphan_account if venue else "")
        fault = fault_of_adoption(state, orphan, account)
        if fault:
            yield _answer(fault, Reason.UNSUPPORTED_VALUE)
            return
        user, text = command.origin.user, command.reason
        yield from adopted(state, orphan, account, user=user, text=text)


def _amends(state: State, orphan: Orphan) -> tuple[Order, Execution | None] | None:
    """Of which trade of which order a bust or a correction is; without a trade, nothing can be
    booked yet. None for all else, and where it is booked as a trade of its own.
    """
    if orphan.event.exec_type not in AMENDMENTS:
        return None
    child = child_of(state, orphan.event)
    if child is None:
        return None
    if asked_as(state, orphan.event, root_of(state, orphan.event)) is not None:
        return child, None
    trade = trade_meant(state, child, orphan)
    alone = orphan.event.kind is OrphanKind.UNKNOWN
    if trade is None and alone and orphan.event.exec_type is ExecType.TRADE_CORRECT:
        return None
    return child, trade


def _adopted_into(
    state: State, orphan: Orphan, child: Order, trade: Execution | None, command: DecideOrphan
) -> Iterator[Event]:
    if trade is None:
        text = f"its trade must be booked: {orphan.event.exec_ref_id} is not, or is asked about"
        yield _answer(f"orphan = {orphan.seq}: {text}", Reason.UNSUPPORTED_VALUE)
        return
    user, text = command.origin.user, command.reason
    yield from adopted_into(state, child, trade, orphan, user=user, text=text)


def _refused(state: State, orphan: Orphan, command: DecideOrphan) -> Iterator[Event]:
    event = orphan.event
    unknown = event.kind is OrphanKind.UNKNOWN
    told = "" in orphan.told and unknown and event.exec_type is ExecType.TRADE
    if command.tell_venue and not told:
        text = "its venue can be told only of an unknown trade that its order session told"
        yield _answer(f"orphan = {orphan.seq}: {text}", Reason.UNSUPPORTED_VALUE)
        return
    child = state.orders.get(event.order_id)
    asked = event.kind is OrphanKind.SAME_TRADE and event.twin
    exec_id = _booked_as(child, orphan) if child is not None and asked else ""
    if child is not None and asked and not exec_id:
        text = f"no booked trade is left that it can be, {event.twin} was told by another report"
        yield _answer(f"orphan = {orphan.seq}: {text}: adopt it", Reason.UNSUPPORTED_VALUE)
        return
    yield settled(
        orphan,
        Settlement.REFUSED,
        order_id=event.order_id,
        user=command.origin.user,
        text=command.reason,
        declined=command.tell_venue,
    )
    if child is not None and exec_id:
        yield TradeMatched(
            order_id=child.order_id,
            parent_id=child.parent_id,
            venue=event.venue,
            exec_id=exec_id,
            source=event.source,
            told_as=event.exec_id,
            rule=f"{command.origin.user}: {command.reason}",
            ids=event.ids,
        )


def _booked_as(child: Order, orphan: Orphan) -> str:
    """The trade that it is: the one in question, unless its session has told that by another report
    since; then the nearest in time of the same figures. Empty where there is none.
    """
    event = orphan.event
    left = list(not_told_by(child.executions.values(), event.source))
    for one in left:
        trade = child.executions[child.order_id, one.key]
        told = trade.tale.told.values() if trade.tale is not None else ()
        if event.twin == one.key or any(event.twin in names for names in told):
            return one.key
    alike = [one for one in left if (one.last_qty, one.last_px) == (event.last_qty, event.last_px)]
    nearest = min(alike, key=lambda one: abs(one.transact_time - event.transact_time), default=None)
    return nearest.key if nearest is not None else ""


def _of_one_settled(state: State, command: DecideOrphan) -> CommandAnswered:
    before = state.orphans_settled.get(command.orphan)
    if before is None:
        text = f"orphan = {command.orphan}: must be the number of an open orphan"
        return _answer(text, Reason.UNKNOWN_ORDER)
    wanted = _SETTLED_AS[command.verdict]
    text = f"orphan = {command.orphan}: is {before.settlement} already"
    return _answer(text, Reason.NONE if before.settlement is wanted else Reason.TOO_LATE)


def _answer(text: str, reason: Reason) -> CommandAnswered:
    return CommandAnswered(accepted=reason is Reason.NONE, reason=reason, text=text)
