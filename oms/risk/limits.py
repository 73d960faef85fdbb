"""Limits by rule and level. A rule may be limited at several levels at once; each is checked.

Values: MAX_ORDER_QTY and MAX_POSITION in units, MAX_ORDER_NOTIONAL in the instrument's currency,
PRICE_COLLAR in basis points from the reference price, MAX_MESSAGE_RATE in orders and replaces per
second, DUPLICATE_CONTENT in milliseconds within which the same content is refused.
"""

from decimal import Decimal
from enum import StrEnum

from oms.domain.instrument import Reference
from oms.domain.state import State
from oms.domain.terms import OrderTerms


class Rule(StrEnum):
    """What can be limited; each name is also the Reason of the refusal."""

    MAX_ORDER_QTY = "MAX_ORDER_QTY"
    MAX_ORDER_NOTIONAL = "MAX_ORDER_NOTIONAL"
    PRICE_COLLAR = "PRICE_COLLAR"
    MAX_POSITION = "MAX_POSITION"
    MAX_MESSAGE_RATE = "MAX_MESSAGE_RATE"
    DUPLICATE_CONTENT = "DUPLICATE_CONTENT"


class Level(StrEnum):
    """Whose orders a limit or a kill switch concerns. FIRM has the subject "*"."""

    FIRM = "FIRM"
    SESSION = "SESSION"
    ACCOUNT = "ACCOUNT"
    SYMBOL = "SYMBOL"


KILL_LEVELS = (Level.FIRM, Level.SESSION, Level.ACCOUNT)
FIRM_SUBJECT = "*"


def subjects(terms: OrderTerms) -> tuple[tuple[Level, str], ...]:
    """The scopes that an order falls into. A session's subject is its counterparty's name."""
    return (
        (Level.FIRM, FIRM_SUBJECT),
        (Level.SESSION, terms.counterparty),
        (Level.ACCOUNT, terms.account),
        (Level.SYMBOL, terms.symbol),
    )


Limits = list[tuple[Level, str, Decimal]]


def limits_of(state: State, rule: Rule, terms: OrderTerms) -> Limits:
    """Every limit of that rule that concerns the order."""
    limits = state.limits
    if not limits:
        return []
    return [
        (level, subject, limit)
        for level, subject in subjects(terms)
        if (limit := limits.get((rule, level, subject))) is not None
    ]


def refusal_of_limit(rule: str, level: str, subject: str, value: Decimal | None) -> str:
    """Why such a limit cannot be set; empty when it can."""
    if rule not in Rule.__members__:
        return f"rule = {rule}: must be one of {', '.join(Rule)}"
    if level not in Level.__members__:
        return f"level = {level}: must be one of {', '.join(Level)}"
    if not subject or (level == Level.FIRM) != (subject == FIRM_SUBJECT):
        return f"subject = {subject}: must be '*' at level FIRM and a name elsewhere"
    if value is not None and value < 0:
        return f"value = {value}: must not be negative"
    return ""


def unconfigured(reference: Reference, level: str, subject: str) -> str:
    """The rule that a subject breaks which nobody has configured: it would protect nobody."""
    clients = reference.clients.values()
    match level:
        case Level.SESSION:
            known, what = subject in reference.clients, "client"
        case Level.ACCOUNT:
            known, what = any(subject in one.accounts for one in clients), "account of a client"
        case Level.SYMBOL:
            known, what = subject in reference.instruments, "symbol"
        case _:
            known, what = True, ""
    return "" if known else f"must be a configured {what}"


def refusal_of_kill(level: str, subject: str) -> str:
    """Why there is no such kill switch; empty when there is."""
    if level not in KILL_LEVELS:
        return f"level = {level}: must be one of {', '.join(KILL_LEVELS)}"
    if not subject or (level == Level.FIRM) != (subject == FIRM_SUBJECT):
        return f"subject = {subject}: must be '*' at level FIRM and a name elsewhere"
    return ""


def killed(state: State, terms: OrderTerms) -> tuple[str, str] | None:
    """The engaged kill switch that the order falls under."""
    return state.kill_switch(terms.counterparty, terms.account)
