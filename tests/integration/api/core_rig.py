"""The API, a real core process and a real venue process over one database."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub, LightPeer
from oms.app.free_ports import free_port
from oms.app.on_request import reconciler
from oms.app.side import rereading
from oms.settings import Settings, load
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.integration.exchange_process import ROOT, VenueProcess, running
from tests.support.api import EXAMPLE, Api, running_api
from tests.support.processes import eventually

PATIENCE_S = 30.0

_CONFIG = """
[database]
url = "{url}"
owner_url = "{owner_url}"
[core]
data_dir = "{data_dir}"
metrics_port = 0
[acceptor]
port = {fix_port}
{clients}
[[venues]]
name = "XSIM"
host = "127.0.0.1"
port = {venue_port}
sender_comp_id = "OMS"
target_comp_id = "XSIM"
{venue_config}
[[instruments]]
symbol = "ACME"
currency = "USD"
tick = "0.01"
lot = "1"
reference_px = "100"
[[risk.limits]]
rule = "MAX_ORDER_QTY"
level = "FIRM"
value = "5000"
[api]
port = 0
answer_wait_ms = {answer_wait_ms}
{keys}
[logging]
level = "warning"
"""


class Core:
    """One `oms core`. `kill` and `start` as often as needed."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oms", "core", "--config", str(self._config)], cwd=ROOT
        )

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(PATIENCE_S)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None


class Server:
    """Everything that a REST client's order passes."""

    def __init__(self, api: Api, core: Core, venue: VenueProcess, settings: Settings) -> None:
        self.api = api
        self.core = core
        self.venue = venue
        self.settings = settings

    def wait_ready(self) -> None:
        """Until a core leads and the venue is in step."""

        def ready() -> bool:
            assert self.core.alive(), "the core ended"
            if self.api.anonymous.get("/ready").status_code != 200:
                return False
            items = self.api.admin.get("/v1/sessions").json()["items"]
            return any(one["name"] == "XSIM" and one["ready"] for one in items)

        eventually(ready, "the core leads and the venue is in step")

    @contextmanager
    def fix_client(self) -> Iterator[LightPeer]:
        """ALPHA's FIX session, logged on."""
        hub = Hub()
        settings = LightSettings(
            sender_comp_id="ALPHA",
            target_comp_id="PLUMBLINE",
            username="alpha",
            password="alpha-example",
            heartbeat_s=10,
        )
        try:
            peer = hub.client("127.0.0.1", self.settings.acceptor.port, settings)
            peer.logon()
            yield peer
        finally:
            hub.close()

    def order(self, client: httpx.Client, order_id: str) -> dict[str, Any]:
        answer = client.get(f"/v1/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def until(
        self,
        client: httpx.Client,
        order_id: str,
        holds: Callable[[dict[str, Any]], bool],
        what: str,
    ) -> dict[str, Any]:
        """The order once that holds."""

        def look() -> dict[str, Any] | None:
            shown = self.order(client, order_id)
            return shown if holds(shown) else None

        found = eventually(look, f"{order_id}: {what}")
        assert found is not None
        return found


@contextmanager
def whole_server(
    url: str,
    directory: Path,
    *,
    answer_wait_ms: int = 15_000,
    venue_config: str = "",
    **venue_more: object,
) -> Iterator[Server]:
    """A venue, a core and an API, ready for orders. venue_config: what the core knows of the venue
    besides.
    """
    with running(directory, **venue_more) as venue:
        config = directory / "oms.toml"
        config.write_text(
            _CONFIG.format(
                url=role_url(url, APP_ROLE),
                owner_url=url,
                data_dir=directory / "core",
                venue_port=venue.port,
                fix_port=free_port(),
                answer_wait_ms=answer_wait_ms,
                venue_config=venue_config,
                clients=_part("[[clients]]", "[[venues]]"),
                keys=_part("[[api.keys]]", "[jobs]"),
            )
        )
        settings = load(config)
        assert settings.database.url is not None
        core = Core(config)
        try:
            app_url = settings.database.url.get_secret_value()
            with running_api(settings, app_url, reconciler(app_url), rereading(config)) as api:
                core.start()
                server = Server(api, core, venue, settings)
                server.wait_ready()
                yield server
        finally:
            core.kill()


def _part(begin: str, end: str) -> str:
    """Tables of the example's configuration."""
    text = EXAMPLE.read_text()
    return text[text.index(begin) : text.index(end)]
