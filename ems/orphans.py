"""What a venue reports of an order or a trade that we do not know, and what becomes of it.

By the venue's profile it is held for an operator, adopted as an external order's, or declined by a
DontKnowTrade. What may be a trade that is booked under another ExecID (ems.same_trade) is held
whatever the profile says. What cannot be booked (an instrument that is not configured, no side of
ours) is held too, and so is what has a name of our making: an order of ours of an earlier date.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from ems.exec_ids import reported_as
from ems.same_trade import orphans_not_told_by, telling_of, twin_of, window_of
from oms.domain.commands import ExecutionReport
from oms.domain.events import (
    DuplicateExecutionDropped,
    Event,
    OrderInDoubt,
    OrphanReported,
    TradeCorrected,
    TradeExecuted,
)
from oms.domain.fix import ExecType, OrdType, TimeInForce
from oms.domain.instrument import Venue
from oms.domain.order import Order
from oms.domain.origin import EXTERNAL
from oms.domain.orphan_events import (
    ExternalOrderAdopted,
    Orphan,
    OrphanSettled,
    TradeMatched,
)
from oms.domain.orphans import (
    OrphanKind,
    Settlement,
    copy_id,
)
from oms.domain.profile import OrphanPolicy
from oms.domain.state import State
from oms.domain.terms import OrderTerms

# As children are named, and requests of theirs: see oms.placing and oms.reactions.
_NAMED_BY_US = re.compile(r"[0-9]{6}-[0-9]+-[0-9]+(\.[0-9]+)?").fullmatch


def reported(venue: Venue, report: ExecutionReport, source: str) -> OrphanReported:
    """The report as it is kept where it is booked to no order."""
    return OrphanReported(
        venue=venue.name,
        session=report.origin.session,
        cl_ord_id=report.cl_ord_id,
        venue_order_id=report.order_id,
        exec_id=copy_id(source, report.exec_id),
        exec_type=report.exec_type,
        ord_status=report.ord_status,
        symbol=report.symbol,
        side=report.side,
        last_qty=report.last_qty,
        last_px=report.last_px,
        text=report.text,
        source=source,
        transact_time=report.transact_time,
        ids=report.ids,
        exec_ref_id=copy_id(source, report.exec_ref_id) if report.exec_ref_id else "",
        leaves_qty=report.leaves_qty,
    )


def orphan_of(venue: Venue, report: ExecutionReport, source: str = "") -> OrphanReported:
    """What a venue told about an order or a trade that we do not know; a trade is declined where
    the venue wants to be told, and told it itself.
    """
    declines = venue.profile.orphans is OrphanPolicy.DK and not source
    unknown = report.exec_type is ExecType.TRADE and not _NAMED_BY_US(report.cl_ord_id)
    return replace(reported(venue, report, source), declined=declines and unknown)


def decide_orphan(
    state: State, venue: Venue, report: ExecutionReport, source: str = ""
) -> Iterator[Event]:
    """Kept, once, whoever tells it; what was held of a trade that is taken back ends."""
    told_as = copy_id(source, report.exec_id)
    if report.exec_type is ExecType.TRADE:
        booked = reported_as(state, venue.name, told_as, report.transact_time)
        if booked is not None:
            yield DuplicateExecutionDropped(order_id=booked, venue=venue.name, exec_id=told_as)
            return
        same = _of_the_same_order(state, venue, report)
        known = orphans_not_told_by(same, source)
        twin = twin_of(telling_of(report, source), known, window_of(state, venue.name))
        if twin is not None and twin.rule:
            yield _matched_orphan(state.orphans[int(twin.key)], report, source, twin.rule)
            return
    elif report.exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
        event = reported(venue, report, source)
        if told_early(state, event):
            yield DuplicateExecutionDropped(order_id="", venue=venue.name, exec_id=told_as)
            return
        for orphan in _amended(state, event):
            text = f"{report.exec_type.name} {told_as}"
            yield settled(orphan, Settlement.AMENDED, text=text)
    yield orphan_of(venue, report, source)


def told_early(state: State, event: OrphanReported) -> bool:
    """Whether this bust or correction came before its trade already."""
    earlier = state.orphans.early.get((event.venue, event.exec_ref_id), ())
    return any(one.event.exec_id == event.exec_id for one in earlier)


def _amended(state: State, event: OrphanReported) -> Iterator[Orphan]:
    """What is held of its trade, by the name or the TrdMatchID (880) that it gives."""
    match = event.ids.trd_match_id if event.ids is not None else ""
    found = [
        state.orphans.of_trade(event.venue, event.exec_ref_id),
        *state.orphans.early.get((event.venue, event.exec_ref_id), ()),
    ]
    for one in state.orphans.named(event.venue, event.cl_ord_id, event.venue_order_id):
        ids = one.event.ids
        trade = one.event.exec_type is ExecType.TRADE and event.source not in one.told
        if trade and match and ids is not None and ids.trd_match_id == match:
            found.append(one)
    for orphan in {one.seq: one for one in found if one is not None}.values():
        if orphan.seq in state.orphans:
            yield orphan


def _of_the_same_order(state: State, venue: Venue, report: ExecutionReport) -> Iterator[Orphan]:
    for one in state.orphans.named(venue.name, report.cl_ord_id, report.order_id):
        if one.event.kind is OrphanKind.UNKNOWN:
            yield one


def _matched_orphan(
    orphan: Orphan, report: ExecutionReport, source: str, rule: str
) -> TradeMatched:
    return TradeMatched(
        order_id="",
        parent_id="",
        venue=orphan.event.venue,
        exec_id=orphan.event.exec_id,
        source=source,
        told_as=copy_id(source, report.exec_id),
        rule=rule,
        orphan=orphan.seq,
        ids=report.ids,
    )


def settled(
    orphan: Orphan,
    settlement: Settlement,
    *,
    order_id: str = "",
    user: str = "",
    text: str = "",
    declined: bool = False,
) -> OrphanSettled:
    """The end of an orphan."""
    return OrphanSettled(
        orphan=orphan.seq,
        reported_at=orphan.at,
        trade_date=orphan.trade_date,
        report=orphan.event,
        settlement=settlement,
        order_id=order_id,
        user=user,
        text=text,
        declined=declined,
    )


def early_of(state: State, venue: str, name: str) -> list[Orphan]:
    """Busts and corrections that came before the trade of that name, and those of their names."""
    early = state.orphans.early
    found = list(early.get((venue, name), ()))
    for one in found:
        found += [each for each in early.get((venue, one.event.exec_id), ()) if each not in found]
    return found


def of_an_earlier_date(state: State, transact_time: int) -> bool:
    """Such a trade may have been booked then, and be forgotten since: nobody books it unasked."""
    return 0 < transact_time < state.trade_date_at


def after_report(state: State) -> Iterator[Event]:
    """The venue's profile may adopt what was reported just now."""
    orphan = state.orphans.get(state.seq)
    if orphan is None or orphan.event.kind is not OrphanKind.UNKNOWN:
        return
    early = state.orphans.early.get((orphan.event.venue, orphan.event.exec_id))
    if early:
        # As where it comes after its trade: that is none any more.
        event = early[-1].event
        yield settled(orphan, Settlement.AMENDED, text=f"{event.exec_type.name} {event.exec_id}")
        return
    if _NAMED_BY_US(orphan.event.cl_ord_id):
        return
    if of_an_earlier_date(state, orphan.event.transact_time):
        return
    venue = state.reference.venues.get(orphan.event.venue)
    if venue is None or venue.profile.orphans is not OrphanPolicy.ADOPT:
        return
    account = venue.profile.orphan_account
    if not fault_of_adoption(state, orphan, account):
        yield from adopted(state, orphan, account, text=f"policy of {venue.name}")


