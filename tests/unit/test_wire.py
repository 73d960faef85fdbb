"""FIX framing: round trips, resynchronisation after garbled bytes, bounds, timestamps."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_sessions.wire import (
    Frame,
    FrameReader,
    WireError,
    checksum,
    fields_of,
    first,
    frame,
    parse_utc_timestamp,
    utc_timestamp_ms,
)

# A logon as other engines print it: its BodyLength and CheckSum are not of our making.
LOGON = (
    b"8=FIX.4.2\x019=65\x0135=A\x0149=SERVER\x0156=CLIENT\x0134=177\x01"
    b"52=20090107-18:15:16\x0198=0\x01108=30\x0110=062\x01"
)

tags = st.integers(min_value=11, max_value=999_999_999)
values = st.text(
    alphabet=st.characters(min_codepoint=0x02, max_codepoint=0xFF), min_size=1, max_size=20
)
messages = st.lists(st.tuples(tags, values), max_size=8)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def read(data: bytes, cuts: list[int]) -> list[Frame]:
    reader = FrameReader()
    return [found for piece in pieces_of(data, cuts) for found in reader.feed(piece)]


@given(fields=messages)
def test_fields_survive_a_frame(fields: list[tuple[int, str]]) -> None:
    data = frame("FIX.4.4", fields)
    read_back = fields_of(data.decode("latin-1"))
    assert read_back[0] == (8, "FIX.4.4")
    assert read_back[2:-1] == fields
    body = data[data.index(b"\x01", 10) + 1 : -7]
    assert read_back[1] == (9, str(len(body)))
    assert read_back[-1] == (10, f"{checksum(data[:-7]):03d}")


@given(batch=st.lists(messages, max_size=4), cuts=st.lists(st.integers(min_value=0), max_size=6))
def test_frames_do_not_depend_on_the_cuts(
    batch: list[list[tuple[int, str]]], cuts: list[int]
) -> None:
    sent = [frame("FIXT.1.1", fields) for fields in batch]
    assert read(b"".join(sent), cuts) == [Frame(raw=raw) for raw in sent]


@given(
    noise=st.binary(min_size=1, max_size=40), cuts=st.lists(st.integers(min_value=0), max_size=6)
)
def test_a_message_after_noise_is_still_read(noise: bytes, cuts: list[int]) -> None:
    frames = read(noise + LOGON, cuts)
    assert b"".join(found.raw for found in frames) == noise + LOGON
    assert frames[-1] == Frame(raw=LOGON)
    assert all(found.fault for found in frames[:-1])


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(min_value=0), max_size=6))
def test_any_bytes_give_the_same_frames_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    assert read(data, cuts) == read(data, [])


def test_a_known_message_is_sound() -> None:
    assert read(LOGON, []) == [Frame(raw=LOGON)]
    assert first(fields_of(LOGON.decode()), 108) == "30"
    assert first(fields_of(LOGON.decode()), 553) is None


def test_wrong_checksum_is_named_and_the_next_message_read() -> None:
    bad = LOGON.replace(b"10=062", b"10=063")
    assert read(bad + LOGON, []) == [
        Frame(raw=bad, fault="CheckSum 063 is wrong: the sum is 062"),
        Frame(raw=LOGON),
    ]


@pytest.mark.parametrize("length", [b"9=64", b"9=66", b"9=5", b"9=0", b"9=140"])
def test_wrong_body_length_is_named_and_the_next_messages_read(length: bytes) -> None:
    bad = LOGON.replace(b"9=65", length)
    frames = read(bad + LOGON + LOGON, [])
    assert frames == [
        Frame(raw=bad, fault=f"BodyLength {length[2:].decode()} is wrong"),
        Frame(raw=LOGON),
        Frame(raw=LOGON),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        LOGON.replace(b"9=65", b"9=x"),
        LOGON.replace(b"8=FIX", b"8=FAX"),
        LOGON[:40],
        b"GET / HTTP/1.1\r\n\r\n",
        LOGON[:-2],
    ],
)
def test_bytes_without_a_header_or_an_end_are_set_apart(bad: bytes) -> None:
    frames = read(bad + LOGON + LOGON, [])
    assert frames[-1] == Frame(raw=LOGON)
    assert b"".join(found.raw for found in frames) == bad + LOGON + LOGON
    assert frames[0].raw == bad
    assert frames[0].fault


def test_a_field_that_looks_like_a_start_does_not_cut_a_message() -> None:
    data = frame("FIX.4.4", [(35, "B"), (58, "FIX.4.4"), (96, "8=FIX.4.4")])
    assert read(data, [9, 30, 40]) == [Frame(raw=data)]


@pytest.mark.parametrize("data", [b"x" * 101, b"8=FIX.4.4\x019=100\x01", LOGON[:20] + b"y" * 90])
def test_a_frame_beyond_the_bound_is_an_error(data: bytes) -> None:
    reader = FrameReader(max_frame_bytes=100)

    def feed_byte_by_byte() -> None:
        for byte in data:
            reader.feed(bytes([byte]))

    with pytest.raises(WireError, match="bound of 100"):
        feed_byte_by_byte()


def test_many_frames_in_one_piece_are_not_bounded_together() -> None:
    reader = FrameReader(max_frame_bytes=100)
    assert len(reader.feed(LOGON * 1000)) == 1000
    assert reader.feed(LOGON[:-1]) == []
    assert len(reader.feed(LOGON[-1:])) == 1


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("35=D\x0155\x01", "'55'"),
        ("35=D\x01=IBM\x01", "'=IBM'"),
        ("35=D\x01 55=IBM\x01", "' 55=IBM'"),
        ("35=D\x01-5=IBM\x01", "'-5=IBM'"),
        ("35=D\x01+5=IBM\x01", r"'\+5=IBM'"),
        ("35=D\x01055=IBM\x01", "'055=IBM'"),
        ("35=D\x015_5=IBM\x01", "'5_5=IBM'"),
        ("35=D\x01\u0665=IBM\x01", "'\u0665=IBM'"),
        ("35=D\x011234567890=x\x01", "'1234567890=x'"),
        ("35=D\x01\x01", "''"),
        ("35=D", "'35=D' does not end with SOH"),
        ("x" * 2_000_000, "2000000 characters"),
    ],
)
def test_a_piece_that_is_no_field_is_named(text: str, piece: str) -> None:
    with pytest.raises(WireError, match=piece):
        fields_of(text)


def test_order_repeats_and_empty_values_are_kept() -> None:
    text = "35=D\x01448=a\x01448=b\x0158=\x0158=a=b\x01"
    assert fields_of(text) == [(35, "D"), (448, "a"), (448, "b"), (58, ""), (58, "a=b")]
    assert fields_of("") == []


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([(58, "a\x01b")], r"tag 58: value 'a\\x01b' holds SOH"),
        ([(58, "a\x01"), (59, "")], "tag 58"),
        ([(58, "")], "tag 58: the value is empty"),
        ([(58, "€")], "character '€' is outside latin-1"),
        ([(9, "5")], "tag 9 may not be given"),
        ([(0, "5")], "tag 0 may not be given"),
        ([(-3, "5")], "tag -3 may not be given"),
    ],
)
def test_what_fix_cannot_say_is_refused(fields: list[tuple[int, str]], text: str) -> None:
    with pytest.raises(WireError, match=text):
        frame("FIX.4.4", fields)


def test_a_value_may_end_with_an_equals_sign() -> None:
    assert (58, "a=") in fields_of(frame("FIX.4.4", [(58, "a=")]).decode())


@given(at=st.datetimes(timezones=st.just(UTC)))
def test_timestamps_round_trip(at: datetime) -> None:
    at_us = (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    text = f"{at.year:04d}" + at.strftime("%m%d-%H:%M:%S.%f")
    assert parse_utc_timestamp(text) == at_us
    assert parse_utc_timestamp(utc_timestamp_ms(at_us)) == at_us - at_us % 1000


def test_timestamp_without_decimals() -> None:
    assert parse_utc_timestamp("19700102-00:00:01") == 86_401_000_000


def test_more_decimals_than_ours_and_a_leap_second_cost_no_report() -> None:
    second = parse_utc_timestamp("20260102-03:04:05")
    assert parse_utc_timestamp("20260102-03:04:05.1") == second + 100_000
    assert parse_utc_timestamp("20260102-03:04:05.123456789") == second + 123_456
    assert parse_utc_timestamp("20260102-03:04:05.123456789012") == second + 123_456
    last = parse_utc_timestamp("20261231-23:59:59.999999")
    for text in ("20261231-23:59:60", "20261231-23:59:60.500"):
        assert parse_utc_timestamp(text) == last
    assert parse_utc_timestamp("99991231-23:59:60") % 86_400_000_000 == 86_399_999_999


@pytest.mark.parametrize(
    "text",
    [
        "20260102 03:04:05",
        "20260102-03:04:05.",
        "20260102-03:04:05.1234567890123",
        "20260102-03:04:60",
        "99991231-24:59:60",
        "20260230-23:59:60",
        "20260230-03:04:05",
        "20260102-24:00:00",
        "20260102-03:04:05Z",
        "20260102-03:04:05.678\n",
        "\u0662\u0660\u0662\u06660102-03:04:05",
        "",
    ],
)
def test_other_timestamp_forms_are_refused(text: str) -> None:
    with pytest.raises(WireError, match="UTCTimestamp"):
        parse_utc_timestamp(text)
