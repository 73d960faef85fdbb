"""Splits, previewed by one operator and applied by another, between two trading dates."""

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from oms.domain.commands import JOBS, CloseTradingDay, OpenTradingDate, Origin
from oms.domain.splits import ApplyCorporateAction, PreviewCorporateAction

if TYPE_CHECKING:
    from oms.simulation.world import World

# Its orders are of the day, so that a split meets positions, and orders that are not over yet.
SPLIT_SYMBOL = "NVDA"
_RATIOS = ((2, 1), (3, 1), (1, 2), (1, 4))
_STEP_US = 400_000


def split(world: "World", n: int, first: Origin, second: Origin) -> None:
    """The day is closed, the split previewed and applied, and the next date begins."""
    if world.trade_date > "2026-10-15":
        return
    world.ask(CloseTradingDay(origin=JOBS, trade_date=world.trade_date))
    effective = (date.fromisoformat(world.trade_date) + timedelta(days=1)).isoformat()
    new_shares, old_shares = _RATIOS[n % len(_RATIOS)]
    action_id = f"split-{n}"
    world.story.tell(f"{SPLIT_SYMBOL} is to be split {new_shares} for {old_shares}")
    preview = PreviewCorporateAction(
        origin=first,
        action_id=action_id,
        symbol=SPLIT_SYMBOL,
        new_shares=new_shares,
        old_shares=old_shares,
        effective_date=effective,
        reason="test",
        cash_in_lieu_px=None if n % 7 == 0 else Decimal(50),
    )
    world.agenda.after(_STEP_US, partial(_preview, world, preview, second))
    world.agenda.after(3 * _STEP_US, partial(_open, world, effective))


def _preview(world: "World", command: PreviewCorporateAction, second: Origin) -> None:
    asked = world.ask(command)
    world.agenda.after(_STEP_US, partial(_apply, world, asked, command.action_id, second))


def _apply(world: "World", asked: int, action_id: str, second: Origin) -> None:
    found = re.search("preview ([0-9]+):", world.disk.answered.get(asked, ""))
    if found:
        world.story.tell(f"another operator applies {action_id}")
        world.ask(
            ApplyCorporateAction(
                origin=second, action_id=action_id, preview=int(found[1]), reason="test"
            )
        )


def _open(world: "World", effective: str) -> None:
    if effective > world.trade_date:
        world.trade_date = effective
        world.story.tell(f"the trading day {effective} begins")
        world.ask(OpenTradingDate(origin=JOBS, trade_date=effective))
