"""The fold of the events about what clients asked for beyond single orders."""

from oms.domain.answers import (
    AnswerFact,
    Dispute,
    DisputeResolved,
    MassCancelAnswered,
    TradeDisputed,
    TradingSessionReported,
)
from oms.domain.state import State


def fold_answer(state: State, seq: int, at: int, event: AnswerFact) -> None:
    """Keep what later answers are made of; most change nothing."""
    match event:
        case MassCancelAnswered():
            if not event.reject_reason:
                state.mass_cancels[event.counterparty, event.cl_ord_id] = event
        case TradingSessionReported():
            if event.subscribed:
                state.day_watchers[event.session] = event.trad_ses_req_id
            elif event.subscribed is False:
                state.day_watchers.pop(event.session, None)
        case TradeDisputed():
            found = Dispute(seq=seq, at=at, event=event)
            state.disputes[event.venue, event.exec_id] = found
        case DisputeResolved():
            state.disputes.pop((event.dispute.venue, event.dispute.exec_id), None)
        case _:
            pass
