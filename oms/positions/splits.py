"""What a split makes of the positions in its symbol, and the fold of what is said of a split."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from oms.domain.splits import (
    CorporateAction,
    CorporateActionApplied,
    CorporateActionPreviewed,
    PositionChange,
    PositionRebased,
    Split,
    SplitFact,
    on_grid,
    rounded,
)
from oms.domain.state import Position, State
from oms.domain.trade_log import TradeLog
from oms.domain.values import ZERO, average, decimal_text
from oms.positions.book import book_split


def held(state: State, symbol: str) -> list[Position]:
    """Every position in the symbol that ever traded, by account."""
    found = [one for one in state.positions.values() if one.symbol == symbol]
    return sorted(found, key=lambda one: one.account)


def change_of(position: Position, split: Split, unit: Decimal) -> tuple[PositionChange, str]:
    """The position before and after, and the rule that it breaks, empty where it breaks none.

    unit: what positions come in; what is left beside it is paid out in cash, towards zero.
    """
    scaled = rounded(Fraction(position.quantity) * split.ratio)
    whole = on_grid(Fraction(abs(scaled)), unit, up=False)
    cash_qty = scaled - (whole if scaled > 0 else -whole)
    cash_px = split.cash_in_lieu_px
    fault = ""
    if cash_qty and cash_px is None:
        fault = (
            f"position of {position.account}: would be {decimal_text(scaled)},"
            f" no multiple of {decimal_text(unit)}, and no cash_in_lieu_px is given"
        )
        cash_qty = ZERO
    after = replace(position, trades=TradeLog(), splits=[])
    book_split(after, split.ratio, cash_qty, cash_px or ZERO)
    change = PositionChange(
        account=position.account,
        quantity_before=position.quantity,
        avg_px_before=average(position.cost, position.quantity),
        quantity=after.quantity,
        avg_px=average(after.cost, after.quantity),
        cash_qty=cash_qty,
        cash_px=cash_px if cash_qty else None,
    )
    return change, fault


def traded_since(position: Position, since: int) -> bool:
    """Whether any of its trades was booked at that stamp or later."""
    return len(position.trades) > 0 and position.traded_at >= since


def fold_split(state: State, seq: int, at: int, event: SplitFact) -> None:
    """Change the state by one event; what it makes of orders has events of its own."""
    match event:
        case CorporateActionPreviewed():
            known = CorporateAction(preview=seq, previewed_at=at, event=event)
            state.corporate_actions[event.split.action_id] = known
        case CorporateActionApplied():
            split = event.split
            state.corporate_actions[split.action_id] = replace(
                state.corporate_actions[split.action_id],
                applied=seq,
                applied_at=at,
                approved_by=event.approved_by,
                approval=event.reason,
            )
            if split.effective_date > state.trade_date:
                state.ex_dates[split.symbol] = split.effective_date
            else:
                state.ex_dates.pop(split.symbol, None)
            # What venues quoted was said of old shares.
            state.market.pop(split.symbol, None)
            if event.reference_px is not None:
                state.last_trades.restate(split.symbol, event.reference_px)
        case PositionRebased():
            position = state.position(event.account, event.symbol)
            position.updated_at = at
            ratio = Fraction(event.new_shares, event.old_shares)
            book_split(position, ratio, event.cash_qty, event.cash_px or ZERO)
        case _:
            assert_never(event)
