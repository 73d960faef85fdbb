"""What the relay to venues is told and what it tells: its configuration and its event lines."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

from fix_sessions.tls_faults import TlsFault
from fix_sessions.tls_files import ClientFiles

UNREACHABLE: Final = "unreachable"
REASONS: Final = (UNREACHABLE, *(fault.value for fault in TlsFault))


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRoute:
    """One session's way out: from a listening loopback socket of ours to the venue, with TLS."""

    session_id: str
    listen_fd: int
    host: str
    port: int
    server_name: str  # what the venue's certificate must be of
    files: ClientFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayConfig:
    """All routes, and how long is waited for what."""

    routes: tuple[VenueRoute, ...]
    parent_pid: int = 0  # the relay ends when this is no longer its parent; 0 is no check
    connect_timeout_ms: int = 5_000  # for the connection and its handshake
    retry_ms: int = 1_000
    # QuickFIX gives up a Logon that is not answered in 10 s. Until then the venue is tried again
    # for the same Logon: each new one costs a sequence number.
    give_up_ms: int = 8_000
    buffer_bytes: int = 256 << 10  # unread by one side; beyond it the other has to wait
    linger_ms: int = 2_000  # for last bytes to leave
    remind_ms: int = 60_000  # how often a fault that goes on is told


class RelayEventKind(StrEnum):
    CONNECTED = "connected"
    FAILED = "failed"
    CLOSED = "closed"
    STRANGER = "stranger"  # another account of this machine wanted to be relayed
    FILES_REFUSED = "files_refused"  # changed, and not usable: the old ones stay in use


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayEvent:
    """One line from the relay. `count` is above 1 where equal failures are told together."""

    kind: RelayEventKind
    session_id: str
    reason: str = ""  # one of REASONS, of a failure
    detail: str = ""
    count: int = 1


def config_to_json(config: RelayConfig) -> str:
    return json.dumps(asdict(config))


def config_from_json(text: str) -> RelayConfig:
    """What config_to_json made of one."""
    members = json.loads(text)
    routes = tuple(
        VenueRoute(**{**route, "files": ClientFiles(**route["files"])})
        for route in members.pop("routes")
    )
    return RelayConfig(routes=routes, **members)


def event_to_json(event: RelayEvent) -> str:
    """One line, without its newline."""
    return json.dumps(asdict(event))


def event_from_json(line: str | bytes) -> RelayEvent:
    """What event_to_json made of one."""
    members = json.loads(line)
    return RelayEvent(kind=RelayEventKind(members.pop("kind")), **members)
