"""What every FIX engine of ours must do on the wire, message by message.

A scripted counterparty, which knows no rules, sends frames; what comes back, and what the engine's
owner is told, is compared with the script. Run against QuickFIX over a real socket and against the
session model that the simulator uses.
"""

from typing import Protocol

from fix_sessions.light_session import wall_clock_us
from fix_sessions.wire import fields_of, frame, utc_timestamp_ms

Told = tuple[str, ...]
# What is compared of a message that the engine sends, beside MsgType and MsgSeqNum.
_COMPARED = (43, 7, 36, 123, 141, 112)


class Rig(Protocol):
    """An engine with the session ALPHA, and a bare connection to it."""

    def connect(self) -> None:
        """A new connection in the place of the one before."""

    def send(self, data: bytes) -> None:
        """Write bytes on the connection."""

    def received(self) -> list[bytes]:
        """All frames that have come since the last call, once nothing more comes."""

    def connected(self) -> bool:
        """Whether the engine has left the connection open."""

    def say(self, text: str) -> None:
        """Have the engine send an application message (B) with this headline."""

    def told(self) -> list[Told]:
        """What the owner was told since the last call: ("message", headline), ("logon",) ..."""


def message(msg_type: str, seq: int, *more: tuple[int, str], dup: bool = False) -> bytes:
    """A frame of the counterparty."""
    now = utc_timestamp_ms(wall_clock_us())
    header = [(35, msg_type), (34, str(seq)), (49, "ALPHA"), (52, now), (56, "PLUMB")]
    if dup:
        header += [(43, "Y"), (122, now)]
    return frame("FIX.4.4", [*header, *more])


def logon(seq: int, *more: tuple[int, str]) -> bytes:
    return message("A", seq, (98, "0"), (108, "30"), *more)


def news(seq: int, headline: str, *, dup: bool = False) -> bytes:
    return message("B", seq, (148, headline), (33, "1"), (58, "text"), dup=dup)


def shown(data: bytes) -> str:
    """The frame as MsgType:MsgSeqNum and what is compared of it."""
    told = dict(fields_of(data.decode("latin-1")))
    more = "".join(f" {tag}={told[tag]}" for tag in _COMPARED if tag in told)
    headline = f" {told[148]}" if 148 in told else ""
    return f"{told[35]}:{told[34]}{more}{headline}"


