"""The handle of the bare relay's process, with its light venue and light clients around it."""

import multiprocessing
from typing import Literal

from fix_sessions.bare_relay import RelayConfig, serve
from fix_sessions.light_session import LightSettings
from oms.app.free_ports import free_port
from oms.bench.load import BenchError, Load, OrderShape
from oms.bench.venue import Venue

_COMP_ID = "RELAY"
_VENUE_COMP_ID = "BENCHVENUE"
_READY_TIMEOUT_S = 30.0


class Relay:
    """The bare relay at work between its own clients and its own venue."""

    def __init__(
        self,
        *,
        client_sessions: int,
        shape: OrderShape,
        style: Literal["fields", "text"] = "fields",
    ) -> None:
        clients = tuple(f"CLIENT{number}" for number in range(1, client_sessions + 1))
        self.venue = Venue(sender_comp_id=_VENUE_COMP_ID, target_comp_id=_COMP_ID)
        config = RelayConfig(
            port=free_port(),
            comp_id=_COMP_ID,
            client_comp_ids=clients,
            venue_comp_id=_VENUE_COMP_ID,
            venue_port=self.venue.port,
            style=style,
        )
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, config), daemon=True)
        self._process.start()
        theirs.close()
        self._expect("listening")
        self.load = Load(
            host="127.0.0.1",
            port=config.port,
            sessions=[
                LightSettings(sender_comp_id=client, target_comp_id=_COMP_ID) for client in clients
            ],
            shape=shape,
        )
        self.load.logon()
        self._expect("ready")

    @property
    def pid(self) -> int:
        """The relay's process."""
        return self._process.pid or 0

    def stop(self) -> None:
        """End the processes."""
        self.load.close()
        self._process.kill()
        self._process.join(_READY_TIMEOUT_S)
        self._pipe.close()
        self.venue.stop()

    def _expect(self, word: str) -> None:
        try:
            said = self._pipe.recv() if self._pipe.poll(_READY_TIMEOUT_S) else "nothing"
        except EOFError:
            said = "its end"
        if said != word:
            raise BenchError(f"the bare relay says {said!r} instead of {word!r}")
