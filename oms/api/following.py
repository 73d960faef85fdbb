"""The API follows the reloads of sessions that the core does: clients, venues, and its own keys."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool

from oms.api.auth import keyring_of
from oms.api.context import Context

_LOOK_S: Final = 2.0
log = structlog.get_logger(__name__)


async def follow(context: Context) -> None:
    """Look once, and take over what was reloaded."""
    if context.reloads is None:
        return
    try:
        settings = await run_in_threadpool(context.reloads.look)
    except Exception as error:  # noqa: BLE001 - requests go on, and so does looking
        log.warning("api.reloads_not_seen", error=" ".join(str(error).split())[:200])
        return
    if settings is not None:
        context.settings = settings
        context.keyring = keyring_of(settings)


@contextlib.asynccontextmanager
async def following(context: Context) -> AsyncIterator[None]:
    """Look again and again meanwhile."""
    task = asyncio.create_task(_for_ever(context), name="reloads")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _for_ever(context: Context) -> None:
    while True:
        await follow(context)
        await asyncio.sleep(_LOOK_S)
