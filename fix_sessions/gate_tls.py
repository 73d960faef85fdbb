"""The gate's port with TLS: a connection from its first byte to the end of the handshake."""

import asyncio
import ssl
from typing import Final, cast

from fix_sessions.gate_admission import Admission, tune_socket
from fix_sessions.gate_events import RefusalReason
from fix_sessions.gate_state import (
    Address,
    Gate,
    address_of,
    leave_waiting,
    note_refusal,
    refusal_at_the_door,
    wait_for_admission,
)
from fix_sessions.tls_faults import fault_of
from fix_sessions.tls_files import Contexts
from fix_sessions.tls_transport import TlsTransport

_MS_PER_SECOND: Final = 1_000


class TlsDoor(asyncio.Protocol):
    """Under each connection with TLS: judges its address before it costs a handshake, then an
    Admission has it, and whoever takes it over from that.
    """

    def __init__(self, gate: Gate, contexts: Contexts) -> None:
        self._gate = gate
        self._contexts = contexts
        self._tcp: asyncio.Transport | None = None
        self._tls: TlsTransport | None = None
        self._address: Address | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_refused = self._is_through = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        gate = self._gate
        address = address_of(transport.get_extra_info("peername"))
        if address is None:  # gone before it was accepted
            transport.abort()
            return
        reason = refusal_at_the_door(gate, address)
        if reason is not None:
            gate.reporter.refused(reason, str(address))
            transport.abort()
            return
        tune_socket(transport)
        self._tcp, self._address = transport, address
        self._tls = TlsTransport(transport, self._contexts.current())
        wait_for_admission(gate, transport, address)
        seconds = gate.config.limits.tls_handshake_timeout_ms / _MS_PER_SECOND
        self._timer = gate.loop.call_later(seconds, self._fail, TimeoutError())

    def data_received(self, data: bytes) -> None:
        if self._is_refused or self._tls is None:
            return  # lingering
        if self._is_through:
            self._tls.received(data)
            return
        try:
            is_done = self._tls.shake_hands(data)
        except ssl.SSLError as error:
            self._fail(error)
            return
        if is_done:
            self._go_through(self._tls)

    def _go_through(self, tls: TlsTransport) -> None:
        self._is_through = True
        self._leave()
        admission = Admission(self._gate)
        tls.set_protocol(admission)
        admission.connection_made(tls)
        tls.received(b"")  # what came with the handshake's end

    def _fail(self, error: Exception) -> None:
        """Refused, for the reason that the other side is told by the alert that has been sent."""
        assert self._tcp is not None
        assert self._address is not None
        self._is_refused = True
        self._leave()
        fault, detail = fault_of(error)
        reason = RefusalReason(fault.value)
        note_refusal(self._gate, reason, self._address)
        self._gate.reporter.refused(reason, str(self._address), detail=detail)
        if isinstance(error, ssl.SSLError) and not self._tcp.is_closing():
            self._tcp.write_eof()
            linger_s = self._gate.config.limits.linger_ms / _MS_PER_SECOND
            self._gate.loop.call_later(linger_s, self._tcp.abort)
        else:
            self._tcp.abort()

    def _leave(self) -> None:
        """No longer pending here."""
        assert self._tcp is not None
        assert self._address is not None
        assert self._timer is not None
        self._timer.cancel()
        leave_waiting(self._gate, self._tcp, self._address)

    def pause_writing(self) -> None:
        if self._is_through and self._tls is not None:
            self._tls.get_protocol().pause_writing()

    def resume_writing(self) -> None:
        if self._is_through and self._tls is not None:
            self._tls.get_protocol().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_through and self._tls is not None:
            self._tls.get_protocol().connection_lost(exc)
        elif self._tcp is not None and not self._is_refused:
            self._fail(ConnectionResetError())
