"""A relay for one session, as a core has one; it serves a client's program just as well."""

import socket
from dataclasses import replace

from fix_sessions.tls_files import ClientFiles
from fix_sessions.venue_relay_config import RelayConfig, RelayEvent, RelayEventKind, VenueRoute
from fix_sessions.venue_relay_process import VenueRelayProcess
from tests.integration.gate_rig import wait_until
from tests.support.tls import LOCALHOST, PATIENCE_S


class Relay:
    """A relay for one venue; the test is the core."""

    def __init__(self, port: int, files: ClientFiles, server_name: str = LOCALHOST) -> None:
        self._listener = socket.create_server((LOCALHOST, 0))
        self.port: int = self._listener.getsockname()[1]
        route = VenueRoute(
            session_id="XSIM",
            listen_fd=self._listener.fileno(),
            host=LOCALHOST,
            port=port,
            server_name=server_name,
            files=files,
        )
        self.config = RelayConfig(routes=(route,), give_up_ms=400, retry_ms=200)
        self.process = VenueRelayProcess(self.config)
        self.events: list[RelayEvent] = []

    def connect(self) -> socket.socket:
        return socket.create_connection((LOCALHOST, self.port), PATIENCE_S)

    def wait_for(self, kind: RelayEventKind) -> RelayEvent:
        def has_come() -> bool:
            self.events += self.process.read_events()
            return any(event.kind is kind for event in self.events)

        wait_until(has_come, f"event {kind}")
        return next(event for event in self.events if event.kind is kind)

    def again(self, **changes: int) -> None:
        """Another relay in the place of this one."""
        self.process.stop()
        self.process = VenueRelayProcess(replace(self.config, **changes))

    def close(self) -> None:
        self.process.stop()
        self._listener.close()
