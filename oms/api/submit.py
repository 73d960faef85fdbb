"""Hand a command to the core by the inbox, wait a bounded time for its answer, tell the sender.

The command is durable before anything is answered. Nothing here decides: what is refused is refused
by the core, by name; 202 says only that its answer has not come yet.
"""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from oms.api.auth import Principal
from oms.api.commands import operator_key
from oms.api.context import Context
from oms.api.handover import Handed, find, hand_over, order_row
from oms.api.metrics import COMMAND_SECONDS, COMMANDS, WAITING
from oms.api.problems import invalid, not_found, refused
from oms.api.shown import CommandState, Order
from oms.domain.commands import (
    Command,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
)
from oms.domain.reasons import Reason
from oms.settings.trading_date import trade_date_of
from oms.store.inbox_content import KeyTaken

_LOOK_AGAIN_S: Final = 0.5
REPLAY: Final = {"Idempotent-Replay": "true"}
"""Said of an answer that another request was given before."""

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "model": CommandState,
        "description": "Kept, and not answered by the core yet: ask at Location",
        "headers": {
            "Location": {
                "description": "/v1/commands/{id}, which will tell the answer",
                "schema": {"type": "string"},
            }
        },
    }
}


class NotAnsweredYet(Exception):
    """The core has not taken the command in time; it is kept."""

    def __init__(self, inbox_id: int, *, repeated: bool) -> None:
        super().__init__(inbox_id)
        self.inbox_id = inbox_id
        self.repeated = repeated


async def on_not_answered_yet(_: Request, error: Exception) -> Response:
    """202, and where to ask."""
    assert isinstance(error, NotAnsweredYet)
    state = CommandState(
        id=error.inbox_id, state="new", accepted=None, reason="", order_id="", text="", seq=None
    )
    headers = {"Location": f"/v1/commands/{error.inbox_id}", "Retry-After": "1"}
    if error.repeated:
        headers |= REPLAY
    return JSONResponse(state.model_dump(mode="json"), status_code=202, headers=headers)


OrderCommand = NewOrderSingle | OrderCancelRequest | OrderCancelReplaceRequest


async def order_command(
    context: Context, caller: Principal, command: OrderCommand, response: Response
) -> Order:
    """The order as it is once the core has taken the request; its refusal as a Problem."""
    answer = await _answered(context, command, command.cl_ord_id, response)
    row = await order_row(context.connections, answer.order_id)
    if row is None or not caller.scope.allows(row["client"], row["account"]):
        raise not_found("order", answer.order_id)
    order = Order.model_validate(row)
    response.headers["Location"] = f"/v1/orders/{order.order_id}"
    return order


async def control(context: Context, command: Command, key: str, response: Response) -> CommandState:
    """The answer to a command that concerns no single order; its refusal as a Problem.

    key: its idempotency key; one is made where it is empty.
    """
    answer = await _answered(context, command, key or operator_key(), response)
    return _shown(answer)


async def visible_order(context: Context, caller: Principal, order_id: str) -> str:
    """The client whose order it is. Raises Problem where the caller may not see it."""
    row = await order_row(context.connections, order_id)
    if row is None or not caller.scope.allows(row["client"], row["account"]):
        raise not_found("order", order_id)
    return str(row["client"])


async def command_state(context: Context, caller: Principal, inbox_id: int) -> CommandState:
    """What became of a command that the caller, or its client, has sent."""
    found = await find(context.connections, inbox_id)
    if found is None or (caller.client and found.counterparty != caller.client):
        raise not_found("command", str(inbox_id))
    return _shown(found)


async def _answered(context: Context, command: Command, key: str, response: Response) -> Handed:
    """The core's yes. Its no, a conflict, and an answer that does not come in time are raised."""
    name = type(command).__name__
    began = time.perf_counter()
    try:
        today = trade_date_of(context.settings.trading_day, datetime.now(UTC))
        found, repeated = await hand_over(context.connections, command, key, today)
    except KeyTaken as taken:
        COMMANDS.labels(name, "conflict").inc()
        named = "cl_ord_id" if hasattr(command, "cl_ord_id") else "Idempotency-Key"
        raise invalid(named, key, str(taken), status=409) from None
    if repeated:
        response.headers.update(REPLAY)
    with WAITING.track_inprogress():
        found = await _wait(context, found)
    if not found.done:
        COMMANDS.labels(name, "waiting").inc()
        raise NotAnsweredYet(found.id, repeated=repeated)
    if not repeated:
        COMMAND_SECONDS.labels(name).observe(time.perf_counter() - began)
    outcome = "repeated" if repeated else "accepted" if found.accepted else "refused"
    COMMANDS.labels(name, outcome).inc()
    if not found.accepted:
        headers = REPLAY if repeated else None
        raise refused(Reason(found.reason), found.text, found.order_id, headers=headers)
    return found


async def _wait(context: Context, found: Handed) -> Handed:
    """The row once it is answered, or as it is when the time is up."""
    deadline = time.monotonic() + context.settings.api.answer_wait_ms / 1000
    with context.answers.expect(found.id) as told:
        while not found.done:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), min(left, _LOOK_AGAIN_S))
            told.clear()
            found = await find(context.connections, found.id) or found
    return found


def _shown(found: Handed) -> CommandState:
    return CommandState(
        id=found.id,
        state="done" if found.done else "new",
        accepted=found.accepted,
        reason=found.reason,
        order_id=found.order_id,
        text=found.text,
        seq=found.first_seq,
    )
