"""Answers to what clients ask beyond single orders, against the standard's whole dictionaries."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fix_sessions.encode import encoder_of
from oms.domain import answer_effects as answers
from oms.domain import effects as fx
from oms.domain.commands import UnreadableMessage
from oms.domain.fix import ExecType, OrdStatus, Side
from oms.domain.inquiries import TradingSessionStatusRequest
from oms.domain.instrument import Instrument
from tests.support.messages import AT, NEW, VERSIONS, counterparty, read, report, sent
from tests.unit.test_standard_messages import judged

HEAD: dict[str, Any] = {"session": "S", "event_seq": 1, "at": AT}
MASS_CANCEL: dict[str, Any] = HEAD | {
    "request_id": "M7",
    "cl_ord_id": "c1",
    "request_type": "1",
    "response": "1",
    "reject_reason": "",
    "affected": 2,
    "symbol": "AAPL",
    "side": Side.SELL,
    "text": "2 orders are being cancelled",
}
STATUS = fx.SendMassStatusReport(
    **HEAD,
    report=report(ExecType.ORDER_STATUS, NEW),
    mass_status_req_id="s1",
    tot_num_reports=3,
    last_rpt_requested=True,
)
NONE = fx.SendMassStatusReport(
    **HEAD,
    report=report(ExecType.ORDER_STATUS, (OrdStatus.REJECTED, "0", "0"), ord_rej_reason="5"),
    mass_status_req_id="s1",
    tot_num_reports=0,
    last_rpt_requested=True,
)
NOT_IN_42: list[Any] = [
    answers.SendOrderMassCancelReport(**MASS_CANCEL),
    answers.SendOrderMassCancelReport(
        **MASS_CANCEL | {"response": "0", "reject_reason": "1", "affected": 0, "side": None}
    ),
    answers.SendOrderMassCancelReport(**MASS_CANCEL | {"poss_resend": True, "symbol": ""}),
]
AAPL = Instrument(symbol="AAPL", currency="USD", tick=Decimal("0.01"), lot=Decimal(1))
HALT = replace(AAPL, symbol="HALT", currency="EUR", lot=Decimal(10), tradable=False)
SECURITIES = answers.SendSecurityList(
    **HEAD,
    security_req_id="q1",
    response_id="L7",
    result="0",
    instruments=(AAPL, HALT),
    total=2,
    last_fragment=True,
    text="",
)
TRADE = answers.SendTradeCaptureReport(
    **HEAD,
    report_id="T7",
    trade_request_id="r1",
    exec_type=ExecType.TRADE,
    exec_id="E5",
    order_id="o1",
    cl_ord_id="c1",
    account="A-1",
    symbol="AAPL",
    side=Side.BUY,
    last_qty=Decimal(40),
    last_px=Decimal("10.5"),
    last_mkt="XSIM",
    trade_date="2026-09-21",
    transact_time=AT,
    total=1,
    last=True,
)
NOT_IN_42 += [
    SECURITIES,
    replace(SECURITIES, result="2", instruments=(), total=0, text="none"),
    TRADE,
    replace(TRADE, exec_type=ExecType.TRADE_CANCEL),
    replace(TRADE, exec_type=ExecType.TRADE_CORRECT),
    *(
        answers.SendTradeRequestAck(
            **HEAD,
            trade_request_id="r1",
            request_type="0",
            result=result,
            status=status,
            total=0,
            text="no",
        )
        for result, status in (("0", "0"), ("0", "1"), ("8", "2"), ("99", "2"))
    ),
]
DAY = answers.SendTradingSessionStatus(
    **HEAD,
    trad_ses_req_id="t1",
    trading_session_id="1",
    status="2",
    reject_reason="",
    unsolicited=False,
    text="open",
)
DONT_KNOW = answers.SendDontKnowTrade(
    **HEAD,
    venue_order_id="v1",
    exec_id="x1",
    dk_reason="D",
    symbol="AAPL",
    side=Side.BUY,
    last_qty=Decimal(10),
    last_px=Decimal("10.5"),
    text="no order of ours",
)
IN_ALL: list[Any] = [DONT_KNOW, STATUS, NONE, DAY, replace(DAY, status="3", unsolicited=True)]


def written(version: str, effect: Any) -> tuple[str, list[tuple[int, str]]]:
    """MsgType and the fields that have a value, groups in place."""
    msg_type, body = encoder_of(counterparty(version))(effect)
    pairs = [piece.split("=", 1) for piece in body]
    return msg_type, [(int(tag), value) for tag, value in pairs if value]


def test_a_trading_session_that_is_not_ours_is_refused_as_the_version_can() -> None:
    asked = {35: "g", 34: "2", 335: "t1", 263: "0", 336: "9"}
    refused = read("FIX.4.2", asked)
    assert isinstance(refused, UnreadableMessage)
    assert (refused.ref_tag, refused.reason_code) == (336, "5")
    assert isinstance(read("FIX.4.4", asked), TradingSessionStatusRequest)
    assert isinstance(read("FIX.4.2", asked | {336: "1"}), TradingSessionStatusRequest)
    status = replace(DAY, status="6", reject_reason="1")
    for version in ("FIX.4.4", "FIXT.1.1"):
        msg_type, fields = written(version, status)
        judged(version, msg_type, fields)


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_are_in_the_standard(version: str) -> None:
    for effect in [*NOT_IN_42, *IN_ALL]:
        msg_type, fields = written(version, effect)
        if effect in NOT_IN_42 and version == "FIX.4.2":
            assert not msg_type
            continue
        assert ((97, "Y") in fields) == effect.poss_resend
        judged(version, msg_type, [field for field in fields if field[0] != 97])


def test_what_stands_in_a_mass_cancel_report() -> None:
    found = sent("FIX.4.4", NOT_IN_42[0])
    wanted = {37: "M7", 11: "c1", 530: "1", 531: "1", 533: "2", 55: "AAPL", 54: "2"}
    assert {tag: found.get(tag) for tag in wanted} == wanted
    assert 532 not in found
    assert sent("FIXT.1.1", NOT_IN_42[0])[1369] == "M7"


def test_one_report_of_many_says_how_many_and_whether_it_is_the_last() -> None:
    found = sent("FIX.4.4", STATUS)
    assert (found[584], found[911], found[912], found[150]) == ("s1", "3", "Y", "I")


def test_what_stands_in_a_list_of_securities_and_in_a_trade() -> None:
    _, fields = written("FIX.4.4", SECURITIES)
    assert fields[-11:] == [
        *[(146, "2"), (55, "AAPL"), (167, "CS"), (15, "USD"), (561, "1"), (58, "tick 0.01")],
        *[(55, "HALT"), (167, "CS"), (15, "EUR"), (561, "10"), (58, "tick 0.01, halted")],
    ]
    _, fields = written("FIX.4.4", TRADE)
    assert fields[-5:] == [(552, "1"), (54, "1"), (37, "o1"), (11, "c1"), (1, "A-1")]
    wanted = {571: "T7", 17: "E5", 32: "40", 31: "10.5", 75: "20260921", 748: "1", 912: "Y"}
    assert {tag: dict(fields)[tag] for tag in wanted} == wanted
