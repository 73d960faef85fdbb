"""The journal as it grows: GET /v1/events, a stream of server-sent events that can be resumed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool

from oms.api.auth import Staff
from oms.api.context import Context, Ctx
from oms.api.routers.common import router
from oms.api.values import NUMBER
from oms.queries.journal import entries_after, tip
from oms.queries.paging import Row

api = router("events")
_QUIET_S: Final = 0.2
_SIGN_OF_LIFE_S: Final = 15.0
_PAGE: Final = 500
_MAX_SEQ: Final = (1 << 63) - 1
Number = Annotated[int | None, Query(ge=0, le=_MAX_SEQ, description="the last one you have")]
LastEventId = Annotated[
    str, Header(alias="Last-Event-ID", pattern=NUMBER, description="the same, resuming")
]


@api.get(
    "/events",
    summary="Every fact as it becomes durable",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def get_events(
    request: Request, _: Staff, context: Ctx, after: Number = None, last_event_id: LastEventId = ""
) -> StreamingResponse:
    """Events of the journal behind `after`, then each new one; without `after`, only new ones.

    id is the journal's number, event the type, data `{"seq", "at", "order_id", "fact"}`. Resume
    with the last id as `after` or `Last-Event-ID`: nothing is missed and nothing comes twice. The
    stream begins with an id of its own, without an event: what you resume with before the first.
    It ends when the database is lost; until that is back the answer is a 503.
    """
    start = int(last_event_id) if last_event_id else after
    if start is None:
        start = await run_in_threadpool(_tip, context)
    # Read before the answer begins: a stream that ends at once would be asked for again at once.
    rows = await run_in_threadpool(_read, context, start)
    return StreamingResponse(
        _stream(request, context, start, rows),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    request: Request, context: Context, seq: int, rows: list[Row]
) -> AsyncIterator[str]:
    quiet_s = 0.0
    yield f": from the journal\nid: {seq}\n\n"
    while not await request.is_disconnected():
        for row in rows:
            yield _text(row)
            seq = row["seq"]
        if len(rows) < _PAGE:
            quiet_s = 0.0 if rows else quiet_s + _QUIET_S
            if quiet_s >= _SIGN_OF_LIFE_S:
                quiet_s = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(_QUIET_S)
        try:
            rows = await run_in_threadpool(_read, context, seq)
        except (DBAPIError, PoolTimeout):
            return  # the client resumes where it was


def _text(row: Row) -> str:
    head = json.dumps(
        {"seq": row["seq"], "at": row["at"].isoformat(), "order_id": row["order_id"] or ""}
    )
    fact = bytes(row["payload"]).decode()
    return f'id: {row["seq"]}\nevent: {row["type"]}\ndata: {head[:-1]}, "fact": {fact}}}\n\n'


def _tip(context: Context) -> int:
    with context.engine.connect() as connection:
        return tip(connection)


def _read(context: Context, seq: int) -> list[Row]:
    with context.engine.connect() as connection:
        return entries_after(connection, seq, only_events=True, limit=_PAGE)
