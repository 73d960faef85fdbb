"""What recovery reads of a command is all that the fold looks at."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.commands import SYSTEM, Command, ExecutionReport, MessagesSent, StreamMark
from oms.domain.events import TradingDayClosed
from oms.domain.state import State
from oms.fold import fold_command
from oms.store.codec import CodecError, encode
from oms.store.fold_codec import decode_for_fold
from tests.support.book import reference
from tests.unit.test_codec import anything_of


def folded(command: Command, asked: str) -> State:
    """A state after that command; asked: what a venue session was asked last."""
    state = State(reference=reference())
    state.session_kept(command.origin.session).resync_id = asked
    fold_command(state, 1, 1_000, command)
    return state


@pytest.mark.parametrize("kind", get_args(Command), ids=lambda kind: kind.__name__)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_fold_of_what_is_read_is_the_fold_of_the_whole(kind: type, data: st.DataObject) -> None:
    whole = data.draw(anything_of(kind))
    asked = whole.mass_status_req_id if kind is ExecutionReport else ""
    found = decode_for_fold(kind.__name__, encode(whole))
    assert type(found) is kind
    assert folded(found, asked) == folded(whole, asked)


def test_what_the_fold_does_not_look_at_is_not_there() -> None:
    found = decode_for_fold("MessagesSent", encode(MessagesSent(origin=SYSTEM, messages=())))
    with pytest.raises(AttributeError):
        _ = found.repeated


def test_an_event_is_read_whole() -> None:
    event = TradingDayClosed(trade_date="2026-03-02")
    assert decode_for_fold("TradingDayClosed", encode(event)) == event


def test_an_old_note_without_later_fields_is_read() -> None:
    note = b'{"origin":{"channel":"SYSTEM","counterparty":"system"},"messages":[]}'
    found = decode_for_fold("MessagesSent", note)
    assert isinstance(found, MessagesSent)
    assert (found.observed, found.numbered) == ((), ())


def test_what_cannot_be_read_is_named_as_ever() -> None:
    with pytest.raises(CodecError, match="origin: channel is missing"):
        decode_for_fold("MessagesSent", b'{"origin":{},"messages":[]}')
    mark = encode(
        MessagesSent(
            origin=SYSTEM, messages=(), observed=(StreamMark(session="A", epoch=0, msg_seq_num=7),)
        )
    )
    with pytest.raises(CodecError, match="msg_seq_num: '7' must be int"):
        decode_for_fold("MessagesSent", mark.replace(b'"msg_seq_num":7', b'"msg_seq_num":"7"'))
