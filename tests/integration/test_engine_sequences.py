"""Sequence numbers: set from outside, recovered by ResendRequest, reset, never used twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_sessions.light_session import LightSettings
from fix_sessions.wire import fields_of, first
from tests.support.fix_engine import EngineHub, accepting, connecting, logged_on_client


@pytest.fixture(params=[True, False], ids=["texts in the store", "texts elsewhere"])
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[EngineHub]:
    with EngineHub(tmp_path / "store", texts_in_store=request.param) as found:
        yield found


def resets(hub: EngineHub) -> int:
    return sum(call[0] == "reset" for call in hub.recorder.calls)


def test_what_was_sent_offline_is_recovered_in_order_and_told_once(hub: EngineHub) -> None:
    engine = hub.run(accepting())
    numbers = [engine.send("ALPHA", "8", [(37, f"O{n}")]) for n in range(3)]
    assert numbers == [1, 2, 3]
    client = hub.client_of(engine)
    client.logon()
    engine.send("ALPHA", "8", [(37, "O3")])
    client.wait_for(lambda m: m.get(37) == "O3")
    reports = [m for m in client.messages if m.msg_type == "8"]
    assert [(m.get(37), m.seq, m.poss_dup) for m in reports[:3]] == [
        ("O0", 1, True),
        ("O1", 2, True),
        ("O2", 3, True),
    ]
    assert [number for _, number, _ in hub.recorder.sent] == [1, 2, 3, 5]


@pytest.mark.parametrize("role", ["acceptor", "initiator"])
def test_expected_numbers_set_back_before_the_start_make_the_peer_send_again(
    hub: EngineHub, role: str
) -> None:
    venue = hub.venue_named()
    specs = [accepting()] if role == "acceptor" else [connecting(venue.port)]
    name = specs[0].session_id
    engine = hub.run(*specs)
    peer = hub.client_of(engine) if role == "acceptor" else venue
    peer.logon()
    for number in range(5):
        peer.send("8", [(37, f"O{number}")])
    hub.until(lambda: hub.recorder.values(37)[-1:] == ["O4"])
    assert engine.expected_inbound(name) == 7

    engine = hub.run(*specs, start=False)
    assert engine.expected_inbound(name) == 7
    hub.recorder.received.clear()
    engine.set_expected_inbound(name, 4)  # as if the journal's last one were number 3
    engine.start()
    if role == "acceptor":
        peer = hub.client(
            "127.0.0.1",
            engine.acceptor_port,
            LightSettings(sender_comp_id="ALPHA", target_comp_id="PLUMB"),
        )
        peer.session.next_in = engine.next_outbound(name)
        peer.session.next_out, peer.session.sent = 7, dict(find_sent(hub))
        peer.logon()
    hub.until(lambda: len(hub.recorder.received) == 3)
    again = [fields_of(text) for _, text in hub.recorder.received]
    assert [(first(f, 34), first(f, 37), first(f, 43)) for f in again] == [
        ("4", "O2", "Y"),
        ("5", "O3", "Y"),
        ("6", "O4", "Y"),
    ]
    peer.send("8", [(37, "O5")])
    hub.until(lambda: hub.recorder.values(37)[-1:] == ["O5"])
    assert first(fields_of(hub.recorder.received[-1][1]), 43) is None


def find_sent(hub: EngineHub) -> dict[int, bytes]:
    """What the hub's first logged-on client sent, by number."""
    return next(peer.session.sent for peer in hub._peers if len(peer.session.sent) > 1)


def test_a_duplicate_of_what_was_handled_is_not_handed_over_again(hub: EngineHub) -> None:
    _, client = logged_on_client(hub)
    client.send("D", [(11, "A1")])
    hub.until(lambda: hub.recorder.values(11) == ["A1"])
    client.session.next_out = 2
    client.send("D", [(11, "A1")], [(43, "Y"), (122, "20260101-10:00:00")])
    client.send("D", [(11, "A2")])
    hub.until(lambda: hub.recorder.values(11) == ["A1", "A2"])


def test_a_number_too_low_without_possdup_ends_the_session_and_nothing_is_handed_over(
    hub: EngineHub,
) -> None:
    engine, client = logged_on_client(hub)
    client.send("D", [(11, "A1")])
    hub.until(lambda: hub.recorder.values(11) == ["A1"])
    client.session.next_out = 2
    client.send("D", [(11, "A2")])
    logout = client.wait_for(lambda m: m.msg_type == "5")
    assert logout.get(58) == "MsgSeqNum too low, expecting 3 but received 2"
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    assert hub.recorder.values(11) == ["A1"]


