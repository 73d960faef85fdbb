"""Busts and corrections that came before their trade: carried out when it comes, each once."""

from collections.abc import Iterator

from ems.amendments import again, booked, known_as, matched, of_orphan, trade_named
from ems.orphans import early_of, settled
from oms.domain.events import Event, TradeBusted, TradeCorrected, TradeExecuted
from oms.domain.order import Execution, Order
from oms.domain.orphan_events import Orphan, TradeMatched
from oms.domain.orphans import Settlement
from oms.domain.state import State

Told = TradeExecuted | TradeCorrected | TradeBusted | TradeMatched


def after_told(state: State, event: Told) -> Iterator[Event]:
    """What waited for that name of a trade, or for one another."""
    if not state.orphans.early or isinstance(event, TradeBusted):
        return
    name = event.exec_id
    if isinstance(event, TradeMatched):
        name = event.told_as
    elif isinstance(event, TradeCorrected):
        name = event.correction_exec_id
    waiting = early_of(state, event.venue, name)
    if not waiting or not event.order_id:
        return
    child = state.orders[event.order_id]
    # A trade that is matched may bear another name by now.
    trade = child.executions.get((event.order_id, event.exec_id)) or trade_named(child, name)
    assert trade is not None, event
    for early in waiting:
        text = f"{name} was told"
        yield settled(early, Settlement.BOOKED, order_id=child.order_id, text=text)
    yield from carried_out(child, trade, waiting)


def carried_out(child: Order, trade: Execution, waiting: list[Orphan]) -> Iterator[Event]:
    """One after the other, by what each source has told of the trade so far (see Tale)."""
    steps = [(trade.last_qty, trade.last_px)]
    told = {"": 1}
    if trade.tale is not None:
        steps = list(trade.tale.steps)
        told = {source: len(names) for source, names in trade.tale.told.items()}
    busted = trade.busted
    for early in waiting:
        amendment = of_orphan(early.event)
        step = told.get(amendment.source, 0)
        if not step:
            # A drop copy that names the trade as the order session does, and has not told it.
            yield matched(child, trade, amendment.source, early.event.exec_ref_id)
            step = 1
        told[amendment.source] = step + 1
        before = known_as(steps, amendment, step=step, busted=busted)
        if before is not None:
            yield from again(child, trade, amendment, before)
        else:
            yield from booked(child, trade, amendment)
            steps.append(amendment.figures)
            busted = amendment.is_bust
