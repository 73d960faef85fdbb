"""What every route refuses before it looks at anything else: wishes that it would silently drop.

A parameter that it does not know, one given twice, a body where none is taken, or one that is not
a single plain JSON document.
"""

import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from oms.api.problems import Problem, invalid

_JSON: Final = "application/json"
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonRequest(Request):
    """A request whose body has been read and parsed already."""

    document: Any = None

    async def json(self) -> Any:
        """The body."""
        return self.document


class StrictRoute(APIRoute):
    """A route that takes what it documents and nothing else."""

    def get_route_handler(self) -> Handler:
        """As FastAPI's, behind the checks."""
        handle = super().get_route_handler()
        allowed = sorted(set(_query_names(self.dependant)))
        takes_body = self.body_field is not None

        async def checked(request: Request) -> Response:
            _check_query(request, allowed)
            body = await request.body()
            if not takes_body:
                if body:
                    raise invalid("body", _text(body), "must be empty: this route takes none")
                return await handle(request)
            parsed = JsonRequest(request.scope, request.receive)
            parsed._body = body  # noqa: SLF001 - Starlette's own place for a body that was read
            if body:
                _check_type(request)
                parsed.document = _parsed(body)
            return await handle(parsed)

        return checked


def _query_names(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a route and of all that it depends on."""
    for one in dependant.query_params:
        yield one.alias
    for below in dependant.dependencies:
        yield from _query_names(below)


def _check_query(request: Request, allowed: list[str]) -> None:
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in allowed:
            known = f"must be one of {', '.join(allowed)}" if allowed else "this route takes none"
            raise invalid(name, value, f"unknown parameter: {known}")
        if name in seen:
            raise invalid(name, value, "must be given once")
        seen.add(name)


def _check_type(request: Request) -> None:
    said = request.headers.get("content-type", "")
    if said.partition(";")[0].strip().lower() != _JSON:
        raise invalid("Content-Type", said, f"must be {_JSON}", status=415)


def _parsed(body: bytes) -> Any:
    """The JSON document. Raises Problem."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise _no_json("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _no_json(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _no_json("is nested too deep") from None
    except ValueError:
        raise _no_json("holds a number with too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise invalid(name, value, "must be given once")
        found[name] = value
    return found


def _no_json(why: str) -> Problem:
    return invalid("body", "", f"must be JSON: {why}", status=400)


def _text(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")
