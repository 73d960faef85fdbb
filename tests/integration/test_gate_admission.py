"""Who is let through the gate, and exactly what everybody else is answered."""

import socket
from collections.abc import Iterator

import pytest

from fix_sessions.gate_events import GateEventKind, RefusalReason
from fix_sessions.wire import fields_of, frame
from tests.integration.gate_rig import (
    ENGINE_LOGOUT_SEQ,
    PASSWORD,
    SENDING_TIME,
    TICKET,
    Rig,
    assert_echoes,
    client_of,
    limits_with,
    logon,
    logon_fields,
    read_to_end,
    running_gate,
    wait_until,
)

BAD_CREDENTIALS_TEXT = (
    "Logon refused: Username (553) and Password (554) do not belong to this session"
)
RESET_TEXT = "Logon refused: ResetSeqNumFlag (141) = Y is not allowed for this session"
NEW_PASSWORD_TEXT = "Logon refused: a password cannot be changed by NewPassword (925)"


@pytest.fixture
def rig() -> Iterator[Rig]:
    limits = limits_with(failures_before_backoff=1_000)
    clients = (client_of("C1"), client_of("C2"), client_of("RESETS", allow_reset=True))
    elsewhere = client_of("ELSEWHERE", "127.0.0.2", "10.1.0.0/16")
    with running_gate(*clients, elsewhere, limits=limits) as found:
        yield found


def answer_to(rig: Rig, data: bytes, source: str = "127.0.0.1") -> bytes:
    """All that comes back until the gate closes."""
    with rig.connect(source) as sock:
        sock.sendall(data)
        return read_to_end(sock)


def with_checksum_off(data: bytes) -> bytes:
    right = int(data[-4:-1])
    return data[:-4] + b"%03d\x01" % ((right + 1) % 256)


def logout_of(text: str) -> bytes:
    """The engine's Logout as a refused client gets it: the engine's number, the gate's text."""
    head = [(35, "5"), (34, ENGINE_LOGOUT_SEQ), (49, "PLUMB"), (52, SENDING_TIME), (56, "C1")]
    return frame("FIX.4.4", [*head, (354, "3"), (58, text)])


def test_a_good_logon_reaches_the_engine_with_the_ticket_for_the_password(rig: Rig) -> None:
    with rig.log_on("C1", t141="N", t9001="ours") as sock:
        assert_echoes(sock, 2)
        assert_echoes(sock, 3)
        (connection,) = rig.engine.connections
        expected = frame("FIX.4.4", logon_fields("C1", t554=TICKET, t141="N", t9001="ours"))
        assert connection.logon == fields_of(expected.decode())
        assert PASSWORD.encode() not in connection.received
    event = rig.wait_for_kind(GateEventKind.CONNECTED)
    assert (event.session_id, event.address) == ("session-C1", "127.0.0.1")
    gone = rig.wait_for_kind(GateEventKind.DISCONNECTED)
    assert (gone.session_id, gone.cause) == ("session-C1", "client_closed")


@pytest.mark.parametrize(
    "changes",
    [{"t554": "wrong"}, {"t554": None}, {"t553": "somebody"}, {"t553": None}],
    ids=["wrong password", "no password", "wrong user", "no user"],
)
def test_bad_credentials_get_one_logout_that_does_not_say_which(
    rig: Rig, changes: dict[str, str | None]
) -> None:
    assert answer_to(rig, logon("C1", t141="Y", **changes)) == logout_of(BAD_CREDENTIALS_TEXT)
    (connection,) = rig.engine.connections
    tags = [tag for tag, _ in connection.logon]
    assert 554 not in tags
    assert 141 not in tags, "a reset reached the engine without a password"
    event = rig.wait_for_refusal(RefusalReason.BAD_CREDENTIALS)
    assert (event.session_id, event.address, event.count) == ("session-C1", "127.0.0.1", 1)


