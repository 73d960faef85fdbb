"""The FastAPI application: routers, errors, keys in front, and one listener for answers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse

from oms.api import problems
from oms.api.answers import Answers
from oms.api.auth import keyring_of
from oms.api.connections import Connections
from oms.api.context import Context, Reconcile, make_engine
from oms.api.deadline import Deadline
from oms.api.examples import add_examples
from oms.api.following import following
from oms.api.gatekeeper import Gatekeeper
from oms.api.reference_page import page_of
from oms.api.routers import (
    audit,
    command_states,
    corporate_actions,
    events,
    executions,
    health,
    instruments,
    lists,
    orders,
    positions,
    recon,
    refusals,
    reports,
    risk,
    session_control,
    sessions,
    trading_day,
)
from oms.api.strict import StrictRoute
from oms.api.submit import NotAnsweredYet, on_not_answered_yet
from oms.queries.reloads import Reloads, Reread
from oms.settings import Settings

_DESCRIPTION: Final = """
Orders, their executions and positions, risk, reconciliation and audit.

Every request under /v1 carries an API key (`X-API-Key`, or `Authorization: Bearer`). Amounts are
decimal strings both ways. FIX fields have their FIX names, enumerations their FIX members' names.
Errors are problem documents (RFC 9457, `application/problem+json`) that name field, value and rule.
Lists are read page by page: pass a page's `next` as `cursor`. A request's head and its body have at
most 64 KiB each, and 20 and 30 seconds to arrive. Where the database does not answer, a request is
answered 503 within 20 seconds (a wait for reports within 50).

Commands are journaled before they are answered, and are taken once however often they are sent: by
`cl_ord_id`, or by `Idempotency-Key`. An answer that was given before, a refusal too, bears
`Idempotent-Replay: true`. The answer 202 says that the core has not answered in time: the command
is kept, and `Location` tells what became of it. Whoever was told 503, or nothing, sends it again.
"""

_ROUTERS: Final = (
    orders.api,
    lists.api,
    executions.api,
    reports.api,
    positions.api,
    instruments.api,
    sessions.api,
    session_control.api,
    risk.api,
    trading_day.api,
    corporate_actions.api,
    recon.api,
    refusals.api,
    audit.api,
    events.api,
    command_states.api,
    health.api,
)


def create_app(
    settings: Settings,
    url: str,
    reconcile: Reconcile | None = None,
    reread: Reread | None = None,
) -> FastAPI:
    """The application over the database at `url` (libpq's form, the application's role).

    reconcile: what POST /v1/recon/runs calls, on a thread of its own; without it there is no such
    route. reread: what reads the configuration after a reload of the sessions; without it the
    settings stay as they are.
    """
    engine = make_engine(url)
    context = Context(
        settings=settings,
        keyring=keyring_of(settings),
        url=url,
        engine=engine,
        connections=Connections(url),
        answers=Answers(url),
        reconcile=reconcile,
        reloads=Reloads(engine, settings, reread) if reread is not None else None,
    )

    app = FastAPI(
        title="Plumbline",
        description=_DESCRIPTION,
        version=_version(),
        lifespan=_lifespan_of(context),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
    )
    app.state.context = context
    problems.install(app)
    app.add_exception_handler(NotAnsweredYet, on_not_answered_yet)
    # The last one added is the first one asked.
    app.add_middleware(Deadline)
    app.add_middleware(Gatekeeper, context=context)
    app.include_router(health.open_api)
    for api in _ROUTERS if reconcile is None else (*_ROUTERS, recon.runs_api):
        app.include_router(api)
    app.include_router(_documents(app))
    return app


def _lifespan_of(context: Context) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await context.answers.start()
        try:
            async with following(context):
                yield
        finally:
            await context.answers.stop()
            await context.connections.close()
            context.engine.dispose()

    return lifespan


def _documents(app: FastAPI) -> APIRouter:
    """What the API says about itself, to programs and to people."""
    api = APIRouter(route_class=StrictRoute, include_in_schema=False)
    api.add_api_route("/openapi.json", lambda: JSONResponse(_openapi(app)))
    api.add_api_route("/docs", lambda: HTMLResponse(page_of(_openapi(app))))
    return api


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with the problem's schema that all routes point at."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = made["components"]["schemas"]
        problem = problems.ProblemDocument.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        schemas.update(problem.pop("$defs"))
        schemas["ProblemDocument"] = problem
        _refused_bodies(made["paths"])
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        add_examples(made)
        app.openapi_schema = made
    return app.openapi_schema


def _refused_bodies(paths: dict[str, Any]) -> None:
    """Every route that takes a body refuses one that is no JSON, too long or of another kind."""
    for methods in paths.values():
        for route in methods.values():
            if "requestBody" in route:
                route["responses"] |= problems.documented(400, 413, 415)


def _version() -> str:
    try:
        return version("plumbline")
    except PackageNotFoundError:
        return "0"
