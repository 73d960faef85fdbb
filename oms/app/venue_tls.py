"""Venues and drop copies with TLS: their sessions go through a relay, which is heard and replaced
when it dies.
"""

import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import structlog
from prometheus_client import CollectorRegistry, Counter

from fix_sessions.faults import EngineFault
from fix_sessions.remote_engine import RemoteEngine
from fix_sessions.settings import SessionSpec
from fix_sessions.venue_relay_config import RelayConfig, RelayEvent, RelayEventKind, VenueRoute
from fix_sessions.venue_relay_process import VenueRelayProcess
from oms.app.fix_parties import client_files_of
from oms.settings.drop_copies import DropCopySettings
from oms.settings.model import Settings, VenueSettings

log = structlog.get_logger()

QUIET_EVENTS = (RelayEventKind.CONNECTED, RelayEventKind.CLOSED)
MAX_DEATHS = 3
DEATHS_WITHIN_S = 60.0
LOOPBACK = "127.0.0.1"

Secured = VenueSettings | DropCopySettings


def secured(settings: Settings) -> list[Secured]:
    """The venues and drop copies with TLS."""
    parties: list[Secured] = [*settings.venues, *settings.drop_copies]
    return [one for one in parties if one.tls is not None]


class VenueRelays:
    """One relay for the venues with TLS that were there at the start, one more for each reload that
    adds or changes some: a relay that runs is left alone while a venue needs it. What a later one
    has counts.
    """

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._failures = Counter(
            "plumbline_venue_tls_failures",
            "Connections with TLS to venues that failed",
            ("session", "reason"),
            registry=registry,
        )
        self._engine: RemoteEngine | None = None
        self._relays: list[VenueTls] = []
        self.add(secured(settings))

    def add(self, venues: Sequence[Secured]) -> None:
        """These are reached through a relay of their own from now on. Raises OSError."""
        if venues:
            relay = VenueTls(venues, self._failures)
            self._relays.append(relay)
            if self._engine is not None:
                relay.start(self._engine)

    def prune(self, settings: Settings) -> None:
        """End those that none of these venues is reached through any more."""
        latest = {name: relay for relay in self._relays for name in relay.ports}
        used = {latest[one.name] for one in secured(settings)}
        left = [relay for relay in self._relays if relay not in used]
        self._relays = [relay for relay in self._relays if relay in used]
        for relay in left:
            relay.leave()

    def through(self, specs: Sequence[SessionSpec], settings: Settings) -> list[SessionSpec]:
        """The same sessions; those of venues with TLS connect with a relay, never directly."""
        ports = {name: port for relay in self._relays for name, port in relay.ports.items()}
        secure = {one.name for one in secured(settings)}
        return [
            replace(spec, host=LOOPBACK, port=ports[spec.session_id])
            if spec.session_id in secure
            else spec
            for spec in specs
        ]

    def start(self, engine: RemoteEngine) -> None:
        """The relays run from now on."""
        self._engine = engine
        for relay in self._relays:
            relay.start(engine)

    def stop(self) -> None:
        """End them; a second call does nothing."""
        for relay in self._relays:
            relay.stop()


class VenueTls:
    """The loopback ports that stand for venues with TLS, and the relay behind them.

    The ports are listened on here and inherited by each relay, so they stay ours while it dies.
    """

    def __init__(self, venues: Sequence[Secured], failures: Counter) -> None:
        """venues: with TLS, all of them."""
        self._listeners = {one.name: socket.create_server((LOOPBACK, 0)) for one in venues}
        self._config = RelayConfig(
            routes=tuple(_route(one, self._listeners[one.name].fileno()) for one in venues)
        )
        self._failures = failures
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self._engine: RemoteEngine | None = None
        self._relay: VenueRelayProcess | None = None

    @property
    def ports(self) -> dict[str, int]:
        """Where the relay takes each venue's session."""
        return {name: one.getsockname()[1] for name, one in self._listeners.items()}

    def start(self, engine: RemoteEngine) -> None:
        """The relay runs from now on, where there is a venue with TLS."""
        self._engine = engine
        if self._listeners:
            self._begin(engine)

    def stop(self) -> None:
        """End it; a second call does nothing."""
        if self._relay is not None:
            self._relay.stop()
        for listener in self._listeners.values():
            listener.close()

    def leave(self) -> None:
        """End it while all others go on, who do not wait for that."""
        if self._relay is not None and self._engine is not None:
            self._engine.remove_wakeup(self._relay.fileno())
        threading.Thread(target=self.stop, name="relay ends", daemon=True).start()

    def _begin(self, engine: RemoteEngine) -> None:
        self._relay = VenueRelayProcess(self._config)
        engine.add_wakeup(self._relay.fileno(), self._hear)

    def _hear(self) -> None:
        assert self._relay is not None
        for event in self._relay.read_events():
            self._note(event)
        if not self._relay.alive():
            self._replace(self._relay)

    def _note(self, event: RelayEvent) -> None:
        if event.kind is RelayEventKind.FAILED:
            self._failures.labels(event.session_id, event.reason).inc(event.count)
        tell = log.info if event.kind in QUIET_EVENTS else log.warning
        names = ("session_id", "reason", "detail", "count")
        said = {name: getattr(event, name) for name in names if getattr(event, name)}
        tell(f"venue_tls.{event.kind.value}", **said)

    def _replace(self, relay: VenueRelayProcess) -> None:
        """Start another one; its sessions log on again by themselves. Raises EngineFault."""
        assert self._engine is not None
        now = time.monotonic()
        log.error("core.venue_relay_ended", sessions_lost=list(self._listeners))
        if len(self._deaths) == MAX_DEATHS and now - self._deaths[0] < DEATHS_WITHIN_S:
            times = f"{MAX_DEATHS + 1} times in {DEATHS_WITHIN_S} s"
            raise EngineFault(f"the relay to venues with TLS ended {times}")
        self._deaths.append(now)
        self._engine.remove_wakeup(relay.fileno())
        relay.stop()
        self._begin(self._engine)


def _route(venue: Secured, listen_fd: int) -> VenueRoute:
    return VenueRoute(
        session_id=venue.name,
        listen_fd=listen_fd,
        host=venue.host,
        port=venue.port,
        server_name=(venue.tls and venue.tls.server_name) or venue.host,
        files=client_files_of(venue),
    )
