"""The simulator's checkers over real parts: their world is journal, clients' tapes, venues' books.

The journal is read from PostgreSQL and folded command by command, as the simulator does commit by
commit. A judge folds each entry and reads each message once: what it looks at again, whenever all
is quiet, are the books. `oms audit verify` asks `tables_are_the_fold` of the real tables. Not asked
is `effects_after_commit`: no record tells when a commit became durable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from types import ModuleType
from typing import cast

from fix_sessions.registry import Counterparty
from oms.domain.instrument import Reference
from oms.simulation.checkers import (
    MODULES,
    book_keeps_its_laws,
    effects_after_commit,
    journal_folds_the_same,
    journal_is_whole,
    tables_are_the_fold,
)
from oms.simulation.watching import Broken, Watcher
from oms.simulation.world import World
from oms.soak.record import Gathered
from oms.soak.stand_in import Evidence
from oms.soak.wire import Wire, asked, name_of, reads
from oms.store.batch import Entry

# The first cannot be seen from outside of a process, the second is `oms audit verify`'s.
_NOT_ASKED = frozenset({effects_after_commit, tables_are_the_fold})
CHECKERS: tuple[ModuleType, ...] = tuple(one for one in MODULES if one not in _NOT_ASKED)
# What the soak itself looks at, beside those.
OWN = (
    "tables_are_the_fold",
    "tapes_are_clean",
    "rest_tells_the_truth",
    "nothing_is_unknown",
    "nothing_is_open",
    "no_part_has_a_defect",
)
# The whole book is looked at while it is folded whenever the journal has grown by such a part of
# itself: all these looks together take so many times as long as the last of them.
_BOOK_SHARE = 16
_BOOK_EVERY = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All checkers hold; what they looked at. handed: orders over REST; strangers: trades."""

    entries: int
    orders: int
    children: int
    trades: int
    reports: int
    handed: int
    strangers: int
    kill_switches: int
    transitions: int


class Judge:
    """Asks every checker, as often as there is something to look at; goes on from the last time."""

    def __init__(self, reference: Reference, parties: Sequence[Counterparty]) -> None:
        self._evidence = Evidence(reference, parties)
        self._world = cast("World", self._evidence)
        self._watchers = [
            (name_of(one), one.Checker(self._world)) for one in CHECKERS if not reads(one)
        ]
        self._folding = [
            (name, one)
            for name, one in self._watchers
            if type(one).folded is not Watcher.folded
            and not isinstance(one, book_keeps_its_laws.Checker)
        ]
        leaving = [one for one in self._watchers if type(one[1]).leaving is not Watcher.leaving]
        self._wire = Wire(self._evidence, leaving, [one for one in CHECKERS if reads(one)])
        self._folded = 0
        self._book_at = 0
        self._broken: Broken | None = None

    def examine(self, gathered: Gathered, *, closed: bool) -> Verdict:
        """Raises Broken for the first that says no.

        closed: the day is, and nothing of it may work any more.
        """
        self._evidence.show(gathered)
        self._ask_quietly("journal_is_whole", journal_is_whole)
        if self._broken is not None:
            raise self._broken
        try:
            # What is once in the journal, or was told, stays there.
            self._fold(gathered.entries)
            self._wire.read_on()
        except Broken as error:
            self._broken = error
            raise
        return self._look(gathered, self._wire, closed=closed)

    def doubt(self, gathered: Gathered) -> None:
        """Falsified evidence; of what was examined last. Raises Broken where it is found."""
        if gathered.entries is not self._evidence.disk.entries:
            # Another journal.
            Judge(gathered.reference, gathered.parties).examine(gathered, closed=True)
            return
        told = self._evidence.tapes
        self._evidence.show(gathered)
        wire = self._wire
        if any(tape is not told[name] for name, tape in gathered.tapes.items()):
            wire = self._wire.again()
        try:
            self._look(gathered, wire, closed=True)
        finally:
            self._evidence.tapes = told

    def _look(self, gathered: Gathered, wire: Wire, *, closed: bool) -> Verdict:
        """At the books."""
        asked("no_order_is_doubled", partial(self._evidence.take_venues, gathered))
        for name, watcher in (*self._watchers, *wire.watchers):
            if isinstance(watcher, journal_is_whole.Checker):
                continue  # what has a hole could not be folded
            if isinstance(watcher, journal_folds_the_same.Checker) and not self._evidence.core:
                continue  # recovering takes long, and is not tried each time
            asked(name, watcher.at_quiet)
        _own_checks(self._evidence, closed=closed)
        _rest_tells_the_truth(self._evidence)
        return _verdict(self._evidence)

    def _ask_quietly(self, name: str, module: ModuleType) -> None:
        asked(name, next(one for _, one in self._watchers if type(one) is module.Checker).at_quiet)

    def _fold(self, entries: list[Entry]) -> None:
        evidence = self._evidence
        for group_of_entries in _groups(entries, self._folded):
            groups = evidence.shadow.take(group_of_entries)
            self._folded += len(group_of_entries)
            self._wire.note(groups)
            for name, watcher in self._folding:
                asked(name, partial(watcher.folded, groups))
            if self._folded >= self._book_at:
                self._book_at = self._folded + max(_BOOK_EVERY, self._folded // _BOOK_SHARE)
                self._ask_quietly("book_keeps_its_laws", book_keeps_its_laws)


def _groups(entries: list[Entry], first: int) -> Iterable[list[Entry]]:
    """Each command with its events, from that place on."""
    group: list[Entry] = []
    for entry in islice(entries, first, None):
        if entry.kind == "C" and group:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


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


def _rest_tells_the_truth(evidence: Evidence) -> None:
    odd = [*evidence.lost, *(one.odd for one in evidence.told.values() if one.odd)]
    if odd:
        raise Broken("rest_tells_the_truth", odd[0])
    for number, told in evidence.told.items():
        _, _, accepted, _, order_id = evidence.disk.answers[number]
        if (told.accepted, told.order_id) != (accepted, order_id):
            said = f"{told.accepted} and {told.order_id}, the core's are {accepted} and {order_id}"
            raise Broken("rest_tells_the_truth", f"request {number} was answered by {said}")


def _verdict(evidence: Evidence) -> Verdict:
    orders = evidence.shadow.state.orders.values()
    return Verdict(
        entries=len(evidence.disk.entries),
        orders=sum(not one.is_child for one in orders),
        children=sum(one.is_child for one in orders),
        trades=sum(len(book.trades) for one in evidence.venues.values() for book in one.orders),
        reports=sum(len(one.ledger.reports) for one in evidence.clients.values()),
        handed=sum(len(user.handed) for user in evidence.rest.values()),
        strangers=sum(len(book.strangers.told) for book in evidence.venues.values()),
        kill_switches=evidence.shadow.events["KillSwitchEngaged"],
        transitions=len(evidence.shadow.transitions),
    )
