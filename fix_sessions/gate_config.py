"""The gate's configuration: one JSON line that the engine writes and the gate reads."""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from fix_sessions.credentials import PasswordHashError, check_hash
from fix_sessions.tls_files import ServerFiles

_MAX_PORT: Final = 65_535
_MAX_LIMIT: Final = 1 << 30  # what the event loop takes as a buffer's mark
_MIN_TICKET: Final = 16
_BEGIN_STRINGS: Final = ("FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIXT.1.1")


class GateConfigError(ValueError):
    """A configuration that the gate cannot serve: the message names key, value and rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateClient:
    """One session that may come in through the gate, as the client names itself on the wire."""

    session_id: str
    begin_string: str
    sender_comp_id: str  # the client's, as it stands in its messages
    target_comp_id: str  # ours
    password_hash: str = field(repr=False)
    allowed_addresses: tuple[str, ...]  # addresses or networks in CIDR form; none means nobody
    username: str = ""  # what Username (553) must say; the client's comp id where empty
    allow_reset: bool = False  # may its Logon carry ResetSeqNumFlag (141) = Y?
    tls_only: bool = False  # is a Logon refused that comes without TLS?
    tls_subject: str = ""  # the name in its certificate: common name, or a DNS name of it
    tls_fingerprints: tuple[str, ...] = ()  # SHA-256 of its certificate, one of these, hexadecimal
    engine_port: int = 0  # where the engine takes this session; 0: where it takes the others

    @property
    def logon_name(self) -> str:
        return self.username or self.sender_comp_id

    def __post_init__(self) -> None:
        where = f"client {self.session_id!r}"
        for name in ("session_id", "sender_comp_id", "target_comp_id"):
            if not getattr(self, name):
                raise GateConfigError(f"{where}: {name} is empty")
        if self.begin_string not in _BEGIN_STRINGS:
            known = ", ".join(_BEGIN_STRINGS)
            raise GateConfigError(f"{where}: begin_string {self.begin_string!r} is none of {known}")
        if not self.allowed_addresses:
            raise GateConfigError(f"{where}: allowed_addresses is empty: nobody could log on")
        for text in self.allowed_addresses:
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                raise GateConfigError(f"{where}: allowed_addresses {text!r}: {error}") from None
        try:
            check_hash(self.password_hash)
        except PasswordHashError as error:
            raise GateConfigError(f"{where}: password_hash {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """Bounds on what strangers and slow clients can cost."""

    logon_timeout_ms: int = 10_000  # from the connection, or its TLS, to the first frame's end
    tls_handshake_timeout_ms: int = 5_000
    logon_max_bytes: int = 4_096
    pending_total: int = 256  # connections that are not logged on yet
    pending_per_address: int = 16
    verifiers: int = 2  # password checks at the same time
    failures_before_backoff: int = 5
    backoff_ms: int = 1_000  # doubles with every further failure
    backoff_max_ms: int = 30_000
    client_buffer_bytes: int = 8 << 20  # unread by the client; beyond it the connection is dropped
    engine_buffer_bytes: int = 256 << 10  # unread by the engine; beyond it the client has to wait
    engine_timeout_ms: int = 5_000  # for the engine to accept, and to answer a Logon
    linger_ms: int = 2_000  # for last bytes to leave once a connection is ending
    bind_wait_ms: int = 2_000  # a gate that is just ending may still hold the port

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            if not is_whole or not 1 <= value <= _MAX_LIMIT:
                rule = f"is not a whole number from 1 to {_MAX_LIMIT}"
                raise GateConfigError(f"limits.{item.name}: {value!r} {rule}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTls:
    """Where connections with TLS are taken."""

    host: str
    port: int  # 0 lets the system choose
    files: ServerFiles

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _MAX_PORT:
            raise GateConfigError(f"tls.port: {self.port} is not in 0 to {_MAX_PORT}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """Where to listen, where the engine is, who may come in."""

    host: str
    port: int  # 0 lets the system choose
    engine_host: str
    engine_port: int  # 0 until the engine listens
    ticket: str = field(repr=False)  # stands in Password (554) of what the engine is given
    clients: tuple[GateClient, ...]
    plain: bool = True  # False: nobody is taken without TLS, and host and port mean nothing
    tls: GateTls | None = None
    limits: GateLimits = GateLimits()
    answer_refusals: bool = True  # False: every refusal is a plain close, no Logout
    parent_pid: int = 0  # the gate ends when this is no longer its parent; 0 is no check
    handover_fd: int = -1  # a socket on which connections are offered to the engine; -1 is none

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _MAX_PORT:
            raise GateConfigError(f"port: {self.port} is not in 0 to {_MAX_PORT}")
        if not self.plain and self.tls is None:
            raise GateConfigError("plain: False without tls: nobody could connect")
        if not 0 <= self.engine_port <= _MAX_PORT:
            raise GateConfigError(f"engine_port: {self.engine_port} is not in 0 to {_MAX_PORT}")
        if len(self.ticket) < _MIN_TICKET or not self.ticket.isalnum():
            raise GateConfigError(f"ticket: not at least {_MIN_TICKET} letters and digits")
        wire_names = [str(identity_of(client)) for client in self.clients]
        session_ids = [repr(client.session_id) for client in self.clients]
        for names, key in ((wire_names, "begin string and comp ids"), (session_ids, "session_id")):
            for name in names:
                if names.count(name) > 1:
                    raise GateConfigError(f"clients: {key} {name} stands more than once")


def clients_to_line(clients: Sequence[GateClient]) -> bytes:
    """Who may come in from now on: what a running gate is told by a line of its own."""
    return json.dumps([client_members(one) for one in clients]).encode() + b"\n"


def clients_from_line(line: bytes) -> tuple[GateClient, ...]:
    """What `clients_to_line` made. Raises GateConfigError."""
    return tuple(client_from_members(one) for one in json.loads(line))


def identity_of(client: GateClient) -> tuple[str, str, str]:
    """What picks the client's session by its Logon: BeginString, SenderCompID, TargetCompID."""
    return client.begin_string, client.sender_comp_id, client.target_comp_id


