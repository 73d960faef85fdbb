"""What a soak takes for REST's answer to an order."""

import httpx
import pytest

from oms.soak.screen import Told, told_by


def test_an_order_and_a_refusal_are_answers() -> None:
    assert told_by(httpx.Response(201, json={"order_id": "O1"})) == Told(
        accepted=True, order_id="O1"
    )
    refusal = {"reason": "KILL_SWITCH", "order_id": "O2"}
    assert told_by(httpx.Response(409, json=refusal)) == Told(accepted=False, order_id="O2")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(201, json={}),
        httpx.Response(404, json={"title": "Not Found"}),
        httpx.Response(500, text="Internal Server Error"),
        httpx.Response(500, json={"reason": "KILL_SWITCH"}),
    ],
)
def test_all_else_is_odd(answer: httpx.Response) -> None:
    told = told_by(answer)
    assert not told.accepted
    assert told.odd.startswith(str(answer.status_code))
