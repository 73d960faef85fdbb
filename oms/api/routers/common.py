"""What list routes share."""

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel

from oms.api.auth import DOCUMENTED
from oms.api.problems import responses
from oms.api.shown import Listing
from oms.api.strict import StrictRoute
from oms.api.values import CURSOR, GRAPHIC, PRINTABLE
from oms.queries.paging import Page

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
