"""Events about reports that fit no order of ours, and about trades that were told twice."""

from dataclasses import dataclass, field

from oms.domain.fact import fact
from oms.domain.order_events import OrphanReported
from oms.domain.orphans import Settlement, TradeIds
from oms.domain.terms import OrderTerms


@fact
class ExternalOrderAdopted:
    """An order at a venue that no client of ours sent is in our book: as a client order without a
    ClOrdID, and as its child with the venue's own names. It is as large as what it traded, nothing
    of it is ours to work, and it is closed. order_id: the client order.
    """

    order_id: str
    child_id: str
    terms: OrderTerms
    child_terms: OrderTerms
    venue_order_id: str
    trade_date: str


@fact
class OrphanSettled:
    """An orphan is one no more. orphan, reported_at, trade_date: of its report; order_id: the child
    order that it is booked to. user: empty where no human decided. declined: its venue is told.
    """

    orphan: int
    reported_at: int
    trade_date: str
    report: OrphanReported
    settlement: Settlement
    order_id: str
    user: str
    text: str
    declined: bool = False


@fact
class TradeMatched:
    """A trade that is booked was told again, under another ExecID: nothing is booked.

    venue, exec_id: the trade. source: who told it now: a drop copy's session, empty for the order
    session. told_as: its ExecID there (see copy_id). rule: what made it the same. amends: it is the
    same bust or correction. orphan: it is told of that orphan, which is booked to no order.
    """

    order_id: str
    parent_id: str
    venue: str
    exec_id: str
    source: str
    told_as: str
    rule: str
    amends: bool = False
    orphan: int = 0
    ids: TradeIds | None = None


@dataclass(slots=True, kw_only=True)
class Orphan:
    """An open one, as the state keeps it. told: by whom (source), and as which ExecID."""

    seq: int
    at: int
    trade_date: str
    event: OrphanReported
    told: dict[str, str] = field(default_factory=dict)


OrphanFact = ExternalOrderAdopted | OrphanSettled | TradeMatched
