"""Every command and event survives the journal exactly."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.commands import (
    Channel,
    Command,
    MessagesSent,
    NewOrderSingle,
    Origin,
    SentMessage,
)
from oms.domain.events import CommandAnswered, Event, TradingDayClosed
from oms.domain.fix import OrdType, Side
from oms.domain.reasons import Reason
from oms.store import codec
from oms.store.codec import CodecError, decode, encode

TYPES = [*get_args(Command), *get_args(Event)]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=None)


def anything_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type hint, nested ones included."""
    if hint is str:
        return TEXTS
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(-(2**53), 2**53)
    if hint is Decimal:
        return DECIMALS
    if get_origin(hint) is tuple:
        return st.lists(anything_of(get_args(hint)[0]), max_size=3).map(tuple)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if NoneType in get_args(hint):
        return st.one_of([st.none(), *(anything_of(one) for one in get_args(hint)[:1])])
    return st.builds(hint, **{k: anything_of(v) for k, v in get_type_hints(hint).items()})


def exact(value: Any) -> Any:
    """A form in which equal means identical: 1.0 and 1.00, or True and 1, differ."""
    return repr(value)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_type_comes_back_exactly(kind: type, data: st.DataObject) -> None:
    entry = data.draw(anything_of(kind))
    payload = encode(entry)
    back = decode(kind.__name__, payload)
    assert exact(back) == exact(entry)
    assert encode(back) == payload
    if kind.__name__ in codec.COMMAND_TYPES:
        number, packed = codec.pack(entry)
        assert packed == payload
        assert exact(codec.unpack(number, packed)) == exact(entry)
    assert list(msgspec.json.decode(payload)) == list(get_type_hints(kind))


def test_every_type_of_the_language_has_a_decoder() -> None:
    assert set(codec.COMMAND_TYPES.values()) | set(codec.EVENT_TYPES.values()) == set(TYPES)
    assert codec._DECODERS.keys() == {kind.__name__ for kind in TYPES}


def test_a_field_that_the_codec_cannot_carry_fails_when_the_decoder_is_built() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Measured:
        figure: float

    with pytest.raises(TypeError, match=r"no case for <class 'float'>"):
        codec._decoder_of(Measured)


def test_the_encoding_is_canonical_json() -> None:
    order = NewOrderSingle(
        origin=Origin(channel=Channel.CLIENT, counterparty="ALPHA", raw="35=D\x0111=é"),
        cl_ord_id="A-1",
        account="ACC",
        symbol="AAPL",
        side=Side.SELL_SHORT,
        order_qty=Decimal("1E+2"),
        ord_type=OrdType.LIMIT,
        price=Decimal("100.10"),
    )
    assert encode(order).decode() == (
        '{"origin":{"channel":"CLIENT","counterparty":"ALPHA","session":"","epoch":0,'
        '"msg_seq_num":0,"poss_dup":false,"poss_resend":false,"inbox_id":0,"user":"",'
        '"accounts":[],"received_at":0,"raw":"35=D\\u000111=é"},"cl_ord_id":"A-1",'
        '"account":"ACC","symbol":"AAPL","side":"5","order_qty":"1E+2","ord_type":"2",'
        '"price":"100.10","time_in_force":"0","transact_time":0,"text":"",'
        '"conditions":null,"currency":""}'
    )


def test_a_field_added_later_takes_its_default_in_an_old_journal() -> None:
    payload = b'{"origin":{"channel":"SYSTEM","counterparty":"system"},"messages":[]}'
    back = decode("MessagesSent", payload)
    assert back == MessagesSent(
        origin=Origin(channel=Channel.SYSTEM, counterparty="system"), messages=()
    )


@pytest.mark.parametrize(
    ("name", "payload", "message"),
    [
        ("OrderUpdated", b"{}", "OrderUpdated: no command or event of this name"),
        ("TradingDayClosed", b"{}", "TradingDayClosed: trade_date is missing"),
        ("TradingDayClosed", b"[]", r"TradingDayClosed: \[\] must be an object"),
        ("TradingDayClosed", b"{", "TradingDayClosed: "),
        ("TradingDayClosed", b"[" * 5_000, "TradingDayClosed: "),
        ("TradingDayClosed", b'{"trade_date":7}', "trade_date: 7 must be str"),
        ("TradingDayClosed", b'{"trade_date":"","to":1}', "to is no field of TradingDayClosed"),
        (
            "CommandAnswered",
            b'{"accepted":1,"reason":"NONE","text":""}',
            "accepted: 1 must be bool",
        ),
        (
            "CommandAnswered",
            b'{"accepted":true,"reason":"WHIM","text":""}',
            "reason: 'WHIM' is no Reason",
        ),
        ("MessagesSent", b'{"origin":{},"messages":[]}', "origin: channel is missing"),
        (
            "MessagesSent",
            b'{"origin":{"channel":"SYSTEM","counterparty":""},"messages":[{}]}',
            "messages: epoch is missing",
        ),
        (
            "MessagesSent",
            b'{"origin":{"channel":"SYSTEM","counterparty":""},"messages":{}}',
            "messages: {} must be a list",
        ),
        (
            "RiskLimitSet",
            b'{"rule":"","level":"","subject":"","value":"x","user":"","reason":""}',
            "value: 'x' must be the text of a decimal number",
        ),
        (
            "RiskLimitSet",
            b'{"rule":"","level":"","subject":"","value":1.5,"user":"","reason":""}',
            "value: 1.5 must be the text of a decimal number",
        ),
    ],
)
def test_what_cannot_be_decoded_is_named(name: str, payload: bytes, message: str) -> None:
    with pytest.raises(CodecError, match=message):
        decode(name, payload)


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(CodecError, match="TradingDayClosed: "):
        encode(TradingDayClosed(trade_date="\ud800"))


def test_an_object_of_another_kind_inside_is_refused() -> None:
    answered = CommandAnswered(accepted=True, reason=Reason.NONE, text=object())  # type: ignore[arg-type]
    with pytest.raises(CodecError, match="type object is unsupported"):
        encode(answered)


def test_nested_messages_come_back() -> None:
    message = SentMessage(
        session="A", epoch=1, msg_seq_num=2, event_seq=3, msg_type="8", order_id="", text="\x00"
    )
    sent = MessagesSent(origin=Origin(channel=Channel.SYSTEM, counterparty=""), messages=(message,))
    assert decode("MessagesSent", encode(sent)) == sent
