"""Sessions taken over from the configuration file while the core runs: ReloadSessions carried out.

The file is read and compared beside the order path, by a thread that ends with it. What was found
is put into the command, decided by the core like any other, and carried out once it is durable:
see oms.app.reload_steps.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from fix_sessions.edge import Edge
from fix_sessions.gate_config import GateConfigError
from fix_sessions.registry import Counterparty
from fix_sessions.remote_engine import RemoteEngine
from fix_sessions.session_change import SessionChange
from fix_sessions.settings import SettingsError, check_specs
from oms.app.exits import Stop
from oms.app.fix_parties import counterparties_of, gate_clients_of, session_specs
from oms.app.reload_steps import (
    REMADE,
    Found,
    Numbers,
    ReloadSteps,
    parties_of,
    used_meanwhile,
)
from oms.app.session_changes import (
    SessionChanges,
    changes_between,
    faults_of_changes,
    specs_of,
)
from oms.app.tls_files import check_tls
from oms.app.venue_tls import VenueRelays, secured
from oms.domain.state import Session, State
from oms.runtime.metrics import CoreMetrics
from oms.runtime.sequencer import Sequencer
from oms.sessions.differences import reference_after
from oms.settings.load import ConfigError, load
from oms.settings.model import Settings
from oms.settings.reference import reference_of

log = structlog.get_logger()

REMOVED = "the session is not configured any more"


class SessionReload(ReloadSteps[SessionChanges]):
    """Reads the file, and has the FIX process make the sessions.

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
        super().__init__(state=state, sequencer=sequencer, edge=edge)
        self._config = config
        self._settings = settings
        self._engine = engine
        self._relays = relays
        self._metrics = metrics
        self._settings_changed = settings_changed
        made = specs_of(settings)
        # All that the FIX process has, what was removed too; and whose each pair of comp ids was.
        through = relays.through(list(made.values()), settings)
        self._made = {one.session_id: one for one in through}
        self._owners = {one.quickfix_id: name for name, one in made.items()}
        self._ids = {name: one.quickfix_id for name, one in made.items()}
        self._found: Found[SessionChanges] | None = None
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        engine.add_wakeup(self._wakeup, self._wakes)

    # Reading

    def _read(self) -> None:
        threading.Thread(target=self._find, name="reload", daemon=True).start()

    def _find(self) -> None:
        """On a thread of its own: a schedule by an exchange's calendar takes a second."""
        try:
            found = self._compare()
        except (ConfigError, Stop, GateConfigError, SettingsError) as error:
            found = Found(fault="; ".join(str(error).splitlines()))
        except Exception as error:
            log.exception("core.reload_failed")
            found = Found(fault=f"the file cannot be taken over: {type(error).__name__}: {error}")
        self._found = found
        os.eventfd_write(self._wakeup, 1)

    def _compare(self) -> Found[SessionChanges]:
        wanted = load(self._config)
        changes = changes_between(self._settings, wanted)
        faults = list(faults_of_changes(self._settings, changes, self._owners))
        if faults:
            return Found(fault="; ".join(faults))
        check_tls(changes.settings)
        # What the FIX process would fail on, it fails on here.
        check_specs(session_specs(changes.settings))
        gate_clients_of(changes.settings.clients)
        reference = reference_after(self._state.reference, reference_of(changes.settings))
        return Found(changes=changes, reference=reference)

    def _wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wakeup)
        if self._reading is not None and self._found is not None:
            found, self._found = self._found, None
            self._has_read(found)

    # Carrying out

    def _refused(self, fault: str) -> None:
        self._metrics.reloads_refused.inc()
        log.warning("core.reload_refused", fault=fault)

    def _adopt(self, changes: SessionChanges) -> None:
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
        self._settings_changed(settings)

    def _parties(self, names: Collection[str]) -> list[Counterparty]:
        return parties_of(counterparties_of(self._settings), names)

    def _change(self, changes: SessionChanges) -> None:
        """A session that the FIX process has as it is to be only comes back."""
        settings = self._settings
        wanted = self._relays.through(session_specs(settings), settings)
        made = [one for one in wanted if one.session_id in changes.new]
        made = [one for one in made if self._made.get(one.session_id) != one]
        self._made |= {one.session_id: one for one in made}
        closed = dict.fromkeys(changes.removed, REMOVED) | dict.fromkeys(changes.remade, REMADE)
        clients = gate_clients_of(settings.clients)
        change = SessionChange(closed=closed, made=tuple(made), clients=clients)
        self._engine.change(change, self._has_changed)

    def _number(self, name: str, session: Session, numbers: Numbers) -> None:
        ids = self._made[name].quickfix_id
        if name in numbers and self._ids.get(name) != ids:
            # To these comp ids the numbers that the journal has for the name mean nothing.
            ahead = 0 if name in self._ids else used_meanwhile(self._state, session)
            self._edge.set_number(name, session.inbound, session.outbound, ahead)
        self._ids[name] = ids
        self._owners[ids] = name

    def _opened(self) -> None:
        self._relays.prune(self._settings)
