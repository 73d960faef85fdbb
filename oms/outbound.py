"""Effects of events: which FIX messages each fact sends, to whom; pure.

`effects_of` is asked with the state as of the event, live and in replay, so the journal is the
outbox: what may not have left before a crash is computed again from the same facts. ExecID (17) of
a report is made of the journal number of its event, so a repeated report has the same one.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from oms.domain.answers import AnswerFact
from oms.domain.baskets import BasketFact
from oms.domain.effects import (
    ControlSession,
    Effect,
    SendExecutionReport,
    SendReject,
    SessionAction,
)
from oms.domain.events import (
    CancelPending,
    Event,
    MessageRefused,
    OrderAccepted,
    OrderAcknowledged,
    OrderResent,
    OrderRouted,
    OrderStatusQueried,
    OrphanReported,
    ReplacePending,
    ResyncStarted,
    TradeExecuted,
)
from oms.domain.fix import ExecType, MsgType, TimeInForce
from oms.domain.orphan_events import OrphanSettled
from oms.domain.session_events import SessionsReloaded
from oms.domain.standing_events import StandingFact
from oms.domain.state import State
from oms.outbound_answers import DayFact, answer_messages, day_news, dont_know
from oms.outbound_baskets import list_messages
from oms.outbound_client import ClientEvent, client_messages
from oms.outbound_sessions import ControlEvent, session_actions
from oms.outbound_standing import standing_messages
from oms.outbound_venue import order_message, resync_messages

# A refusal is never refused: two engines that misread each other would not come to an end.
_REJECTS = (MsgType.REJECT, MsgType.BUSINESS_MESSAGE_REJECT)


def effects_of(state: State, seq: int, event: Event) -> Iterator[Effect]:
    """What leaves the process for this event. seq: its journal number; state: just after it."""
    match event:
        case OrderAccepted() | OrderAcknowledged() | TradeExecuted():  # the most frequent ones
            yield from client_messages(state, seq, event)
        case OrderRouted() | OrderResent() | OrderStatusQueried():
            yield order_message(state, seq, event)
        case CancelPending() | ReplacePending():
            if state.orders[event.order_id].is_child:
                yield order_message(state, seq, event)
            else:
                yield from client_messages(state, seq, event)
        case ResyncStarted():
            yield from resync_messages(state, seq, event)
        case MessageRefused() if event.ref_msg_type not in _REJECTS:
            yield _reject(seq, state.at, event)
        case SessionsReloaded():
            yield ControlSession(
                session="", event_seq=seq, at=state.at, action=SessionAction.RELOAD
            )
        case _:
            if isinstance(event, ClientEvent):
                yield from client_messages(state, seq, event)
            elif isinstance(event, ControlEvent):
                yield from session_actions(state, event)
            elif isinstance(event, AnswerFact):
                yield from answer_messages(state, seq, event)
            elif isinstance(event, StandingFact):
                yield from standing_messages(state, seq, event)
            elif isinstance(event, BasketFact):
                yield from list_messages(state, seq, event)
            elif isinstance(event, OrphanReported | OrphanSettled):
                yield from dont_know(state, seq, event)
            elif isinstance(event, DayFact):
                yield from day_news(state, seq, event)


def bundled(effects: Sequence[Effect], sessions: Container[str]) -> list[Effect]:
    """These effects of one command, with fill and end of an IOC order in one where they adjoin.

    sessions: whose clients want that. Nothing stands between the two, so whoever is told of the one
    report has been told of both events.
    """
    made: list[Effect] = []
    for effect in effects:
        before = made[-1] if made else None
        if (
            isinstance(effect, SendExecutionReport)
            and isinstance(before, SendExecutionReport)
            and effect.session in sessions
            and (effect.session, effect.order_id) == (before.session, before.order_id)
            and (before.exec_type, effect.exec_type) == (ExecType.TRADE, ExecType.CANCELED)
            and effect.time_in_force is TimeInForce.IOC
            and not effect.orig_cl_ord_id
        ):
            made[-1] = replace(
                before,
                event_seq=effect.event_seq,
                ord_status=effect.ord_status,
                leaves_qty=effect.leaves_qty,
                text=effect.text,
            )
        else:
            made.append(effect)
    return made


def _reject(seq: int, at: int, event: MessageRefused) -> SendReject:
    return SendReject(
        session=event.session,
        event_seq=seq,
        at=at,
        business=event.business,
        ref_seq_num=event.ref_seq_num,
        ref_msg_type=event.ref_msg_type,
        ref_id=event.ref_id,
        reason_code=event.reason_code,
        ref_tag=event.ref_tag,
        text=event.text,
    )
