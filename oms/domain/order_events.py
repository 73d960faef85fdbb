"""Events about orders: for client orders and child orders alike; `order_id` tells which."""

from decimal import Decimal

from oms.domain.commands import Quote
from oms.domain.fact import fact
from oms.domain.fix import GT_RENEWAL, CxlRejReason, ExecType, OrdStatus, Side
from oms.domain.orphans import OrphanKind, TradeIds
from oms.domain.reasons import Reason
from oms.domain.terms import OrderTerms, RiskFigure
from oms.domain.values import ZERO


@fact
class OrderAccepted:
    """A client order was taken on: it is ours to work.

    awaits_venue: its client takes it for accepted when a venue has it, and is told New then.
    """

    order_id: str
    terms: OrderTerms
    trade_date: str
    figures: tuple[RiskFigure, ...]
    awaits_venue: bool = False


@fact
class OrderRefused:
    """A client's new order was refused before anything was done with it."""

    order_id: str
    terms: OrderTerms
    trade_date: str
    reason: Reason
    text: str
    figures: tuple[RiskFigure, ...]


@fact
class DuplicateOrderRefused:
    """A ClOrdID already in use came again, in list_id where that is given; the live order is
    untouched.
    """

    order_id: str
    counterparty: str
    session: str
    cl_ord_id: str
    text: str
    list_id: str = ""


@fact
class OrderStatusReported:
    """The order's status was asked for (status request, or PossResend of a known ClOrdID)."""

    order_id: str
    session: str
    cl_ord_id: str
    ord_status_req_id: str


@fact
class UnknownOrderStatusReported:
    """The status of an order that we do not know was asked for."""

    session: str
    cl_ord_id: str
    order_id: str
    ord_status_req_id: str


@fact
class VenueQuote:
    """A venue's quote as a routing decision saw it."""

    venue: str
    quote: Quote | None


@fact
class OrderRouted:
    """A child order was created and goes to its venue. quotes: what the router compared."""

    order_id: str
    parent_id: str
    terms: OrderTerms
    why: str
    quotes: tuple[VenueQuote, ...]


@fact
class OrderResent:
    """The child was not known to its venue after a reconnect and is sent again, PossResend=Y."""

    order_id: str


@fact
class OrderHeld:
    """A client order cannot be routed now and waits for a venue."""

    order_id: str
    reason: Reason
    text: str


@fact
class OrderTriggered:
    """A stop order became an order at work: by us, or by the venue that has it (by "VENUE").

    by: which price reached stop_px: ASK, BID or LAST, and trigger_px is that price; quotes: what
    venues showed then.
    """

    order_id: str
    stop_px: Decimal
    by: str
    trigger_px: Decimal | None = None
    quotes: tuple[VenueQuote, ...] = ()


@fact
class OrderRestated:
    """A good-till order goes on on a new trading date; trade_date (ISO) is that.

    restatement: ExecRestatementReason (378), GT_RENEWAL or GT_CORPORATE_ACTION.
    """

    order_id: str
    trade_date: str
    restatement: str = GT_RENEWAL


@fact
class OrderAcknowledged:
    """The venue has the child on its book; or the client order, by a child or as a stop of ours.

    implied: the venue said so by another report than New, which says the rest. source: the drop
    copy that told it, empty where it was the order session.
    """

    order_id: str
    venue_order_id: str
    implied: bool = False
    source: str = ""


@fact
class OrderRejected:
    """The venue refused a child, or a client order ended unexecuted because every venue did."""

    order_id: str
    reason: Reason
    text: str


@fact
class TradeExecuted:
    """A child was filled; its parent and the position move with it. excess: beyond OrderQty.

    late: the order was already closed. early: no acknowledgement had come yet. source: the drop
    copy that told it, empty where it was the order session; see copy_id for its exec_id.
    """

    order_id: str
    parent_id: str
    venue: str
    exec_id: str
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    excess: bool = False
    late: bool = False
    early: bool = False
    source: str = ""
    ids: TradeIds | None = None


@fact
class DuplicateExecutionDropped:
    """The venue told an ExecID that is booked already."""

    order_id: str
    venue: str
    exec_id: str


@fact
class TradeBusted:
    """The venue cancelled a trade (ExecType H): exec_id is the trade, bust_exec_id the report."""

    order_id: str
    parent_id: str
    venue: str
    exec_id: str
    bust_exec_id: str
    source: str = ""


