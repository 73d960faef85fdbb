"""The gate's port with TLS: a connection from its first byte to the end of the handshake."""

import asyncio
import os
import socket
from typing import Final, cast

from fix_sessions.gate_admission import Admission
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

_MS_PER_SECOND: Final = 1_000
_NO_TIMEOUT_OF_ITS_OWN_S: Final = 3_600.0  # ours is shorter


class TlsDoor(asyncio.Protocol):
    """Judges a connection by its address before it costs a handshake, then lets TLS have it.

    The event loop would read from a connection that it has taken, and TLS needs it unread. So it is
    let go of at once, and what TLS gets is a second descriptor of the same connection.
    """

    def __init__(self, gate: Gate, contexts: Contexts) -> None:
        self._gate = gate
        self._contexts = contexts

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
        connection = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        connection.setblocking(False)
        transport.abort()
        wait_for_admission(gate, transport, address)
        task = gate.loop.create_task(self._shake_hands(transport, connection, address))
        gate.tasks.add(task)
        task.add_done_callback(gate.tasks.discard)

    async def _shake_hands(
        self, ticket: asyncio.Transport, connection: socket.socket, address: Address
    ) -> None:
        """`ticket` is the transport that is waited for under."""
        gate, limits = self._gate, self._gate.config.limits

        def admission() -> Admission:
            return Admission(gate, shaken=lambda: leave_waiting(gate, ticket, address))

        try:
            async with asyncio.timeout(limits.tls_handshake_timeout_ms / _MS_PER_SECOND):
                await gate.loop.connect_accepted_socket(
                    admission,
                    connection,
                    ssl=self._contexts.current(),
                    ssl_handshake_timeout=_NO_TIMEOUT_OF_ITS_OWN_S,
                    ssl_shutdown_timeout=limits.linger_ms / _MS_PER_SECOND,
                )
        except OSError as error:  # ssl.SSLError and TimeoutError are some
            fault, detail = fault_of(error)
            reason = RefusalReason(fault.value)
            note_refusal(gate, reason, address)
            gate.reporter.refused(reason, str(address), detail=detail)
        finally:
            leave_waiting(gate, ticket, address)
