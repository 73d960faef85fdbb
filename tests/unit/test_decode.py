"""FIX in and out: what is written is read again, and whatever is not FIX is answered exactly."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix_sessions.decode import CLIENT_READERS, VENUE_READERS, Decoder
from fix_sessions.encode import encode
from fix_sessions.registry import Counterparty
from fix_sessions.wire import parse_utc_timestamp
from oms.domain import effects as fx
from oms.domain.commands import (
    Command,
    ExecutionReport,
    MessageRejectedByPeer,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    QuoteObserved,
    UnreadableMessage,
)
from oms.domain.events import MessageRefused
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from oms.domain.state import State
from oms.outbound import effects_of
from tests.support.world import REFERENCE, START

CLIENT = Counterparty(session_id="ALPHA", name="ALPHA", role="client", begin_string="FIX.4.4")
VENUE = Counterparty(session_id="XA", name="XA", role="venue", begin_string="FIX.4.4")
TIME = "20260921-10:00:00.000"
ORDER = {35: "D", 34: "7", 11: "c1", 1: "A1", 55: "AAPL", 54: "1", 38: "100", 40: "2", 44: "10.5"}
TRADE = {35: "8", 34: "9", 37: "V1", 11: "o1", 17: "e1", 150: "F", 39: "1", 55: "AAPL", 54: "1"}
TRADE |= {32: "5", 31: "10.5", 14: "5", 151: "95", 6: "10.5", 60: TIME}


def pairs(body: list[str]) -> list[tuple[int, str]]:
    found = [piece.split("=", 1) for piece in body]
    return [(int(tag), value) for tag, value in found]


def wire(fields: dict[int, str] | list[tuple[int, str]]) -> str:
    pairs = fields.items() if isinstance(fields, dict) else fields
    return "".join(f"{tag}={value}\x01" for tag, value in [(8, "FIX.4.4"), *pairs, (10, "000")])


def read(
    fields: dict[int, str] | list[tuple[int, str]], counterparty: Counterparty = CLIENT
) -> Command:
    [command] = Decoder(counterparty).decode(wire(fields), epoch=0, at=START)
    return command


def answer(command: Command) -> tuple[str, str, int, str]:
    """Business or session, reason code, tag and text of a refusal."""
    assert isinstance(command, UnreadableMessage), command
    kind = "j" if command.business else "3"
    return kind, command.reason_code, command.ref_tag, command.text


NUMBER = "must be a decimal number without exponent"


@pytest.mark.parametrize(
    ("tag", "value", "expected"),
    [
        (38, "NaN", ("3", "6", 38, f"OrderQty (38) = NaN: {NUMBER}")),
        (38, "1e5", ("3", "6", 38, f"OrderQty (38) = 1e5: {NUMBER}")),
        (38, "Infinity", ("3", "6", 38, f"OrderQty (38) = Infinity: {NUMBER}")),
        (
            38,
            "9" * 16,
            (
                "3",
                "5",
                38,
                "OrderQty (38) = 9999999999999999: must have at most 15 digits before the point",
            ),
        ),
        (
            44,
            "1." + "1" * 20,
            ("3", "5", 44, f"Price (44) = 1.{'1' * 20}: must have at most 10 decimals"),
        ),
        (
            44,
            "1" * 70_000,
            ("3", "5", 44, "tag 44: 70000 characters: a message may have 65536"),
        ),
        (
            44,
            "0" * 100,
            ("3", "5", 44, f"Price (44) = {'0' * 40}... (100 characters): {{}}"),
        ),
        (
            54,
            "9",
            ("3", "5", 54, "Side (54) = 9: must be one of 1 (BUY), 2 (SELL), 5 (SELL_SHORT)"),
        ),
        (
            40,
            "K",
            (
                "3",
                "5",
                40,
                (
                    "OrdType (40) = K: must be one of 1 (MARKET), 2 (LIMIT), 3 (STOP),"
                    " 4 (STOP_LIMIT), P (PEGGED)"
                ),
            ),
        ),
        (11, "", ("3", "4", 11, "ClOrdID (11): specified without a value")),
        (11, "c\n1", ("3", "5", 11, "ClOrdID (11) = 'c\\n1': must be printable text")),
        (
            11,
            "c" * 65,
            (
                "3",
                "5",
                11,
                f"ClOrdID (11) = {'c' * 40}... (65 characters): must have at most 64 characters",
            ),
        ),
        (
            58,
            "t" * 2_000_000,
            ("3", "5", 58, "tag 58: 2000000 characters: a message may have 65536"),
        ),
        (35, "R", ("j", "3", 35, "MsgType (35) = R: not supported here")),
        (35, "8", ("j", "3", 35, "MsgType (35) = 8: not supported here")),
    ],
)
def test_a_bad_field_has_its_exact_answer(
    tag: int, value: str, expected: tuple[str, str, int, str]
) -> None:
    kind, code, ref_tag, text = answer(read(ORDER | {tag: value}))
    assert (kind, code, ref_tag) == expected[:3]
    assert text == expected[3].replace("{}", "must have at most 60 characters")


@pytest.mark.parametrize("tag", [1, 11, 38, 40, 54, 55])
def test_a_missing_tag_is_named(tag: int) -> None:
    fields = {one: value for one, value in ORDER.items() if one != tag}
    kind, code, ref_tag, text = answer(read(fields))
    assert (kind, code, ref_tag) == ("3", "1", tag)
    assert text.endswith(f"({tag}): required tag missing")


def test_a_repeated_tag_is_refused() -> None:
    refused = answer(read([*ORDER.items(), (38, "5")]))
    assert refused == ("3", "13", 38, "OrderQty (38) = 5: must appear once")


def test_what_is_not_tag_value_is_refused() -> None:
    [command] = Decoder(CLIENT).decode("8=FIX.4.4\x01nonsense\x01", epoch=0, at=START)
    kind, code, _, text = answer(command)
    assert (kind, code) == ("3", "6")
    assert "nonsense" in text


def test_a_sequence_number_without_end_is_none() -> None:
    command = read(ORDER | {34: "9" * 5000})
    assert command.origin.msg_seq_num == 0


@pytest.mark.parametrize("quantity", ["0", "-5"])
def test_a_quantity_of_no_trade_is_refused(quantity: str) -> None:
    text = f"LastQty (32) = {quantity}: must be greater than zero"
    assert answer(read(TRADE | {32: quantity}, VENUE)) == ("3", "5", 32, text)


def test_a_venues_long_or_odd_remark_never_costs_the_fill() -> None:
    report = read(TRADE | {58: "x" * 5_000}, VENUE)
    assert isinstance(report, ExecutionReport)
    assert len(report.text) == 1_000
    report = read(TRADE | {58: "a\tb"}, VENUE)
    assert isinstance(report, ExecutionReport)
    assert report.text == "a b"


def test_a_refusal_is_never_refused() -> None:
    unreadable = read({35: "3", 34: "5", 45: "x"}, VENUE)
    assert answer(unreadable)[1] == "6"
    for msg_type, sent in (("3", 0), ("j", 0), ("D", 1)):
        event = MessageRefused(
            session="XA",
            ref_seq_num=5,
            ref_msg_type=msg_type,
            ref_id="",
            business=False,
            reason_code="6",
            ref_tag=45,
            text="test",
        )
        assert len(list(effects_of(State(reference=REFERENCE), 1, event))) == sent


def test_one_refresh_of_several_symbols_is_several_quotes() -> None:
    entries = [(279, "0"), (269, "0"), (55, "AAPL"), (270, "99"), (271, "5")]
    entries += [(279, "0"), (269, "1"), (55, "MSFT"), (270, "101"), (271, "7")]
    text = wire([(35, "X"), (34, "4"), (268, "2"), *entries])
    commands = Decoder(VENUE).decode(text, epoch=0, at=START)
    quotes = {one.symbol: one.quote for one in commands if isinstance(one, QuoteObserved)}
    assert (quotes["AAPL"].bid, quotes["MSFT"].ask) == (Decimal(99), Decimal(101))


def test_a_broken_snapshot_leaves_the_quote_as_it_was() -> None:
    decoder = Decoder(VENUE)
    good = [(35, "W"), (34, "4"), (55, "AAPL"), (268, "1"), (269, "0"), (270, "99"), (271, "5")]
    decoder.decode(wire(good), epoch=0, at=START)
    broken = [(tag, "x" if tag == 270 else value) for tag, value in good]
    [refused] = decoder.decode(wire(broken), epoch=0, at=START)
    assert answer(refused)[:2] == ("3", "6")
    added = [(35, "X"), (34, "6"), (268, "1"), (279, "0"), (269, "1"), (55, "AAPL"), (270, "101")]
    [command] = decoder.decode(wire(added), epoch=0, at=START)
    assert isinstance(command, QuoteObserved)
    assert (command.quote.bid, command.quote.ask) == (Decimal(99), Decimal(101))


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)
DECIMALS = st.decimals(
    min_value=Decimal(-999_999_999_999_999),
    max_value=Decimal(999_999_999_999_999),
    places=10,
    allow_nan=False,
)


@given(
    cl_ord_id=WORDS,
    account=WORDS,
    side=st.sampled_from(Side),
    order_qty=DECIMALS,
    price=st.none() | DECIMALS,
    tif=st.sampled_from(TimeInForce),
)
def test_an_order_that_we_write_is_read_again(
    *,
    cl_ord_id: str,
    account: str,
    side: Side,
    order_qty: Decimal,
    price: Decimal | None,
    tif: TimeInForce,
) -> None:
    sent = fx.SendNewOrderSingle(
        session="XA",
        event_seq=1,
        at=START,
        order_id="o1",
        cl_ord_id=cl_ord_id,
        account=account,
        symbol="AAPL",
        side=side,
        order_qty=order_qty,
        ord_type=OrdType.MARKET if price is None else OrdType.LIMIT,
        price=price,
        time_in_force=tif,
    )
    msg_type, body = encode(sent)
    command = read([(35, msg_type), (34, "1"), *pairs(body)])
    assert isinstance(command, NewOrderSingle)
    for name in ("cl_ord_id", "account", "symbol", "side", "order_qty", "ord_type", "price"):
        assert getattr(command, name) == getattr(sent, name), name
    assert (command.time_in_force, command.transact_time) == (tif, START // 1000 * 1000)


@given(
    kind=st.sampled_from(ExecType),
    status=st.sampled_from(OrdStatus),
    quantity=DECIMALS.filter(lambda value: value > 0),
    price=DECIMALS,
    text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100),
)
def test_a_report_that_we_write_is_read_again(
    kind: ExecType, status: OrdStatus, quantity: Decimal, price: Decimal, text: str
) -> None:
    sent = fx.SendExecutionReport(
        session="ALPHA",
        event_seq=1,
        at=START,
        order_id="o1",
        cl_ord_id="c2",
        orig_cl_ord_id="c1",
        exec_id="E1",
        exec_ref_id="E0",
        exec_type=kind,
        ord_status=status,
        account="A1",
        symbol="AAPL",
        side=Side.BUY,
        order_qty=quantity,
        ord_type=OrdType.LIMIT,
        price=price,
        time_in_force=TimeInForce.DAY,
        cum_qty=quantity,
        leaves_qty=Decimal(0),
        avg_px=price,
        last_qty=quantity,
        last_px=price,
        last_mkt="XA",
        text=text,
    )
    msg_type, body = encode(sent)
    command = read([(35, msg_type), (34, "1"), *pairs(body)], VENUE)
    assert isinstance(command, ExecutionReport)
    for name in ("order_id", "cl_ord_id", "orig_cl_ord_id", "exec_id", "exec_ref_id", "exec_type"):
        assert getattr(command, name) == getattr(sent, name), name
    for name in ("ord_status", "cum_qty", "leaves_qty", "avg_px", "last_qty", "last_px", "text"):
        assert getattr(command, name) == getattr(sent, name), name


def test_a_cancel_reject_and_a_replace_are_read_again() -> None:
    reject = fx.SendOrderCancelReject(
        session="ALPHA",
        event_seq=1,
        at=START,
        order_id="o1",
        cl_ord_id="c2",
        orig_cl_ord_id="c1",
        ord_status=OrdStatus.FILLED,
        cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL,
        response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        account="A1",
        text="late",
    )
    msg_type, body = encode(reject)
    command = read([(35, msg_type), *pairs(body)], VENUE)
    assert isinstance(command, OrderCancelReject)
    assert command.cxl_rej_reason is CxlRejReason.TOO_LATE_TO_CANCEL
    replaced = read({35: "G", 34: "1", 11: "c2", 41: "c1", 38: "50", 44: "9.99", 60: TIME})
    assert isinstance(replaced, OrderCancelReplaceRequest)
    assert (replaced.orig_cl_ord_id, replaced.price) == ("c1", Decimal("9.99"))
    assert replaced.transact_time == parse_utc_timestamp(TIME)


VALUES = st.one_of(
    st.text(st.characters(max_codepoint=255, exclude_characters="\x01"), max_size=30),
    st.sampled_from(["", "0", "-1", "NaN", "1e9", "9" * 40, "Y", "F", "2", TIME, "²", "-0", ".5"]),
)
TYPES = sorted({*CLIENT_READERS, *VENUE_READERS, "W", "X", "Y", "R", "", "\x02"})
TAGS = st.one_of(st.sampled_from(sorted({*ORDER, *TRADE, 268, 269, 270, 271, 279, 911, 434, 584})))


@settings(max_examples=600, deadline=None)
@given(
    client=st.booleans(),
    msg_type=st.sampled_from(TYPES),
    base=st.sampled_from([{}, ORDER, TRADE]),
    changes=st.lists(st.tuples(TAGS, VALUES), max_size=8),
)
def test_no_message_raises(
    *, client: bool, msg_type: str, base: dict[int, str], changes: list[tuple[int, str]]
) -> None:
    fields = [(35, msg_type), *((tag, base[tag]) for tag in base if tag != 35), *changes]
    found = Decoder(CLIENT if client else VENUE).decode(wire(fields), epoch=0, at=START)
    _each_is_whole(found)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_no_text_raises(text: str) -> None:
    _each_is_whole(Decoder(VENUE).decode(text, epoch=0, at=START))


def _each_is_whole(commands: list[Command]) -> None:
    for command in commands:
        if isinstance(command, UnreadableMessage):
            assert command.text
            assert command.reason_code
        elif not isinstance(command, MessageRejectedByPeer):
            assert command.origin.received_at == START
