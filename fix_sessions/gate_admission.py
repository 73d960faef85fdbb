"""A connection from its first byte to its admission or refusal."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from fix_sessions.credentials import verify_password
from fix_sessions.gate_config import GateClient
from fix_sessions.gate_events import LOGOUT_TEXTS, DisconnectCause, RefusalReason
from fix_sessions.gate_logon import (
    LogonFaultError,
    LogonFrame,
    admitted_frame,
    first_frame,
    logout_with_text,
    read_logon,
    refused_frame,
)
from fix_sessions.gate_peer import Peer, peer_of, refusal_of_peer
from fix_sessions.gate_relay import EngineEnd, Relay, drop, is_ending, open_relay
from fix_sessions.gate_state import (
    Address,
    Gate,
    address_of,
    failure_key,
    is_among,
    leave_waiting,
    networks_of,
    note_refusal,
    refusal_at_the_door,
    wait_for_admission,
)
from fix_sessions.wire import FrameReader, WireError

_MS_PER_SECOND: Final = 1_000
_READ_BYTES: Final = 65_536
# Seconds; after them a peer that vanished without a word is known to be gone.
_KEEPALIVE: Final[Mapping[str, int]] = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A connection that is being judged, and what came behind its first frame."""

    transport: asyncio.Transport
    address: Address
    rest: bytes = b""
    peer: Peer | None = None  # of a connection with TLS


class Admission(asyncio.Protocol):
    """The public side until the Logon is judged; a relay takes the connection over from here."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._transport: asyncio.Transport | None = None
        self._address: Address | None = None
        self._data = b""
        self._timer: asyncio.TimerHandle | None = None
        self._is_judged = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's has its methods, not its type
        address = address_of(transport.get_extra_info("peername"))
        if address is None:  # gone before it was accepted
            transport.abort()
            return
        reason = refusal_at_the_door(self._gate, address)
        if reason is not None:
            self._gate.reporter.refused(reason, str(address))
            transport.abort()
            return
        tune_socket(transport)
        self._transport, self._address = transport, address
        wait_for_admission(self._gate, transport, address)
        seconds = self._gate.config.limits.logon_timeout_ms / _MS_PER_SECOND
        self._timer = self._gate.loop.call_later(seconds, self._time_is_up)

    def data_received(self, data: bytes) -> None:
        if self._is_judged:
            return  # refused and lingering
        self._data += data
        limits = self._gate.config.limits
        try:
            frame = first_frame(self._data, limits.logon_max_bytes)
        except LogonFaultError as fault:
            self._refuse(fault.reason, detail=fault.detail)
            return
        if frame is not None:
            self._judge(frame, self._data[len(frame) :])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None and not self._is_judged:
            detail = f"after {len(self._data)} bytes" if self._data else ""
            self._refuse(RefusalReason.CLOSED_BEFORE_LOGON, detail=detail)

    def _time_is_up(self) -> None:
        self._refuse(RefusalReason.LOGON_TIMEOUT, detail=f"after {len(self._data)} bytes")

    def _judge(self, frame: bytes, rest: bytes) -> None:
        self._is_judged = True
        assert self._transport is not None
        assert self._address is not None
        self._transport.pause_reading()
        if self._timer is not None:
            self._timer.cancel()
        peer = peer_of(self._transport)
        caller = Caller(transport=self._transport, address=self._address, rest=rest, peer=peer)
        task = self._gate.loop.create_task(self._judge_then_release(caller, frame))
        self._gate.tasks.add(task)
        task.add_done_callback(self._gate.tasks.discard)

    async def _judge_then_release(self, caller: Caller, frame: bytes) -> None:
        try:
            await judge(self._gate, caller, frame)
        except BaseException:
            caller.transport.abort()
            raise
        finally:
            self._release()

    def _refuse(self, reason: RefusalReason, *, detail: str) -> None:
        assert self._transport is not None
        assert self._address is not None
        self._is_judged = True
        self._release()
        caller = Caller(transport=self._transport, address=self._address)
        refuse(self._gate, caller, reason, detail=detail)

    def _release(self) -> None:
        """No longer pending."""
        assert self._address is not None
        if self._timer is not None:
            self._timer.cancel()
        assert self._transport is not None
        leave_waiting(self._gate, self._transport, self._address)


def tune_socket(transport: asyncio.BaseTransport) -> None:
    """No waiting for more bytes to send together, and an answer about peers that have vanished."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def refuse(
    gate: Gate,
    caller: Caller,
    reason: RefusalReason,
    *,
    session_id: str = "",
    detail: str = "",
    answer: bytes | None = None,
) -> None:
    """Tell the engine, count it against the address, close: after `answer` where there is one."""
    transport = caller.transport
    note_refusal(gate, reason, caller.address)
    gate.reporter.refused(reason, str(caller.address), session_id, detail)
    if answer is None or transport.is_closing():
        transport.abort()
        return
    transport.write(answer)
    transport.write_eof()
    transport.resume_reading()  # so that the client's own close is seen
    gate.loop.call_later(gate.config.limits.linger_ms / _MS_PER_SECOND, transport.abort)


