"""The API over a real database and real HTTP: a server on a thread, a client for each key."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from oms.api.context import Reconcile
from oms.api.server import Server, bind, configuration
from oms.queries.reloads import Reread
from oms.settings import Settings, load

EXAMPLE = Path(__file__).parents[2] / "config" / "oms.toml"
KEYS = ("alpha", "beta", "operations", "compliance", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A running API, and one client for each key of the example's configuration."""

    base_url: str
    anonymous: httpx.Client
    alpha: httpx.Client
    beta: httpx.Client
    operations: httpx.Client
    compliance: httpx.Client
    admin: httpx.Client


def settings_for_api(*, answer_wait_ms: int = 100) -> Settings:
    """The example's configuration with a port of the system's choice and a short wait."""
    settings = load(EXAMPLE)
    update = {"answer_wait_ms": answer_wait_ms, "port": 0}
    return settings.model_copy(update={"api": settings.api.model_copy(update=update)})


@contextmanager
def running_api(
    settings: Settings,
    url: str,
    reconcile: Reconcile | None = None,
    reread: Reread | None = None,
) -> Iterator[Api]:
    """The API over the database at `url`, for as long as the context."""
    listener = bind(settings)
    server = Server(configuration(settings, url, reconcile, reread))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    clients = {
        name: httpx.Client(
            base_url=base_url, headers={"X-API-Key": f"example-key-{name}"}, timeout=30
        )
        for name in KEYS
    }
    anonymous = httpx.Client(base_url=base_url, timeout=30)
    try:
        yield Api(base_url=base_url, anonymous=anonymous, **clients)
    finally:
        for client in (anonymous, *clients.values()):
            client.close()
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive(), "the API did not stop"
