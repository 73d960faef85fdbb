"""One session's conduct does not cost another its heartbeats, nor the process its memory."""

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub
from fix_sessions.wire import fields_of, first
from tests.support.fix_engine import EngineHub, accepting, connecting


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EngineHub]:
    with EngineHub(tmp_path / "store") as found:
        yield found


def flood(port: int) -> None:
    """Send orders as fast as the other side takes them, until ended."""
    hub = Hub()
    settings = LightSettings(sender_comp_id="FLOOD", target_comp_id="PLUMB")
    client = hub.client("127.0.0.1", port, settings)
    client.keep = False
    client.logon()
    while True:
        for _ in range(200):
            client.session.send("D", [(11, "A"), (58, "x" * 200)])
        client.session.sent.clear()
        client.flush()
        hub.wait_until(lambda: not client._unsent, 60, "room to write")


@pytest.fixture
def flooding() -> Iterator[list[BaseProcess]]:
    started: list[BaseProcess] = []
    yield started
    for process in started:
        process.kill()
        process.join(10)


def test_a_flood_on_one_session_leaves_the_others_their_heartbeats_and_connections(
    hub: EngineHub, flooding: list[BaseProcess]
) -> None:
    venue = hub.venue_named()
    venue.kill()
    engine = hub.run(accepting("FLOOD"), accepting("QUIET"), connecting(venue.port))
    quiet = hub.client_of(engine, "QUIET", heartbeat_s=1)
    quiet.logon()
    # It says nothing of its own: what it sends would make QuickFIX look at its heartbeat.
    quiet.session.tick = lambda: None  # type: ignore[method-assign]
    received = 0

    def count(session_id: str, _text: str) -> None:
        nonlocal received
        received += session_id == "FLOOD"
        hub.recorder.received.clear()
        time.sleep(0.0002)  # so that more is always there to be read

    hub.recorder.act = count
    process = multiprocessing.get_context("spawn").Process(
        target=flood, args=(engine.acceptor_port,), daemon=True
    )
    process.start()
    flooding.append(process)
    hub.until(lambda: received > 0, "the flood")

    def heartbeats() -> int:
        return sum(m.msg_type == "0" for m in quiet.messages)

    def flooded_since(start: int) -> bool:
        return received > start + 1000

    for _ in range(3):
        seen, before = heartbeats(), received
        quiet.send("0", [])
        hub.until(lambda: heartbeats() > seen and flooded_since(before), "a heartbeat")  # noqa: B023
    venue.listen()
    before = received
    hub.until(lambda: engine.is_logged_on("XSIM") and flooded_since(before), "the venue's logon")
    assert quiet.is_logged_on


REPORTS = 20_000
TEXT = "x" * 500


def test_a_consumer_that_stops_reading_for_a_while_gets_everything_in_order(
    hub: EngineHub,
) -> None:
    engine = hub.run(accepting())
    client = hub.client_of(engine)
    client.logon()
    client.reads = False
    client.flush()
    for number in range(REPORTS):
        engine.send("ALPHA", "8", [(37, str(number)), (58, TEXT)])
    hub.serve_for(0.2)
    client.reads = True
    client.flush()
    hub.until(lambda: len(client.messages) == REPORTS + 1, "all reports")
    assert [m.get(37) for m in client.messages[1:]] == [str(n) for n in range(REPORTS)]
    assert engine.is_logged_on("ALPHA")


def test_a_consumer_that_does_not_read_loses_its_connection_and_no_report(hub: EngineHub) -> None:
    engine = hub.run(accepting("ALPHA"), accepting("BETA"), slow_consumer_s=0.5)
    client, other = hub.client_of(engine), hub.client_of(engine, "BETA")
    client.logon()
    other.logon()
    client.reads = False
    client.flush()
    for number in range(REPORTS):
        engine.send("ALPHA", "8", [(37, str(number)), (58, TEXT)])
    other.send("D", [(11, "B1")])
    hub.until(lambda: hub.recorder.values(11) == ["B1"])
    hub.until(lambda: not engine.is_logged_on("ALPHA"), "the connection's end")
    assert engine.is_logged_on("BETA")
    client.reads = True
    client.reconnect()
    hub.wait_until(lambda: client.session.next_in > REPORTS + 1, 60, "all reports")
    reports = [m.get(37) for m in client.messages if m.msg_type == "8"]
    assert reports == [str(n) for n in range(REPORTS)]


def test_a_counterparty_that_falls_silent_is_asked_and_then_given_up(hub: EngineHub) -> None:
    engine = hub.run(accepting())
    client = hub.client_of(engine, heartbeat_s=1)
    client.logon()
    client.reads = False
    client.session.tick = lambda: None  # type: ignore[method-assign]
    client.flush()
    hub.until(lambda: not engine.is_logged_on("ALPHA"), "the silent client's logout")
    assert hub.recorder.calls[-1] == ("logout", "ALPHA", "the connection was lost")
    client.reads = True
    client.flush()
    hub.until(lambda: not client.is_connected)
    assert first(fields_of(client.messages[1].raw.decode()), 35) == "0"
    assert [m.msg_type for m in client.messages if m.msg_type == "1"] == ["1"]
