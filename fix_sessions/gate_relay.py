"""Bytes between one client and the engine, both ways, unread by us but for a second Logon."""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fix_sessions import descriptors
from fix_sessions.gate_config import GateLimits
from fix_sessions.gate_events import DisconnectCause

_MS_PER_SECOND: Final = 1_000
# The engine resets sequence numbers on a Logon with 141=Y before it asks anybody, in the middle of
# a session too. So one connection carries one Logon: the one that the gate has judged.
_LOGON_MARK: Final = b"35=A\x01"
_LOGON_FIELD: Final = re.compile(rb"\x010*35=A\x01")
_TAIL_BYTES: Final = 32

TellSlow = Callable[["Relay", int], None]
TellEnded = Callable[["Relay"], None]


@dataclass(eq=False, slots=True, kw_only=True)
class Relay:
    """One admitted connection: its two ends and how it ended."""

    session_id: str
    address: str
    heart_bt_int: int
    limits: GateLimits
    loop: asyncio.AbstractEventLoop
    client: asyncio.Transport
    tell_slow: TellSlow
    tell_ended: TellEnded
    engine: asyncio.Transport | None = None
    # Called once the engine has welcomed the Logon: the connection may become the engine's.
    hand_over: Callable[["Relay"], None] | None = None
    offered: bool = False  # the engine is asked; the client is not read from meanwhile
    taken: socket.socket | None = None  # the client's connection, once the engine has it
    to_engine: int = 0  # bytes so far
    from_engine: int = 0
    held: bytes = b""  # came with the Logon; waits until the engine has answered it
    last_heard: float = 0.0  # loop time of the client's last byte
    cause: DisconnectCause | None = None
    client_gone: asyncio.Event = field(default_factory=asyncio.Event)
    engine_gone: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.TimerHandle | None = None

    def is_silent(self) -> bool:
        """Whether the client has been silent for more than two heartbeat intervals."""
        if self.taken is not None:
            silence = descriptors.silence_s(self.taken.fileno())
        else:
            silence = self.loop.time() - self.last_heard
        return self.heart_bt_int > 0 and silence > 2 * self.heart_bt_int


def open_relay(relay: Relay, engine: asyncio.Transport, logon: bytes) -> None:
    """Give the engine the Logon; the client is not read from until the engine has answered.

    An engine may take one message only from its first read of a connection, so nothing else may
    lie behind the Logon.
    """
    relay.engine = engine
    relay.last_heard = relay.loop.time()
    relay.client.set_protocol(ClientEnd(relay))
    relay.client.set_write_buffer_limits(high=relay.limits.client_buffer_bytes)
    engine.set_write_buffer_limits(high=relay.limits.engine_buffer_bytes)
    relay.timer = _later(relay, relay.limits.engine_timeout_ms, _engine_is_silent)
    relay.to_engine = len(logon)
    engine.write(logon)


def drop(relay: Relay, cause: DisconnectCause) -> None:
    """Cut the client off and let the engine see a closed connection; `ended` is set after both."""
    relay.cause = relay.cause or cause
    if relay.taken is not None:
        shut_down(relay.taken)
        return
    relay.client.abort()
    _close_engine(relay)


def shut_down(connection: socket.socket) -> None:
    """End a connection for whoever has it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def is_ending(relay: Relay) -> bool:
    """Whether a connection has ended, though its end may not have been told yet."""
    if relay.cause is not None or (relay.taken is None and relay.client.is_closing()):
        return True
    client: socket.socket = relay.taken or relay.client.get_extra_info("socket")
    return not descriptors.is_established(client.fileno())


def engine_ended(relay: Relay) -> None:
    """The engine has closed its connection: so is the client's, after what it has to be given."""
    relay.cause = relay.cause or DisconnectCause.ENGINE_CLOSED
    if not relay.client_gone.is_set():
        relay.client.close()
        relay.timer = _later(relay, relay.limits.linger_ms, _abort_both)
    _end_when_both_gone(relay)


