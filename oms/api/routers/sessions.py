"""FIX sessions, read: /v1/sessions."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from sqlalchemy import Connection

from oms.api.auth import Caller, Principal
from oms.api.context import Context, Ctx, Reader
from oms.api.problems import not_found, responses
from oms.api.routers.common import router
from oms.api.shown import DisconnectCancel, Listing, Resent, SessionState
from oms.api.values import PRINTABLE
from oms.queries.health import is_led
from oms.queries.session_views import SessionView, views
from oms.queries.sessions import disconnect_report, list_sessions, resend_preview

api = router("sessions")

SessionName = Annotated[str, Path(max_length=64, pattern=PRINTABLE)]
SeqNum = Annotated[int, Query(ge=0, lt=1 << 63)]


@api.get("/sessions", summary="FIX sessions, of clients and to venues")
def get_sessions(caller: Caller, context: Ctx, connection: Reader) -> Listing[SessionState]:
    """Configured sessions with what the journal knows of each, and those of clients that are not
    configured and for whom messages wait. A client sees its own.
    """
    found = _views(context, connection)
    return Listing(items=[_shown(one) for one in found if _may_see(caller, one.name)])


@api.get("/sessions/{name}", summary="One FIX session", responses=responses(404))
def get_session(
    name: SessionName, caller: Caller, context: Ctx, connection: Reader
) -> SessionState:
    """As in the list."""
    for one in _views(context, connection):
        if one.name == name and _may_see(caller, name):
            return _shown(one)
    raise not_found("session", name)


@api.get(
    "/sessions/{name}/resend",
    summary="What a ResendRequest would be answered with",
    responses=responses(404),
)
def get_resend(
    *,
    name: SessionName,
    caller: Caller,
    context: Ctx,
    connection: Reader,
    begin: SeqNum = 1,
    end: SeqNum = 0,
    limit: Annotated[int, Query(ge=1, le=5_000, description="messages at most")] = 500,
) -> Listing[Resent]:
    """Nothing is sent. end 0: up to the last message that the journal knows."""
    _require_all_of_it(context, caller, name)
    found = resend_preview(connection, name, max(begin, 1), end, limit=limit)
    return Listing(items=[Resent.model_validate(asdict(one)) for one in found])


@api.get(
    "/sessions/{name}/disconnects",
    summary="What cancel-on-disconnect cancelled and what not",
    responses=responses(404),
)
def get_disconnects(
    name: SessionName, caller: Caller, context: Ctx, connection: Reader
) -> Listing[DisconnectCancel]:
    """Newest first: each open order of the lost session, and how it stands now."""
    _require_all_of_it(context, caller, name)
    rows = disconnect_report(connection, name)
    return Listing(items=[DisconnectCancel.model_validate(row) for row in rows])


def require_session(context: Context, caller: Principal, name: str) -> None:
    """Raise Problem 404 where there is no such session that the caller may see."""
    known = {one.name for one in context.settings.clients}
    known |= {one.name for one in context.settings.venues}
    known |= {one.name for one in context.settings.drop_copies}
    if name not in known or not _may_see(caller, name):
        raise not_found("session", name)


def _require_all_of_it(context: Context, caller: Principal, name: str) -> None:
    """As require_session, for what tells of all the client's accounts."""
    require_session(context, caller, name)
    if caller.narrowed:
        raise not_found("session", name)


def _views(context: Context, connection: Connection) -> Iterator[SessionView]:
    led = is_led(connection, context.settings.core.shard)
    return views(context.settings, list_sessions(connection), datetime.now(UTC), led=led)


def _may_see(caller: Principal, name: str) -> bool:
    return not caller.client or name == caller.client


def _shown(view: SessionView) -> SessionState:
    return SessionState.model_validate(
        {
            **view.row,
            "name": view.name,
            "kind": view.kind,
            "sender_comp_id": view.sender_comp_id,
            "target_comp_id": view.target_comp_id,
            "begin_string": view.begin_string,
            "status": view.status,
            "next_change": view.next_change,
            "next_reset": view.next_reset,
        }
    )
