"""Every request is answered in time, though what it waits for answers never.

A database whose machine is frozen, or whose disk hangs, neither answers nor ends a connection, and
no limit of its own is kept then. Who asks is told so; what was begun goes on by itself, unheard.
"""

import asyncio
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oms.api.problems import database_unavailable

# More than all that has a limit of its own may take together: a connection, a statement, an answer.
LIMIT_S = 20.0
# These take as long as the journal, or the venue's file, is long.
_LONG: Final = frozenset({("POST", "/v1/audit/verify"), ("POST", "/v1/recon/runs")})
# These wait so much longer, where they are asked to, for something to tell: wait_ms.
_WAITS_S: Final = {("GET", "/v1/reports"): 30.0}

log = structlog.get_logger(__name__)


class Deadline:
    """ASGI middleware. The time runs from the end of the request's body to the answer's begin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._limit_s = LIMIT_S
        # What nobody waits for any more; referred to here, or it might be collected.
        self._unheard: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        limited = scope["type"] == "http" and scope["path"].startswith("/v1/")
        which = (scope["method"], scope["path"]) if limited else ("", "")
        if not limited or which in _LONG:
            await self._app(scope, receive, send)
            return
        limit_s = self._limit_s + _WAITS_S.get(which, 0.0)
        answering = _Answering(receive, send, limit_s)
        task = asyncio.create_task(self._serve(scope, answering))
        try:
            while not (task.done() or answering.begun) and (left_s := answering.left_s()) > 0:
                await asyncio.wait({task}, timeout=left_s)
            if task.done() or answering.begun:
                await task
                return
        except asyncio.CancelledError:
            # The process is told to end and has waited long enough; uvicorn's own answer is a 500.
            task.cancel()
            if answering.begun:
                raise
        else:
            log.error("api.database_silent", path=scope["path"], seconds=limit_s)
        answering.is_heard = False
        self._unheard.add(task)
        task.add_done_callback(self._ended)
        await database_unavailable().response(scope["path"])(scope, receive, send)

    async def _serve(self, scope: Scope, answering: "_Answering") -> None:
        await self._app(scope, answering.receive, answering.send)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._unheard.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("api.defect", exc_info=error)


class _Answering:
    """One request's way in and out, and how much longer it may take."""

    def __init__(self, receive: Receive, send: Send, limit_s: float) -> None:
        self._receive, self._send, self._limit_s = receive, send, limit_s
        self._now = asyncio.get_running_loop().time
        self._until_s = self._now() + limit_s
        self._reads = False
        self.begun = False
        self.is_heard = True

    async def receive(self) -> Message:
        # How long a body may take to arrive is limited elsewhere.
        self._reads = True
        message = await self._receive()
        self._reads = False
        self._until_s = self._now() + self._limit_s
        return message

    async def send(self, message: Message) -> None:
        self.begun = True
        if self.is_heard:
            await self._send(message)

    def left_s(self) -> float:
        return self._limit_s if self._reads else self._until_s - self._now()
