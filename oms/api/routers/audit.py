"""Proof: an order's whole life, verification of the record, a day's journal to take away."""

import threading
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import psycopg
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from oms.api.auth import Staff
from oms.api.context import Context, Ctx, Reader
from oms.api.problems import Problem, not_found, responses
from oms.api.routers.common import OrderIdInPath, router
from oms.api.shown import Answer, Listing
from oms.api.values import Day
from oms.audit.export import export_day
from oms.audit.timeline import AmbiguousOrder, UnknownOrder, timeline
from oms.audit.verify import verify
from oms.domain.values import utc

api = router("audit")
_verifying = threading.Lock()


class TimelineLine(Answer):
    """One line of an order's life. text: of a FIX message, with | for SOH."""

    seq: int = Field(description="journal number; of a message, of its command or event")
    at: datetime
    kind: str = Field(examples=["COMMAND", "EVENT", "FIX_IN", "FIX_OUT"])
    type: str = Field(examples=["NewOrderSingle", "OrderAccepted", "8"])
    order_id: str
    who: str
    session: str
    msg_seq_num: int | None
    detail: dict[str, Any]
    text: str


class FaultFound(BaseModel):
    """An entry of the journal that is not as it was written."""

    seq: int
    text: str


class DifferenceFound(BaseModel):
    """A row that is not what the journal says."""

    table: str
    key: str
    column: str
    stored: str
    recomputed: str


class Verification(BaseModel):
    """ok: the chain is whole and every row is what the journal says."""

    ok: bool
    entries: int
    last_seq: int
    last_hash: str
    fault_count: int
    faults: list[FaultFound]
    restored: list[str] = Field(description="numbers left out after a restored database, and why")
    rows: dict[str, int] = Field(description="rows by table, as the journal has them")
    differences: list[DifferenceFound]


@api.get(
    "/orders/{order_id}/audit",
    summary="An order's whole life",
    responses=responses(404, 409),
)
def get_order_audit(_: Staff, connection: Reader, order_id: OrderIdInPath) -> Listing[TimelineLine]:
    """Commands, decisions with their risk figures, events and FIX messages, in order.

    order_id may be a child order's, or a ClOrdID that only one order had.
    """
    try:
        entries = timeline(connection, order_id)
    except UnknownOrder:
        raise not_found("order", order_id) from None
    except AmbiguousOrder as error:
        members = {"order_ids": error.order_ids}
        raise Problem(409, "ambiguous", str(error), members=members) from None
    items = [
        TimelineLine(
            seq=one.seq,
            at=utc(one.at),
            kind=one.kind.value,
            type=one.type,
            order_id=one.order_id,
            who=one.who,
            session=one.session,
            msg_seq_num=one.msg_seq_num,
            detail=one.detail,
            text=one.text,
        )
        for one in entries
    ]
    return Listing(items=items)


@api.post(
    "/audit/verify",
    summary="Recompute the chain and every table from the journal",
    responses=responses(409),
)
def post_verify(_: Staff, context: Ctx) -> Verification:
    """Reads the whole journal, so it takes its time; one at a time in this process."""
    if not _verifying.acquire(blocking=False):
        raise Problem(409, "already-running", "a verification is running; ask again when it ends")
    try:
        report = verify(context.url)
    except psycopg.OperationalError as error:
        raise Problem(503, "database-unavailable", str(error).partition("\n")[0]) from None
    finally:
        _verifying.release()
    return Verification(
        ok=report.ok,
        entries=report.entries,
        last_seq=report.last_seq,
        last_hash=report.last_hash.hex(),
        fault_count=report.fault_count,
        faults=[FaultFound(seq=one.seq, text=one.text) for one in report.faults],
        restored=report.restored,
        rows=report.rows,
        differences=[
            DifferenceFound(
                table=one.table,
                key=one.key,
                column=one.column,
                stored=one.stored,
                recomputed=one.recomputed,
            )
            for one in report.differences
        ],
    )


@api.get(
    "/audit/export/{day}",
    summary="A day's journal, line by line",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
def get_export(_: Staff, context: Ctx, day: Day) -> StreamingResponse:
    """JSON lines with the chain's hashes, which `oms audit` can check without this server."""
    return StreamingResponse(
        _lines(context, day),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="journal-{day.isoformat()}.ndjson"'},
    )


def _lines(context: Context, day: date) -> Iterator[str]:
    with context.engine.connect() as connection:
        for line in export_day(connection, day):
            yield line if line.endswith("\n") else f"{line}\n"
