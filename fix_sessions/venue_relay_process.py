"""The core's side of the relay to venues: start it, hear from it, stop it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from fix_sessions.child_process import end, pipe, read_lines
from fix_sessions.venue_relay_config import (
    RelayConfig,
    RelayEvent,
    config_to_json,
    event_from_json,
)


class VenueRelayProcess:
    """A running relay, for one thread. Only `stop` waits, with a bound."""

    def __init__(self, config: RelayConfig) -> None:
        """Start it: it inherits the listening sockets that the routes name."""
        self._unread = b""
        self._has_ended = False
        config = replace(config, parent_pid=os.getpid())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fix_sessions.venue_relay", config_to_json(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[1],
            pass_fds=[route.listen_fd for route in config.routes],
        )
        os.set_blocking(self.fileno(), False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        """Readable when there are events, or when the relay has ended: see `alive`."""
        return pipe(self._process.stdout).fileno()

    def read_events(self) -> list[RelayEvent]:
        """What has come so far, without waiting."""
        lines, self._unread, self._has_ended = read_lines(self.fileno(), self._unread)
        return [event_from_json(line) for line in lines]

    def alive(self) -> bool:
        """False once the relay has ended: no session with TLS to a venue stands any more."""
        return not self._has_ended and self._process.poll() is None

    def stop(self, timeout_s: float = 5.0) -> None:
        """Close all connections and end the relay; a second call does nothing."""
        end(self._process, timeout_s)
        self._has_ended = True
