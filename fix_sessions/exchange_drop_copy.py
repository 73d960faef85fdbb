"""A simulated venue's drop copy: trades, busts and corrections of one of its counterparties, told
once more under ExecIDs of its own, whatever becomes of the report to the order session.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ems.simulator.model import Answer, Delivery, ExecutionReport
from fix_sessions.exchange_codec import Fields, MessageRefused, encode
from oms.domain.fix import BusinessRejectReason, ExecType

_COPIED: Final = frozenset({ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT})
# CopyMsgIndicator (797)
_IS_A_COPY: Final = (797, "Y")

Send = Callable[[str, str, Fields], int]


class DropCopies:
    """The sessions that are told, each with whose trades it is told of. They need not be logged on:
    QuickFIX keeps what they miss.
    """

    def __init__(self, sessions: Mapping[str, str], send: Send) -> None:
        self._sessions = sessions
        self._send = send

    def tell(self, delivery: Delivery, *, poss_resend: bool = False) -> None:
        """Copy an answer, before it leaves itself: then it is not forgotten in between."""
        made = copy_of(delivery.answer)
        if made is not None:
            for session in [one for one, whose in self._sessions.items() if whose == made.owner]:
                msg_type, fields = encode(made, poss_resend=poss_resend)
                self._send(session, msg_type, [*fields, _IS_A_COPY])

    def refuse_requests(self, session: str) -> None:
        """Nothing is taken from these sessions. Raises MessageRefused."""
        if session in self._sessions:
            text = "a drop copy takes no requests"
            raise MessageRefused(text, BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE)


def copy_of(answer: Answer) -> ExecutionReport | None:
    """The report under the drop copy's own ExecIDs; None for what is not copied."""
    if not isinstance(answer, ExecutionReport) or answer.exec_type not in _COPIED:
        return None
    named = f"C-{answer.exec_ref_id}" if answer.exec_ref_id else ""
    return replace(answer, exec_id=f"C-{answer.exec_id}", exec_ref_id=named)
