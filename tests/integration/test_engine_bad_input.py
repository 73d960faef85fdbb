"""What is not FIX, or not from who it says: the exact answer, and that the session goes on."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fix_sessions.engine import Engine
from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import LightPeer
from fix_sessions.wire import fields_of, first, frame
from tests.support.fix_engine import EngineHub, accepting

# More than comes in the half second between two looks.
MANY_BYTES = 400 << 20


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[EngineHub]:
    with EngineHub(tmp_path / "store") as found:
        yield found


@pytest.fixture
def engine(hub: EngineHub) -> Engine:
    return hub.run(accepting(), accepting("BETA"))


@pytest.fixture
def client(hub: EngineHub, engine: Engine) -> LightPeer:
    found = hub.client_of(engine)
    found.logon()
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    return found


def goes_on(hub: EngineHub, client: LightPeer) -> bool:
    """An order sent now is handed over."""
    client.send("D", [(11, "LAST")])
    hub.until(lambda: hub.recorder.values(11)[-1:] == ["LAST"])
    return True


@pytest.mark.parametrize(
    ("sender", "target"), [("NOBODY", "PLUMB"), ("ALPHA", "NOBODY"), ("PLUMB", "ALPHA")]
)
def test_a_logon_with_unknown_comp_ids_is_dropped_without_an_answer(
    hub: EngineHub, engine: Engine, sender: str, target: str
) -> None:
    settings = LightSettings(sender_comp_id=sender, target_comp_id=target)
    stranger = hub.client("127.0.0.1", engine.acceptor_port, settings)
    with pytest.raises(ConnectionError, match="closed by the other side"):
        stranger.logon()
    assert stranger.messages == []
    assert hub.recorder.calls == []


@pytest.mark.skipif(os.getuid() != 0, reason="another account is needed")
def test_another_account_of_the_machine_is_cut_off(hub: EngineHub, engine: Engine) -> None:
    """QuickFIX lets connections stay that never say anything, as many as there are descriptors."""
    program = (
        "import encodings.idna, os, socket, sys; os.setuid(65534); "
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20); print(s.recv(9))"
    )
    command = [sys.executable, "-c", program, str(engine.acceptor_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stranger:
        hub.until(lambda: stranger.poll() is not None)
        assert stranger.stdout is not None
        assert stranger.stdout.read() == "b''\n"
    client = hub.client_of(engine)
    client.logon()
    assert goes_on(hub, client)


def test_a_first_message_that_is_no_logon_is_dropped_without_an_answer(
    hub: EngineHub, engine: Engine
) -> None:
    stranger = hub.client_of(engine)
    stranger.connect(logon=False)
    stranger.send_bytes(stranger.session.prepare("D", [(11, "A1")]))
    hub.until(lambda: not stranger.is_connected)
    assert (stranger.messages, hub.recorder.received) == ([], [])


def test_a_second_connection_for_a_session_is_dropped_and_the_first_goes_on(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    double = hub.client_of(engine)
    with pytest.raises(ConnectionError, match="closed by the other side"):
        double.logon()
    assert goes_on(hub, client)


def test_a_refused_logon_gets_the_reason_and_the_session_stays_closed(
    hub: EngineHub, engine: Engine
) -> None:
    hub.recorder.refusal = "wrong password"
    client = hub.client_of(engine)
    with pytest.raises(ConnectionError):
        client.logon()
    assert [m.get(58) for m in client.messages if m.msg_type == "5"] == [
        "Rejected Logon Attempt: wrong password"
    ]
    assert hub.recorder.calls == [("check", "ALPHA", "")]
    assert not engine.is_logged_on("ALPHA")
    hub.recorder.refusal = None
    client.reconnect()
    assert goes_on(hub, client)


def knock(hub: EngineHub, engine: Engine, client: LightPeer) -> None:
    """A Logon that must not succeed."""
    with pytest.raises((ConnectionError, TimeoutError)):
        client.reconnect(timeout_s=5.0)
    assert not engine.is_logged_on("ALPHA")
    hub.until(lambda: not client.is_connected)


def test_a_closed_session_tells_who_logs_on_why_and_its_numbers_go_on(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    engine.logout("ALPHA", "closed until noon", answers=True)
    hub.until(lambda: not client.is_connected)

    def told() -> bool:
        knock(hub, engine, client)
        return "Rejected Logon Attempt: closed until noon" in [
            m.get(58) for m in client.messages if m.msg_type == "5"
        ]

    hub.until(told)
    inbound = engine.expected_inbound("ALPHA")
    knock(hub, engine, client)
    assert engine.expected_inbound("ALPHA") == inbound
    engine.logon("ALPHA")
    client.reconnect()
    assert goes_on(hub, client)


def test_a_closed_session_that_answers_nobody_drops_a_logon(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    engine.logout("ALPHA", "new numbers", answers=True)
    engine.logout("ALPHA", "new numbers")
    hub.until(lambda: not client.is_connected)
    seen = len(client.messages)
    knock(hub, engine, client)
    assert client.messages[seen:] == []


def test_another_comp_id_in_mid_session_is_rejected_and_logged_out(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    header = [(34, "2"), (49, "BETA"), (56, "PLUMB"), (52, sending_time(client))]
    client.send_bytes(frame("FIX.4.4", [(35, "D"), *header, (11, "A1")]))
    reject = client.wait_for(lambda m: m.msg_type == "3")
    assert (reject.get(45), reject.get(373)) == ("2", "9")
    client.wait_for(lambda m: m.msg_type == "5")
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    assert hub.recorder.received == []


def sending_time(client: LightPeer) -> str:
    """A SendingTime that is good enough: that of the client's Logon."""
    return first(fields_of(client.session.sent[1].decode()), 52) or ""