def config_to_json(config: GateConfig) -> str:
    """One line, without its newline. It holds the ticket: write it to the gate's pipe only."""
    return json.dumps(asdict(config))


def config_from_json(line: str | bytes) -> GateConfig:
    """Raises GateConfigError for anything that is not a whole, sound configuration."""
    try:
        members = json.loads(line)
    except ValueError as error:
        raise GateConfigError(f"configuration: not JSON: {error}") from None
    if not isinstance(members, dict):
        raise GateConfigError("configuration: not a JSON object")
    clients = members.pop("clients", ())
    limits = members.pop("limits", {})
    tls = members.pop("tls", None)
    try:
        return GateConfig(
            **members,
            clients=tuple(client_from_members(item) for item in clients),
            tls=None if tls is None else _tls_from(tls),
            limits=GateLimits(**limits),
        )
    except TypeError as error:  # a key that is missing or not known, in the constructor's own words
        raise GateConfigError(f"configuration: {error}") from None


def client_members(client: GateClient) -> dict[str, Any]:
    """As JSON takes it."""
    return asdict(client)


def client_from_members(members: Mapping[str, Any]) -> GateClient:
    """What `client_members` gave. Raises GateConfigError."""
    given = dict(members)
    lists: dict[str, Any] = {
        name: tuple(given.pop(name, ())) for name in ("allowed_addresses", "tls_fingerprints")
    }
    return GateClient(**lists, **given)


def _tls_from(members: Mapping[str, Any]) -> GateTls:
    given = dict(members)
    return GateTls(files=ServerFiles(**given.pop("files", {})), **given)
