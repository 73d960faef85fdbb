"""Splits as REST shows them: the action, and what it changes of each order and position."""

from dataclasses import asdict
from datetime import date, datetime

from pydantic import Field

from oms.api.shown import Answer
from oms.api.values import Amount
from oms.domain.splits import CorporateActionPreviewed
from oms.queries.paging import Row


class CorporateAction(Answer):
    """A split. preview: the number by which it can be applied; applied: null until it is."""

    action_id: str
    symbol: str
    new_shares: int
    old_shares: int
    effective_date: date
    cash_in_lieu_px: Amount | None
    preview: int
    previewed_at: datetime
    requested_by: str
    reason: str
    applied: int | None = Field(description="the journal's number of its taking effect")
    applied_at: datetime | None
    approved_by: str
    approval: str = Field(description="why, in the words of who applied it")


class SplitTerms(Answer):
    """What of an order a split changes."""

    order_qty: Amount
    cum_qty: Amount
    price: Amount | None
    stop_px: Amount | None
    min_qty: Amount | None
    max_floor: Amount | None
    peg_offset: Amount | None


class OrderChange(Answer):
    """An open order before and after; of a child, parent_id and its venue as counterparty."""

    order_id: str
    parent_id: str
    counterparty: str
    cl_ord_id: str
    before: SplitTerms
    after: SplitTerms


class PositionChange(Answer):
    """A position before and after; cash_qty: the fraction that is paid out at cash_px."""

    account: str
    quantity_before: Amount
    avg_px_before: Amount
    quantity: Amount
    avg_px: Amount
    cash_qty: Amount
    cash_px: Amount | None


class CorporateActionDetail(CorporateAction):
    """With what its latest preview showed. faults: why it could not have been applied then."""

    orders: list[OrderChange]
    positions: list[PositionChange]
    faults: list[str]
    reference_px: Amount | None = Field(description="measures prices until the market says another")


def detail(row: Row, preview: CorporateActionPreviewed) -> CorporateActionDetail:
    """The row with its preview."""
    told = asdict(preview)
    shown = {one: told[one] for one in ("orders", "positions", "faults", "reference_px")}
    return CorporateActionDetail.model_validate(dict(row) | shown)
