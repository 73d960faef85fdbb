"""FIX 4.2 and 5.0 SP2: tables row by row, and the standard's whole dictionaries as the judge."""

from decimal import Decimal

import pytest

from fix_sessions.dialects import dialect_of
from fix_sessions.encode import encode, encoder_of
from oms.domain import effects as fx
from oms.domain.commands import (
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    UnreadableMessage,
)
from oms.domain.fix import (
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    SessionRejectReason,
)
from oms.domain.profile import WireProfile
from tests.support.messages import (
    AT,
    FILLED,
    NEW,
    NOW,
    PARTIAL,
    VERSIONS,
    cancel_reject,
    counterparty,
    order,
    read,
    reject,
    report,
    sent,
)

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


@pytest.mark.parametrize(
    ("version", "theirs", "ours"),
    [
        ("FIX.4.2", [(40, "5")], [(40, "1"), (59, "7")]),
        ("FIX.4.2", [(40, "B"), (44, "10")], [(40, "2"), (44, "10"), (59, "7")]),
        ("FIX.4.2", [(40, "2"), (59, "3")], [(40, "2"), (59, "3")]),
        ("FIX.4.2", [(40, "P"), (18, "M G")], [(40, "P"), (18, "M G")]),
        ("FIXT.1.1", [(1138, "100")], [(111, "100")]),
        ("FIXT.1.1", [(40, "P"), (1094, "2")], [(40, "P"), (18, "M")]),
        ("FIXT.1.1", [(40, "P"), (1094, "5"), (18, "G")], [(40, "P"), (18, "G R")]),
        ("FIXT.1.1", [(40, "P"), (1094, "4")], [(40, "P"), (1094, "4")]),
    ],
)
def test_order_terms_that_have_another_spelling(
    version: str, theirs: list[tuple[int, str]], ours: list[tuple[int, str]]
) -> None:
    dialect = dialect_of(version)
    assert dialect is not None
    for msg_type in ("D", "G"):
        assert dialect.read[msg_type](theirs) == ours
        assert dialect.write[msg_type](ours) == theirs


def test_an_instruction_that_fix42_has_not_is_not_passed_on() -> None:
    dialect = dialect_of("FIX.4.2")
    assert dialect is not None
    assert dialect.write["D"]([(18, "G Q"), (40, "2")]) == [(18, "G"), (40, "2")]
    assert dialect.write["D"]([(18, "Q"), (40, "2")]) == [(40, "2")]


def test_triggered_is_told_as_a_status_in_fix42() -> None:
    dialect = dialect_of("FIX.4.2")
    assert dialect is not None
    told = dict(dialect.write["8"]([(150, "L"), (39, "0"), (14, "0"), (38, "9")]))
    assert (told[20], told[150], told[39]) == ("3", "0", "0")
