"""The engine's sessions in every FIX version, over TCP, each with a light peer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from fix_sessions.wire import SOH, fields_of
from tests.support.fix_engine import EngineHub, accepting, connecting

VERSIONS = {"FIX.4.2": (), "FIX.4.4": (), "FIXT.1.1": ((1137, "9"),)}
NOW = "20260102-03:04:05.000"
PARTIES = [(453, "2"), (448, "A-1"), (447, "D"), (452, "24"), (448, "DESK"), (447, "D"), (452, "3")]
ORDER = [(11, "c1"), (21, "1"), (55, "AAPL"), (54, "1"), (60, NOW), (38, "100"), (40, "1")]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EngineHub]:
    made = EngineHub(tmp_path)
    yield made
    made.close()


def peer_of(hub: EngineHub, version: str, **changes: object) -> LightPeer:
    """A client of that version at an engine that has its session, not connected."""
    engine = hub.run(accepting(begin_string=version))
    settings: dict[str, object] = {
        "sender_comp_id": "ALPHA",
        "target_comp_id": "PLUMB",
        "begin_string": version,
        "logon_fields": VERSIONS[version],
    }
    made = LightSettings(**(settings | changes))  # type: ignore[arg-type]
    return hub.client("127.0.0.1", engine.acceptor_port, made)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_of_each_version(hub: EngineHub, version: str) -> None:
    peer = peer_of(hub, version)
    peer.logon()
    answer = peer.messages[0]
    assert answer.msg_type == "A"
    assert answer.get(1137) == ("9" if version == "FIXT.1.1" else None)
    peer.send("D", ORDER)
    hub.until(lambda: len(hub.recorder.received) == 1)
    assert hub.engine is not None
    number = hub.engine.send("ALPHA", "8", [(37, "o1"), (11, "c1"), (17, "E1"), (150, "0")])
    report = peer.wait_for(lambda m: m.msg_type == "8")
    assert (report.seq, report.get(37)) == (number, "o1")
    assert str(report).startswith(f"8={version}|")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_venue_of_each_version(hub: EngineHub, version: str) -> None:
    settings = LightSettings(
        sender_comp_id="XSIM",
        target_comp_id="PLUMB",
        begin_string=version,
        initiates=False,
        logon_fields=VERSIONS[version],
    )
    venue = hub.venue(settings)
    engine = hub.run(connecting(venue.port, begin_string=version))
    hub.until(lambda: engine.is_logged_on("XSIM"))
    logon = venue.messages[0]
    assert logon.get(1137) == ("9" if version == "FIXT.1.1" else None)
    symbols = [(146, "2"), (55, "AAPL"), (55, "MSFT")]
    asked = [(262, "q"), (263, "1"), (264, "1"), (265, "1"), (267, "2"), (269, "0"), (269, "1")]
    engine.send("XSIM", "V", [*asked, *symbols])
    request = venue.wait_for(lambda m: m.msg_type == "V")
    groups = [*symbols, (267, "2"), (269, "0"), (269, "1")]
    assert [field for field in request.fields if field[0] in {146, 55, 267, 269}] == groups
    entries = [(268, "2"), (269, "0"), (270, "10"), (271, "5"), (269, "1"), (270, "11"), (271, "6")]
    venue.send("W", [(262, "q"), (55, "AAPL"), *entries])
    hub.until(lambda: len(hub.recorder.received) == 1)
    _, text = hub.recorder.received[0]
    assert [field for field in fields_of(text) if field[0] in {268, 269, 270, 271}] == entries


@pytest.mark.parametrize("version", ["FIX.4.4", "FIXT.1.1"])
def test_parties_arrive_whole(hub: EngineHub, version: str) -> None:
    peer = peer_of(hub, version)
    peer.logon()
    peer.send("D", [*ORDER, *PARTIES])
    hub.until(lambda: len(hub.recorder.received) == 1)
    _, text = hub.recorder.received[0]
    found = [field for field in fields_of(text) if field[0] in {453, 448, 447, 452}]
    assert found == PARTIES


def test_a_logon_of_fixt_without_its_version_is_refused(hub: EngineHub) -> None:
    peer = peer_of(hub, "FIXT.1.1", logon_fields=())
    peer.connect()
    hub.until(lambda: not peer.is_connected, "the connection's end")
    assert ("logon", "ALPHA") not in hub.recorder.calls
    good = hub.client(
        "127.0.0.1",
        hub.engine.acceptor_port if hub.engine else 0,
        LightSettings(
            sender_comp_id="ALPHA",
            target_comp_id="PLUMB",
            begin_string="FIXT.1.1",
            logon_fields=((1137, "9"),),
        ),
    )
    good.session.next_in, good.session.next_out = peer.session.next_in, peer.session.next_out
    good.logon()


def test_a_message_of_another_application_version_is_handed_on(hub: EngineHub) -> None:
    """Decode refuses it; the engine must not fail on a version that it has no dictionary of."""
    peer = peer_of(hub, "FIXT.1.1")
    peer.logon()
    peer.session.write(peer.session.prepare("D", ORDER, [(1128, "7")]))
    peer.send("D", ORDER)
    hub.until(lambda: len(hub.recorder.received) == 2)
    texts = [text for _, text in hub.recorder.received]
    assert f"{SOH}1128=7{SOH}" in texts[0]
    assert f"{SOH}1128=" not in texts[1]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_missed_is_sent_again(hub: EngineHub, version: str) -> None:
    peer = peer_of(hub, version)
    peer.logon()
    assert hub.engine is not None
    engine = hub.engine
    peer.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    for number in range(2):
        report = [(37, "o1"), (11, "c1"), (17, f"E{number}"), (150, "0"), (39, "0")]
        engine.send("ALPHA", "8", report)
    peer.reconnect()
    peer.wait_for(lambda m: m.get(17) == "E1")
    missed = [message for message in peer.messages if message.msg_type == "8"]
    assert [(one.get(17), one.poss_dup) for one in missed] == [("E0", True), ("E1", True)]
