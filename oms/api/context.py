"""What every route works with: settings, database, the waiter for answers; made once by the app."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine, create_engine

from oms.api.answers import Answers
from oms.api.auth import Keyring
from oms.api.connections import Connections
from oms.queries.reloads import Reloads
from oms.settings import Settings
from oms.store.postgres_urls import sqlalchemy_url

_POOL = 12
_WAIT_S = 5
_STATEMENT_MS = 10_000


Reconcile = Callable[[Settings, str, date], int]
"""Compares a venue's statement of a date with the record; answers the run's number."""


@dataclass(slots=True, kw_only=True)
class Context:
    """url: libpq's, of the application's role. engine: for reads, on threads; connections: for the
    commands' way. reconcile: None where runs are not for this API. settings and keyring change with
    the reloads that are followed: ask for them anew in each request.
    look: the last one that /ready has taken at the database.
    """

    settings: Settings
    keyring: Keyring
    url: str
    engine: Engine
    connections: Connections
    answers: Answers
    reconcile: Reconcile | None = None
    reloads: Reloads | None = None
    look: asyncio.Task[tuple[bool, bool]] | None = None


def make_engine(url: str) -> Engine:
    """Connections to the database, each statement and each wait for one bounded."""
    return create_engine(
        sqlalchemy_url(url),
        pool_size=_POOL,
        max_overflow=_POOL,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _WAIT_S,
            "application_name": "plumbline api",
            "options": f"-c statement_timeout={_STATEMENT_MS} -c lock_timeout={_STATEMENT_MS}",
        },
    )


def context_of(request: Request) -> Context:
    """The application's context."""
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


def reader(request: Request) -> Iterator[Connection]:
    """A connection on which all reads of one request see the same moment."""
    engine = context_of(request).engine
    with engine.connect() as connection:
        yield connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )


Ctx = Annotated[Context, Depends(context_of)]
Reader = Annotated[Connection, Depends(reader)]
