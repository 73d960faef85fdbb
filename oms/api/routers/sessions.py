"""FIX sessions: GET /v1/sessions."""

from collections.abc import Iterator

from oms.api.auth import Caller
from oms.api.context import Ctx, Reader
from oms.api.routers.common import router
from oms.api.shown import Listing, SessionState
from oms.queries.paging import Row
from oms.queries.sessions import list_sessions
from oms.settings import ClientSettings, Settings, VenueSettings

api = router("sessions")


@api.get("/sessions", summary="FIX sessions, of clients and to venues")
def get_sessions(caller: Caller, context: Ctx, connection: Reader) -> Listing[SessionState]:
    """Configured sessions with what the journal knows of each. A client sees its own."""
    known = {str(row["name"]): row for row in list_sessions(connection)}
    items = [
        one
        for one in _sessions(context.settings, known)
        if not caller.client or one.name == caller.client
    ]
    return Listing(items=items)


def _sessions(settings: Settings, known: dict[str, Row]) -> Iterator[SessionState]:
    for client in settings.clients:
        yield _shown("client", client, known.get(client.name))
    for venue in settings.venues:
        yield _shown("venue", venue, known.get(venue.name))


def _shown(kind: str, one: ClientSettings | VenueSettings, row: Row | None) -> SessionState:
    state = row or {
        "logged_on": False,
        "ready": False,
        "epoch": 0,
        "inbound": 0,
        "outbound": 0,
        "updated_at": None,
    }
    return SessionState.model_validate(
        {
            **state,
            "name": one.name,
            "kind": kind,
            "sender_comp_id": one.sender_comp_id,
            "target_comp_id": one.target_comp_id,
            "begin_string": one.begin_string,
        }
    )
