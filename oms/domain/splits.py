"""Splits: a corporate action that makes `old_shares` shares of an instrument `new_shares` shares.

Quantities are multiplied by new to old and prices divided; what is paid for stays the same. Results
are exact or refused, with two exceptions that a preview shows: a price that does not fall on a tick
is rounded so that its owner never trades at a worse one, and the fraction of a share that a
position would be left with is paid out in cash where a price for it is given.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from oms.domain.fact import fact
from oms.domain.origin import Origin
from oms.domain.values import PRICE_QUANTUM, ZERO, plain

MOST_SHARES = 100_000


@fact
class PreviewCorporateAction:
    """Show what a split would change; nothing changes. effective_date (ISO): the first trading date
    of the new shares. cash_in_lieu_px: what is paid for a new share where a position is left with a
    fraction of one; None: such a split is refused. sessions: the firm's trading dates around the
    effective one, as its calendar has them, for the core knows none; empty: they are not known.
    """

    origin: Origin
    action_id: str
    symbol: str
    new_shares: int
    old_shares: int
    effective_date: str
    reason: str
    cash_in_lieu_px: Decimal | None = None
    sessions: tuple[str, ...] = ()


@fact
class ApplyCorporateAction:
    """Let a split that was previewed take effect; preview: the number that the preview got;
    sessions: as in PreviewCorporateAction.
    """

    origin: Origin
    action_id: str
    preview: int
    reason: str
    sessions: tuple[str, ...] = ()


SplitCommand = PreviewCorporateAction | ApplyCorporateAction


@fact
class Split:
    """The terms of a split; see PreviewCorporateAction."""

    action_id: str
    symbol: str
    new_shares: int
    old_shares: int
    effective_date: str
    cash_in_lieu_px: Decimal | None = None

    @property
    def ratio(self) -> Fraction:
        """What quantities are multiplied by."""
        return Fraction(self.new_shares, self.old_shares)


@fact
class RebasedTerms:
    """What of an open order a split changes."""

    order_qty: Decimal
    cum_qty: Decimal
    price: Decimal | None = None
    stop_px: Decimal | None = None
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
    peg_offset: Decimal | None = None


@fact
class OrderChange:
    """One order, a client's or a child at a venue (parent_id), before and after."""

    order_id: str
    parent_id: str
    counterparty: str
    cl_ord_id: str
    before: RebasedTerms
    after: RebasedTerms


@fact
class PositionChange:
    """One position before and after. cash_qty: the fraction of a share that is paid out at cash_px,
    signed as the position; its cost leaves the position and its gain is realised.
    """

    account: str
    quantity_before: Decimal
    avg_px_before: Decimal
    quantity: Decimal
    avg_px: Decimal
    cash_qty: Decimal = ZERO
    cash_px: Decimal | None = None


@fact
class CorporateActionPreviewed:
    """What the split would change as things stand; its journal number names the preview.

    faults: why it could not be applied now, each naming what and the rule; empty: it could.
    reference_px: what prices are measured against from then on, until the market says another.
    """

    split: Split
    orders: tuple[OrderChange, ...]
    positions: tuple[PositionChange, ...]
    faults: tuple[str, ...]
    reference_px: Decimal | None
    user: str
    reason: str


@fact
class CorporateActionApplied:
    """The split took effect, with every OrderRebased and PositionRebased of the same command.

    user: who asked for the preview of that number; approved_by: who applied it.
    """

    split: Split
    preview: int
    reference_px: Decimal | None
    user: str
    approved_by: str
    reason: str


@fact
class OrderRebased:
    """An open order is in new shares from here on, with its executions so far."""

    order_id: str
    action_id: str
    new_shares: int
    old_shares: int
    terms: RebasedTerms


@fact
class PositionRebased:
    """A position is in new shares from here on; cash_qty and cash_px as in PositionChange."""

    action_id: str
    account: str
    symbol: str
    new_shares: int
    old_shares: int
    cash_qty: Decimal = ZERO
    cash_px: Decimal | None = None


SplitFact = CorporateActionPreviewed | CorporateActionApplied | PositionRebased
"""Those about no single order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateAction:
    """What is known of an action. preview: the latest one's number; applied: that of
    CorporateActionApplied, 0 before; by whom and why only then.
    """

    preview: int
    previewed_at: int
    event: CorporateActionPreviewed
    applied: int = 0
    applied_at: int = 0
    approved_by: str = ""
    approval: str = ""


def exact(value: Fraction) -> Decimal | None:
    """The value as a decimal of at most ten places, None where it is none."""
    found = rounded(value)
    return found if Fraction(found) == value else None


def rounded(value: Fraction) -> Decimal:
    """The value to ten decimals, half even."""
    return plain(round(value / Fraction(PRICE_QUANTUM)) * PRICE_QUANTUM)


def on_grid(value: Fraction, step: Decimal, *, up: bool) -> Decimal:
    """The multiple of step next to the value, at it, above it (up) or below."""
    steps = value / Fraction(step)
    whole = -(-steps.numerator // steps.denominator) if up else steps.numerator // steps.denominator
    return plain(whole * step)