def _later(relay: Relay, ms: int, do: Callable[[Relay], None]) -> asyncio.TimerHandle:
    if relay.timer is not None:
        relay.timer.cancel()
    return relay.loop.call_later(ms / _MS_PER_SECOND, do, relay)


def _engine_is_silent(relay: Relay) -> None:
    drop(relay, DisconnectCause.ENGINE_SILENT)


def _engine_answered(relay: Relay) -> None:
    """Both may speak now."""
    if relay.timer is not None:
        relay.timer.cancel()
        relay.timer = None
    if relay.client.is_closing():
        return
    relay.client.resume_reading()
    held, relay.held = relay.held, b""
    if held:
        ends = relay.client.get_protocol()
        assert isinstance(ends, ClientEnd)
        ends.data_received(held)


def _close_engine(relay: Relay) -> None:
    """End our direction only: the engine reads what is left, then closes, and the end is known."""
    engine = relay.engine
    if engine is None or relay.engine_gone or engine.is_closing():
        return
    try:
        engine.write_eof()
    except OSError:  # the engine has reset the connection already
        engine.abort()
    relay.timer = _later(relay, relay.limits.linger_ms, _abort_both)


def _abort_both(relay: Relay) -> None:
    relay.client.abort()
    if relay.engine is not None:
        relay.engine.abort()


def _end_when_both_gone(relay: Relay) -> None:
    if not (relay.client_gone.is_set() and relay.engine_gone) or relay.ended.is_set():
        return
    if relay.timer is not None:
        relay.timer.cancel()
    relay.ended.set()
    relay.tell_ended(relay)


class ClientEnd(asyncio.Protocol):
    """The public side, after admission."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._tail = b"\x01"

    def data_received(self, data: bytes) -> None:
        relay = self._relay
        if self._holds_logon(data):
            drop(relay, DisconnectCause.SECOND_LOGON)
            return
        relay.last_heard = relay.loop.time()
        if relay.engine is not None and not relay.engine.is_closing():
            relay.to_engine += len(data)
            relay.engine.write(data)

    def _holds_logon(self, data: bytes) -> bool:
        tail = self._tail
        self._tail = (tail + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]
        if _LOGON_MARK not in data and _LOGON_MARK not in tail + data[: len(_LOGON_MARK)]:
            return False
        return _LOGON_FIELD.search(tail + data) is not None

    def pause_writing(self) -> None:
        """Too much is unread. The engine keeps the messages, so the client can come back."""
        relay = self._relay
        if relay.cause is None:
            relay.tell_slow(relay, relay.client.get_write_buffer_size())
            drop(relay, DisconnectCause.SLOW_CONSUMER)

    def connection_lost(self, exc: Exception | None) -> None:
        relay = self._relay
        if relay.taken is not None:
            return
        relay.client_gone.set()
        relay.cause = relay.cause or DisconnectCause.CLIENT_CLOSED
        _close_engine(relay)
        _end_when_both_gone(relay)


class EngineEnd(asyncio.Protocol):
    """The internal side. Always read from, so that the engine never waits for a client."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._answered = False

    def data_received(self, data: bytes) -> None:
        relay = self._relay
        relay.from_engine += len(data)
        if not relay.client.is_closing():
            relay.client.write(data)
        if not self._answered:
            self._answered = True
            _engine_answered(relay)
            if relay.hand_over is not None and _LOGON_FIELD.search(data) is not None:
                relay.hand_over(relay)

    def pause_writing(self) -> None:
        if not self._relay.client.is_closing():
            self._relay.client.pause_reading()

    def resume_writing(self) -> None:
        if not self._relay.client.is_closing():
            self._relay.client.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        relay = self._relay
        relay.engine_gone = True
        if relay.offered or relay.taken is not None:
            return  # the engine has closed it because it took the client's; its answer will say
        engine_ended(relay)
