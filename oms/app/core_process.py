"""A core that leads: sequencer and journal here, the FIX sessions in a process beside it."""

import secrets
import select
import sys
import time
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from fix_sessions.edge import Edge
from fix_sessions.fix_process_config import FixProcessConfig
from fix_sessions.remote_engine import RemoteEngine
from fix_sessions.session_control import SessionControl
from fix_sessions.store_directory import StoreDirectory
from oms.app.core_start import (
    awake_s,
    configured_limits,
    core_started,
    paces_of,
    throttles_of,
)
from oms.app.database import Urls
from oms.app.exits import Exit, Stop
from oms.app.fix_parties import counterparties_of, gate_config_of, session_specs
from oms.app.fix_stores import claim_stores
from oms.app.lost_entries import require_nothing_lost
from oms.app.resends import Resends
from oms.app.session_reload import SessionReload
from oms.app.tls_files import certificate_gauge, watch_certificates
from oms.app.venue_tls import VenueRelays
from oms.domain.commands import SentMessage
from oms.domain.kept_orders import QUIET_AFTER_US, Orders
from oms.domain.session_commands import ReloadSessions
from oms.domain.state import State
from oms.domain.values import utc
from oms.outbound_sessions import actions_at_start
from oms.runtime.clock import SystemClock
from oms.runtime.disk_shelf import DiskShelf
from oms.runtime.journal_line import JournalLine
from oms.runtime.memory import Collector, room_for_burst
from oms.runtime.metrics import CoreMetrics
from oms.runtime.pace import Pace
from oms.runtime.recovery import Recovered, recover
from oms.runtime.scratch import Scratch
from oms.runtime.scratch_metrics import ScratchMetrics
from oms.runtime.sequencer import Sequencer
from oms.runtime.throttle import Throttle
from oms.runtime.witness import Witness, WitnessedJournal, seen_in
from oms.settings.model import Settings
from oms.settings.reference import reference_of
from oms.settings.trading_date import trade_date_of
from oms.store.batch import Batch
from oms.store.codec import unpack
from oms.store.inbox import InboxReader
from oms.store.journal import PostgresJournal
from oms.store.leader import Leadership

log = structlog.get_logger()

FIX_PROCESS = (sys.executable, "-m", "oms.app.fix_process")
POLL_S = 0.25
# After so long without anything to do some finished orders are packed: two milliseconds of work.
QUIET_S = 0.1
PUT_AWAY_IN_QUIET = 200
# How often a little is read while the journal is behind; heartbeats do not wait for that.
SLOW_READ_S = 1.0
# Clients may go on sending until they are logged out, so before that it is done with less.
BEFORE_LOGOUT_S = 1.0
QUIET_LIMIT_S = 5.0
LOGOUT_LIMIT_S = 3.0


