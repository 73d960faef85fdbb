"""What a command of the inbox came to: the answer that its sender waits for."""

from dataclasses import dataclass

from oms.domain.answers import MassCancelAnswered
from oms.domain.commands import (
    Command,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    ResolveOrder,
)
from oms.domain.events import (
    CancelPending,
    CommandAnswered,
    DuplicateOrderRefused,
    Event,
    KillSwitchEngaged,
    KillSwitchReleased,
    OrderAccepted,
    OrderRefused,
    OrderStatusReported,
    ReplacePending,
    RequestRefused,
    RiskLimitSet,
)
from oms.domain.reasons import Reason
from oms.store.rows import Row

_OF_ORDERS = (NewOrderSingle, OrderCancelRequest, OrderCancelReplaceRequest)
_NAMED = (OrderCancelRequest, OrderCancelReplaceRequest, ResolveOrder)


@dataclass(slots=True, kw_only=True)
class _Answer:
    inbox_id: int
    first_seq: int
    at: int
    order_id: str
    accepted: bool = True
    reason: Reason = Reason.NONE
    text: str = ""

    def row(self) -> Row:
        reason = "" if self.reason is Reason.NONE else self.reason.value
        told = (self.accepted, reason, self.order_id, self.text, self.at)
        return (self.inbox_id, self.first_seq, *told)


class Answers:
    """Collects an answer for each command with an inbox_id: the first telling event's, else yes."""

    __slots__ = ("_answered", "_of_order", "_open")

    def __init__(self) -> None:
        self._open: _Answer | None = None
        self._of_order = False
        self._answered: dict[int, _Answer] = {}

    def observe_command(self, seq: int, at: int, command: Command) -> None:
        """A journaled command; its events follow."""
        self._open = None
        inbox_id = command.origin.inbox_id
        if inbox_id and inbox_id not in self._answered:
            order_id = command.order_id if isinstance(command, _NAMED) else ""
            self._of_order = isinstance(command, _OF_ORDERS)
            self._open = _Answer(inbox_id=inbox_id, first_seq=seq, at=at, order_id=order_id)
            self._answered[inbox_id] = self._open

    def observe_event(self, event: Event) -> None:
        """An event of the command observed last."""
        answer = self._open
        if answer is None:
            return
        match event:
            case OrderAccepted() | CancelPending() | ReplacePending() | OrderStatusReported():
                if not self._of_order:  # it follows from what was asked for
                    return
                answer.order_id = event.order_id
            case OrderRefused() | RequestRefused():
                answer.order_id = event.order_id
                answer.accepted, answer.reason, answer.text = False, event.reason, event.text
            case DuplicateOrderRefused():
                answer.order_id = event.order_id
                answer.accepted, answer.text = False, event.text
                answer.reason = Reason.DUPLICATE_CL_ORD_ID
            case MassCancelAnswered():
                answer.accepted = not event.reject_reason
                answer.reason, answer.text = event.reason, event.text
            case CommandAnswered():
                answer.accepted, answer.text = event.accepted, event.text
                answer.reason = event.reason
            case KillSwitchEngaged() | KillSwitchReleased() | RiskLimitSet():
                pass
            case _:
                return
        self._open = None

    def rows(self) -> list[Row]:
        """For the operation `answers`."""
        return [answer.row() for answer in self._answered.values()]
