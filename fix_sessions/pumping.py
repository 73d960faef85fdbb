"""A transport's turn, and what becomes of bytes that QuickFIX fails on."""

import select
from collections.abc import Sequence

import structlog

from fix_sessions import descriptors
from fix_sessions.application import Callbacks
from fix_sessions.transport import Transport

_log = structlog.get_logger(__name__)


def pump(transport: Transport, ready: Sequence[int], callbacks: Callbacks) -> None:
    """Pump, and end the connection whose bytes made QuickFIX fail.

    Some session messages out of place do, such as a SequenceReset before any Logon. QuickFIX
    does not say whose they were: all that were readable are ended, and recover by logging on.
    ready: those that are known to be readable; where none is given they are looked for.
    """
    ready = ready or _readable(transport.connections)
    try:
        transport.pump()
    except Exception as error:
        suspects = [d for d in transport.connections if d in ready] or transport.connections
        if callbacks.fault is not None or not suspects:
            raise
        _log.warning(
            "fix.input_failed",
            transport=transport.name,
            connections_ended=len(suspects),
            error=str(error),
        )
        sockets = descriptors.open_sockets()
        for descriptor in suspects:
            # One that QuickFIX has closed may be another's by now.
            if transport.holds(descriptor, sockets.get(descriptor, 0)):
                descriptors.shut_down(descriptor)


def _readable(connections: Sequence[int]) -> list[int]:
    found = select.poll()
    for descriptor in connections:
        found.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in found.poll(0)] if connections else []
