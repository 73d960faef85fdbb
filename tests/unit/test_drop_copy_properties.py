"""However an order session and a drop copy interleave and repeat themselves, the outcome is one."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.commands import SYSTEM, ExecutionReport
from oms.domain.effects import SendExecutionReport
from oms.domain.events import DiscrepancyFound, OrphanReported
from oms.domain.fix import ExecType, OrdStatus
from oms.domain.instrument import DropCopy
from oms.domain.orphans import DecideOrphan, OrphanVerdict, TradeIds
from tests.support.invariants import check_same
from tests.support.world import REFERENCE, World

COPY = "XA-DC"
ORDER_QTY = 10_000
START_US = 1_790_000_000_000_000
WORLD = replace(REFERENCE, drop_copies={COPY: DropCopy(session=COPY, venue="XA")})

# A trade (quantity, price, seconds since the one before), or what is done to an earlier one: a
# correction to a price, a bust.
TRADES = st.tuples(
    st.just("trade"),
    st.sampled_from([10, 20]),
    st.sampled_from([100, 101]),
    st.sampled_from([0, 0, 5]),
)
CHANGES = st.tuples(
    st.sampled_from(["correct", "bust"]),
    st.integers(0, 9),
    st.sampled_from([90, 95]),
    st.just(0),
)
DAYS = st.lists(st.one_of(TRADES, TRADES, CHANGES), min_size=1, max_size=8)
STYLES = st.sampled_from(["none", "match ids", "secondary", "same ids"])
SKEWS_US = st.sampled_from([7_000_000, 5_000_000, -5_000_000])
Step = tuple[str, int, int, int]
KINDS = {
    "trade": ExecType.TRADE,
    "correct": ExecType.TRADE_CORRECT,
    "bust": ExecType.TRADE_CANCEL,
}


class Line(NamedTuple):
    """One report. which: of which trade; ref: the line that it amends; cum: CumQty after it."""

    kind: ExecType
    qty: int | None
    px: int | None
    at: int
    which: int
    ref: int | None
    cum: int


class Day:
    """What happened at the venue, and each session's account of it."""

    def __init__(self, steps: list[Step], style: str, skew_us: int = 0) -> None:
        self.style = style
        self.skew_us = skew_us
        self.lines: list[Line] = []
        self.trades: list[tuple[int, int]] = []
        self.told: Counter[tuple[ExecType, int | None, int | None]] = Counter()
        last: list[int] = []  # the line that spoke last of each trade
        at = START_US
        for kind, number, px, seconds in steps:
            at += seconds * 1_000_000
            live = [one for one, (qty, _) in enumerate(self.trades) if qty]
            if kind == "trade":
                self.trades.append((number, px))
                last.append(len(self.lines))
                which, ref = len(last) - 1, None
            elif live:
                which = live[number % len(live)]
                self.trades[which] = (0 if kind == "bust" else self.trades[which][0], px)
                ref, last[which] = last[which], len(self.lines)
            else:
                continue
            qty = self.trades[which][0] or None
            cum = sum(one for one, _ in self.trades)
            line = Line(KINDS[kind], qty, px if qty else None, at, which, ref, cum)
            self.lines.append(line)
            self.told[line.kind, line.qty, line.px] += 1

    def report(self, world: World, number: int, source: str) -> ExecutionReport:
        """Line of that number as that session tells it; a skewed copy's clock is off."""
        line = self.lines[number]
        prefix = "E" if not source or self.style == "same ids" else "D"
        ids = None
        if self.style == "match ids":
            ids = TradeIds(trd_match_id=f"M{line.which}")
        elif self.style == "secondary" and source:
            ids = TradeIds(secondary_exec_id=f"E{number}")
        child = world.child("c1")
        return world.report(
            source or "XA",
            child.cl_ord_id,
            line.kind,
            OrdStatus.PARTIALLY_FILLED,
            order_id="V-1",
            exec_id=f"{prefix}{number}",
            exec_ref_id="" if line.ref is None else f"{prefix}{line.ref}",
            last_qty=None if line.qty is None else Decimal(line.qty),
            last_px=None if line.px is None else Decimal(line.px),
            transact_time=line.at + (self.skew_us if source else 0),
            cum_qty=Decimal(line.cum),
            leaves_qty=Decimal(ORDER_QTY - line.cum),
            ids=ids,
        )


