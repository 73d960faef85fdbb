"""Corporate actions: a split is previewed by one person and applied by another, as one event.

It is applied between the last trade in old shares and the first in new ones: after the day before
its effective date is closed, or on that date while nothing of the symbol has traded. Orders at
venues stay there: whoever keeps a good-till order over a split re-bases it, so our record of the
child is re-based together with its client order, and the venue's morning restatement, or its answer
to the status request after its logon, is held against it like any other. An order whose state is
unknown stops the whole action, but for those whose venue has logged out in order.

A preview names everything that would change. It may be made at any time and as often as wanted;
what is applied is the latest one, and only if it still says what would happen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from oms.domain.events import CommandAnswered, Event, OrderRestated
from oms.domain.fix import GT_CORPORATE_ACTION
from oms.domain.reasons import Reason
from oms.domain.splits import (
    MOST_SHARES,
    ApplyCorporateAction,
    CorporateAction,
    CorporateActionApplied,
    CorporateActionPreviewed,
    OrderChange,
    OrderRebased,
    PositionChange,
    PositionRebased,
    PreviewCorporateAction,
    Split,
    SplitCommand,
    rounded,
)
from oms.domain.state import State
from oms.domain.values import decimal_text, utc_date
from oms.orders import splits as order_splits
from oms.positions import splits as position_splits

# Between two trading dates lie a weekend and some holidays, never this much.
LONGEST_NIGHT = timedelta(days=14)
_FAULTS_TOLD = 3


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a split would do now."""

    orders: list[OrderChange] = field(default_factory=list)
    positions: list[PositionChange] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    reference_px: Decimal | None = None


def decide_corporate_action(state: State, seq: int, command: SplitCommand) -> Iterator[Event]:
    """What such a command comes to; seq names a preview made by it."""
    if not command.reason.strip():
        yield _refused("reason: must not be empty; it stands in the audit trail")
    elif not command.origin.user:
        yield _refused("origin.user: must name who asks for it")
    elif isinstance(command, PreviewCorporateAction):
        yield from _preview(state, seq, command)
    elif isinstance(command, ApplyCorporateAction):
        yield from _apply(state, command)
    else:
        assert_never(command)


def _preview(state: State, seq: int, command: PreviewCorporateAction) -> Iterator[Event]:
    known = state.corporate_actions.get(command.action_id)
    fault = _terms_fault(state, command)
    if fault:
        yield _refused(fault)
        return
    if known is not None and known.applied:
        yield _refused(_applied(known), Reason.TOO_LATE)
        return
    split = Split(
        action_id=command.action_id,
        symbol=command.symbol,
        new_shares=command.new_shares,
        old_shares=command.old_shares,
        effective_date=command.effective_date,
        cash_in_lieu_px=command.cash_in_lieu_px,
    )
    plan = plan_of(state, split, command.sessions)
    yield CorporateActionPreviewed(
        split=split,
        orders=tuple(plan.orders),
        positions=tuple(plan.positions),
        faults=tuple(plan.faults),
        reference_px=plan.reference_px,
        user=command.origin.user,
        reason=command.reason,
    )
    # The preview bears the number of its event, the one after its command.
    told = f"preview {seq + 1}: {len(plan.orders)} orders, {len(plan.positions)} positions"
    if plan.faults:
        told += f"; cannot be applied now: {_first(plan.faults)}"
    else:
        told += f"; somebody else than {command.origin.user} has to apply it"
    yield CommandAnswered(accepted=True, reason=Reason.NONE, text=told)


def _terms_fault(state: State, command: PreviewCorporateAction) -> str:
    if not command.action_id.strip():
        return "action_id: must not be empty"
    fault = _symbol_fault(state, command.symbol)
    if fault:
        return fault
    for name, shares in (("new_shares", command.new_shares), ("old_shares", command.old_shares)):
        if not 1 <= shares <= MOST_SHARES:
            return f"{name} = {shares}: must be from 1 to {MOST_SHARES}"
    if command.new_shares == command.old_shares:
        return f"new_shares = {command.new_shares}: must not be the same as old_shares"
    cash_px = command.cash_in_lieu_px
    if cash_px is not None and cash_px <= 0:
        return f"cash_in_lieu_px = {decimal_text(cash_px)}: must be above zero"
    today = utc_date(state.at)
    earliest, latest = today - LONGEST_NIGHT, today + timedelta(days=366)
    if not earliest.isoformat() <= command.effective_date <= latest.isoformat():
        return f"effective_date = {command.effective_date}: must be from {earliest} to {latest}"
    return _no_trading_date(state, command.effective_date, command.sessions)


def _symbol_fault(state: State, symbol: str) -> str:
    if symbol in state.reference.instruments:
        return ""
    return f"symbol = {symbol}: must be a configured symbol"


