"""Sessions added, changed and removed while others run: what the core has the FIX process do."""

import json
from dataclasses import dataclass
from typing import Any

from fix_sessions.gate_config import GateClient, client_from_members, client_members
from fix_sessions.settings import SessionSpec, spec_from_members, spec_members


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """closed: sessions to log out, by name, with what their counterparties are told. made: to be
    made, in the place of what their names have now, and left logged out. clients: who may come in
    by the gate from then on, all of them, without the engine's ports.
    """

    closed: dict[str, str]
    made: tuple[SessionSpec, ...]
    clients: tuple[GateClient, ...]


def change_to_json(change: SessionChange) -> str:
    """It holds passwords, so only the socket sees it."""
    members = {
        "closed": change.closed,
        "made": [spec_members(spec) for spec in change.made],
        "clients": [client_members(client) for client in change.clients],
    }
    return json.dumps(members)


def change_from_json(text: str) -> SessionChange:
    """What `change_to_json` made."""
    members: dict[str, Any] = json.loads(text)
    return SessionChange(
        closed=members["closed"],
        made=tuple(spec_from_members(one) for one in members["made"]),
        clients=tuple(client_from_members(one) for one in members["clients"]),
    )
