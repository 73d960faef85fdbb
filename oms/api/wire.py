"""HTTP as it comes in from strangers: heads of bounded length and time, problems as documents.

uvicorn bounds neither, and nothing of ours is asked before a head is complete: who sends it byte by
byte, or without end, would hold a connection, or memory, for as long as he likes.
"""

from asyncio import BaseTransport, TimerHandle, Transport
from http import HTTPStatus
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from oms.api.problems import Problem

MAX_HEAD_BYTES: Final = 64 * 1024
HEAD_S = 20.0


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol with a limit to the head's size and to the time that it may take."""

    head_s = HEAD_S
    _head_open = False
    _head_begun = False
    _begins_here = False
    _head_bytes = 0
    _timer: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """A connection that says nothing is closed in time too."""
        super().connection_made(cast("Transport", transport))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is waited for."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """As uvicorn's; what a head that has no end yet goes on with is counted."""
        self._begins_here = False
        super().data_received(data)
        # Where it has only just begun, most of the data may be requests before it.
        if not self._head_open or self._begins_here or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            rule = f"the request's head must not be longer than {MAX_HEAD_BYTES} bytes"
            self._refuse(431, "request-header-fields-too-large", rule)

    def on_message_begin(self) -> None:
        """The next head on this connection begins."""
        super().on_message_begin()
        self._await_head()
        self._head_begun = self._begins_here = True

    def on_headers_complete(self) -> None:
        """What follows is a body, for which others set the limits."""
        self._end_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text, not ours
        """For what is no HTTP."""
        self._refuse(400, "bad-request", "this is no HTTP/1.1 request")

    def _await_head(self) -> None:
        self._head_open, self._head_begun, self._head_bytes = True, False, 0
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_s, self._out_of_time)

    def _end_head(self) -> None:
        self._head_open, self._head_begun, self._head_bytes = False, False, 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _out_of_time(self) -> None:
        self._timer = None
        answering: RequestResponseCycle | None = self.cycle
        if self.transport.is_closing():
            return
        if answering is not None and not answering.response_complete:
            # It may be waiting for us: nothing is read while an answer is under way.
            self._timer = self.loop.call_later(self.head_s, self._out_of_time)
        elif self._head_begun:
            rule = f"the request's head must come within {self.head_s:g} seconds"
            self._refuse(408, "request-timeout", rule)
        else:
            self.transport.close()

    def _refuse(self, status: int, kind: str, detail: str) -> None:
        """Answer, and end the connection: where the next request would begin is not known."""
        self._end_head()
        answer = Problem(status, kind, detail, headers={"Connection": "close"}).response("")
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()]
        head += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join((*head, b"\r\n", bytes(answer.body))))
        self.transport.close()
