"""What a soak reads on from where it was: a client's tape, and the journal's notes of messages."""

import json
from pathlib import Path

import pytest

from fix_sessions.wire import frame
from oms.domain.commands import SYSTEM, MessagesSent, SentMessage
from oms.domain.instrument import Reference
from oms.simulation.checkers import outbound_numbers_rise
from oms.simulation.shadow import Group
from oms.simulation.watching import Broken
from oms.soak.stand_in import Evidence
from oms.soak.tape import Reel
from oms.soak.wire import Wire


def line(**entry: object) -> str:
    return json.dumps({"at": 1, **entry}) + "\n"


def test_a_tape_is_read_on_and_a_line_that_is_being_written_waits(tmp_path: Path) -> None:
    tape = tmp_path / "ALPHA.jsonl"
    reel = Reel(tape)
    assert not reel.read_on().ends
    whole, torn = line(closed="first"), line(closed="second")
    tape.write_text(whole + torn[:9])
    assert reel.read_on().ends == ["first"]
    tape.write_text(whole + torn)
    assert reel.read_on().ends == ["first", "second"]
    assert reel.read_on().ends == ["first", "second"], "nothing is read twice"


def sent(number: int, text_number: int) -> SentMessage:
    """The note of a message whose text has a number of its own."""
    text = frame("FIX.4.4", [(35, "D"), (34, str(text_number)), (11, f"C{number}")])
    return SentMessage(
        session="XA",
        epoch=1,
        msg_seq_num=number,
        event_seq=0,
        msg_type="D",
        order_id="",
        text=text.decode("latin-1"),
    )


def noted(wire: Wire, *messages: SentMessage) -> None:
    wire.note([Group(seq=1, at=1, command=MessagesSent(origin=SYSTEM, messages=messages))])
    wire.read_on()


def test_a_note_that_comes_late_is_read_in_its_place() -> None:
    wire = Wire(Evidence(Reference(), ()), [], [outbound_numbers_rise])
    noted(wire, sent(1, 1), sent(3, 3))
    noted(wire, sent(2, 2))
    noted(wire, sent(4, 4))


def test_a_number_used_again_is_found_whenever_it_is_noted() -> None:
    wire = Wire(Evidence(Reference(), ()), [], [outbound_numbers_rise])
    noted(wire, sent(1, 1), sent(2, 2))
    with pytest.raises(Broken, match="is sent number 2 after 2"):
        noted(wire, sent(3, 2))