async def judge(gate: Gate, caller: Caller, frame: bytes) -> None:
    """Let a first frame through to the engine, or refuse it.

    The order of the guards: who it claims to be, where from and how, whether it proves it, and only
    then what it asks for, so that nobody learns a session's settings without its password.
    """
    try:
        logon = read_logon(frame)
    except LogonFaultError as fault:
        refuse(gate, caller, fault.reason, detail=fault.detail)
        return
    identity = (logon.begin_string, logon.sender_comp_id, logon.target_comp_id)
    client = gate.clients.get(identity)
    if client is None:
        detail = "{} {!r} to {!r}".format(*identity)
        refuse(gate, caller, RefusalReason.UNKNOWN_SESSION, detail=detail)
        return
    if not is_among(caller.address, networks_of(client.allowed_addresses)):
        reason: RefusalReason | None = RefusalReason.ADDRESS_NOT_ALLOWED_FOR_SESSION
    else:
        reason = refusal_of_peer(client, caller.peer) or await refusal_of(gate, client, logon)
    if reason is None:
        async with gate.turns[client.session_id]:
            reason = await admit(gate, client, logon, caller)
    if reason is not None:
        answer = await answer_of(gate, client, logon, reason)
        refuse(gate, caller, reason, session_id=client.session_id, answer=answer)


async def refusal_of(gate: Gate, client: GateClient, logon: LogonFrame) -> RefusalReason | None:
    """Whether the credentials are wrong, or what a client with the right ones may not ask for.

    A wrong Username costs the same time as a wrong Password.
    """
    is_password = await gate.loop.run_in_executor(
        gate.verifiers, verify_password, client.password_hash, logon.password
    )
    if not is_password or logon.username != client.logon_name:
        return RefusalReason.BAD_CREDENTIALS
    if logon.changes_password:
        return RefusalReason.NEW_PASSWORD_NOT_SUPPORTED
    if logon.wants_reset and not client.allow_reset:
        return RefusalReason.RESET_NOT_ALLOWED
    return None


async def admit(
    gate: Gate, client: GateClient, logon: LogonFrame, caller: Caller
) -> RefusalReason | None:
    """Connect an authenticated client with the engine; the reason where that cannot be.

    The session's turn must be held.
    """
    if not await is_free(gate, client.session_id):
        return RefusalReason.ALREADY_CONNECTED
    if caller.transport.is_closing():
        return RefusalReason.CLOSED_BEFORE_LOGON
    relay = Relay(
        session_id=client.session_id,
        address=str(caller.address),
        heart_bt_int=logon.heart_bt_int,
        limits=gate.config.limits,
        loop=gate.loop,
        client=caller.transport,
        held=caller.rest,
        tell_slow=lambda relay, unread: gate.reporter.slow_consumer(
            relay.session_id, relay.address, unread
        ),
        tell_ended=lambda relay: _forget(gate, relay),
        # The keys of a connection with TLS are here, so it stays here.
        hand_over=gate.handover.begin if gate.handover and caller.peer is None else None,
    )
    try:
        async with asyncio.timeout(gate.config.limits.engine_timeout_ms / _MS_PER_SECOND):
            engine, _ = await gate.loop.create_connection(
                lambda: EngineEnd(relay), gate.config.engine_host, engine_port_of(gate, client)
            )
    except OSError:  # TimeoutError is one
        return RefusalReason.ENGINE_UNAVAILABLE
    tune_socket(engine)
    gate.failures.succeeded(failure_key(caller.address))
    gate.live[client.session_id] = relay
    gate.reporter.connected(client.session_id, str(caller.address))
    open_relay(relay, engine, admitted_frame(logon, gate.config.ticket))
    return None


def engine_port_of(gate: Gate, client: GateClient) -> int:
    """Where the engine takes the client's session."""
    return client.engine_port or gate.config.engine_port


async def is_free(gate: Gate, session_id: str) -> bool:
    """Whether the session has no connection; one that is silent or ending is seen off first."""
    relay = gate.live.get(session_id)
    if relay is None:
        return True
    if not is_ending(relay):
        if not relay.is_silent():
            return False
        drop(relay, DisconnectCause.SUPERSEDED)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2 * gate.config.limits.linger_ms / _MS_PER_SECOND):
            await relay.ended.wait()
    return session_id not in gate.live


def _forget(gate: Gate, relay: Relay) -> None:
    if gate.live.get(relay.session_id) is relay:
        del gate.live[relay.session_id]
    cause = relay.cause or DisconnectCause.GATE_CLOSED
    gate.reporter.disconnected(relay.session_id, relay.address, cause)


async def answer_of(
    gate: Gate, client: GateClient, logon: LogonFrame, reason: RefusalReason
) -> bytes | None:
    """The Logout for a known session's refused Logon, numbered by the engine; None is no answer.

    A session that is connected or being connected gets none: its numbers belong to that connection.
    """
    text = LOGOUT_TEXTS.get(reason)
    turn = gate.turns[client.session_id]
    busy = client.session_id in gate.live or turn.locked()
    if text is None or busy or not gate.config.answer_refusals:
        return None
    async with turn:
        raw = await engine_refusal(gate, client, refused_frame(logon))
    return None if raw is None else logout_with_text(raw, text)


async def engine_refusal(gate: Gate, client: GateClient, logon: bytes) -> bytes | None:
    """The engine's first frame to a Logon without the ticket, once it has closed the connection."""
    config = gate.config
    reader = FrameReader(config.limits.logon_max_bytes)
    found: bytes | None = None
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(config.limits.engine_timeout_ms / _MS_PER_SECOND):
            port = engine_port_of(gate, client)
            stream, writer = await asyncio.open_connection(config.engine_host, port)
            writer.write(logon)
            while data := await stream.read(_READ_BYTES):
                frames = [frame.raw for frame in reader.feed(data) if not frame.fault]
                found = found or next(iter(frames), None)
    except (OSError, WireError):
        return found
    finally:
        if writer is not None:
            writer.transport.abort()
    return found
