"""The fold of the events about what clients asked for beyond single orders."""

from oms.domain.answers import (
    AnswerFact,
    MassCancelAnswered,
    NoOrdersReported,
    OrderMassStatusReported,
)
from oms.domain.state import State


def fold_answer(state: State, event: AnswerFact) -> None:
    """Keep what a repetition of the request is answered from; most answers change nothing."""
    match event:
        case MassCancelAnswered():
            if not event.reject_reason:
                state.mass_cancels[event.counterparty, event.cl_ord_id] = event
        case OrderMassStatusReported() | NoOrdersReported():
            pass