class Told:
    """A world with one order that is told of a day."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.world = World(WORLD)
        self.world.connect("XA", "XB")
        self.world.new("c1", qty=str(ORDER_QTY))
        self.reports: Counter[tuple[ExecType, int | None, int | None]] = Counter()
        self.doubts: list[object] = []

    def tell(self, number: int, source: str) -> None:
        """One line by one session."""
        self.world.send(self.day.report(self.world, number, source))
        for one in self.world.effects:
            assert isinstance(one, SendExecutionReport), one
            bust = one.exec_type is ExecType.TRADE_CANCEL
            qty = None if bust or one.last_qty is None else int(one.last_qty)
            px = None if bust or one.last_px is None else int(one.last_px)
            self.reports[one.exec_type, qty, px] += 1
        kinds = (OrphanReported, DiscrepancyFound)
        self.doubts += [one for one in self.world.events if isinstance(one, kinds)]

    def check(self) -> None:
        """What was booked and told is the day, once."""
        bought = sum(qty for qty, _ in self.day.trades)
        value = sum(qty * px for qty, px in self.day.trades)
        for order in (self.world.order("c1"), self.world.child("c1")):
            assert (int(order.cum_qty), int(order.traded_value)) == (bought, value)
        [position] = self.world.state.positions.values()
        assert (int(position.quantity), int(position.bought_value)) == (bought, value)
        assert self.reports == self.day.told
        assert not self.doubts
        assert not self.world.state.orphans
        check_same(self.world.state, self.world.replayed())


@settings(max_examples=200, deadline=None)
@given(DAYS, STYLES, st.data())
def test_any_interleaving_with_repetitions_is_booked_once(
    steps: list[Step], style: str, data: st.DataObject
) -> None:
    day = Day(steps, style)
    told = Told(day)
    position = {"": 0, COPY: 0}
    while any(at < len(day.lines) for at in position.values()):
        source = data.draw(
            st.sampled_from([one for one in position if position[one] < len(day.lines)])
        )
        told.tell(position[source], source)
        position[source] += 1
        again = data.draw(st.sampled_from([None, "", COPY]))
        if again is not None and position[again]:
            told.tell(data.draw(st.integers(0, position[again] - 1)), again)
    if not day.trades:
        return
    told.check()
    child = told.world.child("c1")
    trades = [number for number, one in enumerate(day.lines) if one.ref is None]
    assert {one for _, one in child.executions} == {f"E{number}" for number in trades}
    assert child.ahead == 0


@settings(max_examples=60, deadline=None)
@given(DAYS, STYLES, st.sampled_from(["", COPY]), st.data())
def test_either_session_alone_tells_the_whole_day(
    steps: list[Step], style: str, alone: str, data: st.DataObject
) -> None:
    """The other one may have told the beginning of it before it went down."""
    day = Day(steps, style)
    other = COPY if not alone else ""
    told = Told(day)
    for number in range(data.draw(st.integers(0, len(day.lines)))):
        told.tell(number, other)
    for number in range(len(day.lines)):
        told.tell(number, alone)
    if day.trades:
        told.check()


@settings(max_examples=150, deadline=None)
@given(st.lists(TRADES, min_size=1, max_size=6), st.data())
def test_a_copy_with_a_wrong_clock_asks_and_books_nothing_twice(
    steps: list[Step], data: st.DataObject
) -> None:
    """Every question has answered itself, or an operator says that it is booked, which is refused
    where it cannot be.
    """
    day = Day(steps, "none", data.draw(SKEWS_US))
    told = Told(day)
    bought = sum(qty for qty, _ in day.trades)
    position = {"": 0, COPY: 0}
    while any(at < len(day.lines) for at in position.values()):
        left = [one for one in position if position[one] < len(day.lines)]
        source = data.draw(st.sampled_from(left))
        told.tell(position[source], source)
        position[source] += 1
        reached = day.lines[max(position.values()) - 1].cum
        assert told.world.child("c1").cum_qty <= reached
    for number in list(told.world.state.orphans):
        for verdict in (OrphanVerdict.REFUSE, OrphanVerdict.ADOPT):
            if number in told.world.state.orphans:
                told.world.send(
                    DecideOrphan(origin=SYSTEM, orphan=number, verdict=verdict, reason="asked")
                )
    assert told.world.order("c1").cum_qty == bought
    for number in range(len(day.lines)):
        for source in ("", COPY):
            told.tell(number, source)
    assert told.world.order("c1").cum_qty == bought
    assert not told.world.state.orphans
    check_same(told.world.state, told.world.replayed())
