"""A whole desk for end-to-end tests: a real core, real simulated venues, light FIX clients."""

import itertools
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from fix_sessions.credentials import hash_password
from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer
from oms.app.free_ports import free_port
from oms.store.postgres_urls import APP_ROLE, role_url
from tests.integration.exchange_process import VenueProcess, values_of
from tests.support.processes import ROOT

PASSWORD = "secret-of-the-desk"
PATIENCE_S = 30.0
CLIENTS = ("ALPHA", "BETA")
_HASH = hash_password(PASSWORD)


class Desk:
    """One configuration in a directory, and the processes and peers that belong to it."""

    def __init__(self, directory: Path, database_url: str, venue_ports: dict[str, int]) -> None:
        self.directory = directory
        self.database_url = database_url
        self.port = free_port()
        self.metrics_port = free_port()
        self.config = directory / "oms.toml"
        self.config.write_text(self._toml(venue_ports))
        self.hub = Hub()
        self.core: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, LightPeer] = {}
        self._log = (directory / "core.log").open("ab")

    def _toml(self, venue_ports: dict[str, int]) -> str:
        clients = "".join(
            f'[[clients]]\nname = "{name}"\nsender_comp_id = "{name}"\n'
            f'target_comp_id = "PLUMBLINE"\npassword_hash = "{_HASH}"\n'
            f'allowed_addresses = ["127.0.0.1"]\naccounts = ["{name}-1"]\n'
            f"allow_reset = {'true' if name == 'BETA' else 'false'}\n"
            for name in CLIENTS
        )
        venues = "".join(
            f'[[venues]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {port}\n'
            f'sender_comp_id = "OMS"\ntarget_comp_id = "XSIM"\nack_timeout_ms = 1000\n'
            for name, port in venue_ports.items()
        )
        instruments = (
            '[[instruments]]\nsymbol = "ACME"\ncurrency = "USD"\ntick = "0.01"\nlot = "1"\n'
            'reference_px = "100"\n'
            '[[instruments]]\nsymbol = "ZETA"\ncurrency = "USD"\ntick = "0.05"\nlot = "10"\n'
        )
        limit = '[[risk.limits]]\nrule = "MAX_ORDER_QTY"\nlevel = "FIRM"\nvalue = "100000"\n'
        return (
            f'[database]\nurl = "{role_url(self.database_url, APP_ROLE)}"\n'
            f'owner_url = "{self.database_url}"\n'
            f'[core]\ndata_dir = "{self.directory}/core"\nmetrics_port = {self.metrics_port}\n'
            f"[acceptor]\nport = {self.port}\n{clients}{venues}{instruments}{limit}"
        )

    def start_core(self) -> None:
        """Start `oms core`; it listens soon: `client` waits for that."""
        self.core = subprocess.Popen(
            [sys.executable, "-m", "oms", "core", "--config", str(self.config)],
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
        )

    def kill_core(self) -> None:
        """SIGKILL, as a crash would."""
        assert self.core is not None
        self.core.send_signal(signal.SIGKILL)
        assert self.core.wait(PATIENCE_S) == -signal.SIGKILL, self.log()

    def stop_core(self) -> int:
        """SIGTERM; the exit code. Peers are served meanwhile: they answer the Logout."""
        assert self.core is not None
        core = self.core
        core.terminate()
        self.until(lambda: core.poll() is not None, "the core to end")
        return core.returncode

    def log(self) -> str:
        """What the cores have logged."""
        return (self.directory / "core.log").read_text()[-4000:]

    def settings_of(self, name: str) -> LightSettings:
        """Who the client of that name is on its session."""
        return LightSettings(
            sender_comp_id=name,
            target_comp_id="PLUMBLINE",
            username=name,
            password=PASSWORD,
            heartbeat_s=10,
        )

    def client(self, name: str = "ALPHA") -> LightPeer:
        """The client's peer, logged on; the same one, with its numbers, after a restart."""
        peer = self._clients.get(name)
        if peer is None:
            settings = self.settings_of(name)
            peer = self._clients[name] = self.hub.client("127.0.0.1", self.port, settings)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert self.core is None or self.core.poll() is None, self.log()
            try:
                peer.reconnect(timeout_s=5.0)
            except (OSError, TimeoutError):
                assert time.monotonic() < deadline, self.log()
                self.hub.pump(0.05)
            else:
                return peer

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Serve all peers until the condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}\n{self.log()}"
            self.hub.pump(0.02)

    def metric(self, name: str, **labels: str) -> float:
        """Of the core's /metrics; the sum over labels that are not given, 0 where there is none."""
        where = f"http://127.0.0.1:{self.metrics_port}/metrics"
        with urllib.request.urlopen(where, timeout=10) as answer:
            text = answer.read().decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"plumbline_{name}" and labels.items() <= sample.labels.items()
        )

    def rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        """What a query of the database gives."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def close(self) -> None:
        """End everything."""
        if self.core is not None and self.core.poll() is None:
            self.core.kill()
            self.core.wait(PATIENCE_S)
        self.hub.close()
        self._log.close()


@contextmanager
def desk_with_exchange(
    directory: Path, database_url: str, **venue: object
) -> Iterator[tuple[Desk, VenueProcess]]:
    """A desk whose one venue XSIM is a real simulated exchange with liquidity."""
    values = values_of(directory, liquidity={"depth": 3}) | {"target_comp_ids": ["OMS"]} | venue
    exchange = VenueProcess(values)
    exchange.start()
    desk = Desk(directory, database_url, {"XSIM": exchange.port})
    try:
        yield desk, exchange
    finally:
        desk.close()
        exchange.end()


@contextmanager
def desk_with_light_venue(directory: Path, database_url: str) -> Iterator[tuple[Desk, LightPeer]]:
    """A desk whose one venue XSIM is a light peer that the test speaks for."""
    hub = Hub()
    settings = LightSettings(sender_comp_id="XSIM", target_comp_id="OMS", initiates=False)
    venue = hub.venue(settings)
    desk = Desk(directory, database_url, {"XSIM": venue.port})
    desk.hub.close()
    desk.hub = hub
    try:
        yield desk, venue
    finally:
        desk.close()


def answer_resync(desk: Desk, venue: LightPeer, since: int = 0) -> None:
    """The venue logs on and has no orders of ours."""
    desk.until(lambda: venue.is_logged_on, "the core to log on to the venue")
    asked = venue.wait_for(lambda m: m.msg_type == "AF", PATIENCE_S, since)
    venue.send(
        "8",
        [
            (37, "NONE"),
            (17, "0"),
            (150, "I"),
            (39, "8"),
            (103, "5"),
            (55, "[N/A]"),
            (54, "7"),
            (584, asked.get(584) or ""),
            (911, "0"),
            (912, "Y"),
            (14, "0"),
            (151, "0"),
            (6, "0"),
        ],
    )


_numbers = itertools.count(1)


def new_order(**more: str) -> list[tuple[int, str]]:
    """Fields of a NewOrderSingle for ACME; keys t38="..." replace tags, empty ones leave out."""
    fields = {
        11: f"{os.getpid()}-{next(_numbers)}",
        1: "ALPHA-1",
        55: "ACME",
        54: "1",
        60: "20260101-00:00:00.000",
        38: "100",
        40: "2",
        44: "100",
        59: "0",
    } | {int(key[1:]): value for key, value in more.items()}
    return [(tag, value) for tag, value in fields.items() if value]


def cl_ord_id(fields: list[tuple[int, str]]) -> str:
    """ClOrdID (11) of such fields."""
    return dict(fields)[11]


def report_of(peer: LightPeer, name: str, exec_type: str, since: int = 0) -> Message:
    """The first ExecutionReport with that ClOrdID and ExecType."""
    return peer.wait_for(
        lambda m: m.msg_type == "8" and m.get(11) == name and m.get(150) == exec_type,
        PATIENCE_S,
        since,
    )
