"""Baskets (lists of orders): what clients ask for, what it comes to, and what is known of a list.

A list is named by its client's ListID (66), which is identified as a ClOrdID is. Its orders are
orders like any other; what is kept here is which of them belong together.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from oms.domain.conditions import Conditions
from oms.domain.fact import fact
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.domain.origin import Origin
from oms.domain.reasons import Reason

MAX_ORDERS: Final = 1_000
"""Orders of one list: all are decided in one go, and everybody else's messages wait meanwhile."""


class ListStatusType(StrEnum):
    """ListStatusType (429), those that we send."""

    ACK = "1"
    RESPONSE = "2"
    EXEC_STARTED = "4"
    ALL_DONE = "5"


class ListOrderStatus(StrEnum):
    """ListOrderStatus (431), those that we send."""

    RECEIVED_FOR_EXECUTION = "2"
    EXECUTING = "3"
    CANCELLING = "4"
    ALL_DONE = "6"
    REJECT = "7"


@fact
class ListOrder:
    """One order of a list, with the fields of a NewOrderSingle; list_seq_no: ListSeqNo (67)."""

    list_seq_no: int
    cl_ord_id: str
    account: str
    symbol: str
    side: Side
    order_qty: Decimal
    ord_type: OrdType
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    transact_time: int = 0
    text: str = ""
    conditions: Conditions | None = None
    currency: str = ""


@fact
class NewOrderList:
    """NewOrderList (E), or a fragment of one where not last_fragment.

    bid_type, exec_inst_type, prog_rpt_reqs, contingency_type: BidType (394), ListExecInstType
    (433), ProgRptReqs (414), ContingencyType (1385) as they came, empty where absent. exec_inst:
    whether ListExecInst (69) was given.
    """

    origin: Origin
    list_id: str
    bid_type: str
    tot_no_orders: int
    orders: tuple[ListOrder, ...]
    last_fragment: bool = True
    exec_inst_type: str = ""
    prog_rpt_reqs: str = ""
    contingency_type: str = ""
    exec_inst: bool = False


@fact
class ListExecute:
    """ListExecute (L): a list that waits for it is executed now."""

    origin: Origin
    list_id: str


@fact
class ListCancelRequest:
    """ListCancelRequest (K): cancel every open order of the list."""

    origin: Origin
    list_id: str


@fact
class ListStatusRequest:
    """ListStatusRequest (M)."""

    origin: Origin
    list_id: str


BasketCommand = NewOrderList | ListExecute | ListCancelRequest | ListStatusRequest


@fact
class ListFragmentTaken:
    """A part of a list came; nothing is done with it before the last part is there."""

    counterparty: str
    session: str
    list_id: str
    tot_no_orders: int
    orders: tuple[ListOrder, ...]


@fact
class ListAccepted:
    """A list is whole and taken on. orders: by ListSeqNo. waits: it is executed by ListExecute."""

    counterparty: str
    session: str
    list_id: str
    trade_date: str
    orders: tuple[ListOrder, ...]
    waits: bool


@fact
class ListRefused:
    """A NewOrderList was refused as a whole; none of cl_ord_ids became an order.

    known: its ListID is that of another list, which is untouched.
    """

    counterparty: str
    session: str
    list_id: str
    cl_ord_ids: tuple[str, ...]
    reason: Reason
    text: str
    known: bool = False


@fact
class ListExecutionBegan:
    """The list's orders become orders now, one after the other, as the events that follow."""

    counterparty: str
    session: str
    list_id: str


@fact
class ListStatusReported:
    """A client is told how its list stands."""

    counterparty: str
    session: str
    list_id: str
    status_type: ListStatusType


@fact
class ListCanceled:
    """The cancel of a list was asked for; that of each open order follows as an event of its own.

    affected: of how many orders a cancel began, or how many never became one. lapsed: nobody asked;
    the list had not begun when its trading date ended.
    """

    counterparty: str
    session: str
    list_id: str
    affected: int
    lapsed: bool = False


@fact
class ListDone:
    """No order of the list is open any more."""

    counterparty: str
    session: str
    list_id: str


BasketFact = (
    ListFragmentTaken
    | ListAccepted
    | ListRefused
    | ListExecutionBegan
    | ListStatusReported
    | ListCanceled
    | ListDone
)

ListKey = tuple[str, str]
"""(counterparty, ListID)"""


@dataclass(slots=True, kw_only=True)
class OrderList:
    """What is known of one list; changed only by `oms.fold_baskets`.

    seq, accepted_at: number and stamp of its acceptance, 0 while its last fragment has not come.
    begun_at: since when its orders are orders: order_ids has theirs by ClOrdID, but for those that
    a ClOrdID in use refused. canceled_at: when its cancel was asked for first, done_at: when its
    last open order had ended last; 0: never. open: those that can trade, or could if an outstanding
    replace is accepted. came_with: by ClOrdID the number of the fragment, for those of fragments.
    """

    counterparty: str
    session: str
    list_id: str
    trade_date: str
    tot_no_orders: int
    orders: tuple[ListOrder, ...]
    waits: bool = False
    seq: int = 0
    accepted_at: int = 0
    begun_at: int = 0
    canceled_at: int = 0
    done_at: int = 0
    order_ids: dict[str, str] = field(default_factory=dict)
    came_with: dict[str, int] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether its last fragment has come."""
        return self.seq > 0

    @property
    def begun(self) -> bool:
        """Whether its orders have become orders."""
        return self.begun_at > 0

    @property
    def canceled(self) -> bool:
        """Whether its cancel was asked for."""
        return self.canceled_at > 0

    @property
    def awaits_more(self) -> bool:
        """Whether fragments of it have come and its last one has not."""
        return not self.complete and not self.canceled

    @property
    def is_over(self) -> bool:
        """Whether nothing of it can trade any more."""
        return not self.open and (self.begun or self.canceled)
