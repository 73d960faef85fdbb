"""Exact decimals and the sequencer's time: text in, text out, nothing rounded on the way."""

import decimal
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

# Products of two accepted values have at most 50 digits; sixty leaves room for sums. Threads
# started later copy DefaultContext; the importing thread is set here.
decimal.DefaultContext.prec = 60
decimal.setcontext(decimal.Context(prec=60))

# The few prices and quantities of the moment come again and again: the caches below hold them.

ZERO = Decimal(0)
MAX_INTEGER_DIGITS = 15
MAX_DECIMALS = 10
MAX_CHARACTERS = 60
COST_QUANTUM = Decimal("1E-12")
PRICE_QUANTUM = Decimal("1E-10")

_DECIMAL = re.compile(r"-?(\d+)(?:\.(\d*))?|-?\.(\d+)", re.ASCII)


class ValueRefused(ValueError):
    """A text that is not a value of ours; rule says what it must be."""

    def __init__(self, text: str, rule: str) -> None:
        super().__init__(f"{text[:40]!r}: {rule}")
        self.rule = rule


class ValueOutOfRange(ValueRefused):
    """A number, but with more digits than we keep."""


@lru_cache(maxsize=8192)
def parse_decimal(text: str) -> Decimal:
    """The exact value of a FIX float field (Volume 1: optional sign, digits, point; no exponent).

    Raises ValueRefused for anything else, ValueOutOfRange for more than MAX_INTEGER_DIGITS digits
    before the point or more than MAX_DECIMALS significant ones behind it.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueOutOfRange(text, f"must have at most {MAX_CHARACTERS} characters")
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueRefused(text, "must be a decimal number without exponent")
    whole, behind, bare = found.groups()
    if whole is not None and len(whole.lstrip("0")) > MAX_INTEGER_DIGITS:
        raise ValueOutOfRange(
            text, f"must have at most {MAX_INTEGER_DIGITS} digits before the point"
        )
    if len((behind or bare or "").rstrip("0")) > MAX_DECIMALS:
        raise ValueOutOfRange(text, f"must have at most {MAX_DECIMALS} decimals")
    return Decimal(text)


def decimal_text(value: Decimal) -> str:
    """The value without exponent, as FIX and JSON carry it."""
    return format(value, "f")


@lru_cache(maxsize=8192)
def plain(value: Decimal) -> Decimal:
    """The value without trailing zeros or positive exponent: 100.10 -> 100.1, 1E+2 -> 100."""
    shorter = value.normalize()
    return shorter.quantize(Decimal(1)) if shorter.as_tuple().exponent > 0 else shorter  # type: ignore[operator]


@lru_cache(maxsize=8192)
def average(total: Decimal, quantity: Decimal) -> Decimal:
    """total / quantity rounded half even to ten decimals; zero when there is no quantity."""
    if not quantity:
        return ZERO
    return plain((total / quantity).quantize(PRICE_QUANTUM, rounding=decimal.ROUND_HALF_EVEN))


@lru_cache(maxsize=8192)
def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Whether value lies on the grid of step (tick or lot)."""
    return value % step == 0


def utc(at: int) -> datetime:
    """A sequencer stamp (microseconds since 1970, UTC) as an aware datetime."""
    return datetime.fromtimestamp(at // 1_000_000, tz=UTC).replace(microsecond=at % 1_000_000)


def micros(moment: datetime) -> int:
    """An aware datetime as a sequencer stamp."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def utc_date(at: int) -> date:
    """The UTC calendar date of a stamp."""
    return utc(at).date()
