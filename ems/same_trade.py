"""Whether a trade that is told is one that is known under another ExecID; the rule in one place.

A session tells each trade once, so only what it has not told itself can be the same. In this order:

1. Named: the same TrdMatchID (880); a SecondaryExecID (527) or ExecRefID (19) that is an ExecID of
   the other; the same SecondaryExecID. The figures have to agree, else it is doubtful.
2. The same ExecID (17), with the same quantity and price.
3. By its figures: the same quantity and price, TransactTimes (60) no further apart than the window,
   and no other TrdMatchID. Of several the nearest in time, then the one that was told first: two
   fills that differ in nothing are two trades on both sides, and pair off one by one.
4. The same quantity and price at another time is doubtful, and so is any other while only the
   correction of a trade was told, and adopted; unless its CumQty (14) is more than what is booked
   with it: then it is new, as anything else is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from oms.domain.commands import ExecutionReport
from oms.domain.events import OrphanReported
from oms.domain.order import Execution
from oms.domain.orphan_events import Orphan
from oms.domain.orphans import TradeIds, copy_id, on_the_wire
from oms.domain.state import State
from oms.domain.values import decimal_text

USUAL_WINDOW_US = 1_000_000
_NO_IDS = TradeIds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A trade as somebody tells it. source: a drop copy's session, empty for the order session.

    exec_id: as on the wire; told_as: as we name it. more_than_booked: by its CumQty, no trade that
    is booked can be it.
    """

    source: str
    exec_id: str
    told_as: str
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    ids: TradeIds | None = None
    exec_ref_id: str = ""
    more_than_booked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A trade that was told, as its first teller told it. key: what names it to the caller.

    by_correction: only its correction was told, and adopted: how it was before nobody knows.
    """

    key: str
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    ids: TradeIds
    exec_ids: frozenset[str]
    by_correction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The trade that is the same, or may be; doubt says why it is not certain, rule why it is."""

    key: str
    rule: str = ""
    doubt: str = ""


def twin_of(telling: Telling, known: Iterable[Known], window_us: int) -> Twin | None:
    """The trade that this one is, or may be; None where it is a new one."""
    others = [one for one in known if not _another_match(telling, one)]
    alike = [one for one in others if _same_figures(telling, one)]
    named = [one for one in others if _named(telling, one)]
    if named:
        both = [one for one in named if one in alike or one.by_correction]
        if both:
            return Twin(key=_nearest(telling, both).key, rule="named the same")
        told = f"{decimal_text(telling.last_qty)} at {decimal_text(telling.last_px)}"
        first = named[0]
        ours = f"{decimal_text(first.last_qty)} at {decimal_text(first.last_px)}"
        return Twin(key=first.key, doubt=f"named as {first.key}, which is {ours}, not {told}")
    same_id = [one for one in others if one.by_correction and telling.exec_id in one.exec_ids]
    if same_id:
        return Twin(key=same_id[0].key, rule="the ExecID that its correction named")
    same_id = [one for one in alike if telling.exec_id in one.exec_ids]
    if same_id:
        return Twin(key=same_id[0].key, rule="the same ExecID, quantity and price")
    if not alike:
        return _may_be_corrected(telling, others)
    found = _nearest(telling, alike)
    apart_us = abs(found.transact_time - telling.transact_time)
    if apart_us <= window_us:
        return Twin(key=found.key, rule=f"same figures, {apart_us // 1000} ms apart")
    if telling.more_than_booked:
        return None
    text = f"quantity and price are those of {found.key}, {apart_us // 1000} ms apart"
    return Twin(key=found.key, doubt=text)


def _may_be_corrected(telling: Telling, others: Iterable[Known]) -> Twin | None:
    found = [one for one in others if one.by_correction]
    if not found or telling.more_than_booked:
        return None
    key = _nearest(telling, found).key
    return Twin(key=key, doubt=f"may be {key}, of which only the correction was told")


