"""The simulator's checkers over real parts: their world is journal, clients' tapes, venues' books.

The journal is read from PostgreSQL and folded command by command, as the simulator does commit by
commit. What a checker can only see inside of a simulated process is not asked of it: effects
before their commit, what a live core holds in memory, kill switches (there are none in a soak).
The read tables are compared by `oms audit verify`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from types import ModuleType
from typing import cast

import psycopg

from fix_sessions.exchange_control import ExchangeControl
from fix_sessions.registry import Counterparty
from oms.app.fix_parties import counterparties_of
from oms.domain.commands import MessagesSent
from oms.domain.instrument import Reference
from oms.domain.order import Order
from oms.settings.reference import reference_of
from oms.simulation.checkers import (
    MODULES,
    book_keeps_its_laws,
    effects_after_commit,
    inbox_is_answered_once,
    journal_folds_the_same,
    journal_is_whole,
    kill_switch_holds,
    strangers_are_accounted_for,
    tables_are_the_fold,
)
from oms.simulation.ledgers import ClientLedger, Standing
from oms.simulation.shadow import Shadow
from oms.simulation.watching import Broken, Watcher
from oms.simulation.world import World
from oms.soak.site import CLIENTS, COMP_ID, VENUES, Site
from oms.soak.tape import Played, play
from oms.store.batch import Entry
from oms.store.journal import read

# What these look at is inside of a simulated process, or does not happen in a soak.
_NOT_ASKED = frozenset(
    {
        effects_after_commit,
        inbox_is_answered_once,
        journal_folds_the_same,
        kill_switch_holds,
        strangers_are_accounted_for,
        tables_are_the_fold,
    }
)
CHECKERS: tuple[ModuleType, ...] = tuple(one for one in MODULES if one not in _NOT_ASKED)
# What the soak itself looks at, beside those.
OWN = ("tapes_are_clean", "nothing_is_unknown", "nothing_is_open", "no_part_has_a_defect")
_SCANS = 100
_OVER = frozenset("248C3")


@dataclass(slots=True, kw_only=True)
class Book:
    """A client's book, or a venue's, as the checkers look at it."""

    ledger: ClientLedger = field(default_factory=ClientLedger)
    bundling: bool = False
    orders: list[Standing] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Disk:
    entries: list[Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What there is of a soak: the journal, what each client has on tape, the venues' books.

    orders, trades: by venue, in the venue's own words.
    """

    reference: Reference
    parties: Sequence[Counterparty]
    entries: list[Entry]
    tapes: Mapping[str, Played]
    orders: Mapping[str, list[dict[str, str]]]
    trades: Mapping[str, list[dict[str, str]]]


def gather(site: Site, url: str) -> Gathered:
    """Raises psycopg.Error, OSError where it cannot be had."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        entries = list(read(connection))
    orders, trades = {}, {}
    for name in VENUES:
        with ExchangeControl(site.controls[name]) as venue:
            orders[name] = [one for one in venue.orders() if one["owner"] == COMP_ID]
            trades[name] = [one for one in venue.trades() if one["owner"] == COMP_ID]
    settings = site.settings()
    return Gathered(
        reference=reference_of(settings),
        parties=counterparties_of(settings),
        entries=entries,
        tapes={name: play(site.tape(name)) for name in CLIENTS},
        orders=orders,
        trades=trades,
    )


class Evidence:
    """What the checkers of the simulator call their world."""

    def __init__(self, gathered: Gathered) -> None:
        self.reference = gathered.reference
        self.shadow = Shadow(self.reference, gathered.parties)
        self.disk = _Disk(entries=gathered.entries)
        self.resets: dict[str, int] = {}
        self.tapes = gathered.tapes
        self.clients = {name: Book(ledger=tape.ledger) for name, tape in self.tapes.items()}
        self.venues: dict[str, Book] = {}
        self._by_child: dict[str, Standing] = {}

    def standing(self, child: Order) -> Standing | None:
        """The order as its venue has it."""
        return self._by_child.get(child.order_id)

    def take_venue(self, name: str, gathered: Gathered) -> None:
        """A venue's book. Raises AssertionError where an order of ours is there twice."""
        book = self.venues[name] = Book()
        by_id: dict[str, Standing] = {}
        for one in gathered.orders[name]:
            standing = by_id[one["order_id"]] = _standing(name, one)
            book.orders.append(standing)
            child = self.shadow.state.child_of(name, one["cl_ord_id"])
            if child is None:
                continue
            other = self._by_child.setdefault(child.order_id, standing)
            assert other is standing, f"{name} has {child.order_id} twice"
        for one in gathered.trades[name]:
            if one["status"] != "BUSTED":
                trade = (Decimal(one["last_qty"]), Decimal(one["last_px"]))
                by_id[one["order_id"]].trades[one["exec_id"]] = trade


