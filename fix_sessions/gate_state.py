"""What the gate knows: who may come in, who is in, who is waiting, who failed too often."""

import asyncio
import ipaddress
import socket
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from fix_sessions.gate_config import GateClient, GateConfig, GateLimits, identity_of
from fix_sessions.gate_events import INNOCENT_REASONS, RefusalReason
from fix_sessions.gate_handover import HandoverChannel
from fix_sessions.gate_relay import Relay
from fix_sessions.gate_reporter import Reporter
from fix_sessions.tls_files import Contexts

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MS_PER_SECOND: Final = 1_000
_MAX_REMEMBERED: Final = 10_000
_FORGET_AFTER_SECONDS: Final = 600.0
_MAX_DOUBLINGS: Final = 32


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last_at: float = 0.0
    blocked_until: float = 0.0


class FailureBook:
    """Failed attempts by address: past a number of them, each doubles the time of no admittance."""

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self._book: dict[str, _Failures] = {}

    def is_blocked(self, key: str, now: float) -> bool:
        found = self._book.get(key)
        return found is not None and now < found.blocked_until

    def failed(self, key: str, now: float) -> None:
        found = self._book.pop(key, None)
        if found is None or now - found.last_at > _FORGET_AFTER_SECONDS:
            found = _Failures()
        found.count += 1
        found.last_at = now
        beyond = found.count - self._limits.failures_before_backoff
        if beyond >= 0:
            wait_ms = self._limits.backoff_ms << min(beyond, _MAX_DOUBLINGS)
            found.blocked_until = now + min(wait_ms, self._limits.backoff_max_ms) / _MS_PER_SECOND
        self._book[key] = found  # last in the dict: the oldest is forgotten first
        if len(self._book) > _MAX_REMEMBERED:
            del self._book[next(iter(self._book))]

    def succeeded(self, key: str) -> None:
        self._book.pop(key, None)


@dataclass(eq=False, slots=True, kw_only=True)
class Gate:
    """Everything that the gate's connections share."""

    config: GateConfig
    loop: asyncio.AbstractEventLoop
    reporter: Reporter
    verifiers: ThreadPoolExecutor
    clients: dict[tuple[str, str, str], GateClient]
    networks: tuple[Network, ...]  # of all clients together
    failures: FailureBook
    handover: HandoverChannel | None = None
    tls: Contexts | None = None
    live: dict[str, Relay] = field(default_factory=dict)
    turns: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )  # by session: one conversation with the engine at a time
    pending: Counter[str] = field(default_factory=Counter)  # by address
    pending_transports: set[asyncio.Transport] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


def make_gate(config: GateConfig, loop: asyncio.AbstractEventLoop, reporter: Reporter) -> Gate:
    """Raises TlsFileError."""
    channel = None
    if config.handover_fd >= 0:
        channel = HandoverChannel(loop, socket.socket(fileno=config.handover_fd))
    return Gate(
        config=config,
        handover=channel,
        tls=Contexts(config.tls.files, reporter.tls_files_refused) if config.tls else None,
        loop=loop,
        reporter=reporter,
        verifiers=ThreadPoolExecutor(config.limits.verifiers, thread_name_prefix="verify"),
        clients={identity_of(client): client for client in config.clients},
        networks=networks_of(
            text for client in config.clients for text in client.allowed_addresses
        ),
        failures=FailureBook(config.limits),
    )


def let_in(gate: Gate, clients: Sequence[GateClient]) -> None:
    """These may come in from now on, and nobody else. Who is in stays in."""
    gate.clients = {identity_of(client): client for client in clients}
    gate.networks = networks_of(text for one in clients for text in one.allowed_addresses)


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks from their checked texts, none of them twice."""
    return tuple(ipaddress.ip_network(text) for text in dict.fromkeys(texts))


def address_of(peer: tuple[object, ...] | None) -> Address | None:
    """A socket's peer; IPv4 that comes over an IPv6 socket is taken as IPv4."""
    if not peer:
        return None
    address = ipaddress.ip_address(str(peer[0]))
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_among(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def failure_key(address: Address) -> str:
    """Whom failures are counted against: one IPv4 address, or a /64 of IPv6, one host's own."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address.packed[:8] + bytes(8), 64)))
    return str(address)


def refusal_at_the_door(gate: Gate, address: Address) -> RefusalReason | None:
    """Whether a connection is not even read from, and why."""
    limits = gate.config.limits
    key = failure_key(address)
    if not is_among(address, gate.networks):
        return RefusalReason.ADDRESS_NOT_ALLOWED
    if gate.failures.is_blocked(key, gate.loop.time()):
        return RefusalReason.BACKING_OFF
    if len(gate.pending_transports) >= limits.pending_total:
        return RefusalReason.TOO_MANY_PENDING
    if gate.pending[key] >= limits.pending_per_address:
        return RefusalReason.TOO_MANY_PENDING_FROM_ADDRESS
    return None


def wait_for_admission(gate: Gate, transport: asyncio.Transport, address: Address) -> None:
    """Count a connection among those that are not logged on yet."""
    gate.pending_transports.add(transport)
    gate.pending[failure_key(address)] += 1


def leave_waiting(gate: Gate, transport: asyncio.Transport, address: Address) -> None:
    """No longer pending; a second call does nothing."""
    if transport not in gate.pending_transports:
        return
    gate.pending_transports.discard(transport)
    key = failure_key(address)
    gate.pending[key] -= 1
    if not gate.pending[key]:
        del gate.pending[key]


def note_refusal(gate: Gate, reason: RefusalReason, address: Address) -> None:
    if reason not in INNOCENT_REASONS:
        gate.failures.failed(failure_key(address), gate.loop.time())
