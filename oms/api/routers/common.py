"""What routes share: pages of lists, and the way of commands to the core."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel

from oms.api.auth import DOCUMENTED
from oms.api.context import Context, Ctx
from oms.api.problems import responses
from oms.api.shown import CommandState, Listing
from oms.api.strict import StrictRoute
from oms.api.submit import control
from oms.api.values import CURSOR, GRAPHIC, PRINTABLE
from oms.domain.commands import Command
from oms.queries.paging import Page, Window

_T = TypeVar("_T", bound=BaseModel)

Cursor = Annotated[
    str,
    Query(
        max_length=400,
        pattern=CURSOR,
        description="`next` of the page before this one",
    ),
]
Limit = Annotated[int, Query(ge=1, le=500, description="rows in a page")]


async def _window(cursor: Cursor = "", limit: Limit = 100) -> Window:
    return Window(cursor=cursor, limit=limit)


InWindow = Annotated[Window, Depends(_window)]
Narrow = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)]
OrderIdInPath = Annotated[str, Path(max_length=64, pattern=PRINTABLE)]

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=64,
        pattern=GRAPHIC,
        description="the same key and body is the same command, answered as the first time",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCore:
    """The way of a command that concerns no single order."""

    context: Context
    response: Response
    key: str

    async def send(self, command: Command) -> CommandState:
        """The core's answer; its refusal as a Problem."""
        return await control(self.context, command, self.key, self.response)


async def _to_core(context: Ctx, response: Response, key: IdempotencyKey = "") -> ToCore:
    return ToCore(context=context, response=response, key=key)


Core = Annotated[ToCore, Depends(_to_core)]


def router(tag: str) -> APIRouter:
    """A router under /v1 whose routes want a key and answer problems."""
    return APIRouter(
        prefix="/v1",
        tags=[tag],
        dependencies=DOCUMENTED,
        responses=responses(),
        route_class=StrictRoute,
    )


def listing(shown: type[_T], page: Page) -> Listing[_T]:
    """A page of rows as it is shown."""
    items = [shown.model_validate(dict(row)) for row in page.rows]
    return Listing[Any](items=items, next=page.next)
