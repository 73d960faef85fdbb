"""A simulated core process: the real parts put together as oms.app.core_process does it.

The one place here that knows how a core is built; what a real one does with sockets, threads and
PostgreSQL is done by the world.
"""

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from fix_sessions.edge import Edge
from fix_sessions.light_session import LightSettings
from fix_sessions.registry import Counterparty
from fix_sessions.session_control import SessionControl
from oms.app.fix_stores import first_number
from oms.domain.commands import SYSTEM, CoreStarted, SentMessage, SetRiskLimit
from oms.domain.effects import Effect, FixMessage
from oms.domain.instrument import Reference
from oms.domain.kept_orders import Orders
from oms.domain.session_commands import ReloadSessions
from oms.domain.shelf import MemoryShelf
from oms.domain.state import State
from oms.outbound_sessions import actions_at_start
from oms.runtime.journal_line import JournalLine
from oms.runtime.metrics import CoreMetrics
from oms.runtime.recovery import recover
from oms.runtime.sequencer import Sequencer
from oms.runtime.throttle import Throttle
from oms.simulation.agenda import Action, Agenda
from oms.simulation.disk import Disk, SimBatch, SimJournal
from oms.simulation.engine import SimEngine, settings_of
from oms.store.codec import unpack
from oms.store.sent_messages import REJECTS

if TYPE_CHECKING:
    from oms.simulation.reloads import SimReload

_BUCKETS = 256
AWAY_US = 1_000_000


class CoreCrash(BaseException):
    """The process is gone, between any two of its events."""


class BatchWithCrashes(SimBatch):
    """A batch at whose every entry the process may die."""

    __slots__ = ("boundary",)

    boundary: Callable[[], None]

    def _add(self, seq: int, at: int, kind: str, obj: object, payload: bytes) -> None:
        self.boundary()
        super()._add(seq, at, kind, obj, payload)  # type: ignore[arg-type]


class WatchedEdge(Edge):
    """The edge, whose deliveries the checkers see."""

    watch: Callable[[FixMessage], None]
    boundary: Callable[[], None]

    def deliver(self, effect: FixMessage) -> None:
        """See Edge."""
        self.boundary()
        self.watch(effect)
        super().deliver(effect)


