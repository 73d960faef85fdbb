"""Sessions taken over from the configuration file while the core runs: ReloadSessions carried out.

The file is read and compared beside the order path, by a thread that ends with it. What was found
is put into the command, decided by the core like any other, and carried out once it is durable.
One reload after the other; one that a crash cuts off was either not journaled, and its command is
taken again, or the core that starts has read the file anyway.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from fix_sessions.edge import Edge
from fix_sessions.gate_config import GateConfigError
from fix_sessions.remote_engine import RemoteEngine
from fix_sessions.session_change import SessionChange
from fix_sessions.settings import SettingsError, check_specs
from oms.app.exits import Stop
from oms.app.fix_parties import counterparties_of, gate_clients_of, session_specs
from oms.app.session_changes import (
    SessionChanges,
    changes_between,
    faults_of_changes,
    reference_after,
    specs_of,
)
from oms.app.tls_files import check_tls
from oms.app.venue_tls import VenueRelays, secured
from oms.domain.instrument import Reference
from oms.domain.session_commands import ReloadSessions
from oms.domain.state import State
from oms.runtime.metrics import CoreMetrics
from oms.runtime.sequencer import Sequencer
from oms.settings.load import ConfigError, load
from oms.settings.model import Settings

log = structlog.get_logger()

REMOVED = "the session is not configured any more"
REMADE = "the session's configuration has changed: log on again"
_MAX_FAULT = 2_000

# By session: expected and next MsgSeqNum.
Numbers = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the file has come to: a fault, or what is to be."""

    fault: str = ""
    changes: SessionChanges | None = None
    reference: Reference | None = None


