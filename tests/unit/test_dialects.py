"""FIX 4.2 and 5.0 SP2: tables row by row, and the standard's whole dictionaries as the judge."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_sessions.binding import quickfix
from fix_sessions.decode import Decoder
from fix_sessions.encode import encode, encoder_of
from fix_sessions.registry import Counterparty
from fix_sessions.wire import frame
from oms.domain import effects as fx
from oms.domain.commands import (
    Command,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    UnreadableMessage,
)
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    SessionRejectReason,
    Side,
    TimeInForce,
)
from oms.domain.profile import WireProfile

VERSIONS = ["FIX.4.2", "FIX.4.4", "FIXT.1.1"]
AT = 1_790_000_000_000_000
NOW = "20260921-10:00:00.000"
SHARE = Path(sys.prefix) / "share" / "quickfix"
NEW = (OrdStatus.NEW, "0", "100")
PARTIAL = (OrdStatus.PARTIALLY_FILLED, "40", "60")
FILLED = (OrdStatus.FILLED, "100", "0")


def counterparty(
    version: str, *, venue: bool = False, wire: WireProfile | None = None
) -> Counterparty:
    return Counterparty(
        session_id="S",
        name="S",
        role="venue" if venue else "client",
        begin_string=version,
        wire=wire or WireProfile(),
    )


def report(
    exec_type: ExecType, state: tuple[OrdStatus, str, str], **more: Any
) -> fx.SendExecutionReport:
    status, cum_qty, leaves_qty = state
    values: dict[str, Any] = {
        "session": "S",
        "event_seq": 1,
        "at": AT,
        "order_id": "o1",
        "cl_ord_id": "c2",
        "orig_cl_ord_id": "c1",
        "exec_id": "E1",
        "exec_type": exec_type,
        "ord_status": status,
        "account": "A-1",
        "symbol": "AAPL",
        "side": Side.BUY,
        "order_qty": Decimal(100),
        "ord_type": OrdType.LIMIT,
        "price": Decimal("10.5"),
        "time_in_force": TimeInForce.DAY,
        "cum_qty": Decimal(cum_qty),
        "leaves_qty": Decimal(leaves_qty),
        "avg_px": Decimal("10.5"),
    }
    if exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT):
        values |= {"last_qty": Decimal(40), "last_px": Decimal("10.5"), "last_mkt": "XSIM"}
    if exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
        values["exec_ref_id"] = "E0"
    return fx.SendExecutionReport(**(values | more))


def sent(version: str, effect: Any, wire: WireProfile | None = None) -> dict[int, str]:
    """What leaves for a counterparty of that version: its fields, or none of them."""
    msg_type, body = encoder_of(counterparty(version, wire=wire))(effect)
    pairs = [piece.split("=", 1) for piece in body]
    found = {int(tag): value for tag, value in pairs if value}
    return found | {35: msg_type} if msg_type else {}


def read(
    version: str, fields: dict[int, str] | list[tuple[int, str]], *, venue: bool = False
) -> Command:
    pairs = list(fields.items()) if isinstance(fields, dict) else fields
    text = "".join(f"{tag}={value}\x01" for tag, value in [(8, version), *pairs, (10, "000")])
    [command] = Decoder(counterparty(version, venue=venue)).decode(text, epoch=0, at=AT)
    return command


# FIX 4.2 out


@pytest.mark.parametrize(
    ("exec_type", "state", "trans_type", "as_exec_type", "as_status"),
    [
        (ExecType.NEW, NEW, "0", "0", "0"),
        (ExecType.TRADE, PARTIAL, "0", "1", "1"),
        (ExecType.TRADE, FILLED, "0", "2", "2"),
        (ExecType.TRADE, (OrdStatus.PENDING_CANCEL, "40", "60"), "0", "1", "6"),
        (ExecType.TRADE, (OrdStatus.PENDING_CANCEL, "100", "0"), "0", "2", "6"),
        (ExecType.TRADE, (OrdStatus.CANCELED, "40", "0"), "0", "1", "4"),
        (ExecType.TRADE_CORRECT, PARTIAL, "2", "1", "1"),
        (ExecType.TRADE_CANCEL, NEW, "1", "0", "0"),
        (ExecType.ORDER_STATUS, FILLED, "3", "2", "2"),
        (ExecType.REPLACED, NEW, "0", "5", "5"),
        (ExecType.REPLACED, PARTIAL, "0", "5", "1"),
        (ExecType.CANCELED, (OrdStatus.CANCELED, "0", "0"), "0", "4", "4"),
        (ExecType.PENDING_REPLACE, (OrdStatus.PENDING_REPLACE, "0", "100"), "0", "E", "E"),
        (ExecType.EXPIRED, (OrdStatus.EXPIRED, "0", "0"), "0", "C", "C"),
        (ExecType.REJECTED, (OrdStatus.REJECTED, "0", "0"), "0", "8", "8"),
    ],
)
def test_a_report_in_fix42(
    exec_type: ExecType,
    state: tuple[OrdStatus, str, str],
    trans_type: str,
    as_exec_type: str,
    as_status: str,
) -> None:
    found = sent("FIX.4.2", report(exec_type, state, ord_status_req_id="q1"))
    assert [found[tag] for tag in (20, 150, 39)] == [trans_type, as_exec_type, as_status]
    assert 790 not in found, "OrdStatusReqID came with FIX 4.3"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (OrdRejReason.UNKNOWN_SYMBOL, "1"),
        (OrdRejReason.DUPLICATE_ORDER, "6"),
        (OrdRejReason.UNSUPPORTED_ORDER_CHARACTERISTIC, "0"),
        (OrdRejReason.INCORRECT_QUANTITY, "0"),
        (OrdRejReason.OTHER, "0"),
    ],
)
def test_reject_reasons_that_fix42_has_not(reason: OrdRejReason, told: str) -> None:
    effect = report(ExecType.REJECTED, (OrdStatus.REJECTED, "0", "0"), ord_rej_reason=reason)
    assert sent("FIX.4.2", effect)[103] == told
    assert sent("FIXT.1.1", effect)[103] == reason.value


def cancel_reject(reason: CxlRejReason) -> fx.SendOrderCancelReject:
    return fx.SendOrderCancelReject(
        session="S",
        event_seq=1,
        at=AT,
        order_id="o1",
        cl_ord_id="c2",
        orig_cl_ord_id="c1",
        ord_status=OrdStatus.NEW,
        cxl_rej_reason=reason,
        response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        account="A-1",
        text="no",
    )


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (CxlRejReason.TOO_LATE_TO_CANCEL, "0"),
        (CxlRejReason.ALREADY_PENDING, "3"),
        (CxlRejReason.DUPLICATE_CL_ORD_ID, "2"),
        (CxlRejReason.OTHER, "2"),
    ],
)
def test_cancel_reject_reasons_that_fix42_has_not(reason: CxlRejReason, told: str) -> None:
    assert sent("FIX.4.2", cancel_reject(reason))[102] == told
    assert sent("FIXT.1.1", cancel_reject(reason))[102] == reason.value


def reject(code: str, *, business: bool) -> fx.SendReject:
    return fx.SendReject(
        session="S",
        event_seq=1,
        at=AT,
        business=business,
        ref_seq_num=7,
        ref_msg_type="D",
        ref_id="c1",
        reason_code=code,
        ref_tag=38,
        text="no",
    )


def test_session_reject_reasons_that_fix42_has_not() -> None:
    repeated = SessionRejectReason.TAG_APPEARS_MORE_THAN_ONCE
    assert 373 not in sent("FIX.4.2", reject(repeated, business=False))
    assert sent("FIX.4.2", reject("5", business=False))[373] == "5"
    assert sent("FIX.4.4", reject(repeated, business=False))[373] == "13"


def test_mass_status_is_not_sent_in_fix42() -> None:
    asked = fx.SendOrderMassStatusRequest(session="S", event_seq=1, at=AT, mass_status_req_id="m1")
    assert sent("FIX.4.2", asked) == {}
    assert sent("FIXT.1.1", asked) == {35: "AF", 584: "m1", 585: "7"}


# FIX 4.2 in

REPORT = {35: "8", 34: "9", 37: "V1", 11: "o1", 17: "e1", 55: "AAPL", 54: "1", 60: NOW}
ORDER = {35: "D", 34: "7", 11: "c1", 1: "A1", 21: "1", 55: "AAPL", 54: "1", 38: "100", 60: NOW}


@pytest.mark.parametrize(
    ("told", "exec_type", "ord_status"),
    [
        ({20: "0", 150: "0", 39: "0"}, ExecType.NEW, OrdStatus.NEW),
        ({150: "0", 39: "0"}, ExecType.NEW, OrdStatus.NEW),
        (
            {20: "0", 150: "1", 39: "1", 32: "1", 31: "2"},
            ExecType.TRADE,
            OrdStatus.PARTIALLY_FILLED,
        ),
        ({20: "0", 150: "2", 39: "2", 32: "1", 31: "2"}, ExecType.TRADE, OrdStatus.FILLED),
        ({20: "0", 150: "1", 39: "6", 32: "1", 31: "2"}, ExecType.TRADE, OrdStatus.PENDING_CANCEL),
        ({20: "1", 150: "1", 39: "0", 19: "e0"}, ExecType.TRADE_CANCEL, OrdStatus.NEW),
        (
            {20: "2", 150: "1", 39: "1", 19: "e0", 32: "1", 31: "2"},
            ExecType.TRADE_CORRECT,
            OrdStatus.PARTIALLY_FILLED,
        ),
        ({20: "3", 150: "2", 39: "2", 14: "100"}, ExecType.ORDER_STATUS, OrdStatus.FILLED),
        ({20: "0", 150: "5", 39: "5", 14: "0", 151: "9"}, ExecType.REPLACED, OrdStatus.NEW),
        (
            {20: "0", 150: "5", 39: "5", 14: "4", 151: "5"},
            ExecType.REPLACED,
            OrdStatus.PARTIALLY_FILLED,
        ),
        ({20: "0", 150: "5", 39: "5", 14: "9", 151: "0"}, ExecType.REPLACED, OrdStatus.FILLED),
        ({20: "0", 150: "D", 39: "0"}, ExecType.RESTATED, OrdStatus.NEW),
    ],
)
def test_a_venue_report_of_fix42(
    told: dict[int, str], exec_type: ExecType, ord_status: OrdStatus
) -> None:
    command = read("FIX.4.2", REPORT | told, venue=True)
    assert isinstance(command, ExecutionReport), command
    assert (command.exec_type, command.ord_status) == (exec_type, ord_status)


@pytest.mark.parametrize(
    ("told", "tag", "text"),
    [
        ({20: "4", 150: "0", 39: "0"}, 20, "ExecTransType (20) = 4: must be one of 0 (NEW)"),
        ({20: "0", 150: "F", 39: "1"}, 150, "ExecType (150) = F: is not an ExecType of FIX 4.2"),
        ({20: "0", 39: "1"}, 150, "ExecType (150): required tag missing"),
        ({20: "1", 150: "1", 39: "0"}, 19, "tag 19: required tag missing"),
    ],
)
def test_a_venue_report_that_is_not_fix42(told: dict[int, str], tag: int, text: str) -> None:
    command = read("FIX.4.2", REPORT | told, venue=True)
    assert isinstance(command, UnreadableMessage), command
    assert command.ref_tag == tag
    assert command.text.startswith(text)


def test_a_cancel_reject_of_fix42_that_says_replaced() -> None:
    fields = {35: "9", 34: "9", 37: "V1", 11: "o2", 41: "o1", 39: "5", 434: "1", 102: "0"}
    command = read("FIX.4.2", fields, venue=True)
    assert isinstance(command, OrderCancelReject), command
    assert command.ord_status is OrdStatus.NEW


@pytest.mark.parametrize(
    ("msg_type", "left_out", "text"),
    [
        ("D", 21, "HandlInst (21): required tag missing"),
        ("D", 60, "TransactTime (60): required tag missing"),
        ("G", 21, "HandlInst (21): required tag missing"),
        ("F", 54, "Side (54): required tag missing"),
        ("H", 55, "Symbol (55): required tag missing"),
    ],
)
def test_what_a_client_of_fix42_must_say(msg_type: str, left_out: int, text: str) -> None:
    fields = ORDER | {35: msg_type, 40: "1", 41: "c0"}
    assert not isinstance(read("FIX.4.2", fields), UnreadableMessage)
    del fields[left_out]
    command = read("FIX.4.2", fields)
    assert isinstance(command, UnreadableMessage), command
    assert (command.reason_code, command.ref_tag, command.text) == ("1", left_out, text)
    assert left_out in {54, 55} or not isinstance(read("FIX.4.4", fields), UnreadableMessage)


def test_messages_that_fix42_has_not_are_unsupported() -> None:
    command = read("FIX.4.2", {35: "AF", 34: "7", 584: "m", 585: "7"})
    assert isinstance(command, UnreadableMessage)
    assert (command.business, command.reason_code) == (True, "3")


# FIX 5.0 SP2


PARTIES = [(453, "2"), (448, "X"), (447, "D"), (452, "3"), (448, "A1"), (447, "D"), (452, "24")]


def test_the_account_may_stand_among_the_parties_in_fix50sp2() -> None:
    fields = ORDER | {40: "1"}
    del fields[1]
    command = read("FIXT.1.1", [*fields.items(), *PARTIES])
    assert isinstance(command, NewOrderSingle), command
    assert command.account == "A1"
    command = read("FIXT.1.1", [*fields.items(), (1, "A2"), *PARTIES])
    assert isinstance(command, NewOrderSingle)
    assert command.account == "A2", "Account itself counts first"


def test_parties_are_no_repeated_tags() -> None:
    command = read("FIX.4.4", [*(ORDER | {40: "1"}).items(), *PARTIES])
    assert isinstance(command, NewOrderSingle), command
    command = read("FIX.4.4", [*(ORDER | {40: "1"}).items(), *PARTIES, (38, "1")])
    assert isinstance(command, UnreadableMessage)
    assert command.ref_tag == 38


def test_handl_inst_is_not_asked_for_in_fix50sp2() -> None:
    fields = ORDER | {40: "2", 44: "10.5", 41: "c0", 35: "G"}
    del fields[21]
    assert isinstance(read("FIXT.1.1", fields), OrderCancelReplaceRequest)


def test_an_application_version_that_is_not_ours() -> None:
    command = read("FIXT.1.1", ORDER | {40: "1", 1128: "7"})
    assert isinstance(command, UnreadableMessage)
    assert (command.ref_tag, command.text) == (1128, "ApplVerID (1128) = 7: must be 9")
    assert isinstance(read("FIXT.1.1", ORDER | {40: "1", 1128: "9"}), NewOrderSingle)


# How messages are written


def test_fix44_without_a_profile_takes_the_short_way() -> None:
    assert encoder_of(counterparty("FIX.4.4")) is encode


def test_decimals_are_padded_and_never_cut() -> None:
    wire = WireProfile(price_decimals=2, quantity_decimals=1)
    effect = report(ExecType.TRADE, PARTIAL, avg_px=Decimal("10.12345"), last_px=Decimal(10))
    for version in VERSIONS:
        found = sent(version, effect, wire)
        told = [found[tag] for tag in (44, 31, 6, 38, 14, 151, 32)]
        assert told == ["10.50", "10.00", "10.12345", "100.0", "40.0", "60.0", "40.0"]
        assert found[60].startswith("20260921")


def test_custom_tags_stand_after_ours_or_in_their_place() -> None:
    custom = {"D": ((528, "A"), (21, "3"))}
    msg_type, body = encoder_of(counterparty("FIX.4.4", wire=WireProfile(custom_tags=custom)))(
        order()
    )
    assert msg_type == "D"
    assert body[-2:] == ["528=A", "21=3"]
    assert body.count("21=1") == 0
    assert (
        sent("FIX.4.4", report(ExecType.NEW, NEW), WireProfile(custom_tags=custom)).get(528) is None
    )


# The whole dictionaries


def judged(version: str, msg_type: str, fields: list[tuple[int, str]]) -> None:
    """Raise what QuickFIX raises for a message that the standard does not have like this."""
    head = [(35, msg_type), (34, "2"), (49, "US"), (52, NOW), (56, "THEM")]
    text = frame(version, [*head, *fields]).decode()
    names = {"FIX.4.2": "FIX42", "FIX.4.4": "FIX44", "FIXT.1.1": "FIX50SP2"}
    application = dictionary(names[version])
    if version == "FIXT.1.1":
        session = dictionary("FIXT11")
        application = session if msg_type == "3" else application
        message = quickfix.Message(text, session, application, True)
        quickfix.DataDictionary.validate(message, session, application)
    else:
        application.validate(quickfix.Message(text, application, True))


_LOADED: dict[str, Any] = {}


def dictionary(name: str) -> Any:
    if name not in _LOADED:
        _LOADED[name] = quickfix.DataDictionary(str(SHARE / f"{name}.xml"))
    return _LOADED[name]


def order(price: Decimal | None = Decimal("10.5")) -> fx.SendNewOrderSingle:
    return fx.SendNewOrderSingle(
        session="S",
        event_seq=1,
        at=AT,
        order_id="o1",
        cl_ord_id="c1",
        account="A-1",
        symbol="AAPL",
        side=Side.SELL_SHORT,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT if price else OrdType.MARKET,
        price=price,
        time_in_force=TimeInForce.IOC,
    )


def about_an_order(kind: type, **more: Any) -> Any:
    known = {"orig_cl_ord_id": "c1", "venue_order_id": "v1", "order_qty": Decimal(90)}
    named = {"session": "S", "event_seq": 1, "at": AT, "order_id": "o1", "cl_ord_id": "c2"}
    return kind(**named, symbol="AAPL", side=Side.BUY, **(known | more))


OTHERS: list[Any] = [
    order(),
    order(None),
    about_an_order(fx.SendOrderCancelRequest),
    about_an_order(
        fx.SendOrderCancelReplaceRequest,
        account="A-1",
        ord_type=OrdType.LIMIT,
        price=Decimal(11),
        time_in_force=TimeInForce.DAY,
    ),
    fx.SendOrderStatusRequest(
        session="S",
        event_seq=1,
        at=AT,
        order_id="o1",
        cl_ord_id="c1",
        venue_order_id="v1",
        symbol="AAPL",
        side=Side.BUY,
    ),
    fx.SendMarketDataRequest(
        session="S", event_seq=1, at=AT, md_req_id="m", symbols=("AAPL", "MSFT")
    ),
    *(cancel_reject(reason) for reason in CxlRejReason),
    *(reject(code, business=False) for code in ("1", "4", "5", "6", "13", "16")),
    *(reject(code, business=True) for code in "012345"),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_we_send_is_in_the_standard(version: str) -> None:
    encoded = encoder_of(counterparty(version))
    for effect in OTHERS:
        msg_type, body = encoded(effect)
        pairs = [piece.split("=", 1) for piece in body]
        judged(version, msg_type, [(int(tag), value) for tag, value in pairs if value])


STATES = st.sampled_from(
    [(status, cum, leaves) for status in OrdStatus for cum, leaves in (("0", "100"), ("40", "60"))]
    + [FILLED, (OrdStatus.CANCELED, "40", "0"), (OrdStatus.PENDING_CANCEL, "100", "0")]
).filter(lambda state: state[0] is not OrdStatus.REPLACED)


@given(
    version=st.sampled_from(VERSIONS),
    exec_type=st.sampled_from(ExecType),
    state=STATES,
    reason=st.sampled_from(["", *OrdRejReason]),
    price=st.sampled_from([None, Decimal("10.5")]),
)
def test_every_report_is_in_the_standard_and_means_the_same_when_read(
    version: str,
    exec_type: ExecType,
    state: tuple[OrdStatus, str, str],
    reason: str,
    price: Decimal | None,
) -> None:
    effect = report(exec_type, state, ord_rej_reason=reason, price=price, ord_status_req_id="q")
    found = sent(version, effect)
    fields = [(tag, value) for tag, value in found.items() if tag != 35]
    judged(version, "8", fields)
    command = read(version, [(35, "8"), (34, "2"), *fields], venue=True)
    assert isinstance(command, ExecutionReport), command
    assert (command.exec_type, command.cum_qty, command.leaves_qty) == (
        exec_type,
        effect.cum_qty,
        effect.leaves_qty,
    )
    # What Replaced hides in FIX 4.2 comes back as what the figures say.
    replaced_while_new = exec_type is ExecType.REPLACED and state[0] is OrdStatus.NEW
    if not (version == "FIX.4.2" and replaced_while_new):
        assert command.ord_status is effect.ord_status