class SimCore:
    """From recovery to its end; `turn` is one round of its loop. reload: given by the world."""

    reload: "SimReload"

    def __init__(
        self,
        *,
        reference: Reference,
        versions: Mapping[str, str],
        disk: Disk,
        journal: SimJournal,
        agenda: Agenda,
        machine: str,
        trade_date: str,
        limits: tuple[SetRiskLimit, ...],
        randomness: random.Random,
        slow_us: int,
        boundary: Callable[[], None],
        into_core: Callable[[Action], None],
        flush: Callable[[str], None],
        watch: Callable[[FixMessage], None],
    ) -> None:
        self.machine, self.journal, self.open = machine, journal, False
        self._disk = disk
        self._agenda = agenda
        self._boundary, self._limits, self._trade_date = boundary, limits, trade_date
        self._present_us = agenda.now_us
        # Of the inbox so many were seen: these are taken by this core, or answered.
        self._inbox_read = 0
        self.state = _state(reference)
        self.recovered = recover(self.state, journal)
        sessions = self.state.sessions.values()
        self.edge = WatchedEdge(
            counterparties_of(reference, versions),
            epochs={one.name: one.epoch for one in sessions},
            outbound_epochs={one.name: one.outbound_epoch for one in sessions},
            clock=agenda,
            unpack=unpack,
        )
        self.edge.watch = watch
        self.edge.boundary = boundary
        self.engine = SimEngine(
            _sessions(reference, versions),
            agenda,
            randomness,
            self.edge,
            slow_us=slow_us,
            into_core=into_core,
            flush=flush,
            versions=versions,
            stored=disk.numbers.get(machine, {}),
        )
        self._open_stores()
        self._join(reference)

    def _join(self, reference: Reference) -> None:
        self.edge.drive(self.engine)  # type: ignore[arg-type]
        self.edge.read_sent = self._read_sent
        self.control = self._new_control(reference)
        self.sequencer = self._new_sequencer()
        self.edge.intake = self.sequencer

    def _new_control(self, reference: Reference) -> SessionControl:
        limits = {one.name: one.max_messages_per_second for one in reference.venues.values()}
        throttle = Throttle(self.edge, limits, self._agenda)
        return SessionControl(throttle, self.edge, self._sent_since)

    def _new_sequencer(self) -> Sequencer:
        return Sequencer(
            state=self.state,
            last_hash=self.recovered.last_hash,
            journal=JournalLine(self.journal),
            new_batch=self._new_batch,
            outlet=self.control,
            clock=self._agenda,
            metrics=_metrics(),
        )

    def _new_batch(self, seq: int, last_hash: bytes) -> BatchWithCrashes:
        batch = BatchWithCrashes(
            self.state, first_seq=seq, previous_hash=last_hash, leader_epoch=self.journal.epoch
        )
        batch.boundary = self._boundary
        return batch

    def _open_stores(self) -> None:
        """As oms.app.fix_stores: where another machine has led since, they are written anew."""
        kept = self._disk.numbers.get(self.machine, {})
        latest = self._disk.claims.get(self.machine, 0) >= self.state.leader_epoch
        if latest:
            self.engine.load(kept)
        else:
            self._disk.numbers[self.machine] = {}
        for name in self.engine.sessions:
            if not latest or (name not in kept and self.state.session(name).changed_at):
                self._write_anew(name, kept.get(name, (1, 1))[0])
        self._disk.claims[self.machine] = self.journal.epoch

    def _write_anew(self, name: str, in_files: int) -> None:
        sent = [(one.msg_seq_num, one.event_seq) for one in self._disk.sent if one.session == name]
        highest, event_seq = max(sent, default=(0, 0))
        since = sum(seq > event_seq for seq in self.state.leaders)
        session = self.state.session(name)
        outbound = first_number(in_files, highest, since, noted=session.outbound)
        self.engine.load({name: (outbound, session.inbound + 1)})

    def start(self) -> None:
        """As CoreProcess.start; raises CoreCrash or LeadershipLost."""
        started = CoreStarted(
            origin=SYSTEM,
            leader_epoch=self.journal.epoch,
            version="simulated",
            trade_date=self._trade_date,
        )
        self.sequencer.submit(started)
        sessions = self.state.sessions.values()
        self.edge.set_numbers(
            {one.name: one.inbound for one in sessions},
            {one.name: one.outbound for one in sessions},
        )
        if not self.recovered.entries:
            for limit in self._limits:
                self.sequencer.submit(limit)
        self.sequencer.pump()
        self.sequencer.deliver_again(list(actions_at_start(self.state)))
        self.sequencer.deliver_again(self.recovered.undelivered)

    def turn(self) -> None:
        """Take what came and do it. Raises CoreCrash, LeadershipLost, or what a defect raises."""
        now = self._agenda.now_us
        if now - self._present_us >= AWAY_US:
            self.journal.heartbeat()
        self._present_us = now
        if self.open:
            inbox = self._disk.inbox
            new, self._inbox_read = inbox[self._inbox_read :], len(inbox)
            for command in new:
                number = command.origin.inbox_id
                if number not in self._disk.answered:
                    if isinstance(command, ReloadSessions):
                        self.reload.take(command)
                    else:
                        self.sequencer.submit(command)
        else:
            self.sequencer.flush()
        self.sequencer.pump()
        self.reload.settle()
        # Until what `start` decided is durable and noted, no session opens.
        self.open = self.open or self.sequencer.idle

    def store(self) -> None:
        """What the engine's files hold, crash or not."""
        self._disk.numbers.setdefault(self.machine, {}).update(self.engine.numbers())

    def _read_sent(
        self, session: str, since_epoch: int, first: int, last: int
    ) -> Iterator[tuple[int, str]]:
        """As oms.app.resends."""
        for one in [*self._disk.sent, *self.sequencer.unjournaled()]:
            if (
                one.session == session
                and one.epoch >= since_epoch
                and first <= one.msg_seq_num <= last
            ):
                yield one.msg_seq_num, one.text

    def _sent_since(self, session: str, epoch: int, since: int) -> list[SentMessage]:
        found: dict[tuple[int, int], SentMessage] = {}
        with contextlib.suppress(KeyError):
            for one in [*self._disk.sent, *self.sequencer.unjournaled()]:
                mine = one.session == session and one.epoch <= epoch and one.at >= since
                if mine and one.msg_type not in REJECTS:
                    found[one.epoch, one.msg_seq_num] = one
        return [found[key] for key in sorted(found)]


@cache
def _metrics() -> CoreMetrics:
    """Those of all cores: nobody reads them here, and to make them takes a while."""
    return CoreMetrics(CollectorRegistry())


def small_state(reference: Reference) -> State:
    """For a day of a hundred orders: a shelf as large as a server's takes longer to make."""
    return State(reference=reference, orders=Orders(partial(MemoryShelf, _BUCKETS)))


def _state(reference: Reference) -> State:
    state = small_state(reference)
    # Orders are packed at once, and late in the shadow, as in a real core: nobody may see it.
    state.orders.put_away_after_us = 0
    return state


def _sessions(reference: Reference, versions: Mapping[str, str]) -> dict[str, LightSettings]:
    """Our side of each session."""
    clients = {one.session for one in reference.clients.values()}
    names = [*sorted(clients), *(one.session for one in reference.venues.values())]
    names += reference.drop_copies
    return {one: settings_of(one, versions[one], client=one in clients, ours=True) for one in names}


def counterparties_of(reference: Reference, versions: Mapping[str, str]) -> list[Counterparty]:
    """What the edge knows of those behind the sessions; versions: BeginString (8) by session."""
    clients = [
        Counterparty(
            session_id=one.session,
            name=one.name,
            role="client",
            begin_string=versions[one.session],
            wire=one.profile.wire,
        )
        for one in reference.clients.values()
    ]
    venues = [
        Counterparty(
            session_id=one.session,
            name=one.name,
            role="venue",
            begin_string=versions[one.session],
            wire=one.profile.wire,
        )
        for one in reference.venues.values()
    ]
    copies = [
        Counterparty(session_id=one, name=one, role="drop_copy", begin_string=versions[one])
        for one in reference.drop_copies
    ]
    return clients + venues + copies


__all__ = ["CoreCrash", "Effect", "SimCore"]