def test_a_reset_is_for_those_whose_profile_allows_it(rig: Rig) -> None:
    assert answer_to(rig, logon("C1", t141="Y")) == logout_of(RESET_TEXT)
    assert 141 not in dict(rig.engine.connections[0].logon)
    rig.wait_for_refusal(RefusalReason.RESET_NOT_ALLOWED)
    with rig.log_on("RESETS", t141="Y") as sock:
        assert_echoes(sock, 2)
        assert dict(rig.engine.connections[1].logon)[141] == "Y"


def test_a_password_cannot_be_changed_and_does_not_reach_the_engine(rig: Rig) -> None:
    assert answer_to(rig, logon("C1", t925="my new one")) == logout_of(NEW_PASSWORD_TEXT)
    assert b"my new one" not in rig.engine.connections[0].received
    rig.wait_for_refusal(RefusalReason.NEW_PASSWORD_NOT_SUPPORTED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (logon("NOBODY"), RefusalReason.UNKNOWN_SESSION),
        (logon("C1", t56="OTHER"), RefusalReason.UNKNOWN_SESSION),
        (frame("FIX.4.2", logon_fields()), RefusalReason.UNKNOWN_SESSION),
        (logon("C1", t35="0"), RefusalReason.NOT_A_LOGON),
        (logon("C1", t35="D"), RefusalReason.NOT_A_LOGON),
        (logon("ELSEWHERE"), RefusalReason.ADDRESS_NOT_ALLOWED_FOR_SESSION),
        (with_checksum_off(logon()), RefusalReason.GARBLED),
        (logon().replace(b"9=87", b"9=86"), RefusalReason.GARBLED),
        (logon().replace(b"34=1\x01", b"34=11\x01"), RefusalReason.GARBLED),
        (logon().replace(b"8=FIX.4.4", b"8=FIX.44"), RefusalReason.GARBLED),
        (logon("C1", t108="soon"), RefusalReason.GARBLED),
        (logon("C1", t108=None), RefusalReason.GARBLED),
        (logon("C1", t141="1"), RefusalReason.GARBLED),
        (frame("FIX.4.4", [*logon_fields(), (554, "twice")]), RefusalReason.GARBLED),
        (b"GET / HTTP/1.1\r\n\r\n", RefusalReason.GARBLED),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", RefusalReason.GARBLED),
        (logon("C1", t58="x" * 5_000), RefusalReason.LOGON_TOO_LARGE),
    ],
)
def test_strangers_are_closed_without_an_answer(
    rig: Rig, data: bytes, reason: RefusalReason
) -> None:
    assert answer_to(rig, data) == b""
    rig.wait_for_refusal(reason)
    assert rig.engine.connections == [], "the engine has seen a stranger"
    with rig.log_on() as sock:
        assert_echoes(sock, 2)


def test_a_tag_in_another_spelling_cannot_slip_a_reset_past_the_gate(rig: Rig) -> None:
    body = logon("C1").split(b"\x01", 2)[2][:-7] + b"0141=Y\x01"
    data = b"8=FIX.4.4\x019=%d\x01%b" % (len(body), body)
    data += b"10=%03d\x01" % (sum(data) % 256)
    assert answer_to(rig, data) == b""
    rig.wait_for_refusal(RefusalReason.GARBLED)
    assert rig.engine.connections == []


def test_an_address_that_nobody_has_is_closed_unread(rig: Rig) -> None:
    with rig.connect("127.0.0.3") as sock:
        assert read_to_end(sock) == b""  # with nothing sent
    event = rig.wait_for_refusal(RefusalReason.ADDRESS_NOT_ALLOWED)
    assert event.address == "127.0.0.3"


def test_a_session_is_let_in_from_its_own_address(rig: Rig) -> None:
    with rig.connect("127.0.0.2") as sock:
        sock.sendall(logon("ELSEWHERE"))
        assert b"\x0135=A\x01" in sock.recv(1 << 12)
    assert answer_to(rig, logon("C1"), source="127.0.0.2") == b""
    rig.wait_for_refusal(RefusalReason.ADDRESS_NOT_ALLOWED_FOR_SESSION)


