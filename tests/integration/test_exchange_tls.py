"""A simulated venue that speaks TLS, without anything in front of it."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub
from oms.app.exits import Stop
from oms.app.side import run_exchange
from oms.settings import load
from tests.integration.exchange_process import VenueProcess, values_of
from tests.support.api import EXAMPLE
from tests.support.tls import (
    LOCALHOST,
    PATIENCE_S,
    Authority,
    client_context,
    client_files,
    connect,
    server_files,
)
from tests.support.tls_relay import Relay


@pytest.fixture
def venue(tmp_path: Path, authority: Authority) -> Iterator[VenueProcess]:
    files = server_files(authority.issue(LOCALHOST), authority)
    tls = {
        "certificate_file": files.certificate_file,
        "key_file": files.key_file,
        "client_ca_file": files.client_ca_file,
    }
    found = VenueProcess(values_of(tmp_path, liquidity={"depth": 3}, tls=tls))
    found.start()
    yield found
    found.end()


def test_an_order_trades_over_tls_and_again_after_a_restart(
    venue: VenueProcess, authority: Authority
) -> None:
    with contextlib.ExitStack() as stack:
        relay = Relay(venue.port, client_files(authority, authority.issue("oms.example")))
        stack.callback(relay.close)
        hub = Hub()
        stack.callback(hub.close)
        settings = LightSettings(sender_comp_id="OMS", target_comp_id="XSIM")
        peer = hub.client(LOCALHOST, relay.port, settings)
        peer.logon()
        for name in ("t1", "t2"):
            fields = [(11, name), (21, "1"), (55, "ACME"), (54, "1"), (38, "10"), (40, "1")]
            peer.send("D", [*fields, (59, "0"), (60, "20260101-00:00:00.000")])
            peer.wait_for(lambda m: m.get(11) == name and m.get(39) == "2", PATIENCE_S)  # noqa: B023
            venue.kill()
            venue.start()
            hub.wait_until(lambda: not peer.is_connected, PATIENCE_S, "the end of the connection")
            peer.reconnect()
        code, said = venue.signal(signal.SIGTERM)
        assert (code, "Traceback" in said) == (0, False), said


def test_strangers_are_refused_and_cost_nobody_else_anything(
    venue: VenueProcess, authority: Authority
) -> None:
    with socket.create_connection((LOCALHOST, venue.port), PATIENCE_S) as plain:
        plain.sendall(b"8=FIX.4.4\x019=5\x0135=0\x0110=000\x01")
        while plain.recv(1 << 16):
            pass
    with contextlib.suppress(OSError), connect(venue.port, client_context(authority)) as nobody:
        assert nobody.recv(1) == b"", "who shows no certificate"
    with connect(venue.port, client_context(authority, authority.issue("oms.example"))) as known:
        assert known.version() == "TLSv1.3"


def test_files_that_cannot_be_used_are_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"venue XSIM1: tls.certificate_file = .*cannot be read"):
        run_exchange(
            load(EXAMPLE), "XSIM1", data_dir=tmp_path, control_port=0, seed=1, tls=tmp_path
        )
