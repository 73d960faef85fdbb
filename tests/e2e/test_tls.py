"""Orders over TLS from client to venue, and what dies on the way."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from fix_sessions.tls_files import server_context
from oms.app.exits import Exit
from oms.app.free_ports import free_port
from oms.domain.origin import Channel, Origin
from oms.domain.session_commands import ReloadSessions
from tests.integration.exchange_process import VenueProcess, values_of
from tests.support.desk import Desk, cl_ord_id, new_order, report_of
from tests.support.floor import command
from tests.support.processes import running_below
from tests.support.tls import LOCALHOST, Authority, TlsFront, client_files, server_files
from tests.support.tls_relay import Relay

MARKET = {"t40": "1", "t44": ""}
FILL = "F"
GATE, RELAY = "fix_sessions.gate", "fix_sessions.venue_relay"


class TlsDesk:
    """A desk whose client ALPHA and whose venue speak TLS, both with certificates of their own.

    BETA has the plain port. The venue is a simulated exchange behind a front that speaks TLS.
    """

    def __init__(self, directory: Path, database_url: str, stack: ExitStack) -> None:
        self.authority = authority = Authority(directory / "tls")
        exchange = VenueProcess(values_of(directory, liquidity={"depth": 3}))
        stack.callback(exchange.end)
        exchange.start()
        files = server_files(authority.issue(LOCALHOST), authority)
        self.front = TlsFront(server_context(files), exchange.port)
        stack.callback(self.front.close)
        self.trusted = directory / "trusted.pem"
        self.trusted.write_bytes(authority.file.read_bytes())
        self.desk = Desk(directory, database_url, {"XSIM": self.front.port})
        stack.callback(self.desk.close)
        self.tls_port = free_port()
        self._configure()
        pair = authority.issue("alpha.example", common_name="ALPHA")
        self.relay = Relay(self.tls_port, client_files(authority, pair))
        stack.callback(self.relay.close)
        self.alpha = self.desk.hub.client(LOCALHOST, self.relay.port, self.settings("ALPHA"))

    def _configure(self) -> None:
        ours, outward = self.authority.issue(LOCALHOST), self.authority.issue("oms.example")
        acceptor = (
            f'[acceptor.tls]\nport = {self.tls_port}\ncertificate_file = "{ours.certificate}"\n'
            f'key_file = "{ours.key}"\nclient_ca_file = "{self.authority.file}"\n'
        )
        venue = (
            f'[venues.tls]\nca_file = "{self.trusted}"\n'
            f'certificate_file = "{outward.certificate}"\nkey_file = "{outward.key}"\n'
        )
        text = self.desk.config.read_text()
        port = f"[acceptor]\nport = {self.desk.port}\n"
        assert port in text
        text = text.replace(port, port + acceptor)
        client = '[[clients]]\nname = "ALPHA"\n'
        assert client in text
        text = text.replace(client, client + 'tls_subject = "ALPHA"\n')
        text = text.replace("ack_timeout_ms = 1000\n", "ack_timeout_ms = 1000\n" + venue)
        self.desk.config.write_text(text)

    def settings(self, name: str) -> LightSettings:
        return self.desk.settings_of(name)

    def log_on(self) -> LightPeer:
        """ALPHA, with TLS; again after whatever ended it."""

        def is_on() -> bool:
            try:
                self.alpha.reconnect(timeout_s=5.0)
            except (OSError, TimeoutError):
                self.desk.hub.pump(0.05)
            return self.alpha.is_logged_on

        self.desk.until(is_on, "ALPHA's logon")
        return self.alpha

    def trade(self, peer: LightPeer, account: str = "ALPHA-1") -> str:
        """A market order, filled at the venue."""
        fields = new_order(t1=account, **MARKET)
        peer.send("D", fields)
        report_of(peer, cl_ord_id(fields), FILL)
        return cl_ord_id(fields)

    def said(self) -> str:
        return (self.desk.directory / "core.log").read_text()

    def until_said(self, text: str, times: int = 1) -> None:
        self.desk.until(lambda: self.said().count(text) >= times, f"{text} in the log")

    def helper(self, module: str) -> int | None:
        """The process below the core that runs this module."""
        return next(iter(self.helpers(module)), None)

    def helpers(self, module: str) -> list[int]:
        """All of them."""
        assert self.desk.core is not None
        return running_below(self.desk.core.pid, module)

    def kill(self, module: str) -> int:
        """SIGKILL for it."""
        pid = self.helper(module)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid


@contextmanager
def tls_desk(directory: Path, database_url: str) -> Iterator[TlsDesk]:
    with ExitStack() as stack:
        yield TlsDesk(directory, database_url, stack)


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[TlsDesk]:
    with tls_desk(tmp_path, database_url) as found:
        yield found


def test_orders_flow_from_a_client_to_a_venue_over_tls(site: TlsDesk) -> None:
    site.desk.start_core()
    alpha = site.log_on()
    site.trade(alpha)
    beta = site.desk.client("BETA")
    site.trade(beta, "BETA-1")
    site.until_said('"event": "fix.taken_over"')
    assert set(site.front.versions) == {"TLSv1.3"}
    taken = [line for line in site.said().splitlines() if '"fix.taken_over"' in line]
    assert all("BETA" in line for line in taken), "a connection with TLS cannot be handed over"
    site.trade(alpha)
    helpers = [site.helper(GATE), site.helper(RELAY)]
    assert None not in helpers
    metrics = urlopen(f"http://127.0.0.1:{site.desk.metrics_port}/metrics").read().decode()
    assert 'plumbline_tls_certificate_expires_timestamp_seconds{key="acceptor.tls' in metrics
    assert site.desk.stop_core() == 0, site.desk.log()
    assert alpha.session.close_reason
    assert not any(Path(f"/proc/{one}").exists() for one in helpers)


def test_a_gate_that_is_killed_costs_a_client_with_tls_its_connection_only(site: TlsDesk) -> None:
    site.desk.start_core()
    alpha, beta = site.log_on(), site.desk.client("BETA")
    site.trade(beta, "BETA-1")
    site.until_said('"event": "fix.taken_over"')
    fields = new_order(t44="1")
    alpha.send("D", fields)
    report_of(alpha, cl_ord_id(fields), "0")
    alpha.reads = False
    cancel = [(11, cl_ord_id(fields) + "c"), (41, cl_ord_id(fields)), (55, "ACME"), (54, "1")]
    alpha.send("F", [*cancel, (60, "20260101-00:00:00.000"), (38, "100")])
    query = "SELECT 1 FROM fix_messages WHERE direction = 'out' AND text LIKE %s"
    like = f"%\x0111={cl_ord_id(fields)}c\x01%\x01150=4\x01%"
    site.desk.until(lambda: site.desk.rows(query, like), "the report to be sent and noted")
    gate = site.kill(GATE)
    site.trade(beta, "BETA-1")
    site.until_said("core.gate_ended")
    alpha.kill()
    alpha.reads = True
    site.log_on()
    report_of(alpha, cl_ord_id(fields) + "c", "4")
    site.trade(alpha)
    assert site.helper(GATE) not in (None, gate)


def test_a_relay_that_is_killed_is_replaced_and_orders_are_told_of(site: TlsDesk) -> None:
    site.desk.start_core()
    alpha = site.log_on()
    site.trade(alpha)
    resting = new_order(t44="1")
    alpha.send("D", resting)
    report_of(alpha, cl_ord_id(resting), "0")
    relay = site.kill(RELAY)
    site.until_said("core.venue_relay_ended")
    site.until_said('"event": "venue_tls.connected"', 2)
    site.trade(alpha)
    name = cl_ord_id(resting) + "c"
    alpha.send(
        "F",
        [
            *((11, name), (41, cl_ord_id(resting)), (55, "ACME"), (54, "1")),
            *((60, "20260101-00:00:00.000"), (38, "100")),
        ],
    )
    report_of(alpha, name, "4")
    assert site.helper(RELAY) not in (None, relay)


def test_a_core_that_is_killed_takes_gate_and_relay_along(site: TlsDesk) -> None:
    site.desk.start_core()
    alpha = site.log_on()
    site.trade(alpha)
    children = [site.helper(GATE), site.helper(RELAY)]
    assert None not in children
    site.desk.kill_core()
    site.desk.until(
        lambda: not any(Path(f"/proc/{one}").exists() for one in children), "both to end"
    )
    site.desk.start_core()
    site.trade(site.log_on())


def test_a_venue_that_is_not_trusted_stays_down_until_it_is(site: TlsDesk, tmp_path: Path) -> None:
    site.trusted.write_bytes(Authority(tmp_path / "foreign").file.read_bytes())
    site.desk.start_core()
    alpha = site.log_on()
    site.until_said('"event": "venue_tls.failed"')
    [line] = [line for line in site.said().splitlines() if '"venue_tls.failed"' in line][:1]
    assert '"reason": "tls_certificate_refused"' in line
    assert '"session_id": "XSIM"' in line
    fields = new_order(**MARKET)
    alpha.send("D", fields)
    metrics = urlopen(f"http://127.0.0.1:{site.desk.metrics_port}/metrics").read().decode()
    name = 'plumbline_venue_tls_failures_total{reason="tls_certificate_refused",session="XSIM"}'
    assert name in metrics
    assert site.front.versions == []
    site.trusted.write_bytes(site.authority.file.read_bytes())
    site.until_said('"event": "venue_tls.connected"')
    site.desk.until(lambda: site.front.versions, "TLS with the venue")
    report_of(alpha, cl_ord_id(fields), FILL)
    site.trade(alpha)


def test_a_core_whose_venue_is_away_stops_in_order(site: TlsDesk) -> None:
    site.front.close()
    site.desk.start_core()
    site.log_on()
    site.until_said('"event": "venue_tls.failed"')
    assert site.desk.stop_core() == 0, site.desk.log()


def test_a_port_that_is_in_use_is_named_by_its_key(site: TlsDesk) -> None:
    with socket.create_server((LOCALHOST, site.tls_port)):
        site.desk.start_core()
        core = site.desk.core
        assert core is not None
        site.desk.until(lambda: core.poll() is not None, "the core to end")
    assert core.returncode == Exit.PORT_IN_USE
    where = f"FIX port {LOCALHOST}:{site.tls_port} is in use by another process"
    assert f"oms: acceptor.tls.port = {site.tls_port}: {where}" in site.said()


def test_files_that_cannot_be_used_end_the_core_before_it_leads(site: TlsDesk) -> None:
    site.trusted.unlink()
    site.desk.start_core()
    core = site.desk.core
    assert core is not None
    site.desk.until(lambda: core.poll() is not None, "the core to end")
    assert core.returncode == Exit.CONFIG
    rule = "cannot be read: No such file or directory"
    assert f"oms: venues[0].tls.ca_file = {site.trusted}: {rule}" in site.said()
    assert "core.waits_for_leadership" not in site.said()


def test_a_venue_with_tls_is_added_while_others_trade_over_tls(site: TlsDesk) -> None:
    site.desk.start_core()
    alpha = site.log_on()
    site.trade(alpha)
    helpers = (site.helper(GATE), site.helper(RELAY))
    seen = len(alpha.messages)
    venue = site.desk.hub.venue(
        LightSettings(sender_comp_id="XNEW", target_comp_id="OMS", initiates=False)
    )
    context = server_context(server_files(site.authority.issue(LOCALHOST), site.authority))
    front = TlsFront(context, venue.port)
    outward = site.authority.issue("oms.example")
    with site.desk.config.open("a") as file:
        file.write(
            f'[[venues]]\nname = "XNEW"\nhost = "{LOCALHOST}"\nport = {front.port}\n'
            f'sender_comp_id = "OMS"\ntarget_comp_id = "XNEW"\n[venues.tls]\n'
            f'ca_file = "{site.trusted}"\ncertificate_file = "{outward.certificate}"\n'
            f'key_file = "{outward.key}"\n'
        )
    user = Origin(channel=Channel.OPERATOR, counterparty="cli:anne", user="anne")
    command(site.desk, ReloadSessions(origin=user, reason="ticket 4712"))
    site.desk.until(lambda: venue.is_logged_on, "the new venue over TLS")
    # Where its relay is slow to start the Logon is given up and sent on another connection.
    assert set(front.versions) == {"TLSv1.3"}
    site.trade(alpha)
    assert all(Path(f"/proc/{one}").exists() for one in helpers)
    assert "A" not in {one.msg_type for one in alpha.messages[seen:]}

    # Without it its relay is in nobody's use.
    assert len(site.helpers(RELAY)) == 2
    text = site.desk.config.read_text()
    site.desk.config.write_text(text[: text.rindex("[[venues]]")])
    command(site.desk, ReloadSessions(origin=user, reason="ticket 4713"))
    site.desk.until(lambda: not venue.is_logged_on, "the Logout of what was removed")
    site.desk.until(lambda: site.helpers(RELAY) == [helpers[1]], "the end of its relay")
    site.trade(alpha)
    front.close()