def _same_figures(telling: Telling, known: Known) -> bool:
    return (telling.last_qty, telling.last_px) == (known.last_qty, known.last_px)


def _nearest(telling: Telling, found: Sequence[Known]) -> Known:
    """The first of those nearest in time."""
    return min(found, key=lambda one: abs(one.transact_time - telling.transact_time))


def _another_match(telling: Telling, known: Known) -> bool:
    ours, theirs = known.ids.trd_match_id, (telling.ids or _NO_IDS).trd_match_id
    return bool(ours and theirs and ours != theirs)


def _named(telling: Telling, known: Known) -> bool:
    ids = telling.ids or _NO_IDS
    if ids.trd_match_id and ids.trd_match_id == known.ids.trd_match_id:
        return True
    if telling.exec_ref_id in known.exec_ids or ids.secondary_exec_id in known.exec_ids:
        return True
    second = known.ids.secondary_exec_id
    return bool(second) and second in (telling.exec_id, ids.secondary_exec_id)


def window_of(state: State, venue: str) -> int:
    """How far apart one trade's TransactTimes may be at that venue, in µs."""
    copies = state.reference.drop_copies.values()
    windows = [one.match_window_us for one in copies if one.venue == venue]
    return max(windows, default=USUAL_WINDOW_US)


def not_told_by(executions: Iterable[Execution], source: str) -> Iterator[Known]:
    """Those that this source has not told."""
    for one in executions:
        tale = one.tale
        if tale is None:
            if source:
                yield _known(one, one.last_qty, one.last_px, {"": [one.exec_id]})
        elif source not in tale.told:
            yield _known(one, *tale.steps[0], tale.told)


def _known(
    one: Execution, last_qty: Decimal, last_px: Decimal, told: Mapping[str, Sequence[str]]
) -> Known:
    return Known(
        key=one.exec_id,
        last_qty=last_qty,
        last_px=last_px,
        transact_time=one.transact_time,
        ids=one.ids or _NO_IDS,
        exec_ids=frozenset(on_the_wire(by, name) for by, names in told.items() for name in names),
        # A correction that changes nothing: see ems.orphans.adopted.
        by_correction=one.tale is not None and one.tale.steps[:1] == one.tale.steps[1:2],
    )


def telling_of(report: ExecutionReport, source: str, *, more_than_booked: bool = False) -> Telling:
    """The trade in a report, to be compared."""
    assert report.last_qty is not None, "decode requires LastQty (32) on a trade"
    assert report.last_px is not None, "decode requires LastPx (31) on a trade"
    return Telling(
        source=source,
        exec_id=report.exec_id,
        told_as=copy_id(source, report.exec_id),
        last_qty=report.last_qty,
        last_px=report.last_px,
        transact_time=report.transact_time,
        ids=report.ids,
        exec_ref_id=report.exec_ref_id if source else "",
        more_than_booked=more_than_booked,
    )


def telling_of_orphan(event: OrphanReported) -> Telling:
    """The trade in a report that is held, to be compared."""
    assert event.last_qty is not None, event
    assert event.last_px is not None, event
    return Telling(
        source=event.source,
        exec_id=on_the_wire(event.source, event.exec_id),
        told_as=event.exec_id,
        last_qty=event.last_qty,
        last_px=event.last_px,
        transact_time=event.transact_time,
        ids=event.ids,
    )


def orphans_not_told_by(orphans: Iterable[Orphan], source: str) -> Iterator[Known]:
    """The same of trades that are booked to no order."""
    for one in orphans:
        event = one.event
        if source in one.told or event.last_qty is None or event.last_px is None:
            continue
        yield Known(
            key=str(one.seq),
            last_qty=event.last_qty,
            last_px=event.last_px,
            transact_time=event.transact_time,
            ids=event.ids or _NO_IDS,
            exec_ids=frozenset(on_the_wire(by, name) for by, name in one.told.items()),
        )
