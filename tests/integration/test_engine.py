"""The engine over real TCP: both roles, both directions, what it hands over and what it sends."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.engine import EngineFault, PortInUse
from fix_sessions.settings import SettingsError
from fix_sessions.wire import fields_of, first
from tests.support.fix_engine import EngineHub, accepting, connecting, logged_on_client


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EngineHub]:
    with EngineHub(tmp_path / "store") as found:
        yield found


def test_a_client_logs_on_and_messages_pass_both_ways(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    client.send("D", [(11, "A1"), (58, "in")])
    hub.until(lambda: hub.recorder.values(11) == ["A1"])
    session_id, text = hub.recorder.received[0]
    assert session_id == "ALPHA"
    assert (35, "D") in fields_of(text)
    assert (34, "2") in fields_of(text)
    number = engine.send("ALPHA", "8", [(37, "O1"), (11, "A1"), (58, "out")])
    message = client.wait_for(lambda m: m.get(58) == "out")
    assert message.seq == number == 2
    assert hub.recorder.sent == [("ALPHA", 2, message.raw.decode())]
    client.logout()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    assert hub.recorder.calls == [
        ("check", "ALPHA", ""),
        ("logon", "ALPHA"),
        ("logout", "ALPHA", "Logout without a text"),
    ]


def test_an_initiator_logs_on_with_credentials_and_comes_back(hub: EngineHub) -> None:
    venue = hub.venue_named()
    engine = hub.run(connecting(venue.port, username="desk", password="secret"))
    venue.logon()
    logon = venue.wait_for(lambda m: m.msg_type == "A")
    assert (logon.get(553), logon.get(554), logon.get(108)) == ("desk", "secret", "30")
    hub.until(lambda: engine.is_logged_on("XSIM"))
    engine.send("XSIM", "D", [(11, "V1")])
    venue.wait_for(lambda m: m.get(11) == "V1")
    venue.kill()
    hub.until(lambda: not engine.is_logged_on("XSIM"))
    assert ("logout", "XSIM", "the connection was lost") in hub.recorder.calls
    venue.reconnect()
    hub.until(lambda: engine.is_logged_on("XSIM"))
    venue.send("8", [(37, "O1"), (11, "V1")])
    hub.until(lambda: hub.recorder.values(11) == ["V1"])


def test_an_initiator_that_was_made_closed_connects_soon_after_it_is_opened(hub: EngineHub) -> None:
    """QuickFIX waits 30 s where its first look found the session closed, unless told otherwise."""
    venue = hub.venue_named()
    engine = hub.run(start=False)
    engine.start()
    engine.remake([connecting(venue.port)])
    hub.serve_for(0.5)
    assert not venue.is_connected
    engine.logon("XSIM")
    hub.until(lambda: engine.is_logged_on("XSIM"), "the session to be up")


def test_several_sessions_of_both_roles_do_not_mix(hub: EngineHub) -> None:
    venues = {name: hub.venue_named(name) for name in ("XONE", "XTWO")}
    engine = hub.run(
        accepting("ALPHA"),
        accepting("BETA"),
        *(connecting(venue.port, name) for name, venue in venues.items()),
    )
    clients = {name: hub.client_of(engine, name) for name in ("ALPHA", "BETA")}
    for client in clients.values():
        client.logon()
    peers = clients | venues
    hub.until(lambda: all(engine.is_logged_on(name) for name in peers))
    for name, peer in peers.items():
        peer.send("8", [(11, name)])
        engine.send(name, "8", [(11, f"to {name}")])
    for name, peer in peers.items():
        peer.wait_for(lambda m, name=name: m.get(11) == f"to {name}")  # type: ignore[misc]
    hub.until(lambda: len(hub.recorder.received) == 4)
    assert {(s, first(fields_of(t), 11)) for s, t in hub.recorder.received} == {
        (name, name) for name in peers
    }


SNAPSHOT = [
    (262, "R1"),
    (55, "ABC"),
    (268, "3"),
    *[(269, "0"), (270, "10.10"), (271, "100")],
    *[(269, "1"), (270, "10.20"), (271, "7"), (346, "2")],
    *[(269, "2"), (270, "10.15")],
]
REFRESH = [
    (262, "R1"),
    (268, "2"),
    *[(279, "0"), (269, "0"), (278, "B1"), (55, "ABC"), (270, "10.10"), (271, "5")],
    *[(279, "2"), (269, "1"), (278, "B2"), (55, "XYZ")],
]
REQUEST = [
    (262, "R1"),
    (263, "1"),
    (264, "0"),
    *[(267, "2"), (269, "0"), (269, "1")],
    *[(146, "2"), (55, "ABC"), (55, "XYZ")],
]


@pytest.mark.parametrize(
    ("msg_type", "body", "groups"),
    [
        ("W", SNAPSHOT, [SNAPSHOT[2:]]),
        ("X", REFRESH, [REFRESH[1:]]),
        ("V", REQUEST, [REQUEST[3:6], REQUEST[6:9]]),
    ],
)
def test_repeating_groups_pass_whole_in_both_directions_and_when_resent(
    hub: EngineHub,
    msg_type: str,
    body: list[tuple[int, str]],
    groups: list[list[tuple[int, str]]],
) -> None:
    engine, client = logged_on_client(hub)
    client.send(msg_type, body)
    hub.until(lambda: len(hub.recorder.received) == 1)
    engine.send("ALPHA", msg_type, body)
    left = client.wait_for(lambda m: m.msg_type == msg_type)
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    engine.send("ALPHA", msg_type, body)
    client.reconnect()
    again = client.wait_for(lambda m: m.msg_type == msg_type and m.poss_dup)
    for fields in (fields_of(hub.recorder.received[0][1]), left.fields, again.fields):
        assert sorted(field for field in fields if field in body) == sorted(body)
        for group in groups:
            start = fields.index(group[0])
            assert fields[start : start + len(group)] == group


def test_session_and_business_rejects_pass_both_ways(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    engine.send("ALPHA", "3", [(45, "2"), (371, "38"), (372, "D"), (373, "6"), (58, "no number")])
    reject = client.wait_for(lambda m: m.msg_type == "3")
    assert [reject.get(tag) for tag in (45, 371, 372, 373, 58)] == [
        "2",
        "38",
        "D",
        "6",
        "no number",
    ]
    client.send("3", [(45, "9"), (58, "session")])
    client.send("j", [(45, "9"), (372, "8"), (380, "0"), (58, "business")])
    hub.until(lambda: hub.recorder.values(58) == ["session", "business"])


def test_header_fields_given_are_sent_and_values_are_made_safe(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    engine.send("ALPHA", "8", [(97, "Y"), (1, ""), (58, "a\x01b=\0c\nd"), (11, "A1")])
    message = client.wait_for(lambda m: m.get(11) == "A1")
    assert message.get(97) == "Y"
    assert message.get(58) == "a b= c d"
    assert message.get(1) is None
    engine.send("ALPHA", "8", [(11, "A2"), (58, "société \udce9")])
    raw = client.wait_for(lambda m: m.get(11) == "A2").raw
    assert "58=société ?\x01".encode() in raw
    with pytest.raises(ValueError, match="tag 34 belongs to the session"):
        engine.send("ALPHA", "8", [(34, "7")])
    assert engine.next_outbound("ALPHA") == 4


def test_text_that_is_not_utf8_and_text_of_two_megabytes_arrive(hub: EngineHub) -> None:
    _, client = logged_on_client(hub)
    client.send("D", [(58, "soci\xe9t\xe9")])
    client.send("D", [(58, "x" * 2_000_000)])
    client.send("D", [(58, "nul\0")])
    hub.until(lambda: len(hub.recorder.received) == 3)
    assert hub.recorder.values(58) == ["société", "x" * 2_000_000, "nul\x1a"]


def test_an_exception_in_a_handler_stops_the_engine_and_hands_nothing_more_over(
    hub: EngineHub,
) -> None:
    engine, client = logged_on_client(hub)

    def fail(session_id: str, text: str) -> None:
        raise ZeroDivisionError(first(fields_of(text), 11))

    hub.recorder.act = fail
    client.send("D", [(11, "A1")])
    client.send("D", [(11, "A2")])
    with pytest.raises(EngineFault, match="ZeroDivisionError: A1"):
        hub.until(lambda: False)
    with pytest.raises(EngineFault, match="ZeroDivisionError: A1"):
        engine.poll(0)
    with pytest.raises(EngineFault):
        engine.send("ALPHA", "8", [(11, "A1")])
    assert hub.recorder.values(11) == ["A1"]


def test_a_wakeup_descriptor_ends_the_wait(hub: EngineHub) -> None:
    engine = hub.run(accepting())
    reader, writer = os.pipe()
    drained: list[bytes] = []
    engine.add_wakeup(reader, lambda: drained.append(os.read(reader, 100)))
    os.write(writer, b"x")
    for _ in range(10):
        engine.poll(10)
        if drained:
            break
    assert drained == [b"x"]
    engine.remove_wakeup(reader)
    os.close(reader)
    os.close(writer)


def test_a_port_in_use_is_named_and_another_address_is_not_listened_on(hub: EngineHub) -> None:
    engine = hub.run(accepting(host="127.0.0.1"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", engine.acceptor_port), timeout=5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port} is in use"):
            hub.run(accepting("BETA", port=port))


def test_sessions_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    hub = EngineHub(tmp_path)
    with pytest.raises(SettingsError, match="session_id 'ALPHA' is given twice"):
        hub.run(accepting(), accepting())
    with pytest.raises(SettingsError, match=r"FIX.4.4:PLUMB->ALPHA is given twice"):
        hub.run(accepting(), accepting(session_id="BETA"))
    with pytest.raises(SettingsError, match="share one host and port"):
        hub.run(accepting(), accepting("BETA", port=9))
    with pytest.raises(SettingsError, match=r"target_comp_id 'A\\nB'"):
        hub.run(accepting(target_comp_id="A\nB"))
    with pytest.raises(SettingsError, match=r"no dictionary FIX99.xml"):
        hub.run(accepting(begin_string="FIX.9.9"))
    hub.run(accepting())
    other = EngineHub(tmp_path)
    with pytest.raises(SettingsError, match=r"FIX.4.4:PLUMB->ALPHA: this process runs it already"):
        other.run(accepting())
    hub.close()
    other.run(accepting())
    other.close()


def test_stop_logs_every_session_out(hub: EngineHub) -> None:
    venue = hub.venue_named()
    engine = hub.run(accepting(), connecting(venue.port))
    client = hub.client_of(engine)
    client.logon()
    hub.until(lambda: engine.is_logged_on("XSIM") and engine.is_logged_on("ALPHA"))
    engine.logout("ALPHA", "end of day")
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    assert client.wait_for(lambda m: m.msg_type == "5").get(58) == "end of day"
    assert ("logout", "ALPHA", "end of day") in hub.recorder.calls
    with pytest.raises(ConnectionError):
        client.reconnect()
    engine.logon("ALPHA")
    client.reconnect()
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    # Nobody serves the peers while `stop` waits: it gives up in its time, and says so.
    assert engine.stop(0.3) is False
    hub.until(lambda: not (engine.is_logged_on("ALPHA") or engine.is_logged_on("XSIM")))
    assert engine.stop(0.3) is True
    assert venue.wait_for(lambda m: m.msg_type == "5").get(58) == "the server is stopping"
