"""Answers to what clients ask beyond single orders, against the standard's whole dictionaries."""

from typing import Any

import pytest

from oms.domain import answer_effects as answers
from oms.domain import effects as fx
from oms.domain.fix import ExecType, OrdStatus, Side
from tests.support.messages import AT, NEW, VERSIONS, report, sent
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
IN_ALL: list[Any] = [STATUS, NONE]


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_are_in_the_standard(version: str) -> None:
    for effect in [*NOT_IN_42, *IN_ALL]:
        fields = sent(version, effect)
        if effect in NOT_IN_42 and version == "FIX.4.2":
            assert not fields
            continue
        again = fields.pop(97, "")
        assert bool(again) == effect.poss_resend
        judged(version, fields.pop(35), list(fields.items()))


def test_what_stands_in_a_mass_cancel_report() -> None:
    found = sent("FIX.4.4", NOT_IN_42[0])
    wanted = {37: "M7", 11: "c1", 530: "1", 531: "1", 533: "2", 55: "AAPL", 54: "2"}
    assert {tag: found.get(tag) for tag in wanted} == wanted
    assert 532 not in found
    assert sent("FIXT.1.1", NOT_IN_42[0])[1369] == "M7"


def test_one_report_of_many_says_how_many_and_whether_it_is_the_last() -> None:
    found = sent("FIX.4.4", STATUS)
    assert (found[584], found[911], found[912], found[150]) == ("s1", "3", "Y", "I")