class CoreProcess:
    """Everything of a core that leads. `turn` is one round of its loop."""

    def __init__(
        self, settings: Settings, config: Path, urls: Urls, leadership: Leadership
    ) -> None:
        """config: the file of the settings, for when sessions are taken over from it again."""
        self._config = config
        self._settings = settings
        self._leadership = leadership
        self._clock = SystemClock()
        registry = CollectorRegistry()
        self._metrics = CoreMetrics(registry)
        self._metrics.configured([one.session_id for one in counterparties_of(settings)])
        self._registry = registry
        self._certificates = certificate_gauge(registry)
        self._state = self._new_state()
        journal = PostgresJournal(leadership)
        self._relays = VenueRelays(settings, registry)
        fix = self._fix_config()
        self._stores = StoreDirectory(fix.store_dir)
        # It gets ready while the journal is replayed.
        self._engine = RemoteEngine(FIX_PROCESS, passed=(self._stores.fileno(),))
        self._recovered = recover(self._state, journal)
        self._log_recovery(self._recovered)
        self._journal_line = self._new_line(journal, fix.store_dir.parent)
        self._edge = self._new_edge()
        claim_stores(self._stores, fix.sessions, self._state, leadership)
        self._journal_line.start()
        self._engine.before_work = self._journal_line.assure
        self._engine.refused = self._metrics.refused
        self._engine.open(fix, self._edge)
        self._edge.drive(self._engine)
        self._sequencer = Sequencer(
            state=self._state,
            last_hash=self._recovered.last_hash,
            journal=self._journal_line,
            new_batch=lambda seq, last: Batch(
                self._state, first_seq=seq, previous_hash=last, leader_epoch=leadership.epoch
            ),
            outlet=self._outlet(),
            clock=self._clock,
            metrics=self._metrics,
        )
        self._pace = self._new_pace()
        self._edge.intake = self._pace or self._sequencer
        self._resends = Resends(urls.app, self._sequencer)
        self._edge.read_sent = self._resends.read
        self._reload = self._new_reload()
        self._inbox = InboxReader(urls.app)
        self._collector = Collector(room_for_burst())
        self._next_refresh = 0.0
        self._read_at = 0.0

    def _new_state(self) -> State:
        """Empty; what finished orders take goes to disk."""
        core = self._settings.core
        scratch = Scratch(core.data_dir / core.shard)
        self._scratch_metrics = ScratchMetrics(scratch, self._registry)
        orders = Orders(lambda: DiskShelf(scratch))
        return State(reference=reference_of(self._settings), orders=orders)

    def _fix_config(self) -> FixProcessConfig:
        settings = self._settings
        ticket = secrets.token_hex(16)
        return FixProcessConfig(
            sessions=tuple(self._relays.through(session_specs(settings), settings)),
            store_dir=settings.core.data_dir / settings.core.shard / "fix",
            ticket=ticket,
            gate=gate_config_of(settings, ticket=ticket) if settings.clients else None,
            awake_s=awake_s(settings.core),
            log_format=settings.logging.format,
            log_level=settings.logging.level,
        )

    def _new_line(self, journal: PostgresJournal, directory: Path) -> JournalLine:
        """Raises Stop where the journal lacks what this machine has seen in it."""
        require_nothing_lost(seen_in(directory), journal, self._state)
        witness = Witness(directory)
        return JournalLine(WitnessedJournal(journal, witness, self._state.restores))

    def _new_edge(self) -> Edge:
        sessions = self._state.sessions.values()
        return Edge(
            counterparties_of(self._settings),
            epochs={one.name: one.epoch for one in sessions},
            outbound_epochs={one.name: one.outbound_epoch for one in sessions},
            clock=self._clock,
            unpack=unpack,
        )

    def _new_pace(self) -> Pace | None:
        """Where a client has a rate, its messages come to the sequencer at that."""
        limits = paces_of(self._settings)
        if not any(limits.values()):
            return None
        return Pace(self._sequencer, limits, self._clock, self._engine.disconnect)

    def _outlet(self) -> SessionControl:
        """Messages leave at the venues' pace; what is done with sessions is done at once."""
        self._throttle = Throttle(self._edge, throttles_of(self._settings), self._clock)
        self._control = SessionControl(self._throttle, self._edge, self._sent_since)
        return self._control

    def _new_reload(self) -> SessionReload:
        reload = SessionReload(
            self._config,
            self._settings,
            state=self._state,
            sequencer=self._sequencer,
            engine=self._engine,
            edge=self._edge,
            relays=self._relays,
            metrics=self._metrics,
            settings_changed=self._settings_changed,
        )
        self._control.reload = reload.carry_out
        return reload

    def _settings_changed(self, settings: Settings) -> None:
        """Sessions were added, changed and removed: what goes by their settings here follows."""
        self._settings = settings
        self._throttle.limit(throttles_of(settings))
        if self._pace is not None:
            self._pace.limit(paces_of(settings))
        else:
            self._pace = self._new_pace()
            self._edge.intake = self._pace or self._sequencer
        watch_certificates(settings, self._certificates)

    def _sent_since(self, session: str, epoch: int, since: int) -> list[SentMessage]:
        return self._resends.sent_since(session, epoch, since)

    def _log_recovery(self, recovered: Recovered) -> None:
        self._metrics.recovery.set(recovered.seconds)
        self._metrics.leader_epoch.set(self._leadership.epoch)
        log.info(
            "core.recovered",
            entries=recovered.entries,
            seconds=round(recovered.seconds, 3),
            open_orders=len(self._state.open_orders),
            undelivered=len(recovered.undelivered),
            sent_from=recovered.sent_from,
            epoch=self._leadership.epoch,
        )

    def start(self) -> None:
        """Numbers from the journal, then sessions open. Raises PortInUse, GateError, Stop."""
        trade_date = trade_date_of(self._settings.trading_day, utc(self._clock.now()))
        self._sequencer.submit(core_started(self._leadership.epoch, trade_date))
        sessions = self._state.sessions.values()
        self._edge.set_numbers(
            {one.name: one.inbound for one in sessions},
            {one.name: one.outbound for one in sessions},
        )
        if not self._recovered.entries:
            for command in configured_limits(self._settings):
                self._sequencer.submit(command)
        self._engine.add_wakeup(self._journal_line.fileno(), self._journal_line.heard)
        # First of all entries of this leader: what is sent again below is noted after it.
        self._sequencer.pump()
        # What is repeated for new numbers comes before what is newer.
        self._sequencer.deliver_again(list(actions_at_start(self._state)))
        self._sequencer.deliver_again(self._recovered.undelivered)
        self._commit_start()
        self._engine.start()
        self._relays.start(self._engine)
        watch_certificates(self._settings, self._certificates)
        self._start_metrics()
        self._inbox.start()
        self._engine.add_wakeup(self._inbox.fileno(), self._take_inbox)
        log.info("core.leads", epoch=self._leadership.epoch, seq=self._state.seq)

    def _commit_start(self) -> None:
        """Who leads is durable before anything leaves: the next leader knows whose stores count."""
        while not self._sequencer.idle:
            self._engine.poll(POLL_S)
            self._sequencer.flush()
            self._sequencer.pump()

    def _start_metrics(self) -> None:
        core = self._settings.core
        if not core.metrics_port:
            return
        try:
            start_http_server(core.metrics_port, core.metrics_host, registry=self._registry)
        except OSError as error:
            text = f"core.metrics_port = {core.metrics_port}: {error.strerror}"
            raise Stop(Exit.PORT_IN_USE, text) from None

    def _take_inbox(self) -> None:
        for command in self._inbox.take():
            if isinstance(command, ReloadSessions):
                self._reload.take(command)
            else:
                self._sequencer.submit(command)

    def turn(self) -> None:
        """Wait for something and do it. Raises what ends the process."""
        if self._sequencer.full and time.monotonic() < self._read_at:
            # The journal is slow: counterparties wait on their connections, not in our memory.
            select.select([self._journal_line.fileno()], [], [], POLL_S)
            self._journal_line.assure()
        else:
            self._engine.reads_little = self._sequencer.full
            began = time.monotonic()
            self._engine.poll(POLL_S)
            self._read_at = (now := time.monotonic()) + SLOW_READ_S
            if now - began >= QUIET_S and self._sequencer.idle:
                self._state.put_away(self._clock.now() - QUIET_AFTER_US, PUT_AWAY_IN_QUIET)
        if self._pace is not None:
            self._pace.release()
        self._sequencer.pump()
        self._reload.settle()
        self._collector.look(quiet=self._sequencer.idle)
        now = time.monotonic()
        if now >= self._next_refresh:
            self._next_refresh = now + 1.0
            self._metrics.session_rejects(self._engine.rejects_sent)
            self._metrics.refresh(self._state)
            self._scratch_metrics.refresh()

    def stop(self) -> None:
        """Commit and deliver what is in hand, log out, and journal that too. Raises Stop."""
        log.info("core.stops")
        self._engine.remove_wakeup(self._inbox.fileno())
        self._inbox.stop()
        self._quiesce(BEFORE_LOGOUT_S)
        if not self._engine.stop(LOGOUT_LIMIT_S):
            log.warning("core.logout_unanswered")
        if not self._quiesce(QUIET_LIMIT_S):
            text = "the journal did not take the last batch in time; the next start settles it"
            raise Stop(Exit.FAULT, text)

    def _quiesce(self, limit_s: float) -> bool:
        """Whether everything was committed, delivered and noted in time."""
        deadline = time.monotonic() + limit_s
        self._sequencer.flush()
        while not self._sequencer.idle and time.monotonic() < deadline:
            self._engine.poll(0.01)
            self._sequencer.pump()
            self._sequencer.flush()
        return self._sequencer.idle

    def close(self) -> None:
        """End what this process started; after a fault too."""
        self._inbox.stop()
        self._journal_line.stop(QUIET_LIMIT_S)
        self._relays.stop()
        self._engine.close()
        self._resends.close()