def after_trade(state: State, event: TradeExecuted) -> Iterator[Event]:
    """What was held as an orphan and is booked now is one no more."""
    orphan = state.orphans.of_trade(event.venue, event.exec_id)
    if orphan is not None:
        yield settled(orphan, Settlement.BOOKED, order_id=event.order_id)


def fault_of_adoption(state: State, orphan: Orphan, account: str) -> str:
    """Why it cannot be booked, naming field, value and rule; empty where it can."""
    event = orphan.event
    if event.last_qty is None or event.last_px is None or event.side is None:
        return f"orphan = {orphan.seq}: must be a trade, with side, quantity and price"
    if event.symbol not in state.reference.instruments:
        return f"symbol = {event.symbol}: must be a configured instrument"
    if child_of(state, event) is None:
        clients = state.reference.clients.values()
        accounts = {account for one in clients for account in one.accounts}
        venues = state.reference.venues.values()
        accounts |= {one.profile.orphan_account for one in venues} - {""}
        if account not in accounts:
            return f"account = {account}: must be an account of a client, or an orphan_account"
    return ""


def child_of(state: State, event: OrphanReported) -> Order | None:
    """The order that it is booked to, where there is one: the one in question, or an external one
    that was adopted before.
    """
    if event.order_id:
        return state.orders.get(event.order_id)
    order_id = state.child_cl_ord_ids.get((event.venue, event.cl_ord_id))
    order_id = order_id or state.venue_order_ids.get((event.venue, event.venue_order_id))
    return state.orders.get(order_id) if order_id else None


def adopted(
    state: State, orphan: Orphan, account: str, *, text: str, user: str = ""
) -> Iterator[Event]:
    """The trade is booked: to the order it is of, else to a new external one."""
    event = orphan.event
    child = child_of(state, event)
    if child is None:
        external = _external(state, orphan, account)
        yield external
        child_id, parent_id = external.child_id, external.order_id
    else:
        child_id, parent_id = child.order_id, child.parent_id
    yield settled(orphan, Settlement.ADOPTED, order_id=child_id, user=user, text=text)
    yield from _booked(state, orphan, child, (child_id, parent_id))


