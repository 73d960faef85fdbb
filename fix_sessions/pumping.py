"""A transport's turn, and what becomes of bytes that QuickFIX fails on."""

import select
from collections.abc import Sequence

import structlog

from fix_sessions import descriptors
from fix_sessions.application import Callbacks
from fix_sessions.transport import Transport

_log = structlog.get_logger(__name__)
# One after the other: what fails on and on does not fail for what was read.
_MAX_FAILURES = 20


def pump(transport: Transport, ready: Sequence[int], callbacks: Callbacks) -> None:
    """Pump, and end the connection whose bytes made QuickFIX fail.

    Some session messages out of place do, such as a SequenceReset before any Logon. QuickFIX
    does not say whose they were: all that were readable are ended, and recover by logging on.
    One that came about in this very turn is not known yet, and may be closed already.
    ready: those that are known to be readable; where none is given they are looked for.
    """
    ready = ready or _readable(transport.connections)
    try:
        transport.pump()
    except Exception as error:
        transport.failures += 1
        if callbacks.fault is not None or transport.failures > _MAX_FAILURES:
            raise
        _end_suspects(transport, ready, error)
    else:
        transport.failures = 0


def _end_suspects(transport: Transport, ready: Sequence[int], error: Exception) -> None:
    sockets = descriptors.open_sockets()
    suspects = [d for d in transport.connections if d in ready]
    if not suspects:
        transport.find_connections(sockets)
        suspects = transport.connections
    _log.warning(
        "fix.input_failed",
        transport=transport.name,
        connections_ended=len(suspects),
        error=str(error),
    )
    for descriptor in suspects:
        # One that QuickFIX has closed may be another's by now.
        if transport.holds(descriptor, sockets.get(descriptor, 0)):
            descriptors.shut_down(descriptor)


def _readable(connections: Sequence[int]) -> list[int]:
    found = select.poll()
    for descriptor in connections:
        found.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in found.poll(0)] if connections else []
