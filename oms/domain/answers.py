"""Events about what clients asked for beyond single orders; see oms.domain.inquiries."""

from dataclasses import dataclass

from oms.domain.fact import fact
from oms.domain.fix import Side
from oms.domain.reasons import Reason


@fact
class MassCancelAnswered:
    """What a mass cancel came to; the cancel of each order follows as an event of its own.

    request_id: our name for the request. account, symbol, side: what it was narrowed to, empty for
    all. affected: of how many orders a cancel began. reject_reason: MassCancelRejectReason (532);
    empty where it was taken up.
    """

    counterparty: str
    session: str
    cl_ord_id: str
    request_id: str
    request_type: str
    account: str
    symbol: str
    side: Side | None
    affected: int
    reason: Reason
    reject_reason: str
    text: str


@fact
class OrderMassStatusReported:
    """One order of the answer to a mass status request. last_rpt_requested: it is the last one."""

    order_id: str
    session: str
    mass_status_req_id: str
    tot_num_reports: int
    last_rpt_requested: bool


@fact
class NoOrdersReported:
    """The answer to a mass status request that no order matches."""

    session: str
    mass_status_req_id: str
    text: str


@fact
class SecuritiesListed:
    """The answer to a SecurityListRequest. result: SecurityRequestResult (560)."""

    session: str
    security_req_id: str
    result: str
    symbols: tuple[str, ...]
    text: str


@fact
class TradingSessionReported:
    """The answer to a TradingSessionStatusRequest; subscribed: None where that stays as it is.

    reject_reason: TradSesStatusRejReason (567); empty where it is answered.
    """

    session: str
    trad_ses_req_id: str
    subscribed: bool | None
    reject_reason: str
    text: str


@fact
class TradeRequestAnswered:
    """What a TradeCaptureReportRequest came to; a TradeReported for each trade follows.

    result, status: TradeRequestResult (749), TradeRequestStatus (750); total: how many follow.
    """

    session: str
    trade_request_id: str
    request_type: str
    result: str
    status: str
    total: int
    text: str


@fact
class TradeReported:
    """One trade of the answer to a TradeCaptureReportRequest; order_id: the client's order,
    child_id: ours at the venue, empty in a journal of before.
    """

    order_id: str
    session: str
    trade_request_id: str
    venue: str
    exec_id: str
    total: int
    last: bool
    child_id: str = ""


@fact
class TradeDisputed:
    """A client does not accept a trade (DontKnowTrade). It stays booked until that is settled.

    order_id: the client's order, child_id ours at the venue. report_id: ExecID of our report.
    """

    order_id: str
    child_id: str
    counterparty: str
    session: str
    venue: str
    exec_id: str
    report_id: str
    dk_reason: str
    text: str


@fact
class DisputeResolved:
    """A dispute is over: its venue took the trade back or corrected it, or a human, by user and
    text, settled it. disputed_seq, disputed_at: number and stamp of the dispute.
    """

    order_id: str
    disputed_seq: int
    disputed_at: int
    dispute: TradeDisputed
    user: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """An open one, as the state keeps it. seq, at: of the event."""

    seq: int
    at: int
    event: TradeDisputed


DisputeFact = TradeDisputed | DisputeResolved
AnswerFact = (
    DisputeFact
    | MassCancelAnswered
    | OrderMassStatusReported
    | NoOrdersReported
    | SecuritiesListed
    | TradingSessionReported
    | TradeRequestAnswered
    | TradeReported
)
