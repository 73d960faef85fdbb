"""For supervisors and monitoring, without a key: /health, /ready, /metrics."""

from decimal import Decimal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from oms.api.auth import Staff
from oms.api.context import Ctx, Reader
from oms.api.routers.common import router
from oms.api.strict import StrictRoute
from oms.api.values import Amount
from oms.queries.health import health, is_led

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
def get_ready(context: Ctx, response: Response) -> Readiness:
    """Whether the database answers and a core leads; a silent one loses the lead in seconds."""
    database = led = False
    try:
        with context.engine.connect() as connection:
            led = is_led(connection, context.settings.core.shard)
            database = True
    except (DBAPIError, PoolTimeout):
        pass
    ready = database and led
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, database=database, leader=led)


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
