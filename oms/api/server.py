"""The API process: uvicorn around the application, until SIGTERM or SIGINT."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn

from oms.api.app import create_app
from oms.api.context import Reconcile
from oms.api.wire import BoundedHttp
from oms.queries.reloads import Reread
from oms.settings import Settings

_THREADS_END_S: Final = 2.0
EXIT_PORT_IN_USE: Final = 4
"""As of every command of ours whose port is taken."""
log = structlog.get_logger(__name__)


def run(
    settings: Settings,
    url: str = "",
    reconcile: Reconcile | None = None,
    reread: Reread | None = None,
) -> int:
    """Serve until told to stop; the exit code, 0 after an orderly stop.

    url: the database in libpq's form, for the application's role; by default the configured one.
    reconcile: what POST /v1/recon/runs calls. reread: see create_app.
    Requests in flight are answered before the end.
    """
    if not url:
        assert settings.database.url is not None, "who starts a database knows its url"
        url = settings.database.url.get_secret_value()
    try:
        listener = bind(settings)
    except OSError as error:
        where = f"{settings.api.host}:{settings.api.port}"
        reason = error.strerror or str(error)
        sys.stderr.write(f"oms: api.host, api.port = {where}: cannot be listened on: {reason}\n")
        return EXIT_PORT_IN_USE
    host, port = listener.getsockname()[:2]
    log.info("api.listens", host=host, port=port)
    Server(configuration(settings, url, reconcile, reread)).run(sockets=[listener])
    log.info("api.stopped")
    _end_unless_threads_do()
    return 0


def _end_unless_threads_do() -> None:
    """What waits for a database that answers never would keep this process from ending."""
    deadline = time.monotonic() + _THREADS_END_S
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(deadline - time.monotonic(), 0.0))
            if thread.is_alive():
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(0)


class Server(uvicorn.Server):
    """uvicorn's server, for which a signal to stop is an orderly end and not the cause of death."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, without raising the signal once more after the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def configuration(
    settings: Settings,
    url: str,
    reconcile: Reconcile | None = None,
    reread: Reread | None = None,
) -> uvicorn.Config:
    """How uvicorn serves the application over the database at `url`."""
    return uvicorn.Config(
        create_app(settings, url, reconcile, reread),
        loop="uvloop",
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )


def bind(settings: Settings) -> socket.socket:
    """The listening socket. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.api.host, settings.api.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
