"""Every pre-trade check, each a pure function with a named refusal; their order is precedence.

A check answers its figures, or stops the order with a Verdict that says rule, level, limit and
measured value. `check` runs them all; a cancel is never checked.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import takewhile

from oms.domain.fact import fact
from oms.domain.fix import OrdType, Side
from oms.domain.order import Order
from oms.domain.profile import Throttle
from oms.domain.reasons import Reason
from oms.domain.state import State
from oms.domain.terms import OrderTerms, RiskFigure
from oms.domain.values import ZERO, decimal_text, is_multiple, plain
from oms.domain.verdict import Verdict
from oms.risk.conditions import cash_fault, fault_of, is_plain
from oms.risk.limits import Limits, Rule, killed, limits_of

BASIS = Decimal(10_000)
SECOND = 1_000_000
MILLISECOND = 1_000
_WITHOUT_PRICE = frozenset({OrdType.MARKET, OrdType.STOP})


@fact
class Asked:
    """One order, or one replace of `replaced`, under examination.

    accounts: those that its sender may use. reference_px: what a price is measured against.
    again: it was sent before, when nobody heard, so when it comes says nothing of a rate.
    sent_at: when its sender says that it was sent, 0 where that says nothing of its age.
    """

    state: State
    terms: OrderTerms
    accounts: frozenset[str]
    at: int
    reference_px: Decimal | None
    replaced: Order | None = None
    again: bool = False
    sent_at: int = 0


def check(asked: Asked, *, waited: bool = False) -> Verdict:
    """Whether the order may go to venues.

    waited: it came earlier and its turn is now; its rate was measured when it came.
    """
    for fault in _CONTENT_CHECKS:
        verdict = fault(asked)
        if verdict is not None:
            return verdict
    figures: list[RiskFigure] = []
    for rule, examine in _WAITED_CHECKS if waited else _LIMIT_CHECKS:
        limits = limits_of(asked.state, rule, asked.terms)
        if not limits:
            continue  # what nobody limits is not measured
        for figure in examine(asked, rule, limits):
            figures.append(figure)
            if not figure.passed:
                return _refusal(rule, figure, tuple(figures))
    return Verdict(figures=tuple(figures))


def _refusal(rule: Rule, figure: RiskFigure, figures: tuple[RiskFigure, ...]) -> Verdict:
    limit = "" if figure.limit is None else decimal_text(figure.limit)
    if figure.measured is None:
        reason = Reason.NO_REFERENCE_PRICE
        measured = "no reference price"
    else:
        reason = Reason(rule.value)
        measured = decimal_text(figure.measured)
    text = f"{rule} at {figure.level} {figure.subject}: limit {limit}, measured {measured}"
    return Verdict(figures=figures, reason=reason, text=text)


def _kill_switch(asked: Asked) -> Verdict | None:
    scope = killed(asked.state, asked.terms)
    if scope is None:
        return None
    level, subject = scope
    text = f"KILL_SWITCH at {level} {subject}: limit 0 orders, measured 1"
    return Verdict(reason=Reason.KILL_SWITCH, text=text)


def _throttle(asked: Asked) -> Verdict | None:
    profile = asked.state.reference.client_profile(asked.terms.counterparty)
    limit = profile.max_messages_per_second
    if profile.throttle is not Throttle.REJECT or not limit or asked.again:
        return None
    measured = _messages_in_a_second(asked)
    if measured <= limit:
        return None
    text = f"max_messages_per_second = {limit}: measured {measured}"
    return Verdict(reason=Reason.MAX_MESSAGE_RATE, text=text)


def _late(asked: Asked) -> Verdict | None:
    limit = asked.state.reference.client_profile(asked.terms.counterparty).max_order_age_ms
    if not limit or not asked.sent_at:
        return None
    measured = (asked.at - asked.sent_at) // MILLISECOND
    if measured <= limit:
        return None
    text = f"max_order_age_ms = {limit}: measured {measured}, it was sent too long ago"
    return Verdict(reason=Reason.STALE, text=text)


def _instrument(asked: Asked) -> Verdict | None:
    instrument = asked.state.reference.instruments.get(asked.terms.symbol)
    if instrument is None:
        text = f"Symbol (55) = {asked.terms.symbol}: not a known instrument"
        return Verdict(reason=Reason.UNKNOWN_INSTRUMENT, text=text)
    if not instrument.tradable:
        text = f"Symbol (55) = {asked.terms.symbol}: not tradable now"
        return Verdict(reason=Reason.INSTRUMENT_HALTED, text=text)
    return None


def _account(asked: Asked) -> Verdict | None:
    if asked.terms.account in asked.accounts:
        return None
    text = f"Account (1) = {asked.terms.account}: not permitted for {asked.terms.counterparty}"
    return Verdict(reason=Reason.ACCOUNT_NOT_PERMITTED, text=text)


def _quantity(asked: Asked) -> Verdict | None:
    terms = asked.terms
    lot = asked.state.reference.instruments[terms.symbol].lot
    if terms.order_qty <= 0:
        wanted = terms.conditions
        if wanted is not None and wanted.cash_order_qty is not None:
            return cash_fault(wanted, lot)
        text = f"OrderQty (38) = {decimal_text(terms.order_qty)}: must be greater than zero"
        return Verdict(reason=Reason.QUANTITY_NOT_POSITIVE, text=text)
    if not is_multiple(terms.order_qty, lot):
        rule = f"must be a multiple of lot {decimal_text(lot)}"
        text = f"OrderQty (38) = {decimal_text(terms.order_qty)}: {rule}"
        return Verdict(reason=Reason.OFF_LOT, text=text)
    return None


def _price(asked: Asked) -> Verdict | None:
    terms = asked.terms
    if terms.ord_type in _WITHOUT_PRICE:
        if terms.price is None:
            return None
        kind = terms.ord_type.name.lower()
        text = f"Price (44) = {decimal_text(terms.price)}: not allowed on a {kind} order"
        return Verdict(reason=Reason.PRICE_NOT_ALLOWED, text=text)
    if terms.price is None:
        if terms.ord_type is OrdType.PEGGED:
            return None
        kind = terms.ord_type.name.lower().replace("_", " ")
        return Verdict(reason=Reason.PRICE_MISSING, text=f"Price (44): required on a {kind} order")
    if terms.price <= 0:
        text = f"Price (44) = {decimal_text(terms.price)}: must be greater than zero"
        return Verdict(reason=Reason.PRICE_NOT_POSITIVE, text=text)
    tick = asked.state.reference.instruments[terms.symbol].tick
    if not is_multiple(terms.price, tick):
        rule = f"must be a multiple of tick {decimal_text(tick)}"
        text = f"Price (44) = {decimal_text(terms.price)}: {rule}"
        return Verdict(reason=Reason.OFF_TICK, text=text)
    return None


def _conditions(asked: Asked) -> Verdict | None:
    terms, state = asked.terms, asked.state
    if is_plain(terms):
        return None
    instrument = state.reference.instruments[terms.symbol]
    again = asked.replaced is not None
    return fault_of(terms, instrument, asked.at, state.trade_date, again=again)


def _worth(asked: Asked) -> Decimal | None:
    """The price at which an order counts: its limit, or what it may cost without one."""
    terms, reference = asked.terms, asked.reference_px
    if terms.price is not None:
        return terms.price
    stop_px = terms.conditions.stop_px if terms.conditions else None
    if stop_px is None:
        return reference
    return stop_px if reference is None else max(stop_px, reference)


def _max_order_qty(asked: Asked, rule: Rule, limits: Limits) -> list[RiskFigure]:
    return _at_most(rule, limits, asked.terms.order_qty)


def _max_order_notional(asked: Asked, rule: Rule, limits: Limits) -> list[RiskFigure]:
    price = _worth(asked)
    notional = None if price is None else plain(price * asked.terms.order_qty)
    return _at_most(rule, limits, notional)


def _price_collar(asked: Asked, rule: Rule, limits: Limits) -> list[RiskFigure]:
    """The limit against the reference price; that of a stop limit order against its stop price."""
    price, reference = asked.terms.price, asked.reference_px
    if price is None:
        return []
    if asked.terms.conditions is not None and asked.terms.conditions.stop_px is not None:
        reference = asked.terms.conditions.stop_px
    away = None
    if reference is not None:
        ratio = abs(price - reference) * BASIS / reference
        away = plain(ratio.quantize(Decimal("1.0000"), rounding=ROUND_HALF_EVEN))
    return _at_most(rule, limits, away)


def _max_position(asked: Asked, rule: Rule, limits: Limits) -> list[RiskFigure]:
    """The position as it would be if everything that works in this direction were filled."""
    state, terms = asked.state, asked.terms
    key = (terms.account, terms.symbol)
    position = state.positions.get(key)
    working = state.working.get(key)
    held = position.quantity if position else ZERO
    freed = asked.replaced.exposure if asked.replaced else ZERO
    added = terms.order_qty - (asked.replaced.cum_qty if asked.replaced else ZERO)
    if terms.side is Side.BUY:
        reached = held + (working.buy if working else ZERO) - freed + added
    else:
        reached = -(held - (working.sell if working else ZERO) + freed - added)
    return _at_most(rule, limits, plain(reached))


def _messages_in_a_second(asked: Asked) -> int:
    times = asked.state.message_times.get(asked.terms.counterparty, ())
    # In order and cut at each folding: to count them all would cost more than all else.
    past = sum(1 for _ in takewhile(lambda at: at <= asked.at - SECOND, times))
    # An order of a list is no message: it is counted when it is decided, and this one is not yet.
    return len(times) - past + (1 if asked.terms.list_id else 0)


def _message_rate(asked: Asked, rule: Rule, limits: Limits) -> list[RiskFigure]:
    return _at_most(rule, limits, Decimal(_messages_in_a_second(asked)))


def content_key(terms: OrderTerms) -> tuple[str, ...]:
    """What makes two orders the same in content."""
    price = "" if terms.price is None else str(plain(terms.price))
    quantity = str(plain(terms.order_qty))
    key = (
        terms.counterparty,
        terms.account,
        terms.symbol,
        terms.side,
        quantity,
        terms.ord_type,
        price,
    )
    return key if terms.conditions is None else (*key, str(terms.conditions.as_asked))


def _duplicate_content(asked: Asked, rule: Rule, limits: Limits) -> list[RiskFigure]:
    """measured: milliseconds since the same content was accepted; it must exceed the window."""
    if asked.replaced is not None:
        return []
    seen = asked.state.recent_orders.get(content_key(asked.terms))
    if seen is None:
        return []
    elapsed = Decimal((asked.at - seen) // 1000)
    return [
        RiskFigure(
            rule=rule,
            level=level,
            subject=subject,
            limit=limit,
            measured=elapsed,
            passed=elapsed > limit,
        )
        for level, subject, limit in limits
    ]


def _at_most(rule: Rule, limits: Limits, measured: Decimal | None) -> list[RiskFigure]:
    return [
        RiskFigure(
            rule=rule,
            level=level,
            subject=subject,
            limit=limit,
            measured=measured,
            passed=measured is not None and measured <= limit,
        )
        for level, subject, limit in limits
    ]


_CONTENT_CHECKS: tuple[Callable[[Asked], Verdict | None], ...] = (
    _kill_switch,
    _throttle,
    _late,
    _instrument,
    _account,
    _quantity,
    _price,
    _conditions,
)
_LIMIT_CHECKS: tuple[tuple[Rule, Callable[[Asked, Rule, Limits], list[RiskFigure]]], ...] = (
    (Rule.MAX_ORDER_QTY, _max_order_qty),
    (Rule.MAX_ORDER_NOTIONAL, _max_order_notional),
    (Rule.PRICE_COLLAR, _price_collar),
    (Rule.MAX_POSITION, _max_position),
    (Rule.MAX_MESSAGE_RATE, _message_rate),
    (Rule.DUPLICATE_CONTENT, _duplicate_content),
)
_WAITED_CHECKS = tuple(one for one in _LIMIT_CHECKS if one[0] is not Rule.MAX_MESSAGE_RATE)
