"""For supervisors and monitoring, without a key: /health, /ready, /metrics."""

import asyncio
from decimal import Decimal
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool

from oms.api.auth import Staff
from oms.api.context import Context, Ctx, Reader
from oms.api.routers.common import router
from oms.api.strict import StrictRoute
from oms.api.values import Amount
from oms.queries.health import health, is_led

_LOOK_S: Final = 3.0
open_api = APIRouter(tags=["health"], route_class=StrictRoute)
api = router("health")


class Alive(BaseModel):
    """This process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether commands would be taken now."""

    ready: bool
    database: bool
    leader: bool


@open_api.get("/health", summary="Is this process alive?")
async def get_health() -> Alive:
    """Says nothing about the database or the core: a restart of this process cures neither."""
    return Alive()


@open_api.get(
    "/ready",
    summary="Can this process serve?",
    responses={503: {"model": Readiness, "description": "Database or leader is missing"}},
)
async def get_ready(context: Ctx, response: Response) -> Readiness:
    """Whether the database answers and a core leads; a silent one loses the lead in seconds."""
    # A database that is frozen answers nothing at all: who asks here is told so in time, and one
    # look at it waits, however often somebody asks.
    if context.look is None or context.look.done():
        context.look = asyncio.create_task(run_in_threadpool(_look, context))
    look = context.look
    done, _ = await asyncio.wait({look}, timeout=_LOOK_S)
    database, led = look.result() if done else (False, False)
    ready = database and led
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, database=database, leader=led)


def _look(context: Context) -> tuple[bool, bool]:
    """Whether the database answers, and whether a core leads."""
    try:
        with context.engine.connect() as connection:
            return True, is_led(connection, context.settings.core.shard)
    except (DBAPIError, PoolTimeout):
        return False, False


@open_api.get("/metrics", summary="Metrics of this process", response_class=PlainTextResponse)
async def get_metrics() -> Response:
    """In the Prometheus text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class Figures(BaseModel):
    """The record at this moment."""

    led: bool
    leader_epoch: int
    holder: str
    journal_seq: int
    journal_age_s: Amount | None
    open_orders: int
    unknown_orders: int
    oldest_doubt_s: Amount | None
    inbox_waiting: int
    inbox_wait_s: Amount
    sessions_up: int
    sessions_down: int


@api.get("/status", summary="Journal, leader, doubt and backlog in figures")
def get_status(_: Staff, context: Ctx, connection: Reader) -> Figures:
    """Ages in seconds. unknown_orders are child orders whose state we do not know."""
    found = health(connection, context.settings.core.shard)
    return Figures(
        led=found.led,
        leader_epoch=found.leader_epoch,
        holder=found.holder,
        journal_seq=found.seq,
        journal_age_s=_rounded(found.journal_age_s),
        open_orders=found.open_orders,
        unknown_orders=found.unknown_orders,
        oldest_doubt_s=_rounded(found.oldest_doubt_s),
        inbox_waiting=found.inbox_waiting,
        inbox_wait_s=_rounded(found.inbox_wait_s) or Decimal(0),
        sessions_up=found.sessions_up,
        sessions_down=found.sessions_down,
    )


def _rounded(seconds: Decimal | None) -> Decimal | None:
    return None if seconds is None else seconds.quantize(Decimal("0.001"))
