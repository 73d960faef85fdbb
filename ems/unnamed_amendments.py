"""Corrections and busts by a name that no trade of their order has: which trade they are of.

One session tells a change of a trade that only another has told, under another ExecID. Of the
trades of that order that this session has not told, it is certainly of the one

1. with the same TrdMatchID (880), or one of whose ExecIDs it names (ExecRefID (19) or
   SecondaryExecID (527)): unless sessions name trades of that order differently;
2. that the other session has changed to the same figures already, if no other can be meant.

Else, where there is one, it is a question (OrphanKind.AMENDS), and nothing is booked: adopted, it
is of the trade in question. It waits for its own name meanwhile, see ems.early_amendments.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ems.amendments import of_orphan
from ems.early_amendments import carried_out
from ems.exec_ids import booked_as
from ems.orphans import decide_orphan, early_of, reported, settled, told_early
from ems.same_trade import not_told_by, telling_of_orphan, twin_of, window_of
from oms.domain.commands import ExecutionReport
from oms.domain.events import DuplicateExecutionDropped, Event, OrphanReported
from oms.domain.fix import ExecType
from oms.domain.instrument import Venue
from oms.domain.order import Execution, Order
from oms.domain.orphan_events import Orphan, TradeMatched
from oms.domain.orphans import OrphanKind, Settlement, Tale, TradeIds, on_the_wire
from oms.domain.state import State
from oms.domain.values import decimal_text

AMENDMENTS = frozenset({ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
_NO_IDS = TradeIds()


def decide_unnamed(
    state: State, venue: Venue, child: Order, report: ExecutionReport, source: str
) -> Iterator[Event]:
    """A change of a trade of this order, by a name that nobody has told."""
    event = replace(reported(venue, report, source), order_id=child.order_id)
    if told_early(state, event):
        yield DuplicateExecutionDropped(order_id="", venue=venue.name, exec_id=event.exec_id)
        return
    root = root_of(state, event)
    trade = _certain(state, child, event, root)
    if trade is not None:
        told = Orphan(seq=0, at=state.at, trade_date=state.trade_date, event=event)
        yield from _carried_out(state, child, trade, told, root)
        return
    question = _question(state, child, event, root)
    if question is None:
        yield from decide_orphan(state, venue, report, source)
        return
    for one in _amended_by(state, event):
        text = f"{event.exec_type.name} {event.exec_id}"
        yield settled(one, Settlement.AMENDED, text=text)
    yield question


def _amended_by(state: State, event: OrphanReported) -> Iterator[Orphan]:
    """Open corrections that this one changes further: it asks the question from here on."""
    for one in state.orphans.early.get((event.venue, event.exec_ref_id), ()):
        if one.seq in state.orphans:
            yield one
    held = state.orphans.of_trade(event.venue, event.exec_ref_id)
    if held is not None and held.event.exec_type in AMENDMENTS:
        yield held


def root_of(state: State, event: OrphanReported) -> str:
    """The name of the trade itself, where corrections of it were told that wait for it too."""
    root = event.exec_ref_id
    waiting = state.orphans.early_named(event.venue, *_names(event))
    known = {one.event.exec_id: one.event.exec_ref_id for one in waiting}
    seen = {root}
    while root in known and known[root] not in seen:
        root = known[root]
        seen.add(root)
    return root


def _names(event: OrphanReported) -> tuple[str, ...]:
    return event.cl_ord_id, event.venue_order_id, event.order_id


def _left(state: State, child: Order, event: OrphanReported, root: str) -> list[Execution]:
    """What its session has not told, and may be meant; nothing where it has told a trade of that
    name, of another order perhaps.
    """
    found: list[Execution] = []
    if booked_as(state, child, event.venue, root):
        return found
    for one in child.executions.values():
        ours = (one.ids or _NO_IDS).trd_match_id
        theirs = (event.ids or _NO_IDS).trd_match_id
        if event.source not in _told(one) and not (ours and theirs and ours != theirs):
            found.append(one)
    return found


def _told(trade: Execution) -> dict[str, list[str]]:
    return trade.tale.told if trade.tale is not None else {"": [trade.exec_id]}


def _certain(state: State, child: Order, event: OrphanReported, root: str) -> Execution | None:
    left = _left(state, child, event, root)
    named = next((one for one in left if _named(child, event, root, one)), None)
    if named is not None:
        return named
    same = [one for one in left if _same_change(event, one)]
    others = [one for one in left if one not in same and not one.busted]
    if event.exec_type is ExecType.TRADE_CANCEL and others:
        return None  # its figures say nothing
    return same[0] if same else None


def _named(child: Order, event: OrphanReported, root: str, trade: Execution) -> bool:
    ids, known = event.ids or _NO_IDS, trade.ids or _NO_IDS
    if ids.trd_match_id and ids.trd_match_id == known.trd_match_id:
        return True
    names = {on_the_wire(by, name) for by, told in _told(trade).items() for name in told}
    if ids.secondary_exec_id in names:
        return True
    wanted = on_the_wire(event.source, root)
    if known.secondary_exec_id and known.secondary_exec_id == wanted:
        return True
    return wanted in names and not _named_differently(child)


def _named_differently(child: Order) -> bool:
    """Whether sessions have told a trade of this order under different ExecIDs."""
    for one in child.executions.values():
        told = _told(one).items()
        if len({on_the_wire(by, names[0]) for by, names in told if names}) > 1:
            return True
    return False


def _same_change(event: OrphanReported, trade: Execution) -> bool:
    amendment = of_orphan(event)
    steps = trade.tale.steps if trade.tale is not None else []
    if amendment.figures not in steps[1:]:
        return False
    told = (event.last_qty, event.last_px)
    return not amendment.is_bust or None in told or told in steps


def _possible(state: State, child: Order, event: OrphanReported, root: str) -> Execution | None:
    """The one that it may be of: whose figures are nearest, then in time."""
    left = [one for one in _left(state, child, event, root) if not one.busted]

    def apart(one: Execution) -> tuple[int, int]:
        differ = (one.last_qty != event.last_qty) + (one.last_px != event.last_px)
        return differ, abs(one.transact_time - event.transact_time)

    return min(left, key=apart, default=None)


def asked_as(state: State, event: OrphanReported, root: str) -> Orphan | None:
    """The question what its trade itself is, where that is one."""
    held = state.orphans.of_trade(event.venue, root)
    return held if held is not None and held.event.kind is OrphanKind.SAME_TRADE else None


def _question(
    state: State, child: Order, event: OrphanReported, root: str
) -> OrphanReported | None:
    asked = asked_as(state, event, root)
    if asked is not None:
        twin, text = root, f"of {root}, which is asked about as orphan {asked.seq}"
    else:
        trade = _possible(state, child, event, root)
        if trade is None:
            return None
        figures = f"{decimal_text(trade.last_qty)} at {decimal_text(trade.last_px)}"
        twin, text = trade.exec_id, f"of {root}: may be of {trade.exec_id}, which is {figures}"
    return replace(
        event, kind=OrphanKind.AMENDS, order_id=child.order_id, twin=twin, text=text, declined=False
    )


def trade_meant(state: State, child: Order, orphan: Orphan) -> Execution | None:
    """The trade that an open one is of, if an operator says that it is of a booked one: the one
    that the question names, and no other.
    """
    event = orphan.event
    root = root_of(state, event)
    certain = _certain(state, child, event, root)
    if certain is not None:
        return certain
    left = [one for one in _left(state, child, event, root) if not one.busted]
    if event.kind is OrphanKind.AMENDS:
        return next((one for one in left if one.exec_id == event.twin), None)
    return _possible(state, child, event, root)


def adopted_into(
    state: State, child: Order, trade: Execution, orphan: Orphan, *, user: str, text: str
) -> Iterator[Event]:
    """An operator says that it is of this trade."""
    yield settled(orphan, Settlement.ADOPTED, order_id=child.order_id, user=user, text=text)
    yield from _carried_out(state, child, trade, orphan, root_of(state, orphan.event))


def _carried_out(
    state: State, child: Order, trade: Execution, orphan: Orphan, root: str
) -> Iterator[Event]:
    """From now on the trade has that name too; all that waited for it is carried out, in turn."""
    event = orphan.event
    waiting = [one for one in early_of(state, event.venue, root) if one.seq != orphan.seq]
    held = state.orphans.of_trade(event.venue, root)
    for one in [*waiting, held] if held is not None else waiting:
        text = f"{root} is {trade.exec_id}"
        yield settled(one, Settlement.BOOKED, order_id=child.order_id, text=text)
    yield TradeMatched(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=trade.venue,
        exec_id=trade.exec_id,
        source=event.source,
        told_as=root,
        rule=f"named by {event.exec_id}",
    )
    steps = trade.tale.steps if trade.tale is not None else [(trade.last_qty, trade.last_px)]
    after = replace(
        trade,
        exec_id=trade.exec_id if event.source else root,
        tale=Tale(steps=list(steps), told={**_told(trade), event.source: [root]}),
    )
    in_turn = sorted([*waiting, orphan], key=lambda one: one.seq or state.seq)
    yield from carried_out(child, after, in_turn)


def after_trades(state: State, order_ids: Iterable[str]) -> Iterator[Event]:
    """What the trades of these orders, as they are now, say of what waits; one thing at a time, as
    each may rename a trade. Nothing where nothing is to say.
    """
    for order_id in order_ids:
        child = state.orders.get(order_id)
        if child is None:
            continue  # of an orphan, which is of no order yet
        names = (child.order_id, child.cl_ord_id, child.venue_order_id)
        for one in state.orphans.early_named(child.counterparty, *names):
            if (one.event.venue, one.event.exec_id) in state.orphans.early:
                continue  # a later change of it waits, and speaks for it
            found = list(_of_one(state, child, one))
            if found:
                yield from found
                return
        for one in state.orphans.named(child.counterparty, *names):
            found = list(_asked_now(state, child, one))
            if found:
                yield from found
                return


def _of_one(state: State, child: Order, orphan: Orphan) -> Iterator[Event]:
    root = root_of(state, orphan.event)
    trade = _certain(state, child, orphan.event, root)
    if trade is not None:
        text = f"{root} is {trade.exec_id}"
        yield settled(orphan, Settlement.BOOKED, order_id=child.order_id, text=text)
        yield from _carried_out(state, child, trade, orphan, root)
        return
    before = orphan.event
    asked = _question(state, child, before, root)
    if before.kind is OrphanKind.AMENDS:
        left = [one.exec_id for one in _left(state, child, before, root) if not one.busted]
        if before.twin in left or (asked is not None and asked.twin == before.twin):
            return
        asked = asked or replace(before, kind=OrphanKind.UNKNOWN, order_id="", twin="", text="")
    if asked is not None:
        yield settled(orphan, Settlement.AMENDED, text="asked about anew")
        yield asked


def _asked_now(state: State, child: Order, orphan: Orphan) -> Iterator[Event]:
    """A trade that was held as nobody's, of an order that we have by now."""
    event = orphan.event
    held = event.kind is OrphanKind.UNKNOWN and event.exec_type is ExecType.TRADE
    if not held or len(orphan.told) > 1:
        return
    telling = telling_of_orphan(event)
    known = not_told_by(child.executions.values(), event.source)
    twin = twin_of(telling, known, window_of(state, event.venue))
    if twin is None:
        return
    if not twin.rule:
        yield settled(orphan, Settlement.AMENDED, text="asked about anew")
        yield replace(
            event,
            kind=OrphanKind.SAME_TRADE,
            order_id=child.order_id,
            twin=twin.key,
            text=twin.doubt,
        )
        return
    text = f"is {twin.key}"
    yield settled(orphan, Settlement.BOOKED, order_id=child.order_id, text=text)
    yield TradeMatched(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=event.venue,
        exec_id=twin.key,
        source=event.source,
        told_as=event.exec_id,
        rule=twin.rule,
        ids=event.ids,
    )