def test_a_gap_is_asked_for_and_handed_over_in_order(hub: EngineHub) -> None:
    _, client = logged_on_client(hub)
    client.session.prepare("D", [(11, "A1")])  # numbered and stored, lost on the way
    client.send("D", [(11, "A2")])
    hub.until(lambda: len(hub.recorder.received) == 2)
    assert hub.recorder.values(11) == ["A1", "A2"]
    assert hub.recorder.values(43) == ["Y", ""]  # A2 itself was kept until A1 came


def test_numbers_of_ours_only_go_forward_and_skipped_ones_are_gap_filled(hub: EngineHub) -> None:
    engine = hub.run(accepting(), start=False)
    engine.set_next_outbound("ALPHA", 11)
    with pytest.raises(ValueError, match=r"next outbound MsgSeqNum 10: .* is 11"):
        engine.set_next_outbound("ALPHA", 10)
    with pytest.raises(ValueError, match="expected inbound MsgSeqNum 0"):
        engine.set_expected_inbound("ALPHA", 0)
    engine.start()
    assert engine.send("ALPHA", "8", [(37, "O1")]) == 11
    client = hub.client_of(engine)
    client.logon()
    assert client.wait_for(lambda m: m.get(37) == "O1").seq == 11
    hub.until(lambda: client.session.next_in == engine.next_outbound("ALPHA"))


def test_a_logon_that_resets_the_numbers_is_told(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    client.send("D", [(11, "A1")])
    engine.send("ALPHA", "8", [(37, "O1")])
    client.wait_for(lambda m: m.get(37) == "O1")
    client.kill()
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    assert resets(hub) == 0
    again = hub.client(
        "127.0.0.1",
        engine.acceptor_port,
        LightSettings(sender_comp_id="ALPHA", target_comp_id="PLUMB", reset_on_logon=True),
    )
    again.logon()
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    assert hub.recorder.calls[-3:] == [
        ("check", "ALPHA", ""),
        ("reset", "ALPHA"),
        ("logon", "ALPHA"),
    ]
    assert engine.expected_inbound("ALPHA") == engine.next_outbound("ALPHA") == 2


def test_our_own_logon_that_resets_the_numbers_is_told_once_each_time(hub: EngineHub) -> None:
    venue = hub.venue_named()
    engine = hub.run(connecting(venue.port, reset_on_logon=True))
    hub.until(lambda: engine.is_logged_on("XSIM"))
    assert venue.wait_for(lambda m: m.msg_type == "A").get(141) == "Y"
    assert resets(hub) == 1
    venue.kill()
    hub.until(lambda: not engine.is_logged_on("XSIM"))
    venue.listen()
    hub.until(lambda: engine.is_logged_on("XSIM"))
    assert resets(hub) == 2


def test_sequence_reset_forward_is_told_and_a_gap_fill_is_not(hub: EngineHub) -> None:
    engine, client = logged_on_client(hub)
    client.send("4", [(123, "Y"), (36, "5")])
    client.session.next_out = 5
    client.send("D", [(11, "A1")])
    hub.until(lambda: hub.recorder.values(11) == ["A1"])
    assert resets(hub) == 0
    client.send("4", [(123, "N"), (36, "20")])
    client.session.next_out = 20
    client.send("D", [(11, "A2")])
    hub.until(lambda: hub.recorder.values(11) == ["A1", "A2"])
    assert resets(hub) == 1
    client.send("4", [(36, "3")])  # backwards: refused
    reject = client.wait_for(lambda m: m.msg_type == "3")
    assert (reject.get(372), reject.get(373)) == ("4", "5")
    assert resets(hub) == 1
    assert engine.expected_inbound("ALPHA") == 21


def test_a_venue_that_is_down_costs_no_sequence_numbers(hub: EngineHub) -> None:
    venue = hub.venue_named()
    venue.kill()
    engine = hub.run(connecting(venue.port))
    attempts = 0
    has_connection = engine._callbacks._has_connection

    def counted(record: object) -> bool:
        nonlocal attempts
        attempts += 1
        return has_connection(record)  # type: ignore[arg-type]

    engine._callbacks._has_connection = counted
    hub.until(lambda: attempts >= 2)
    venue.listen()
    hub.until(lambda: engine.is_logged_on("XSIM"))
    assert venue.wait_for(lambda m: m.msg_type == "A").seq == 1
    assert ("logout", "XSIM", "the connection was lost") not in hub.recorder.calls
