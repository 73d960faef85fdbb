"""Errors as problem documents (RFC 9457), each naming field, value and rule where there is one."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from oms.api.connections import DatabaseBusy
from oms.api.values import PATTERNS
from oms.domain.reasons import SPECS, Reason
from oms.queries.paging import CursorRefused

MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:plumbline:problem:"
# What the kinds of error of our fields say; a field of another kind brings its own line.
_RULES: Final = {
    "missing": "is missing",
    "extra_forbidden": "unknown field",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
    "string_type": "must be a string",
    "string_unicode": "must be Unicode text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "tuple_type": "must be a list",
    "too_long": "must have at most {max_length}",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of at most 18 digits",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
}
_AWAY: Final = (OperationalError, InterfaceError)
_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
log = structlog.get_logger(__name__)


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    field: str = Field(examples=["order_qty"])
    value: str = Field(examples=["-1"])
    rule: str = Field(examples=["must be greater than zero"])


class ProblemDocument(BaseModel):
    """RFC 9457, with what is wrong field by field, and the refusal's name if the core refused."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:plumbline:problem:invalid-request",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "order_qty = -1: must be greater than zero",
                    "instance": "/v1/orders",
                    "errors": [
                        {"field": "order_qty", "value": "-1", "rule": "must be greater than zero"}
                    ],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: list[Fault] = []
    reason: str | None = Field(None, description="the refusal's name, of a command refused")
    transient: bool | None = Field(
        None, description="whether the same may pass later, under a new cl_ord_id"
    )
    order_id: str | None = None


class Problem(Exception):
    """An answer that is a problem document."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """`members`: extension members of the document."""
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def response(self, path: str) -> Response:
        """The document as it is sent."""
        body = {
            "type": _TYPE + self.kind,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": path,
            "errors": [fault.model_dump() for fault in self.errors],
            **self.members,
        }
        return JSONResponse(
            body, status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers
        )


def invalid(field: str, value: object, rule: str, *, status: int = 422) -> Problem:
    """A request with one field that breaks a rule."""
    fault = Fault(field=_shown(field), value=_shown(value), rule=rule)
    return Problem(status, "invalid-request", _told(fault), errors=[fault])


def database_unavailable() -> Problem:
    """Nothing was answered; what became of a command is not known."""
    detail = (
        "the database does not answer; a command sent again under its cl_ord_id or Idempotency-Key"
        " is taken once"
    )
    return Problem(503, "database-unavailable", detail, headers={"Retry-After": "1"})


def not_found(what: str, name: str) -> Problem:
    """Nothing there, or nothing that the caller may see: the two are not told apart."""
    return Problem(404, "not-found", f"{what} {name}: not found")


def refused(
    reason: Reason, text: str, order_id: str, *, headers: Mapping[str, str] | None = None
) -> Problem:
    """The core said no: the refusal's status, name and text."""
    spec = SPECS[reason]
    members: dict[str, Any] = {"reason": reason.value, "transient": spec.transient}
    if order_id:
        members["order_id"] = order_id
    return Problem(
        spec.http_status,
        f"refused:{reason.value.lower().replace('_', '-')}",
        text or reason.value,
        headers=headers,
        members=members,
    )


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(CursorRefused, _on_cursor)
    app.add_exception_handler(ClientDisconnect, _on_client_gone)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(DBAPIError, _on_database)
    app.add_exception_handler(PoolTimeout, _on_database)
    app.add_exception_handler(psycopg.OperationalError, _on_database)
    app.add_exception_handler(DatabaseBusy, _on_database)
    app.add_exception_handler(Exception, _on_error)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's OpenAPI says of its problems, the ones of every route included."""
    made = documented(*sorted({*statuses, 401, 403, 422, 503}))
    return {int(status): answer for status, answer in made.items()}


def documented(*statuses: int) -> dict[str, dict[str, Any]]:
    """The same of these alone, as it stands in the document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request.url.path)


def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(one) for one in error.errors()]
    detail = "; ".join(_told(one) for one in faults[:5])
    return Problem(422, "invalid-request", detail, errors=faults).response(request.url.path)


def _told(fault: Fault) -> str:
    named = f"{fault.field} = {fault.value}" if fault.value else fault.field
    return f"{named}: {fault.rule}"


def _on_cursor(request: Request, error: Exception) -> Response:
    cursor = request.query_params.get("cursor", "")
    return invalid("cursor", cursor, str(error)).response(request.url.path)


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status, path = error.status_code, request.url.path
    kind = HTTPStatus(status).phrase.lower().replace(" ", "-")
    detail, headers = str(error.detail), error.headers
    if status == HTTPStatus.NOT_FOUND:
        detail = f"{_shown(path)}: no such path; GET /openapi.json lists them all"
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(_methods(request))
        detail = f"{_shown(request.method)} {_shown(path)}: must be one of {allowed}"
        headers = {"Allow": allowed}
    return Problem(status, kind, detail, headers=headers).response(path)


def _methods(request: Request) -> list[str]:
    """What the path takes; each of its methods is a route of its own."""
    return [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _on_client_gone(request: Request, _: Exception) -> Response:
    """Nobody hears this; the request counts as what it was."""
    return Problem(400, "bad-request", "the body has no end").response(request.url.path)


def _on_database(request: Request, error: Exception) -> Response:
    """Nothing was answered because the database was not there; a command may be tried again.

    What it refuses though it is there is a fault of ours: to try again would not help.
    """
    if isinstance(error, DBAPIError) and not isinstance(error, _AWAY):
        return _on_error(request, error)
    log.error("api.database_fault", error=" ".join(str(error).split())[:500], path=request.url.path)
    return database_unavailable().response(request.url.path)


def _on_error(request: Request, error: Exception) -> Response:
    log.error("api.defect", path=request.url.path, exc_info=error)
    return Problem(500, "internal", "an error of the server's own").response(request.url.path)


def _fault(error: Mapping[str, Any]) -> Fault:
    location = [str(part) for part in error["loc"]]
    if location and location[0] in {"body", "query", "path", "header"} and len(location) > 1:
        location = location[1:]
    kind, context = error["type"], error.get("ctx", {})
    value = "" if kind == "missing" else error.get("input")
    match kind:
        case "value_error":
            rule = str(context["error"])
        case "string_pattern_mismatch":
            rule = PATTERNS[context["pattern"]]
        case _:
            rule = _RULES.get(kind, "is not of this field's kind").format(**context)
    return Fault(field=_shown(".".join(location)), value=_shown(value), rule=rule)


def _shown(value: object) -> str:
    """A value as text that any client can read, however odd and long it came."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 100 else f"{text[:97]}..."
