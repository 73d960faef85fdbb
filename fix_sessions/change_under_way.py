"""A change of the sessions, in the FIX process, while the other sessions run."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from fix_sessions.engine import Engine
from fix_sessions.gate_config import GateClient
from fix_sessions.session_change import SessionChange

# QuickFIX itself gives a Logout five seconds.
_LOGOUT_LIMIT_S: Final = 8.0


class ChangeUnderWay:
    """One change, from the logouts to the new sessions. Nobody waits for it: `advance` it."""

    def __init__(self, engine: Engine, change: SessionChange) -> None:
        self._engine = engine
        self._change = change
        self._give_up_at = time.monotonic() + _LOGOUT_LIMIT_S
        known = [name for name in change.closed if engine.has(name)]
        self._ending = known
        for name in known:
            engine.logout(name, change.closed[name])

    def advance(self, admit: Callable[[Sequence[GateClient]], None]) -> str | None:
        """Whether it is done, and then the numbers as JSON. Not from inside the engine's `poll`.

        admit: tells the gate who may come in.
        """
        engine, change = self._engine, self._change
        up = [name for name in self._ending if engine.is_logged_on(name)]
        if up:
            if time.monotonic() >= self._give_up_at:
                for name in up:
                    engine.disconnect(name)
            return None
        engine.remake(change.made)
        admit([replace(one, engine_port=engine.port_of(one.session_id)) for one in change.clients])
        names = [spec.session_id for spec in change.made]
        return json.dumps(
            {one: (engine.expected_inbound(one), engine.next_outbound(one)) for one in names}
        )
