"""What a bust or a correction of a trade that is booked comes to, whoever tells it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from oms.domain.commands import ExecutionReport
from oms.domain.events import (
    DiscrepancyFound,
    Event,
    OrderCanceled,
    OrphanReported,
    TradeBusted,
    TradeCorrected,
)
from oms.domain.fix import ExecType
from oms.domain.order import Execution, Order
from oms.domain.orphan_events import TradeMatched
from oms.domain.orphans import copy_id
from oms.domain.reasons import Reason
from oms.domain.values import ZERO, decimal_text

Figures = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A bust or a correction as somebody tells it: source, and told_as, its ExecID as we name it.

    last_qty, last_px: what the trade is from then on, nothing after a bust.
    """

    source: str
    told_as: str
    is_bust: bool
    last_qty: Decimal
    last_px: Decimal
    leaves_qty: Decimal
    transact_time: int

    @property
    def figures(self) -> Figures:
        """Quantity and price."""
        return self.last_qty, self.last_px


def of_report(report: ExecutionReport, source: str) -> Amendment:
    """The one in a report."""
    is_bust = report.exec_type is ExecType.TRADE_CANCEL
    return Amendment(
        source=source,
        told_as=copy_id(source, report.exec_id),
        is_bust=is_bust,
        last_qty=ZERO if is_bust else report.last_qty or ZERO,
        last_px=ZERO if is_bust else report.last_px or ZERO,
        leaves_qty=report.leaves_qty,
        transact_time=report.transact_time,
    )


def of_orphan(event: OrphanReported) -> Amendment:
    """The one that came before its trade."""
    is_bust = event.exec_type is ExecType.TRADE_CANCEL
    return Amendment(
        source=event.source,
        told_as=event.exec_id,
        is_bust=is_bust,
        last_qty=ZERO if is_bust else event.last_qty or ZERO,
        last_px=ZERO if is_bust else event.last_px or ZERO,
        leaves_qty=event.leaves_qty,
        transact_time=event.transact_time,
    )


def trade_named(child: Order, name: str) -> Execution | None:
    """The trade that somebody told as this."""
    for one in child.executions.values():
        if name in (one.exec_id, one.latest_exec_id):
            return one
        if one.tale is not None and any(name in names for names in one.tale.told.values()):
            return one
    return None


def first_or_again(
    child: Order, trade: Execution, amendment: Amendment, *, step: int
) -> Iterator[Event]:
    """What its source tells as its step of that number: booked, or told by another before."""
    steps = trade.tale.steps if trade.tale is not None else [(trade.last_qty, trade.last_px)]
    before = known_as(steps, amendment, step=step, busted=trade.busted)
    if before is not None:
        yield from again(child, trade, amendment, before)
    else:
        yield from booked(child, trade, amendment)


def known_as(
    steps: Sequence[Figures], amendment: Amendment, *, step: int, busted: bool
) -> Figures | None:
    """What was told before of a trade with these steps that this one is; None: it is news.

    A source may tell a bust ahead of an older correction, or never tell that: no count of steps
    makes a bust what it is not.
    """
    if amendment.is_bust:
        return (ZERO, ZERO) if busted else None
    if step >= len(steps) and not busted:
        return None
    if amendment.figures in steps[1:]:
        return amendment.figures
    # Older than the bust, and told after it: what is taken back is not corrected.
    return steps[step] if step < len(steps) else (ZERO, ZERO)


def again(child: Order, trade: Execution, amendment: Amendment, before: Figures) -> Iterator[Event]:
    """What another told before, with these figures."""
    yield matched(child, trade, amendment.source, amendment.told_as, amends=True)
    if before != amendment.figures:
        yield DiscrepancyFound(
            order_id=child.order_id,
            field="LastQty (32), LastPx (31)",
            ours=_shown(before),
            theirs=f"{_shown(amendment.figures)} of {amendment.told_as}",
        )


def booked(child: Order, trade: Execution, amendment: Amendment) -> Iterator[Event]:
    """The trade is taken back, or has another quantity and price; a child whose trade was busted
    and that its venue does not work on ends with it, and a filled one that is filled no more too.
    """
    if not amendment.is_bust:
        left = child.cum_qty - trade.last_qty + amendment.last_qty
        filled = child.is_filled and child.closed is None
        if filled and left < child.order_qty and not amendment.leaves_qty:
            yield _not_worked(child)
        yield TradeCorrected(
            order_id=child.order_id,
            parent_id=child.parent_id,
            venue=trade.venue,
            exec_id=trade.exec_id,
            correction_exec_id=amendment.told_as,
            last_qty=amendment.last_qty,
            last_px=amendment.last_px,
            transact_time=amendment.transact_time,
            source=amendment.source,
        )
        return
    if not amendment.leaves_qty and child.closed is None:
        yield _not_worked(child)
    yield TradeBusted(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=trade.venue,
        exec_id=trade.exec_id,
        bust_exec_id=amendment.told_as,
        source=amendment.source,
    )


def _not_worked(child: Order) -> OrderCanceled:
    return OrderCanceled(
        order_id=child.order_id,
        cl_ord_id="",
        reason=Reason.TRADE_BUSTED,
        text="the venue does not work again what it took back",
    )


def _shown(figures: Figures) -> str:
    return f"{decimal_text(figures[0])} at {decimal_text(figures[1])}"


def matched(
    child: Order, trade: Execution, source: str, told_as: str, *, amends: bool = False
) -> TradeMatched:
    """The trade, or the same change of it, was told again."""
    return TradeMatched(
        order_id=child.order_id,
        parent_id=child.parent_id,
        venue=trade.venue,
        exec_id=trade.exec_id,
        source=source,
        told_as=told_as,
        rule="the same change" if amends else "named the same",
        amends=amends,
    )
