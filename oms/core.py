"""THE BRAIN: one command in, the facts that follow out. Owns no clock, no randomness and no I/O.

`step` decides, folds each event into the state as it comes, and asks what follows from it, until
nothing does. `replay` folds what the journal holds; it decides nothing.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, cast, get_args

from ems import (
    child_orders,
    drop_copy,
    early_amendments,
    orphan_verdicts,
    refused_requests,
    resync,
    stops,
    unnamed_amendments,
)
from oms.control import decide_control
from oms.corporate_actions import decide_corporate_action
from oms.domain.baskets import ListExecutionBegan
from oms.domain.commands import (
    OBSERVATIONS,
    ClockTicked,
    CloseTradingDay,
    Command,
    CoreStarted,
    EngageKillSwitch,
    ExecutionReport,
    MessageRejectedByPeer,
    MessagesSent,
    NewOrderSingle,
    OpenTradingDate,
    OrderCancelReject,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderStatusRequest,
    QuoteObserved,
    ReleaseKillSwitch,
    ResolveOrder,
    SequenceReset,
    SessionLoggedOn,
    SessionLoggedOut,
    SetRiskLimit,
    Stamped,
    UnreadableMessage,
)
from oms.domain.events import Event, OrderTerms
from oms.domain.orphans import DecideOrphan
from oms.domain.reasons import Reason
from oms.domain.session_commands import (
    ApproveReportsDiscard,
    ApproveSessionReset,
    DiscardCommand,
    ReloadSessions,
    RequestReportsDiscard,
    RequestSessionReset,
    ResendAsked,
    StartSession,
    StopSession,
)
from oms.domain.splits import ApplyCorporateAction, PreviewCorporateAction
from oms.domain.state import State
from oms.fold import fold_command, fold_event
from oms.judging import reference_px, replace_verdict, verdict_on
from oms.orders import baskets, good_till, requests
from oms.orders.cash import currency_fault, in_lots
from oms.orders.inquiries import decide_inquiry
from oms.orders.lost_orders import may_be_lost, not_taken_again
from oms.orders.spent_ids import spent
from oms.placing import nowhere_to_go
from oms.reactions import react
from oms.sessions import discards, hours, lost_clients, operators, reloads
from oms.sessions.gaps import gap_found

# A union looks through its members one by one, which for an event is all of them.
_COMMANDS: Final = frozenset(get_args(Command))


def is_duplicate(state: State, command: Command) -> bool:
    """Whether this FIX message is journaled already: same session epoch, MsgSeqNum not new."""
    origin = command.origin
    if not origin.msg_seq_num:
        return False
    session = state.sessions.get(origin.session)
    if session is None or origin.epoch != session.epoch:
        return False
    return origin.msg_seq_num <= session.inbound


def step(state: State, stamped: Stamped) -> Iterator[tuple[int, Event]]:
    """Yield (journal number, event) for everything that follows, each just after it was folded.

    The caller numbers the command stamped.seq; its events follow directly. What a caller derives
    from the state on receiving an event is the state as of that event. An observation from which
    nothing follows is not journaled, and so changes nothing but the market.
    """
    command = stamped.command
    seq, at = stamped.seq, stamped.at
    observation = isinstance(command, OBSERVATIONS)
    if not observation:
        fold_command(state, seq, at, command)
    first = list(decide(state, seq, at, command))
    if first:
        if observation:
            fold_command(state, seq, at, command)
        if state.orphans or state.orphans.early:
            yield from _with_questions(state, seq, at, first)
        else:
            yield from _happening(state, seq, at, first)
    if not state.lists_at_work:
        return
    for part in _of_lists(state, at, command, first):
        if part and state.seq < seq:
            fold_command(state, seq, at, command)
        yield from _happening(state, seq, at, part)


def _happening(
    state: State, seq: int, at: int, decided: list[Event]
) -> Iterator[tuple[int, Event]]:
    """These events, each followed by what it makes necessary; seq: of the command behind them."""
    waiting = decided[::-1]
    while waiting:
        event = waiting.pop()
        number = state.seq + 1
        fold_event(state, number, at, event)
        yield number, event
        following = list(react(state, event, seq))
        if following:
            following.reverse()
            waiting += following


def _with_questions(
    state: State, seq: int, at: int, decided: list[Event]
) -> Iterator[tuple[int, Event]]:
    """The same; and then, step by step, what the trades so told say of reports that wait."""
    told: deque[early_amendments.Told] = deque()
    of_orders: dict[str, None] = {}
    while decided:
        for number, event in _happening(state, seq, at, decided):
            if isinstance(event, early_amendments.Told):
                told.append(event)
                of_orders[event.order_id] = None
            yield number, event
        decided = []
        while told and not decided:
            decided = list(early_amendments.after_told(state, told.popleft()))
        decided = decided or list(unnamed_amendments.after_trades(state, of_orders))


def _of_lists(state: State, at: int, command: Command, first: list[Event]) -> Iterator[list[Event]]:
    """The orders of a list that begins, one by one, as if each had come by itself: each is decided
    when all that followed from the one before has happened. Then what lists come to.
    """
    for event in first:
        if isinstance(event, ListExecutionBegan):
            known = state.lists[event.counterparty, event.list_id]
            for order in known.orders:
                single = baskets.single(order, command.origin)
                yield list(_new_order(state, state.seq + 1, at, single, event.list_id))
            yield [baskets.started(event)]
    if state.lists_at_work:
        yield list(baskets.over(state))


def replay(state: State, seq: int, at: int, entry: Command | Event) -> None:
    """Fold one journal entry."""
    if type(entry) in _COMMANDS:
        fold_command(state, seq, at, cast("Command", entry))
    else:
        fold_event(state, seq, at, cast("Event", entry))


def decide(state: State, seq: int, at: int, command: Command) -> Iterator[Event]:
    """What the command comes to, before anything that follows from it."""
    match command:
        case NewOrderSingle():
            yield from _new_order(state, seq, at, command)
        case OrderCancelRequest():
            yield from requests.decide_cancel(state, command)
        case OrderCancelReplaceRequest():
            verdict = replace_verdict(state, at, command)
            yield from requests.decide_replace(state, command, verdict)
        case OrderStatusRequest():
            yield from requests.decide_status(state, command)
        case ExecutionReport():
            yield from _venue_report(state, command)
        case OrderCancelReject():
            venue = state.reference.venues[command.origin.counterparty]
            yield from refused_requests.decide_cancel_reject(state, venue, command)
        case QuoteObserved():
            yield from _quoted(state, command)
        case ClockTicked():
            yield from resync.due(state, at, seq)
            yield from hours.due(state, at)
            yield from lost_clients.due(state, at)
            yield from good_till.due(state, at)
        case (
            MessageRejectedByPeer()
            | UnreadableMessage()
            | SessionLoggedOn()
            | SessionLoggedOut()
            | SequenceReset()
            | MessagesSent()
            | CoreStarted()
            | SetRiskLimit()
            | EngageKillSwitch()
            | ReleaseKillSwitch()
            | ResolveOrder()
            | OpenTradingDate()
            | CloseTradingDay()
        ):
            yield from decide_control(state, command)
        case StartSession() | StopSession() | RequestSessionReset() | ApproveSessionReset():
            yield from operators.decide(state, seq, command)
        case ReloadSessions() | ResendAsked() | RequestReportsDiscard() | ApproveReportsDiscard():
            yield from _of_sessions(state, seq, command)
        case DecideOrphan():
            yield from orphan_verdicts.decide_verdict(state, command)
        case PreviewCorporateAction() | ApplyCorporateAction():
            yield from decide_corporate_action(state, seq, command)
        case _:
            yield from decide_inquiry(state, seq, command)


def _of_sessions(
    state: State, seq: int, command: ReloadSessions | ResendAsked | DiscardCommand
) -> Iterator[Event]:
    if isinstance(command, ReloadSessions):
        yield from reloads.decide(state, command)
    elif isinstance(command, ResendAsked):
        yield gap_found(command)
    else:
        yield from discards.decide(state, seq, command)


def _quoted(state: State, command: QuoteObserved) -> Iterator[Event]:
    if command.symbol in state.reference.instruments:
        quotes = state.market.setdefault(command.symbol, {})
        quotes[command.origin.counterparty] = command.quote
        if command.symbol in state.stops:
            yield from stops.after_quote(state, command.symbol)


def _new_order(
    state: State, seq: int, at: int, command: NewOrderSingle, list_id: str = ""
) -> Iterator[Event]:
    existing = requests.known(state, command.origin, command.cl_ord_id)
    if existing is not None:
        yield from requests.decide_known(existing, command, list_id)
        return
    if not list_id and may_be_lost(state, command.origin, command.transact_time):
        yield not_taken_again(state, command.origin, "D", command.cl_ord_id)
        return
    terms = requests.terms_of(command, list_id)
    if terms.conditions is not None and terms.conditions.cash_order_qty is not None:
        terms = _cash_in_lots(state, terms)
    # A list may wait for its ListExecute as long as it likes.
    sent_at = 0 if list_id else command.transact_time or command.origin.received_at
    verdict = verdict_on(state, at, command.origin, terms, None, sent_at=sent_at)
    instrument = state.reference.instruments.get(command.symbol)
    fault = spent(state, command.origin, command.cl_ord_id)
    fault = fault or currency_fault(command.currency, instrument)
    if fault is None and verdict.reason is Reason.NONE:
        fault = nowhere_to_go(state, terms)
    if fault is not None:
        verdict = replace(verdict, reason=fault[0], text=fault[1])
    yield from requests.decide_new(state, command, seq, verdict, terms)


def _cash_in_lots(state: State, terms: OrderTerms) -> OrderTerms:
    instrument = state.reference.instruments.get(terms.symbol)
    return in_lots(terms, instrument, reference_px(state, terms.symbol))


def _venue_report(state: State, report: ExecutionReport) -> Iterator[Event]:
    copy = state.reference.drop_copies.get(report.origin.session)
    if copy is not None:
        yield from drop_copy.decide_copy(state, copy, report)
        return
    venue = state.reference.venues[report.origin.counterparty]
    if resync.is_status(report):
        child = child_orders.child_meant(state, venue, report)
        yield from resync.decide_status(state, venue, report, child)
    else:
        yield from child_orders.decide_report(state, venue, report)