def test_a_stale_sending_time_is_rejected_and_logged_out(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    header = [(34, "2"), (49, "ALPHA"), (56, "PLUMB"), (52, "20200101-00:00:00")]
    client.send_bytes(frame("FIX.4.4", [(35, "D"), *header, (11, "A1")]))
    assert client.wait_for(lambda m: m.msg_type == "3").get(373) == "10"
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    assert hub.recorder.received == []


def test_session_messages_before_a_logon_cost_the_connection_and_nothing_else(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    client.logout()
    engine.set_expected_inbound("ALPHA", 20)
    client.connect(logon=False)
    header = [(49, "ALPHA"), (56, "PLUMB"), (52, sending_time(client))]
    client.send_bytes(frame("FIX.4.4", [(35, "A"), *header, (98, "0"), (108, "30")]))
    reset = frame("FIX.4.4", [(35, "4"), (34, "2"), *header, (36, "5")])

    def ended() -> bool:
        if client.is_connected:
            client.send_bytes(reset)
        return not client.is_connected

    hub.until(ended)
    other = hub.client_of(engine, "BETA")
    other.logon()
    client.session.next_out = 20
    client.reconnect()
    assert goes_on(hub, client)


def test_what_a_logout_says_is_cut_and_made_printable(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    """It is journaled, for a venue with each of its open orders, and shown on terminals."""
    client.send("5", [(58, "\x1b[2J" + "x" * 50_000)])
    hub.until(lambda: not engine.is_logged_on("ALPHA"))
    reason = hub.recorder.calls[-1][2]
    assert reason == " [2J" + "x" * 996


def test_what_comes_behind_a_logout_costs_nobody_else_anything(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    """QuickFIX fails on it when it has closed the connection already."""
    other = hub.client_of(engine, "BETA")
    other.logon()
    header = [(49, "ALPHA"), (56, "PLUMB"), (52, sending_time(client))]
    logout = frame("FIX.4.4", [(35, "5"), (34, "2"), *header])
    reset = frame("FIX.4.4", [(35, "4"), (34, "3"), *header, (123, "N"), (36, "1")])
    client.send_bytes(logout + reset)
    hub.until(lambda: not client.is_connected)
    assert engine.is_logged_on("BETA")
    other.send("D", [(11, "OTHER")])
    hub.until(lambda: hub.recorder.values(11) == ["OTHER"])


def test_what_the_engine_reads_without_being_told_ends_the_session_that_it_fails_on_only(
    hub: EngineHub, engine: Engine, client: LightPeer
) -> None:
    other = hub.client_of(engine, "BETA")
    other.logon()
    hub.until(lambda: engine.is_logged_on("BETA"))
    header = [(49, "ALPHA"), (56, "PLUMB"), (52, sending_time(client))]
    logout = frame("FIX.4.4", [(35, "5"), (34, "2"), *header])
    reset = frame("FIX.4.4", [(35, "4"), (34, "3"), *header, (123, "N"), (36, "1")])
    client.send_bytes(logout + reset)
    deadline = time.monotonic() + 10
    while engine.is_logged_on("ALPHA") and time.monotonic() < deadline:
        engine.tick()
        time.sleep(0.01)
    other.send("D", [(11, "OTHER")])
    hub.until(lambda: hub.recorder.values(11) == ["OTHER"])
    assert other.is_connected


def test_a_whole_session_in_one_write_that_ends_in_nonsense_costs_nobody_else_anything(
    hub: EngineHub, engine: Engine
) -> None:
    """QuickFIX reads a part of it in its turn, and the rest when it is to send on a backlog."""
    other = hub.client_of(engine, "BETA")
    other.logon()
    header = [(49, "ALPHA"), (56, "PLUMB"), (52, sending_time(other))]
    logon = frame("FIX.4.4", [(35, "A"), (34, "1"), *header, (98, "0"), (108, "30")])
    note = [(112, "x" * 9_000)]
    heartbeat = frame("FIX.4.4", [(35, "0"), (34, "2"), *header, *note])
    logout = frame("FIX.4.4", [(35, "5"), (34, "3"), *header])
    reset = frame("FIX.4.4", [(35, "4"), (34, "4"), *header, (123, "N"), (36, "1")])
    client = hub.client_of(engine)
    client.connect(logon=False)
    client.send_bytes(logon + heartbeat + logout + reset)
    hub.until(lambda: ("logon", "ALPHA") in hub.recorder.calls and not client.is_connected)
    assert engine.is_logged_on("BETA")
    other.send("D", [(11, "OTHER")])
    hub.until(lambda: hub.recorder.values(11) == ["OTHER"])


def spoilt_checksum(data: bytes) -> bytes:
    return data[:-4] + (b"000\x01" if data[-4:] != b"000\x01" else b"001\x01")


@pytest.mark.parametrize(
    "spoil",
    [
        spoilt_checksum,
        lambda data: data.replace(b"11=A1", b"11=A9"),
        lambda data: data.replace(b"\x0111=A1", b"\x0111"),
        lambda data: b"no FIX at all " * 10 + data[:20] + b"\x01",
    ],
    ids=["checksum", "one byte", "no equal sign", "noise"],
)
def test_garbled_messages_are_ignored_and_asked_for_again(
    hub: EngineHub, client: LightPeer, spoil: object
) -> None:
    garbled = spoil(client.session.prepare("D", [(11, "A1")]))  # type: ignore[operator]
    client.send_bytes(garbled)
    # A wrong length may swallow the next message too: the one after that shows the gap.
    client.send("D", [(11, "A2")])
    client.send("D", [(11, "A3")])
    hub.until(lambda: len(hub.recorder.received) == 3)
    assert hub.recorder.values(11) == ["A1", "A2", "A3"]
    assert not [m for m in client.messages if m.msg_type in "3j5"]
    assert goes_on(hub, client)


def test_a_length_without_end_costs_the_connection_and_no_message(
    hub: EngineHub, engine: Engine
) -> None:
    client = hub.client_of(engine, heartbeat_s=1)
    client.logon()
    client.send_bytes(b"8=FIX.4.4\x019=99999999\x0135=D\x01")
    client.send("D", [(11, "A1")])
    hub.until(lambda: not client.is_connected)
    assert hub.recorder.received == []
    client.reconnect()
    hub.until(lambda: hub.recorder.values(11) == ["A1"])


def behind_a_gap(client: LightPeer) -> bytes:
    header = [(49, "ALPHA"), (56, "PLUMB"), (52, sending_time(client))]
    text = "x" * 60_000
    return b"".join(
        frame("FIX.4.4", [(35, "D"), (34, f"{number}"), *header, (11, "A1"), (58, text)])
        for number in range(1_000, 1_017)
    )


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (lambda _: b"8=FIX.4.4\x019=99999999\x0135=D\x01", lambda _: b"x" * (1 << 20)),
        (lambda _: b"", lambda _: b"x" * (1 << 20)),
        (lambda _: b"", behind_a_gap),
    ],
    ids=["a length without end", "noise", "a gap that is not filled"],
)
def test_bytes_that_never_become_messages_do_not_fill_the_memory(
    hub: EngineHub,
    engine: Engine,
    begin: Callable[[LightPeer], bytes],
    again: Callable[[LightPeer], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also of a client whose heartbeats nobody waits for."""
    monkeypatch.setattr("fix_sessions.backlog._MAX_UNANSWERED_BYTES", 1 << 20)
    client = hub.client_of(engine, heartbeat_s=0)
    client.logon()
    client.session._resend = lambda *_: None  # type: ignore[method-assign]
    client.send_bytes(begin(client))
    sent, piece = 0, again(client)
    while client.is_connected and sent < MANY_BYTES:
        client.send_bytes(piece)
        sent += len(piece)
        hub.until(lambda: not (client.is_connected and client._unsent))
    assert sent < MANY_BYTES
    assert hub.recorder.received == []


@pytest.mark.parametrize(
    ("msg_type", "body", "answer"),
    [
        ("ZZ", [(11, "A1")], ("11", None)),
        ("D", [(11, "A1"), (11, "A2")], ("13", "11")),
        ("W", [(55, "ABC"), (99, "1"), (99, "2")], ("13", "99")),
        ("1", [], ("1", "112")),
        ("2", [(7, "x"), (16, "0")], ("6", "7")),
    ],
)
def test_messages_that_break_the_session_rules_get_a_session_reject(
    hub: EngineHub,
    client: LightPeer,
    msg_type: str,
    body: list[tuple[int, str]],
    answer: tuple[str, str | None],
) -> None:
    reason, tag = answer
    number = client.send(msg_type, body)
    reject = client.wait_for(lambda m: m.msg_type == "3")
    assert [reject.get(t) for t in (45, 371, 372, 373)] == [str(number), tag, msg_type, reason]
    assert hub.recorder.received == []
    assert goes_on(hub, client)


def test_an_empty_value_gets_a_session_reject(hub: EngineHub, client: LightPeer) -> None:
    data = client.session.prepare("D", [(11, "A1"), (58, "x")])
    body = data[data.index(b"35=") : -7].replace(b"58=x", b"58=")
    head = b"8=FIX.4.4\x019=%d\x01" % len(body)
    client.send_bytes(head + body + b"10=%03d\x01" % (sum(head + body) % 256))
    reject = client.wait_for(lambda m: m.msg_type == "3")
    assert [reject.get(t) for t in (371, 373)] == ["58", "4"]
    assert hub.recorder.received == []
    assert goes_on(hub, client)


def test_what_the_session_does_not_judge_is_handed_over_as_it_came(
    hub: EngineHub, client: LightPeer
) -> None:
    client.send("N", [(66, "L1")])  # ListStatus: FIX 4.4, and nothing that we take
    client.send("D", [(38, "NaN"), (44, "1e400"), (54, "?"), (6001, "own"), (268, "2")])
    hub.until(lambda: len(hub.recorder.received) == 2)
    assert [first(fields_of(text), 35) for _, text in hub.recorder.received] == ["N", "D"]
    order = fields_of(hub.recorder.received[1][1])
    assert {(38, "NaN"), (44, "1e400"), (54, "?"), (6001, "own"), (268, "2")} <= set(order)
    assert goes_on(hub, client)
