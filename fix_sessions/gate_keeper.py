"""The gate of an engine: started, heard, and replaced when it dies."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from fix_sessions.engine import Engine
from fix_sessions.faults import EngineFault
from fix_sessions.gate_config import GateClient, GateConfig
from fix_sessions.gate_events import GateEvent, GateEventKind
from fix_sessions.gate_process import GateError, GateProcess
from fix_sessions.handover import Handover

_log = structlog.get_logger(__name__)

QUIET_EVENTS = (GateEventKind.CONNECTED, GateEventKind.DISCONNECTED)
_MAX_DEATHS = 3
_DEATHS_WITHIN_S = 60.0


class GateKeeper:
    """Sessions that were handed over do not need it; new connections do, so there is always one.

    refused: told why, and how many.
    """

    def __init__(
        self, config: GateConfig, engine: Engine, refused: Callable[[str, int], None]
    ) -> None:
        self._config = config
        self._engine = engine
        self._refused = refused
        self._deaths: deque[float] = deque(maxlen=_MAX_DEATHS)
        self._gate: GateProcess | None = None
        self._handover: Handover | None = None

    def start(self) -> None:
        """Wait until it listens. Raises GateError."""
        self._gate = GateProcess(self._config, hands_over=True)
        port = self._gate.start()
        # Whoever comes in its place listens where this one did, wherever that was.
        self._config = self._gate.pinned()
        self._listen_to(self._gate)
        _log.info("core.listens", host=self._config.host, port=port, tls_port=self._gate.tls_port)

    def let_in(self, clients: Sequence[GateClient]) -> None:
        """These may come in from now on. A gate that has just died is told by its successor."""
        self._config = replace(self._config, clients=tuple(clients))
        if self._gate is not None:
            with contextlib.suppress(GateError):
                self._gate.let_in(clients)

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if self._gate is not None:
            self._gate.stop()

    def _listen_to(self, gate: GateProcess) -> None:
        assert gate.channel is not None
        self._handover = Handover(gate.channel, self._engine)
        self._engine.add_wakeup(gate.fileno(), self._hear)

    def _hear(self) -> None:
        assert self._gate is not None
        for event in self._gate.read_events():
            self._note(event)
        if not self._gate.alive():
            self._replace(self._gate)

    def _note(self, event: GateEvent) -> None:
        if event.kind is GateEventKind.REFUSED and event.reason is not None:
            self._refused(event.reason.value, event.count)
        tell = _log.info if event.kind in QUIET_EVENTS else _log.warning
        tell(f"gate.{event.kind.value}", **_said(event))

    def _replace(self, gate: GateProcess) -> None:
        """Start another one without waiting for it: orders go on meanwhile. Raises EngineFault."""
        now = time.monotonic()
        _log.error("core.gate_ended", sessions_kept=len(self._engine.taken_over.session_ids))
        if len(self._deaths) == _MAX_DEATHS and now - self._deaths[0] < _DEATHS_WITHIN_S:
            raise EngineFault(f"the FIX gate ended {_MAX_DEATHS + 1} times in {_DEATHS_WITHIN_S} s")
        self._deaths.append(now)
        assert self._handover is not None
        self._handover.close()
        self._engine.remove_wakeup(gate.fileno())
        gate.stop()
        self._gate = GateProcess(self._config, hands_over=True)
        self._gate.begin()
        self._listen_to(self._gate)


def _said(event: GateEvent) -> dict[str, object]:
    names = ("address", "session_id", "reason", "cause", "detail", "count")
    return {name: getattr(event, name) for name in names if getattr(event, name)}
