"""A venue's report that fits no order of ours, as REST shows it."""

from datetime import date, datetime

from oms.api.shown import Answer
from oms.api.values import Amount, ExecTypeShown, OrdStatusShown


class Orphan(Answer):
    """A venue's report for an order or trade that we do not know, or that may be booked already.

    kind: UNKNOWN; or SAME_TRADE, a trade that may be booked already; or AMENDS, a correction or
    bust that may be of a trade which is: text then says why it is doubtful, order_id which of our
    orders at the venue it is of. is_open: it waits for a decision. settlement: ADOPTED, REFUSED,
    BOOKED or AMENDED; settled_by is empty where no human decided. declined: its venue was told so.
    """

    seq: int
    at: datetime
    venue: str
    session: str
    cl_ord_id: str
    venue_order_id: str
    exec_id: str
    exec_type: ExecTypeShown
    ord_status: OrdStatusShown
    symbol: str
    side: str
    last_qty: Amount | None
    last_px: Amount | None
    text: str
    trade_date: date | None
    declined: bool
    kind: str
    order_id: str
    is_open: bool
    settlement: str
    settled_at: datetime | None
    settled_by: str
    settled_text: str
