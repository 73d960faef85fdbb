"""What became of a command: GET /v1/commands/{id}."""

from typing import Annotated

from fastapi import Path

from oms.api.auth import Caller
from oms.api.context import Ctx
from oms.api.problems import responses
from oms.api.routers.common import router
from oms.api.shown import CommandState
from oms.api.submit import command_state

api = router("commands")


@api.get("/commands/{id}", summary="What became of a command", responses=responses(404))
async def get_command(
    caller: Caller, context: Ctx, inbox_id: Annotated[int, Path(alias="id", ge=1, lt=1 << 63)]
) -> CommandState:
    """Where a 202 sends you. state is `new` until the core has taken and answered it."""
    return await command_state(context, caller, inbox_id)
