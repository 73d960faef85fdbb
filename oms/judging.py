"""Judging: what risk says of an order, of a replace that comes, and of one whose turn has come."""

from dataclasses import replace
from decimal import Decimal

from ems.market_data import reference_price
from oms.domain.commands import Channel, OrderCancelReplaceRequest, Origin
from oms.domain.conditions import Conditions
from oms.domain.events import OrderTerms
from oms.domain.order import Order, Request
from oms.domain.state import State
from oms.domain.verdict import Verdict
from oms.orders import requests
from oms.risk.checks import Asked, check


def reference_px(state: State, symbol: str) -> Decimal | None:
    """What a price is measured against; None where nothing is known."""
    instrument = state.reference.instruments.get(symbol)
    if instrument is None:
        return None
    quotes = state.market.get(symbol, {})
    return reference_price(quotes, state.last_trades.px(symbol), instrument)


def verdict_on(
    state: State,
    at: int,
    origin: Origin,
    terms: OrderTerms,
    replaced: Order | None,
    *,
    sent_at: int = 0,
    waited: bool = False,
) -> Verdict:
    """What risk says of these terms, which `origin` asks for; see `Asked` and `check`."""
    client = state.reference.clients.get(origin.counterparty)
    accounts = client.accounts if client else frozenset()
    if origin.accounts and origin.counterparty not in state.reference.retired:
        accounts = frozenset(origin.accounts)
    return check(
        Asked(
            state=state,
            terms=terms,
            accounts=accounts,
            at=at,
            reference_px=reference_px(state, terms.symbol),
            replaced=replaced,
            again=origin.poss_dup or waited,
            sent_at=sent_at,
        ),
        waited=waited,
    )


def replace_verdict(state: State, at: int, command: OrderCancelReplaceRequest) -> Verdict:
    """What risk says of a replace that comes."""
    order = requests.order_meant(state, command)
    if order is None or order.closed is not None:
        return Verdict()
    stop_px = command.conditions.stop_px if command.conditions else None
    terms = _terms_after(order, command, stop_px)
    sent_at = command.transact_time or command.origin.received_at
    return verdict_on(state, at, command.origin, terms, order, sent_at=sent_at)


def waited_verdict(state: State, order: Order) -> Verdict:
    """What risk says, as things are now, of the replace of this order that has waited longest.

    Its sender may use what it could when it came: its API key's accounts, else its client's of now.
    """
    request = order.waiting[0]
    terms = _terms_after(order, request, request.stop_px)
    channel = Channel.REST if request.accounts else Channel.CLIENT
    origin = Origin(channel=channel, counterparty=order.counterparty, accounts=request.accounts)
    return verdict_on(state, state.at, origin, terms, order, waited=True)


def _terms_after(
    order: Order, asked: OrderCancelReplaceRequest | Request, stop_px: Decimal | None
) -> OrderTerms:
    """The terms that the order would have if the replace, with this StopPx, were accepted."""
    return OrderTerms(
        counterparty=order.counterparty,
        session=order.session,
        cl_ord_id=asked.cl_ord_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        order_qty=asked.order_qty,
        ord_type=order.ord_type,
        price=asked.price,
        time_in_force=order.time_in_force,
        conditions=_conditions_after(order, stop_px),
    )


def _conditions_after(order: Order, stop_px: Decimal | None) -> Conditions | None:
    """The order's conditions with the StopPx that a replace asks for."""
    if stop_px is None or order.conditions is None:
        return order.conditions
    return replace(order.conditions, stop_px=stop_px)
