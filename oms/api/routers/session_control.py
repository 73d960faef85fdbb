"""FIX sessions, handled: start, stop, and what two people must want: a reset, a discard."""

from dataclasses import asdict

from oms.api import commands
from oms.api.auth import Operator, Staff
from oms.api.context import Ctx, Reader
from oms.api.following import follow
from oms.api.problems import responses
from oms.api.requests import DiscardApproval, ResetApproval, SessionChange, SessionReload
from oms.api.routers.common import Core, router
from oms.api.routers.sessions import SessionName, require_session
from oms.api.shown import CommandState, OrderAtRisk, ResetPreview
from oms.api.submit import ACCEPTED
from oms.queries.sessions import find_session, orders_at_risk

api = router("sessions")
_COMMAND = ACCEPTED | responses(404, 409)
_GONE = ACCEPTED | responses(409)


@api.post(
    "/sessions/reload",
    summary="Take over the sessions of the configuration file",
    responses=ACCEPTED | responses(409),
)
async def post_reload(
    *,
    caller: Operator,
    core: Core,
    body: SessionReload,
) -> CommandState:
    """The core reads its file again and adds, changes and removes clients, venues and drop copies;
    `text` tells which. The others go on. A file that cannot be taken over changes nothing.
    """
    done = await core.send(commands.reload_sessions(caller, body))
    await follow(core.context)
    return done


@api.post("/sessions/{name}/stop", summary="Log a session out and keep it so", responses=_COMMAND)
async def post_stop(
    *,
    name: SessionName,
    caller: Operator,
    core: Core,
    body: SessionChange,
) -> CommandState:
    """Whatever its schedule says, until it is started; over restarts too."""
    require_session(core.context, caller, name)
    return await core.send(commands.stop_session(caller, name, body))


@api.post("/sessions/{name}/start", summary="Undo a stop", responses=_COMMAND)
async def post_start(
    *,
    name: SessionName,
    caller: Operator,
    core: Core,
    body: SessionChange,
) -> CommandState:
    """The session is open again when its schedule says so."""
    require_session(core.context, caller, name)
    return await core.send(commands.start_session(caller, name, body))


@api.get(
    "/sessions/{name}/reset", summary="What a reset would put at risk", responses=responses(404)
)
def get_reset(name: SessionName, caller: Staff, context: Ctx, connection: Reader) -> ResetPreview:
    """The open orders of the session, and the request that waits for its approval."""
    require_session(context, caller, name)
    row = find_session(connection, name)
    found = orders_at_risk(connection, name)
    return ResetPreview(
        reset_request=row["reset_request"] if row else None,
        reset_requested_by=row["reset_requested_by"] if row else "",
        reset_reason=row["reset_reason"] if row else "",
        orders_at_risk=[OrderAtRisk.model_validate(asdict(one)) for one in found],
    )


@api.post("/sessions/{name}/reset", summary="Ask for new sequence numbers", responses=_COMMAND)
async def post_reset(
    *,
    name: SessionName,
    caller: Operator,
    core: Core,
    body: SessionChange,
) -> CommandState:
    """Nothing happens until somebody else approves it; `text` tells the request's number."""
    require_session(core.context, caller, name)
    return await core.send(commands.request_reset(caller, name, body))


@api.post("/sessions/{name}/reset/approve", summary="Approve a requested reset", responses=_COMMAND)
async def post_approval(
    *,
    name: SessionName,
    caller: Operator,
    core: Core,
    body: ResetApproval,
) -> CommandState:
    """By another than who asked for it, within the hour: the session logs out and is reset."""
    require_session(core.context, caller, name)
    return await core.send(commands.approve_reset(caller, name, body))


@api.post(
    "/sessions/{name}/discard",
    summary="Ask to let go of what waits for a client that is gone",
    responses=_GONE,
)
async def post_discard(
    *,
    name: SessionName,
    caller: Operator,
    core: Core,
    body: SessionChange,
) -> CommandState:
    """Of a client that is not configured. Nothing happens until somebody else approves it; `text`
    tells the request's number and how many messages wait.
    """
    return await core.send(commands.request_discard(caller, name, body))


@api.post(
    "/sessions/{name}/discard/approve",
    summary="Approve a requested discard",
    responses=_GONE,
)
async def post_discard_approval(
    *,
    name: SessionName,
    caller: Operator,
    core: Core,
    body: DiscardApproval,
) -> CommandState:
    """By another than who asked for it, within the hour: the client is never told what waited so
    far, even if it comes back. `text` tells how many messages that were.
    """
    return await core.send(commands.approve_discard(caller, name, body))