def _booked(
    state: State, orphan: Orphan, child: Order | None, ids: tuple[str, str]
) -> Iterator[Event]:
    """The trade, as a trade of the orders with these ids, with all that was told of it."""
    event, (child_id, parent_id) = orphan.event, ids
    assert event.last_qty is not None, event
    ours = None if child is None or child.external else child
    # By the order session's name for it, where that has told it.
    (source, told_as), *others = sorted(orphan.told.items())
    first, corrections = _corrections(state, orphan)
    for one in corrections:
        if one is not orphan:
            yield settled(
                one, Settlement.BOOKED, order_id=child_id, text=f"booked with {orphan.seq}"
            )
    exec_id = first.exec_ref_id if corrections else told_as
    held = state.orphans.of_trade(event.venue, exec_id) if corrections else None
    if held is not None:
        others += [(by, name) for by, name in held.told.items() if by != source]
    assert first.last_qty is not None, first
    assert first.last_px is not None, first
    yield TradeExecuted(
        order_id=child_id,
        parent_id=parent_id,
        venue=event.venue,
        exec_id=exec_id,
        last_qty=first.last_qty,
        last_px=first.last_px,
        transact_time=event.transact_time,
        excess=ours is not None and ours.cum_qty + event.last_qty > ours.order_qty,
        late=ours is not None and ours.closed is not None,
        source=source,
        ids=event.ids,
    )
    if ours is not None:
        yield from _doubt_as_before(ours, event.last_qty)
    for one in corrections:
        yield _corrected(one.event, ids, exec_id)
    for other, name in others:
        yield TradeMatched(
            order_id=child_id,
            parent_id=parent_id,
            venue=event.venue,
            exec_id=exec_id,
            source=other,
            told_as=name,
            rule="held as one orphan",
        )


def _doubt_as_before(child: Order, last_qty: Decimal) -> Iterator[OrderInDoubt]:
    """What an operator says of a trade does not say how its order stands."""
    if child.in_doubt and child.closed is None and child.cum_qty + last_qty < child.order_qty:
        text = f"{child.counterparty} has not said how it stands"
        yield OrderInDoubt(order_id=child.order_id, reason=child.doubt_reason, text=text)


def _corrected(event: OrphanReported, ids: tuple[str, str], exec_id: str) -> TradeCorrected:
    assert event.last_qty is not None, event
    assert event.last_px is not None, event
    return TradeCorrected(
        order_id=ids[0],
        parent_id=ids[1],
        venue=event.venue,
        exec_id=exec_id,
        correction_exec_id=event.exec_id,
        last_qty=event.last_qty,
        last_px=event.last_px,
        transact_time=event.transact_time,
        source=event.source,
    )


def _corrections(state: State, orphan: Orphan) -> tuple[OrphanReported, list[Orphan]]:
    """Of an adopted correction whose trade was never told: all corrections of that trade up to it,
    and the first of them. The trade is booked by its own name, so that it is known when it comes.
    """
    event = orphan.event
    if event.exec_type is not ExecType.TRADE_CORRECT or not event.exec_ref_id:
        return event, []
    known = {
        one.event.exec_id: one
        for (venue, _), told in state.orphans.early.items()
        for one in told
        if venue == event.venue
    }
    root = event.exec_ref_id
    seen = {root}
    while root in known and known[root].event.exec_ref_id not in seen:
        root = known[root].event.exec_ref_id
        seen.add(root)
    if state.exec_ids.get((event.venue, root)):
        return event, []  # taken back, or of another order: this is one more
    found = [
        one
        for one in early_of(state, event.venue, root)
        if one.event.exec_type is ExecType.TRADE_CORRECT
        and one.event.source == event.source
        and one.seq < orphan.seq
    ]
    chain = [*found, orphan]
    return chain[0].event, chain


def _external(state: State, orphan: Orphan, account: str) -> ExternalOrderAdopted:
    event = orphan.event
    assert event.last_qty is not None, event
    assert event.side is not None, event
    order_id = f"{state.trade_date.replace('-', '')[2:]}-X{orphan.seq}"
    terms = OrderTerms(
        counterparty=EXTERNAL,
        session="",
        cl_ord_id="",
        account=account,
        symbol=event.symbol,
        side=event.side,
        order_qty=event.last_qty,
        ord_type=OrdType.MARKET,
        price=None,
        time_in_force=TimeInForce.DAY,
    )
    return ExternalOrderAdopted(
        order_id=order_id,
        child_id=f"{order_id}-1",
        terms=terms,
        child_terms=replace(terms, counterparty=event.venue, cl_ord_id=event.cl_ord_id),
        venue_order_id=event.venue_order_id,
        trade_date=state.trade_date,
    )
