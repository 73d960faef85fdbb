"""In front of every route: the API key, the size of the body, and the request's metrics."""

import asyncio
import time
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oms.api.auth import key_in, unauthorized
from oms.api.context import Context
from oms.api.metrics import REQUEST_SECONDS, REQUESTS

MAX_BODY_BYTES: Final = 64 * 1024
BODY_S = 30.0
# A parser knows forty more that nothing here has; each would be series of metrics for ever.
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_TOO_LARGE: Final = f"the body must not be longer than {MAX_BODY_BYTES} bytes"


class Gatekeeper:
    """ASGI middleware. Nothing of a request without a valid key is read but its headers."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._serve(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUESTS.labels(method, route, status).inc()
            REQUEST_SECONDS.labels(method, route).observe(time.perf_counter() - began)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if scope["path"].startswith("/v1/"):
            principal = self._context.keyring.holder_of(key_in(request))
            if principal is None:
                await unauthorized().response(scope["path"])(scope, receive, send)
                return
            scope["principal"] = principal
        await self._app(scope, _limited(receive), send)


def _limited(receive: Receive) -> Receive:
    """The body is bounded, and the time that it takes; what is waited for after it is not."""
    length = 0
    deadline: float | None = asyncio.get_running_loop().time() + BODY_S

    async def receiving() -> Message:
        nonlocal length, deadline
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            rule = f"the body must come within {BODY_S:g} seconds"
            raise HTTPException(408, rule, {"Connection": "close"}) from None
        if not message.get("more_body"):
            deadline = None
        length += len(message.get("body", b""))
        if length > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return receiving