class SessionContract:
    """Derive and give the fixture `rig`."""

    def script(self, rig: Rig, *sent: bytes) -> list[str]:
        """Send all of it; what came back."""
        for data in sent:
            rig.send(data)
        return [shown(one) for one in rig.received()]

    def test_a_logon_is_answered_and_a_test_request_too(self, rig: Rig) -> None:
        rig.connect()
        assert self.script(rig, logon(1)) == ["A:1"]
        assert rig.told() == [("logon",)]
        assert self.script(rig, message("1", 2, (112, "ping"))) == ["0:2 112=ping"]

    def test_messages_in_order_are_told_once_each(self, rig: Rig) -> None:
        rig.connect()
        self.script(rig, logon(1), news(2, "a"), news(3, "b"))
        assert rig.told() == [("logon",), ("message", "a"), ("message", "b")]

    def test_a_gap_is_asked_for_and_what_waits_behind_it_is_told_after_it(self, rig: Rig) -> None:
        rig.connect()
        assert self.script(rig, logon(1), news(4, "c")) == ["A:1", "2:2 7=2"]
        assert rig.told() == [("logon",), ("asked", "2")]
        came = self.script(rig, news(2, "a", dup=True), news(3, "b", dup=True))
        assert came == []
        assert rig.told() == [("message", "a"), ("message", "b"), ("message", "c")]
        self.script(rig, news(5, "d"))
        assert rig.told() == [("message", "d")]

    def test_a_gap_may_be_filled(self, rig: Rig) -> None:
        rig.connect()
        self.script(rig, logon(1), news(4, "c"))
        self.script(rig, message("4", 2, (123, "Y"), (36, "4"), dup=True), news(5, "d"))
        assert rig.told()[2:] == [("message", "c"), ("message", "d")]

    def test_a_number_that_was_taken_is_passed_over_if_it_says_so(self, rig: Rig) -> None:
        rig.connect()
        came = self.script(rig, logon(1), news(2, "a"), news(2, "a", dup=True), news(3, "b"))
        assert came == ["A:1"]
        assert rig.told() == [("logon",), ("message", "a"), ("message", "b")]
        assert rig.connected()

    def test_a_number_that_was_taken_ends_the_session_if_it_does_not(self, rig: Rig) -> None:
        rig.connect()
        came = self.script(rig, logon(1), news(2, "a"), news(2, "again"))
        assert came == ["A:1", "5:2"]
        assert not rig.connected()
        assert rig.told() == [("logon",), ("message", "a"), ("logout",)]

    def test_what_was_sent_is_sent_again_and_the_rest_filled(self, rig: Rig) -> None:
        rig.connect()
        self.script(rig, logon(1))
        rig.say("one")
        rig.say("two")
        assert [shown(one) for one in rig.received()] == ["B:2 one", "B:3 two"]
        came = self.script(rig, message("2", 2, (7, "1"), (16, "0")))
        assert came == ["4:1 43=Y 36=2 123=Y", "B:2 43=Y one", "B:3 43=Y two"]

    def test_a_part_of_what_was_sent_is_sent_again(self, rig: Rig) -> None:
        rig.connect()
        self.script(rig, logon(1))
        for headline in ("one", "two", "three"):
            rig.say(headline)
        rig.received()
        came = self.script(rig, message("2", 2, (7, "3"), (16, "3")))
        assert came == ["B:3 43=Y two"]

    def test_numbers_go_on_over_connections(self, rig: Rig) -> None:
        rig.connect()
        self.script(rig, logon(1), news(2, "a"))
        rig.connect()
        rig.say("while you were away")
        assert self.script(rig, logon(3)) == ["A:3"]
        assert self.script(rig, message("2", 4, (7, "2"), (16, "2"))) == [
            "B:2 43=Y while you were away"
        ]

    def test_a_logon_beyond_a_gap_is_answered_and_the_gap_asked_for(self, rig: Rig) -> None:
        rig.connect()
        assert self.script(rig, logon(3)) == ["A:1", "2:2 7=1"]
        came = self.script(rig, message("4", 1, (123, "Y"), (36, "4"), dup=True))
        assert came == []
        self.script(rig, news(4, "d"))
        assert rig.told()[-1:] == [("message", "d")]

    def test_a_logon_may_begin_anew(self, rig: Rig) -> None:
        rig.connect()
        self.script(rig, logon(1), news(2, "a"))
        rig.connect()
        rig.told()
        assert self.script(rig, logon(1, (141, "Y"))) == ["A:1 141=Y"]
        assert rig.told() == [("reset", "1"), ("logon",)]
        self.script(rig, news(2, "b"))
        assert rig.told() == [("message", "b")]

    def test_a_second_logon_ends_the_session(self, rig: Rig) -> None:
        rig.connect()
        came = self.script(rig, logon(1), logon(2))
        assert came[:1] == ["A:1"], came
        assert not rig.connected()
        assert rig.told() == [("logon",), ("logout",)]

    def test_a_reset_of_their_numbers_skips_what_is_between(self, rig: Rig) -> None:
        rig.connect()
        self.script(rig, logon(1))
        assert self.script(rig, message("4", 2, (123, "N"), (36, "9"))) == []
        self.script(rig, news(9, "i"))
        assert rig.told() == [("logon",), ("reset", "9"), ("message", "i")]

    def test_a_logout_is_answered(self, rig: Rig) -> None:
        rig.connect()
        assert self.script(rig, logon(1), message("5", 2)) == ["A:1", "5:2"]
        rig.received()
        assert rig.told() == [("logon",), ("logout",)]

    def test_a_first_message_that_is_no_logon_ends_the_connection(self, rig: Rig) -> None:
        rig.connect()
        assert self.script(rig, news(1, "a")) == []
        assert not rig.connected()
        assert rig.told() == []
