"""Corporate actions: POST /v1/corporate-actions/preview and /apply, and what became of them."""

from datetime import date
from typing import Annotated

from fastapi import Path
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from oms.api import commands
from oms.api.auth import Operator, Staff
from oms.api.context import Context, Reader
from oms.api.corporate_actions_shown import CorporateAction, CorporateActionDetail, detail
from oms.api.problems import not_found, responses
from oms.api.requests import CorporateActionApproval, SplitPreview
from oms.api.routers.common import Core, InWindow, Narrow, listing, router
from oms.api.shown import Listing
from oms.api.submit import ACCEPTED
from oms.api.values import PRINTABLE
from oms.queries.calendars import sessions_around
from oms.queries.corporate_actions import find_action, list_actions, preview_of

api = router("corporate actions")
_COMMAND = ACCEPTED | responses(409)

ActionId = Annotated[str, Path(max_length=64, pattern=PRINTABLE)]


@api.get("/corporate-actions", summary="Splits, the one previewed last first")
def get_actions(
    *,
    _: Staff,
    connection: Reader,
    window: InWindow,
    symbol: Narrow = None,
) -> Listing[CorporateAction]:
    """Previewed and applied."""
    page = list_actions(connection, symbol=symbol, window=window)
    return listing(CorporateAction, page)


@api.get("/corporate-actions/{action_id}", summary="One split", responses=responses(404))
def get_action(action_id: ActionId, _: Staff, connection: Reader) -> CorporateActionDetail:
    """With what its latest preview showed."""
    return _shown(connection, action_id)


@api.post(
    "/corporate-actions/preview", summary="Show what a split would change", responses=_COMMAND
)
async def post_preview(caller: Operator, core: Core, body: SplitPreview) -> CorporateActionDetail:
    """Nothing changes. The answer is kept: somebody else may apply it by its number."""
    sessions = await run_in_threadpool(_sessions, core.context, body.effective_date)
    await core.send(commands.preview_split(caller, body, sessions))
    return await run_in_threadpool(_read, core.context, body.action_id)


@api.post("/corporate-actions/apply", summary="Let a split take effect", responses=_COMMAND)
async def post_apply(
    *,
    caller: Operator,
    core: Core,
    body: CorporateActionApproval,
) -> CorporateActionDetail:
    """By another than who previewed it, and only if the preview still says what would happen. Of
    one that is applied already, it is the same answer again.
    """
    sessions = await run_in_threadpool(_sessions_of, core.context, body.action_id)
    await core.send(commands.apply_split(caller, body, sessions))
    return await run_in_threadpool(_read, core.context, body.action_id)


def _sessions(context: Context, day: date) -> tuple[str, ...]:
    with context.engine.connect() as connection:
        return sessions_around(connection, day)


def _sessions_of(context: Context, action_id: str) -> tuple[str, ...]:
    """Around the date that the preview named; the core refuses an action that is unknown."""
    with context.engine.connect() as connection:
        row = find_action(connection, action_id)
        return sessions_around(connection, row["effective_date"]) if row is not None else ()


def _read(context: Context, action_id: str) -> CorporateActionDetail:
    with context.engine.connect() as connection:
        return _shown(connection, action_id)


def _shown(connection: Connection, action_id: str) -> CorporateActionDetail:
    row = find_action(connection, action_id)
    if row is None:
        raise not_found("corporate action", action_id)
    return detail(row, preview_of(connection, row["preview"]))