class SessionReload:
    """For the core's one thread. `take` commands, `settle` after each pump, `carry_out` by effect.

    settings_changed: told of what holds from then on, for all that goes by settings elsewhere.
    """

    def __init__(
        self,
        config: Path,
        settings: Settings,
        *,
        state: State,
        sequencer: Sequencer,
        engine: RemoteEngine,
        edge: Edge,
        relays: VenueRelays,
        metrics: CoreMetrics,
        settings_changed: Callable[[Settings], None],
    ) -> None:
        self._config = config
        self._settings = settings
        self._state = state
        self._sequencer = sequencer
        self._engine = engine
        self._edge = edge
        self._relays = relays
        self._metrics = metrics
        self._settings_changed = settings_changed
        made = specs_of(settings)
        # All that the FIX process has, what was removed too; and whose each pair of comp ids was.
        through = relays.through(list(made.values()), settings)
        self._made = {one.session_id: one for one in through}
        self._owners = {one.quickfix_id: name for name, one in made.items()}
        self._ids = {name: one.quickfix_id for name, one in made.items()}
        self._waiting: deque[ReloadSessions] = deque()
        self._busy = False
        self._reading: ReloadSessions | None = None
        self._found: _Found | None = None
        self._submitted: tuple[ReloadSessions, _Found] | None = None
        self._decided: SessionChanges | None = None
        self._numbers: Numbers | None = None
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        engine.add_wakeup(self._wakeup, self._has_read)

    def take(self, command: ReloadSessions) -> None:
        """Do it as soon as none is under way."""
        self._waiting.append(command)
        self._begin()

    def settle(self) -> None:
        """Go on where the sequencer has decided, or the FIX process is done."""
        self._note_verdict()
        if self._numbers is not None and self._decided is not None:
            numbers, self._numbers = self._numbers, None
            changes, self._decided = self._decided, None
            self._open(changes, numbers)
            self._finish()

    def carry_out(self) -> None:
        """What was decided is durable. Does nothing where no reload was decided here."""
        self._note_verdict()
        changes = self._decided
        if changes is None:
            return
        settings = self._settings = changes.settings
        log.info(
            "core.sessions_reloaded",
            added=changes.added,
            changed=changes.changed,
            removed=changes.removed,
            needs_restart=changes.kept,
        )
        self._relays.add([one for one in secured(settings) if one.name in changes.new])
        self._metrics.configured([one.session_id for one in counterparties_of(settings)])
        self._sequencer.clients_changed()
        self._settings_changed(settings)
        self._edge.set_aside([*changes.removed, *changes.remade])
        softly = set(changes.changed) - changes.new
        told = [one for one in counterparties_of(settings) if one.session_id in softly]
        self._edge.take_in(told, {})
        self._engine.change(self._change(settings, changes), self._has_changed)

    # Reading

    def _begin(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        self._reading = self._waiting.popleft()
        threading.Thread(target=self._read, name="reload", daemon=True).start()

    def _read(self) -> None:
        """On a thread of its own: a schedule by an exchange's calendar takes a second."""
        try:
            found = self._compare()
        except (ConfigError, Stop, GateConfigError, SettingsError) as error:
            found = _Found(fault="; ".join(str(error).splitlines()))
        except Exception as error:
            log.exception("core.reload_failed")
            found = _Found(fault=f"the file cannot be taken over: {type(error).__name__}: {error}")
        self._found = found
        os.eventfd_write(self._wakeup, 1)

    def _compare(self) -> _Found:
        wanted = load(self._config)
        changes = changes_between(self._settings, wanted)
        faults = list(faults_of_changes(self._settings, changes, self._owners))
        if faults:
            return _Found(fault="; ".join(faults))
        check_tls(changes.settings)
        # What the FIX process would fail on, it fails on here.
        check_specs(session_specs(changes.settings))
        gate_clients_of(changes.settings.clients)
        reference = reference_after(self._state.reference, changes.settings)
        return _Found(changes=changes, reference=reference)

    def _has_read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wakeup)
        asked, found = self._reading, self._found
        if asked is None or found is None:
            return
        self._reading = self._found = None
        command = _completed(asked, found)
        if not command.dry_run:
            self._state.next_reference = found.reference
        self._submitted = (command, found)
        self._sequencer.submit(command)

    def _note_verdict(self) -> None:
        """The sequencer has decided all that it was given."""
        if self._submitted is None:
            return
        (command, found), self._submitted = self._submitted, None
        self._state.next_reference = None
        if found.reference is not None and self._state.reference is found.reference:
            self._decided = found.changes
            return
        differs = command.added or command.changed or command.removed
        if found.fault or (differs and not command.dry_run):
            self._metrics.reloads_refused.inc()
            log.warning("core.reload_refused", fault=found.fault or "sessions with open orders")
        self._finish()

    # Carrying out

    def _change(self, settings: Settings, changes: SessionChanges) -> SessionChange:
        """What the FIX process has to do; a session that it has as it is to be only comes back."""
        wanted = self._relays.through(session_specs(settings), settings)
        made = [one for one in wanted if one.session_id in changes.new]
        made = [one for one in made if self._made.get(one.session_id) != one]
        self._made |= {one.session_id: one for one in made}
        closed = dict.fromkeys(changes.removed, REMOVED) | dict.fromkeys(changes.remade, REMADE)
        return SessionChange(
            closed=closed, made=tuple(made), clients=gate_clients_of(settings.clients)
        )

    def _has_changed(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def _open(self, changes: SessionChanges, numbers: Numbers) -> None:
        """What was made anew or came back is taken in, and opened unless something bars it."""
        parties = [
            one for one in counterparties_of(self._settings) if one.session_id in changes.new
        ]
        sessions = {one.session_id: self._state.session(one.session_id) for one in parties}
        self._edge.take_in(parties, {name: one.epoch for name, one in sessions.items()})
        for name, session in sessions.items():
            ids = self._made[name].quickfix_id
            if name in numbers and self._ids.get(name) != ids:
                # To these comp ids the numbers that the journal has for the name mean nothing.
                self._edge.set_number(name, session.inbound, session.outbound)
            self._ids[name] = ids
            self._owners[ids] = name
            if session.reset_due:
                self._edge.reset(name, REMADE)
            elif not session.barred:
                self._engine.logon(name)
        self._relays.prune(self._settings)

    def _finish(self) -> None:
        self._busy = False
        self._begin()


def _completed(asked: ReloadSessions, found: _Found) -> ReloadSessions:
    """With what was found, whatever the inbox said of that."""
    changes, none = found.changes, ()
    return replace(
        asked,
        fault=found.fault[:_MAX_FAULT],
        added=changes.added if changes else none,
        changed=changes.changed if changes else none,
        remade=changes.remade if changes else none,
        removed=changes.removed if changes else none,
        kept=changes.kept if changes else none,
    )