def _apply(state: State, command: ApplyCorporateAction) -> Iterator[Event]:
    known = state.corporate_actions.get(command.action_id)
    user = command.origin.user
    if known is None:
        yield _refused(f"action_id = {command.action_id}: must be one that was previewed")
        return
    fault = _symbol_fault(state, known.event.split.symbol)
    if fault:
        yield _refused(fault)
        return
    if known.applied:
        # Once is enough, and to ask again is no fault.
        yield CommandAnswered(accepted=True, reason=Reason.NONE, text=_applied(known))
        return
    preview = known.event
    plan = plan_of(state, preview.split, command.sessions)
    reason = Reason.UNSUPPORTED_VALUE
    if known.preview != command.preview:
        fault = f"preview = {command.preview}: must be the latest one ({known.preview})"
    elif user == preview.user:
        fault = f"user = {user}: must be somebody else than who asked for the preview"
    elif plan.faults:
        fault, reason = _first(plan.faults), Reason.TOO_LATE
    elif (tuple(plan.orders), tuple(plan.positions)) != (preview.orders, preview.positions):
        fault = f"preview = {command.preview}: orders or positions have changed since; preview it"
        fault, reason = f"{fault} again", Reason.TOO_LATE
    if fault:
        yield _refused(fault, reason)
        return
    yield from _carried_out(state, command, known, plan)


def _carried_out(
    state: State, command: ApplyCorporateAction, known: CorporateAction, plan: Plan
) -> Iterator[Event]:
    split = known.event.split
    yield CorporateActionApplied(
        split=split,
        preview=known.preview,
        reference_px=plan.reference_px,
        user=known.event.user,
        approved_by=command.origin.user,
        reason=command.reason,
    )
    for order in plan.orders:
        yield OrderRebased(
            order_id=order.order_id,
            action_id=split.action_id,
            new_shares=split.new_shares,
            old_shares=split.old_shares,
            terms=order.after,
        )
    for position in plan.positions:
        yield PositionRebased(
            action_id=split.action_id,
            account=position.account,
            symbol=split.symbol,
            new_shares=split.new_shares,
            old_shares=split.old_shares,
            cash_qty=position.cash_qty,
            cash_px=position.cash_px,
        )
    if split.effective_date <= state.trade_date:
        # The morning's restatement told old shares.
        for change in plan.orders:
            if not change.parent_id:
                yield OrderRestated(
                    order_id=change.order_id,
                    trade_date=state.trade_date,
                    restatement=GT_CORPORATE_ACTION,
                )


def plan_of(state: State, split: Split, sessions: Sequence[str] = ()) -> Plan:
    """What the split would change as things stand, and what stops it; sessions: see the command."""
    instrument = state.reference.instruments[split.symbol]
    plan = Plan(reference_px=_reference_px(state, split))
    window = _window_fault(state, split, sessions)
    if window:
        plan.faults.append(window)
    for order in order_splits.concerned(state, split):
        change, faults = order_splits.change_of(order, split, instrument)
        plan.orders.append(change)
        plan.faults += faults
        waiting = order_splits.waits(state, order)
        if waiting:
            plan.faults.append(waiting)
    unit = order_splits.share_unit(instrument)
    for position in position_splits.held(state, split.symbol):
        position_change, fault = position_splits.change_of(position, split, unit)
        plan.positions.append(position_change)
        if fault:
            plan.faults.append(fault)
    return plan


def _window_fault(state: State, split: Split, sessions: Sequence[str]) -> str:
    """Why now is not between the last trade in old shares and the first one in new ones."""
    effective, today = split.effective_date, state.trade_date
    named = f"effective_date = {effective}: "
    if effective > today:
        if state.closed_date < today:
            return f"{named}the trading day {today} must be closed first"
        if date.fromisoformat(effective) - date.fromisoformat(today) > LONGEST_NIGHT:
            return f"{named}must be the trading date that opens next, after {today}"
        opens_next = min((one for one in sessions if one > today), default="")
        if opens_next and effective > opens_next:
            return f"{named}must be the trading date that opens next, {opens_next}"
        return _no_trading_date(state, effective, sessions)
    if effective < today:
        return f"{named}must not be before the trading date {today}, which is open"
    since = state.trade_date_at
    held = position_splits.held(state, split.symbol)
    if any(position_splits.traded_since(one, since) for one in held):
        return f"{named}{split.symbol} has traded on it already, in shares that nobody can tell"
    return ""


def _no_trading_date(state: State, effective: str, sessions: Sequence[str]) -> str:
    """Where the calendar has no such date; one that was opened by hand is one all the same."""
    if not sessions or effective in sessions or effective == state.trade_date:
        return ""
    before = max((one for one in sessions if one < effective), default="")
    after = min((one for one in sessions if one > effective), default="")
    near = " or ".join(one for one in (before, after) if one)
    return f"effective_date = {effective}: must be a trading date of the calendar, as {near}"


def _reference_px(state: State, split: Split) -> Decimal | None:
    """The last price that was known, in new shares."""
    instrument = state.reference.instruments[split.symbol]
    px = state.last_trades.px(split.symbol) or instrument.reference_px
    return None if px is None else rounded(Fraction(px) / split.ratio)


def _applied(known: CorporateAction) -> str:
    split = known.event.split
    return f"action_id = {split.action_id}: is applied, as journal entry {known.applied}"


def _first(faults: list[str]) -> str:
    told = "; ".join(faults[:_FAULTS_TOLD])
    more = len(faults) - _FAULTS_TOLD
    return f"{told}; and {more} more" if more > 0 else told


def _refused(text: str, reason: Reason = Reason.UNSUPPORTED_VALUE) -> CommandAnswered:
    return CommandAnswered(accepted=False, reason=reason, text=text)