def _standing(venue: str, one: dict[str, str]) -> Standing:
    return Standing(
        venue=venue,
        cl_ord_id=one["cl_ord_id"],
        side=one["side"],
        symbol=one["symbol"],
        order_qty=Decimal(one["order_qty"]),
        price=one["price"],
        tif=one["time_in_force"],
        at=0,
        closed=one["ord_status"] if one["ord_status"] in _OVER else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All checkers hold; what they looked at."""

    entries: int
    orders: int
    children: int
    trades: int
    reports: int
    transitions: int


def examine(gathered: Gathered, *, closed: bool, scans: int = _SCANS) -> Verdict:
    """Ask every checker. Raises Broken for the first that says no.

    closed: the day is, and nothing of it may work any more. scans: how often the whole book is
    looked at while it is folded; it takes long.
    """
    evidence = Evidence(gathered)
    world = cast("World", evidence)
    watchers = [(one.__name__.rpartition(".")[2], one.Checker(world)) for one in CHECKERS]
    for _, watcher in watchers:
        if isinstance(watcher, book_keeps_its_laws.Checker):
            watcher.every = max(watcher.every, len(gathered.entries) // scans)
    # What has a hole cannot be folded.
    _asked(*_first_of(watchers))
    _fold(evidence, watchers)
    for name in VENUES:
        _asked("no_order_is_doubled", partial(evidence.take_venue, name, gathered))
    for session, raw in _wire(evidence):
        for name, watcher in watchers:
            _asked(name, partial(watcher.on_wire, session, True, raw))
    for name, watcher in watchers:
        _asked(name, watcher.at_quiet)
    _own_checks(evidence, closed=closed)
    return _verdict(evidence)


def _first_of(watchers: list[tuple[str, Watcher]]) -> tuple[str, Callable[[], None]]:
    name, watcher = watchers[0]
    assert isinstance(watcher, journal_is_whole.Checker)
    return name, watcher.at_quiet


def _fold(evidence: Evidence, watchers: list[tuple[str, Watcher]]) -> None:
    for entries in _groups(evidence.disk.entries):
        groups = evidence.shadow.take(entries)
        for name, watcher in watchers:
            _asked(name, partial(watcher.folded, groups))


def _wire(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """What came to clients, by their tapes; and what was sent to venues, by the journal's notes."""
    for name, tape in evidence.tapes.items():
        for raw in tape.told:
            yield name, raw
    notes: dict[tuple[str, int, int], str] = {}
    for entry in evidence.disk.entries:
        if isinstance(entry.obj, MessagesSent):
            for one in entry.obj.messages:
                if one.session in VENUES:
                    notes[one.session, one.epoch, one.msg_seq_num] = one.text
    for session, epoch, number in sorted(notes):
        yield session, notes[session, epoch, number].encode("latin-1")


def _groups(entries: list[Entry]) -> Iterable[list[Entry]]:
    """Each command with its events."""
    group: list[Entry] = []
    for entry in entries:
        if entry.kind == "C" and group:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _asked(name: str, question: Callable[[], None]) -> None:
    try:
        question()
    except AssertionError as error:
        raise Broken(name, str(error)) from error


def _own_checks(evidence: Evidence, *, closed: bool) -> None:
    state = evidence.shadow.state
    for name, tape in evidence.tapes.items():
        low = [one for one in tape.ends if "too low" in one]
        if low:
            raise Broken("outbound_numbers_rise", f"{name}: {low[0]}")
        if tape.faults:
            raise Broken("tapes_are_clean", f"{name} was sent what is garbled: {tape.faults[0]}")
        if tape.ledger.refused:
            raise Broken("tapes_are_clean", f"{name}: {tape.ledger.refused} messages were refused")
    if state.in_doubt:
        raise Broken("nothing_is_unknown", f"{', '.join(state.in_doubt)} in doubt")
    left = [one for one in state.open_orders if not state.orders[one].time_in_force.good_till]
    if closed and left:
        raise Broken("nothing_is_open", f"{', '.join(sorted(left)[:5])} open")


def _verdict(evidence: Evidence) -> Verdict:
    orders = evidence.shadow.state.orders.values()
    return Verdict(
        entries=len(evidence.disk.entries),
        orders=sum(not one.is_child for one in orders),
        children=sum(one.is_child for one in orders),
        trades=sum(len(book.trades) for one in evidence.venues.values() for book in one.orders),
        reports=sum(len(one.ledger.reports) for one in evidence.clients.values()),
        transitions=len(evidence.shadow.transitions),
    )