@fact
class TradeCorrected:
    """The venue corrected a trade (ExecType G): its new quantity and price, under a new ExecID."""

    order_id: str
    parent_id: str
    venue: str
    exec_id: str
    correction_exec_id: str
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    source: str = ""


@fact
class OrphanReported:
    """A venue reported on an order or trade that we do not know; kept for reconciliation.

    declined: its venue is told so by a DontKnowTrade. source: the drop copy that told it. order_id,
    twin: the child and the trade that it may be. exec_ref_id: what a bust or a correction names.
    """

    venue: str
    session: str
    cl_ord_id: str
    venue_order_id: str
    exec_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    symbol: str
    side: Side | None
    last_qty: Decimal | None
    last_px: Decimal | None
    text: str
    declined: bool = False
    source: str = ""
    kind: OrphanKind = OrphanKind.UNKNOWN
    order_id: str = ""
    twin: str = ""
    transact_time: int = 0
    ids: TradeIds | None = None
    exec_ref_id: str = ""
    leaves_qty: Decimal = ZERO


@fact
class CancelPending:
    """A cancel is asked for: of a client order by its client, or of a child by us at its venue.

    reason is not NONE where an operator or the server asked in the client's stead. session: the FIX
    session that asked; an order that came over REST is reported there from then on.
    """

    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    reason: Reason = Reason.NONE
    session: str = ""


@fact
class CancelRejected:
    """The cancel asked for as cl_ord_id was refused; the order stays as it is."""

    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    reason: Reason
    cxl_rej_reason: CxlRejReason
    text: str


@fact
class RequestRefused:
    """A cancel or replace that never became pending: order unknown, duplicate id, bad content."""

    session: str
    counterparty: str
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    replace: bool
    reason: Reason
    text: str
    figures: tuple[RiskFigure, ...] = ()


@fact
class OrderCanceled:
    """The order is out of the market; cl_ord_id is the request's, empty when nobody asked.

    restatement: the venue's ExecRestatementReason (378), why it cancelled of its own accord.
    venue_order_id: the venue's OrderID (37), where this is the first that it says of the order.
    """

    order_id: str
    cl_ord_id: str
    reason: Reason
    text: str
    restatement: str = ""
    venue_order_id: str = ""


@fact
class OrderExpired:
    """The order's time in force ran out; done_for_day: its venue is done with it for the day.

    venue_order_id: as of OrderCanceled.
    """

    order_id: str
    text: str
    done_for_day: bool = False
    venue_order_id: str = ""


@fact
class ExpiryPending:
    """The trading day is over: the client order expires when its children are out of the market."""

    order_id: str


@fact
class ReplacePending:
    """A replace is asked for; price None for a market order, stop_px None where it stays. waits:
    behind one that is pending; when that is answered risk judges it once more, for the accounts of
    its API key (none: the client's), and it comes again without. session: as with CancelPending.
    """

    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_qty: Decimal
    price: Decimal | None
    figures: tuple[RiskFigure, ...] = ()
    session: str = ""
    waits: bool = False
    stop_px: Decimal | None = None
    accounts: tuple[str, ...] = ()


@fact
class ReplaceRejected:
    """The replace was refused; the order stays as it is. waited: by us, before it was pending."""

    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    reason: Reason
    cxl_rej_reason: CxlRejReason
    text: str
    figures: tuple[RiskFigure, ...] = ()
    waited: bool = False


@fact
class OrderReplaced:
    """The order now has this quantity and price, under the request's ClOrdID.

    stop_px: its new StopPx (99), None where that stays as it was.
    """

    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    order_qty: Decimal
    price: Decimal | None
    stop_px: Decimal | None = None


@fact
class OrderInDoubt:
    """We no longer know the order's state: no answer in time, session lost, or not found."""

    order_id: str
    reason: Reason
    text: str


@fact
class OrderStatusQueried:
    """The venue is asked for the child's status."""

    order_id: str
    attempt: int


@fact
class OrderConfirmed:
    """The venue (or a human, by user and text) told us the order's state: no longer in doubt.

    Of a child that we had closed it says that its venue works it all the same: it is open again.
    """

    order_id: str
    user: str
    text: str
