"""The gate's voice: event lines to the engine, equal refusals gathered to keep a flood cheap."""

import asyncio
import json
from typing import Final

from fix_sessions.gate_events import (
    DisconnectCause,
    GateEvent,
    GateEventKind,
    RefusalReason,
    event_to_json,
)

_GATHER_SECONDS: Final = 1.0
_MAX_KEYS: Final = 1_000
_MAX_UNREAD_BYTES: Final = 4 << 20
_MAX_DETAIL: Final = 200
_ELSEWHERE: Final = "several"

_Key = tuple[RefusalReason, str, str]


class Reporter:
    """Writes event lines. The first refusal of a kind goes out at once, its likes once a second.

    An engine that does not read is not waited for: above a bound, events are thrown away.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.WriteTransport) -> None:
        self._loop = loop
        self._transport = transport
        self._gathered: dict[_Key, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def listening(self, port: int, tls_port: int) -> None:
        """The ports that connections are taken on; 0 where there is none of the kind."""
        self._write(json.dumps({"listening": port} | ({"tls": tls_port} if tls_port else {})))

    def tls_files_refused(self, fault: str) -> None:
        self._event(GateEvent(kind=GateEventKind.TLS_FILES_REFUSED, address="", detail=fault))

    def connected(self, session_id: str, address: str) -> None:
        self._event(GateEvent(kind=GateEventKind.CONNECTED, session_id=session_id, address=address))

    def slow_consumer(self, session_id: str, address: str, unread_bytes: int) -> None:
        self._event(
            GateEvent(
                kind=GateEventKind.SLOW_CONSUMER,
                session_id=session_id,
                address=address,
                detail=f"{unread_bytes} bytes unread",
            )
        )

    def disconnected(self, session_id: str, address: str, cause: DisconnectCause) -> None:
        self._event(
            GateEvent(
                kind=GateEventKind.DISCONNECTED,
                session_id=session_id,
                address=address,
                cause=cause,
            )
        )

    def refused(
        self, reason: RefusalReason, address: str, session_id: str = "", detail: str = ""
    ) -> None:
        """Tell of a refusal, now or gathered with its likes (same reason, address, session)."""
        key = (reason, address, session_id)
        if key not in self._gathered and len(self._gathered) >= _MAX_KEYS:
            key = (reason, _ELSEWHERE, "")
        if key in self._gathered:
            self._gathered[key] += 1
            return
        self._gathered[key] = 0
        if self._timer is None:
            self._timer = self._loop.call_later(_GATHER_SECONDS, self._flush)
        self._refusal(key, 1, detail)

    def _flush(self) -> None:
        self._timer = None
        gathered, self._gathered = self._gathered, {}
        for key, count in gathered.items():
            if count:
                self._refusal(key, count, "")
                self._gathered[key] = 0  # still coming: goes on being gathered
        if self._gathered:
            self._timer = self._loop.call_later(_GATHER_SECONDS, self._flush)

    def _refusal(self, key: _Key, count: int, detail: str) -> None:
        reason, address, session_id = key
        self._event(
            GateEvent(
                kind=GateEventKind.REFUSED,
                reason=reason,
                address=address,
                session_id=session_id,
                detail=detail[:_MAX_DETAIL],
                count=count,
            )
        )

    def _event(self, event: GateEvent) -> None:
        self._write(event_to_json(event))

    def _write(self, line: str) -> None:
        unread = self._transport.get_write_buffer_size() > _MAX_UNREAD_BYTES
        if not unread and not self._transport.is_closing():
            self._transport.write(line.encode() + b"\n")
