"""The light session without a socket: two of them joined by a wire that may lose messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_sessions.light_session import LightSession, LightSettings, Message
from fix_sessions.wire import fields_of, frame


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now_us


CLIENT = LightSettings(
    sender_comp_id="C", target_comp_id="V", username="u", password="p", heartbeat_s=10
)
VENUE = LightSettings(
    sender_comp_id="V", target_comp_id="C", username="u", password="p", initiates=False
)


class Pair:
    """A client and a venue session and what each has received."""

    def __init__(self, client: LightSettings = CLIENT, venue: LightSettings = VENUE) -> None:
        self.clock = Clock()
        self.client = LightSession(client, self.clock)
        self.venue = LightSession(venue, self.clock)
        self.client_got: list[Message] = []
        self.venue_got: list[Message] = []

    def connect(self) -> None:
        self.venue.connected()
        self.client.connected()
        self.settle()

    def settle(self) -> None:
        for _ in range(100):
            to_venue, to_client = self.client.take_outgoing(), self.venue.take_outgoing()
            if not to_venue and not to_client:
                return
            if to_venue:
                self.venue_got += self.venue.receive(to_venue)
            if to_client:
                self.client_got += self.client.receive(to_client)
        raise AssertionError("the two sessions never fall silent")

    def drop(self) -> None:
        self.client.disconnected("test")
        self.venue.disconnected("test")


def texts(messages: list[Message]) -> list[str | None]:
    return [message.get(58) for message in messages if message.msg_type == "D"]


def tags_of(data: bytes) -> list[dict[int, str]]:
    cut = data.replace(b"\x018=FIX", b"\x01\x008=FIX").split(b"\x00")
    return [dict(fields_of(each.decode())) for each in cut]


def test_logon_carries_credentials_and_logs_both_sides_on() -> None:
    pair = Pair()
    pair.connect()
    assert pair.client.logged_on
    assert pair.venue.logged_on
    assert pair.venue_got[0].get(553) == "u"
    assert pair.venue_got[0].get(554) == "p"
    assert pair.client_got[0].get(108) == "10"


@pytest.mark.parametrize(
    ("settings", "tag"),
    [
        (LightSettings(sender_comp_id="C", target_comp_id="V", username="u", password="x"), 554),
        (LightSettings(sender_comp_id="C", target_comp_id="V"), 553),
        (LightSettings(sender_comp_id="X", target_comp_id="V"), 49),
        (LightSettings(sender_comp_id="C", target_comp_id="X"), 56),
    ],
)
def test_a_wrong_logon_is_refused_and_changes_no_number(settings: LightSettings, tag: int) -> None:
    pair = Pair(settings)
    pair.venue.next_in = pair.venue.next_out = 7
    pair.connect()
    assert pair.venue.closing
    assert f"wrong tag {tag}" in pair.venue.close_reason
    assert (pair.venue.next_in, pair.venue.next_out) == (7, 7)


def test_messages_sent_while_offline_are_asked_for_and_marked_as_duplicates() -> None:
    pair = Pair()
    pair.connect()
    pair.client.send("D", [(58, "one")])
    pair.settle()
    pair.drop()
    pair.client.send("D", [(58, "two")])
    pair.client.send("D", [(58, "three")])
    pair.connect()
    pair.client.send("D", [(58, "four")])
    pair.settle()
    assert texts(pair.venue_got) == ["one", "two", "three", "four"]
    assert [m.poss_dup for m in pair.venue_got if m.msg_type == "D"] == [False, True, True, False]
    assert pair.venue.next_in == pair.client.next_out


def test_a_resend_keeps_the_original_time_and_fills_session_messages() -> None:
    pair = Pair()
    pair.connect()
    pair.client.send("D", [(58, "one")], [(97, "Y")])
    pair.client.send("1", [(112, "x")])
    pair.client.send("D", [(58, "two")])
    first_time = tags_of(pair.client.sent[2])[0][52]
    pair.settle()
    pair.clock.now_us += 5_000_000
    pair.venue.send("2", [(7, "1"), (16, "0")])
    pair.client_got += pair.client.receive(pair.venue.take_outgoing())
    answer = tags_of(pair.client.take_outgoing())
    assert [(m[35], m[34], m.get(36)) for m in answer] == [
        ("4", "1", "2"),
        ("D", "2", None),
        ("4", "3", "4"),
        ("D", "4", None),
    ]
    assert all(m[43] == "Y" for m in answer)
    assert answer[1][122] == first_time < answer[1][52]
    assert answer[1][97] == "Y"


def test_out_of_order_messages_wait_for_the_gap_and_the_gap_is_asked_for_once() -> None:
    pair = Pair()
    pair.connect()
    lost = pair.client.prepare("D", [(58, "one")])
    for text in ("two", "three"):
        pair.client.send("D", [(58, text)])
    pair.venue_got += pair.venue.receive(pair.client.take_outgoing())
    assert texts(pair.venue_got) == []
    asked = tags_of(pair.venue.take_outgoing())
    assert [(m[35], m[7], m[16]) for m in asked] == [("2", "2", "2")]
    pair.venue_got += pair.venue.receive(lost)
    assert texts(pair.venue_got) == ["one", "two", "three"]


@given(
    fates=st.lists(st.sampled_from(["sent", "lost", "dropped"]), min_size=1, max_size=12),
)
def test_whatever_is_lost_everything_arrives_once_and_in_order(fates: list[str]) -> None:
    pair = Pair()
    pair.connect()
    for number, fate in enumerate(fates):
        pair.client.send("D", [(58, f"c{number}")])
        pair.venue.send("D", [(58, f"v{number}")])
        if fate == "lost":
            pair.client.take_outgoing()
        elif fate == "dropped":
            pair.venue_got += pair.venue.receive(pair.client.take_outgoing())
            pair.drop()
            pair.connect()
        else:
            pair.settle()
    pair.client.send("D", [(58, "end")])
    pair.venue.send("D", [(58, "end")])
    pair.settle()
    count = len(fates)
    assert texts(pair.venue_got) == [*(f"c{number}" for number in range(count)), "end"]
    assert texts(pair.client_got) == [*(f"v{number}" for number in range(count)), "end"]


def test_a_gap_that_crosses_a_gap_is_filled_on_both_sides() -> None:
    pair = Pair()
    pair.connect()
    pair.drop()
    pair.client.send("D", [(58, "from client")])
    pair.venue.send("D", [(58, "from venue")])
    pair.connect()
    assert texts(pair.venue_got) == ["from client"]
    assert texts(pair.client_got) == ["from venue"]


def test_a_number_too_low_ends_the_session_unless_it_is_a_duplicate() -> None:
    pair = Pair()
    pair.connect()
    pair.client.send("D", [(58, "one")])
    pair.settle()
    pair.client.next_out = 2
    pair.client.send("D", [(58, "again")], [(43, "Y")])
    pair.settle()
    assert texts(pair.venue_got) == ["one"]
    pair.client.next_out = 2
    pair.client.send("D", [(58, "low")])
    pair.settle()
    assert pair.venue.closing
    assert pair.venue.close_reason == "MsgSeqNum too low, expecting 3 but received 2"
    assert texts(pair.venue_got) == ["one"]
    assert pair.client_got[-1].msg_type == "5"


def test_sequence_reset_may_only_raise_the_number() -> None:
    pair = Pair()
    pair.connect()
    pair.client.send("4", [(36, "9")])
    pair.settle()
    assert pair.venue.next_in == 9
    pair.client.next_out = 9
    pair.client.send("4", [(36, "5")])
    pair.settle()
    assert pair.venue.next_in == 9
    assert pair.client_got[-1].msg_type == "3"
    assert "NewSeqNo 5" in (pair.client_got[-1].get(58) or "")


def test_reset_on_logon_starts_both_sides_at_one() -> None:
    pair = Pair(
        LightSettings(
            sender_comp_id="C",
            target_comp_id="V",
            username="u",
            password="p",
            reset_on_logon=True,
        )
    )
    pair.client.next_out, pair.client.next_in = 40, 50
    pair.venue.next_out, pair.venue.next_in = 60, 70
    pair.connect()
    assert pair.client.logged_on
    assert (pair.client.next_out, pair.client.next_in) == (2, 2)
    assert (pair.venue.next_out, pair.venue.next_in) == (2, 2)


def test_garbled_frames_consume_no_number() -> None:
    pair = Pair()
    pair.connect()
    good = pair.client.prepare("D", [(58, "one")])
    pair.client.write(good.replace(b"58=one", b"58=two") + good)
    pair.settle()
    assert texts(pair.venue_got) == ["one"]
    assert [fault.fault.split()[0] for fault in pair.venue.faults] == ["CheckSum"]


def test_a_frame_without_number_is_a_fault() -> None:
    pair = Pair()
    pair.connect()
    pair.client.write(frame("FIX.4.4", [(35, "D"), (34, "x")]))
    pair.settle()
    assert "MsgSeqNum 'x'" in pair.venue.faults[0].fault


def test_test_request_is_answered_with_its_text() -> None:
    pair = Pair()
    pair.connect()
    pair.client.send("1", [(112, "ping")])
    pair.settle()
    assert (pair.client_got[-1].msg_type, pair.client_got[-1].get(112)) == ("0", "ping")


def test_silence_brings_heartbeats_then_a_test_request_then_the_end() -> None:
    pair = Pair()
    pair.connect()
    seen: list[str] = []
    for _ in range(30):
        pair.clock.now_us += 1_000_000
        pair.client.tick()
        sent = pair.client.take_outgoing()
        seen += [message[35] for message in tags_of(sent)] if sent else []
        if pair.client.closing:
            break
    assert seen == ["0", "1", "0"]
    assert pair.client.close_reason == "nothing received for 25 s"


def test_logout_is_answered_and_both_sides_close() -> None:
    pair = Pair()
    pair.connect()
    pair.client.send_logout("bye")
    pair.settle()
    assert pair.venue.close_reason == "Logout: bye"
    assert pair.client.closing


def test_anything_before_the_logon_closes_the_connection() -> None:
    pair = Pair()
    pair.venue.connected()
    pair.client.connected(logon=False)
    pair.client.write(pair.client.prepare("D", [(58, "x")]))
    pair.settle()
    assert pair.venue.close_reason == "first message is not a Logon: MsgType D"
    assert pair.venue_got == []