def test_without_answers_a_wrong_password_is_a_plain_close() -> None:
    with running_gate(answer_refusals=False) as rig:
        assert answer_to(rig, logon("C1", t554="wrong")) == b""
        rig.wait_for_refusal(RefusalReason.BAD_CREDENTIALS)
        assert rig.engine.connections == []


def test_a_wrong_password_leaves_a_connected_session_alone(rig: Rig) -> None:
    with rig.log_on() as sock:
        assert answer_to(rig, logon("C1", t554="wrong")) == b""
        assert_echoes(sock, 2)
        assert len(rig.engine.connections) == 1


def test_an_engine_that_is_down_closes_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with running_gate(engine_port=port) as rig:
        assert answer_to(rig, logon()) == b""
        rig.wait_for_refusal(RefusalReason.ENGINE_UNAVAILABLE)
        assert answer_to(rig, logon("C1", t554="wrong")) == b""
        rig.wait_for_refusal(RefusalReason.BAD_CREDENTIALS)


def test_an_address_that_fails_too_often_has_to_wait() -> None:
    limits = limits_with(failures_before_backoff=2, backoff_ms=700)
    clients = (client_of("C1", "127.0.0.1", "127.0.0.2"),)
    with running_gate(*clients, limits=limits) as rig:
        for _ in range(2):
            assert answer_to(rig, logon("C1", t554="wrong")) == logout_of(BAD_CREDENTIALS_TEXT)
        assert answer_to(rig, logon()) == b"", "the right password was let in at once"
        rig.wait_for_refusal(RefusalReason.BACKING_OFF)
        assert b"\x0135=A\x01" in first_answer(rig, "127.0.0.2"), "another address had to wait"
        wait_until(lambda: b"\x0135=A\x01" in first_answer(rig, "127.0.0.1"), "let in again")


def test_a_good_logon_is_a_new_start_for_its_address() -> None:
    limits = limits_with(failures_before_backoff=2)
    with running_gate(limits=limits) as rig:
        for _ in range(3):
            assert answer_to(rig, logon("C1", t554="wrong")) == logout_of(BAD_CREDENTIALS_TEXT)
            with rig.log_on() as sock:
                assert_echoes(sock, 2)
            # The session's next refusal is answered only once its connection has ended.
            wait_until(lambda: rig.engine.connections[-1].is_closed, "the connection's end")
            rig.wait_for_kind(GateEventKind.DISCONNECTED)
            rig.events.clear()


def test_an_engine_that_does_not_answer_closes_the_client() -> None:
    with running_gate(limits=limits_with(engine_timeout_ms=200)) as rig:
        rig.engine.answers = False
        assert answer_to(rig, logon()) == b""
        assert rig.wait_for_kind(GateEventKind.DISCONNECTED).cause == "engine_silent"
        assert answer_to(rig, logon("C1", t554="wrong")) == b""
        rig.wait_for_refusal(RefusalReason.BAD_CREDENTIALS)


def test_refusals_of_one_session_do_not_queue_for_the_engine() -> None:
    with running_gate(limits=limits_with(engine_timeout_ms=60_000)) as rig:
        rig.engine.answers = False
        with rig.connect() as waiting:
            waiting.sendall(logon("C1", t554="wrong"))
            wait_until(lambda: len(rig.engine.connections) == 1, "the first refusal at the engine")
            assert answer_to(rig, logon("C1", t554="wrong")) == b""
            assert len(rig.engine.connections) == 1


def first_answer(rig: Rig, source: str) -> bytes:
    with rig.connect(source) as sock:
        try:
            sock.sendall(logon())
            return sock.recv(1 << 12)
        except ConnectionError:
            return b""
