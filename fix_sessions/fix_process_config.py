"""What the process of the FIX sessions is to run: one line of JSON that the core writes to it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from fix_sessions.gate_config import GateConfig, config_from_json, config_to_json
from fix_sessions.settings import SessionSpec, spec_from_members, spec_members

_NO_GATE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixProcessConfig:
    """ticket: what a client's Logon has for its password once the gate has judged it.

    gate: without the engine's port, which is known once the engine listens; None without clients.
    awake_s: see `fix_sessions.waiting`. log_format, log_level: as the core's own.
    """

    sessions: tuple[SessionSpec, ...]
    store_dir: Path
    ticket: str = field(repr=False)
    gate: GateConfig | None
    awake_s: float
    log_format: str
    log_level: str


def config_to_line(config: FixProcessConfig) -> bytes:
    """It holds passwords and the ticket, so only the socket sees it."""
    members = {
        "sessions": [spec_members(spec) for spec in config.sessions],
        "store_dir": str(config.store_dir),
        "ticket": config.ticket,
        "gate": _NO_GATE if config.gate is None else config_to_json(config.gate),
        "awake_s": config.awake_s,
        "log_format": config.log_format,
        "log_level": config.log_level,
    }
    return json.dumps(members).encode() + b"\n"


def config_from_line(line: bytes) -> FixProcessConfig:
    """What `config_to_line` made."""
    members = json.loads(line)
    gate = members.pop("gate")
    return FixProcessConfig(
        sessions=tuple(spec_from_members(spec) for spec in members.pop("sessions")),
        store_dir=Path(members.pop("store_dir")),
        gate=None if gate == _NO_GATE else config_from_json(gate),
        **members,
    )
