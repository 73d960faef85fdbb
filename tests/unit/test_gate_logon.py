"""The first frame: every cut, every lie, and what goes on to the engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_sessions.gate_events import RefusalReason
from fix_sessions.gate_logon import (
    LogonFaultError,
    admitted_frame,
    first_frame,
    logout_with_text,
    read_logon,
    refused_frame,
)
from fix_sessions.wire import fields_of, frame

MAX_BYTES = 4_096
FIELDS = [
    (35, "A"),
    (34, "7"),
    (49, "C1"),
    (52, "20260102-03:04:05"),
    (56, "PLUMB"),
    (98, "0"),
    (108, "30"),
    (141, "Y"),
    (384, "2"),
    (372, "D"),
    (385, "R"),
    (372, "8"),
    (385, "S"),
    (553, "trader"),
    (554, "p=ss"),
]
LOGON = frame("FIX.4.4", FIELDS)


def reason_of(data: bytes) -> RefusalReason:
    with pytest.raises(LogonFaultError) as caught:
        read_logon(first_frame(data, MAX_BYTES) or b"incomplete")
    return caught.value.reason


def test_a_logon_is_read() -> None:
    logon = read_logon(LOGON)
    assert (logon.begin_string, logon.sender_comp_id, logon.target_comp_id) == (
        "FIX.4.4",
        "C1",
        "PLUMB",
    )
    assert (logon.username, logon.password) == ("trader", "p=ss")
    assert logon.wants_reset
    assert not logon.changes_password
    assert logon.heart_bt_int == 30
    assert "p=ss" not in repr(logon)


def test_the_frame_is_complete_with_its_last_byte_and_not_before() -> None:
    for size in range(len(LOGON)):
        assert first_frame(LOGON[:size], MAX_BYTES) is None
    assert first_frame(LOGON, MAX_BYTES) == LOGON
    assert first_frame(LOGON + b"8=FIX and more", MAX_BYTES) == LOGON


def outcome(data: bytes) -> bytes | RefusalReason | None:
    try:
        return first_frame(data, MAX_BYTES)
    except LogonFaultError as fault:
        return fault.reason


@given(position=st.integers(0, len(LOGON) - 1), byte=st.integers(0, 255))
def test_one_wrong_byte_is_never_let_through(position: int, byte: int) -> None:
    data = LOGON[:position] + bytes([byte]) + LOGON[position + 1 :]
    if data != LOGON:  # None: a longer BodyLength, whose rest never comes
        assert outcome(data) in {None, RefusalReason.GARBLED, RefusalReason.LOGON_TOO_LARGE}


@given(start=st.sampled_from([b"", b"8=FIX.4.4\x01", LOGON[:-8]]), noise=st.binary(max_size=200))
def test_noise_is_refused_at_once_or_waited_for(start: bytes, noise: bytes) -> None:
    data = start + noise
    if not data.startswith(LOGON):
        assert outcome(data) in {None, RefusalReason.GARBLED, RefusalReason.LOGON_TOO_LARGE}


def test_what_can_never_become_a_frame_is_refused_before_it_is_complete() -> None:
    assert reason_of(b"G") is RefusalReason.GARBLED
    assert reason_of(b"8=FIX.4.4\x01934=1\x0135=A\x01") is RefusalReason.GARBLED
    assert reason_of(b"8=FIX.4.4\x019=4090\x01") is RefusalReason.LOGON_TOO_LARGE
    assert reason_of(b"8=FIX.4.4\x019=99999999999") is RefusalReason.GARBLED


@pytest.mark.parametrize("tag", [34, 35, 49, 52, 56, 98, 108, 141, 553, 554])
def test_a_field_that_decides_stands_once(tag: int) -> None:
    twice = [*FIELDS, next(field for field in FIELDS if field[0] == tag)]
    assert reason_of(frame("FIX.4.4", twice)) is RefusalReason.GARBLED


@pytest.mark.parametrize("tag", [34, 49, 52, 56, 98, 108])
def test_a_required_field_is_there(tag: int) -> None:
    without = [field for field in FIELDS if field[0] != tag]
    assert reason_of(frame("FIX.4.4", without)) is RefusalReason.GARBLED


@pytest.mark.parametrize(
    ("tag", "value"), [(141, "y"), (141, "YES"), (108, "-1"), (108, "1.5"), (108, "86401")]
)
def test_a_value_has_one_meaning(tag: int, value: str) -> None:
    changed = [(number, value if number == tag else text) for number, text in FIELDS]
    assert reason_of(frame("FIX.4.4", changed)) is RefusalReason.GARBLED


def test_msg_type_stands_third() -> None:
    moved = [*FIELDS[1:], FIELDS[0]]
    assert reason_of(frame("FIX.4.4", moved)) is RefusalReason.GARBLED


@pytest.mark.parametrize("msg_type", ["0", "5", "D", "AA"])
def test_only_a_logon_comes_first(msg_type: str) -> None:
    other = frame("FIX.4.4", [(35, msg_type), *FIELDS[1:]])
    assert reason_of(other) is RefusalReason.NOT_A_LOGON


def test_the_engine_is_given_the_ticket_in_the_passwords_place() -> None:
    expected = [(tag, "ticket" if tag == 554 else value) for tag, value in FIELDS]
    assert admitted_frame(read_logon(LOGON), "ticket") == frame("FIX.4.4", expected)


def test_a_logon_of_fix42_may_bring_its_password_in_raw_data() -> None:
    fields = [field for field in FIELDS if field[0] not in {553, 554}]
    logon = read_logon(frame("FIX.4.2", [*fields, (95, "4"), (96, "p=ss")]))
    assert (logon.username, logon.password) == ("C1", "p=ss")
    admitted = admitted_frame(logon, "ticket")
    assert admitted == frame("FIX.4.2", [*fields, (553, "C1"), (554, "ticket")])
    assert b"p=ss" not in refused_frame(logon)


def test_raw_data_is_no_password_elsewhere() -> None:
    fields = [field for field in FIELDS if field[0] not in {553, 554}]
    raw_data = [(95, "4"), (96, "p=ss")]
    assert read_logon(frame("FIX.4.4", [*fields, *raw_data])).password == ""
    with_password = read_logon(frame("FIX.4.2", [*FIELDS[:-1], *raw_data, (554, "other")]))
    assert with_password.password == "other"


def test_a_refused_logon_keeps_neither_secret_nor_reset() -> None:
    with_new = frame("FIX.4.4", [*FIELDS, (925, "new"), (1402, "other"), (1404, "third")])
    expected = [(tag, value) for tag, value in FIELDS if tag not in {141, 554}]
    assert refused_frame(read_logon(with_new)) == frame("FIX.4.4", expected)


def test_the_engines_logout_gets_our_text_and_keeps_its_number() -> None:
    theirs = frame("FIX.4.4", [(35, "5"), (34, "501"), (49, "PLUMB"), (58, "x"), (354, "1")])
    answer = logout_with_text(theirs, "no")
    assert answer is not None
    assert fields_of(answer.decode())[2:-1] == [
        (35, "5"),
        (34, "501"),
        (49, "PLUMB"),
        (354, "1"),
        (58, "no"),
    ]


@pytest.mark.parametrize("raw", [LOGON, b"", b"8=FIX.4.4\x01", b"noise"])
def test_nothing_but_a_logout_is_passed_on(raw: bytes) -> None:
    assert logout_with_text(raw, "no") is None


def test_a_fault_never_tells_the_password() -> None:
    """RawData (96), the password of FIX 4.2, may hold SOH by the standard."""
    body = "35=A\x0134=1\x0149=C1\x0156=PLUMB\x0198=0\x01108=30\x0195=13\x0196=half\x01secret\x01"
    head = f"8=FIX.4.2\x019={len(body)}\x01"
    data = (head + body).encode()
    with pytest.raises(LogonFaultError) as caught:
        read_logon(data + b"10=%03d\x01" % (sum(data) % 256))
    assert caught.value.reason is RefusalReason.GARBLED
    assert "secret" not in str(caught.value)
