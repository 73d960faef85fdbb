"""What a venue keeps and says: its settings, orders, trades, and the reports that it sends."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdRejReason,
    OrdStatus,
    Side,
    TimeInForce,
)

ZERO = Decimal(0)
NO_ORDER = "NONE"  # OrderID where there is no order, as FIX volume 4 has it
STATUS_EXEC_ID = "0"  # ExecID of an ExecType=I report, as FIX volume 6 has it
_RESTING = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD})
_AVG_PX_QUANTUM = Decimal("1E-10")


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSettings:
    """One instrument of the venue."""

    symbol: str
    reference_price: Decimal
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquiditySettings:
    """The background orders around each reference price; prices in ticks, sizes in lots."""

    spread_ticks: int = 2
    depth: int = 5
    min_lots: int = 100
    max_lots: int = 1000
    replenish: bool = True
    walk_ticks: int = 1
    walk_max_ticks: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """Everything that decides what a venue does; depth 0 in liquidity means an empty book."""

    symbols: tuple[SymbolSettings, ...]
    liquidity: LiquiditySettings = field(default_factory=LiquiditySettings)
    max_order_qty: Decimal = Decimal(1_000_000_000)
    max_price: Decimal = Decimal(1_000_000_000)


@dataclass(slots=True, kw_only=True, eq=False)
class VenueOrder:
    """One order as the venue knows it; owner "" marks the venue's own background liquidity."""

    owner: str
    order_id: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    time_in_force: str
    order_qty: Decimal
    price: Decimal | None
    account: str = ""
    cum_qty: Decimal = ZERO
    notional: Decimal = ZERO
    closed: OrdStatus | None = None
    priority: int = 0
    created_at: int = 0
    changed_at: int = 0
    stop_px: Decimal | None = None
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
    exec_inst: str = ""
    expire_time: int = 0
    expire_date: str = ""
    triggered: bool = False

    @property
    def is_buy(self) -> bool:
        return self.side == Side.BUY

    @property
    def leaves_qty(self) -> Decimal:
        """What can still trade."""
        return ZERO if self.closed is not None else self.order_qty - self.cum_qty

    @property
    def ord_status(self) -> OrdStatus:
        """Derived: how it closed, else how much of it is done."""
        if self.closed is not None:
            return self.closed
        if self.cum_qty >= self.order_qty:
            return OrdStatus.FILLED
        return OrdStatus.PARTIALLY_FILLED if self.cum_qty else OrdStatus.NEW

    @property
    def avg_px(self) -> Decimal:
        """Notional / cum_qty, half even at ten decimals."""
        if not self.cum_qty:
            return ZERO
        return (self.notional / self.cum_qty).quantize(_AVG_PX_QUANTUM, rounding=ROUND_HALF_EVEN)

    @property
    def can_rest(self) -> bool:
        return self.price is not None and self.time_in_force in _RESTING

    @property
    def waits(self) -> bool:
        """Whether it stands beside the book: a stop before its trigger, an order for the close."""
        if self.time_in_force == TimeInForce.CLS:
            return True
        return self.stop_px is not None and not self.triggered

    @property
    def shown_qty(self) -> Decimal:
        """What the book shows of it: an iceberg its MaxFloor."""
        leaves = self.leaves_qty
        return leaves if self.max_floor is None else min(leaves, self.max_floor)


class TradeStatus(StrEnum):
    """How a trade stands, as the trade file says it."""

    NEW = "NEW"
    BUSTED = "BUSTED"
    CORRECTED = "CORRECTED"


@dataclass(slots=True, kw_only=True, eq=False)
class Trade:
    """One side of a match. exec_id never changes; last_exec_id follows corrections."""

    exec_id: str
    last_exec_id: str
    match_id: int
    owner: str
    order_id: str
    cl_ord_id: str
    symbol: str
    side: str
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    status: TradeStatus = TradeStatus.NEW


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionReport:
    """One ExecutionReport (8); transact_time in microseconds since 1970 UTC."""

    owner: str
    exec_id: str
    exec_type: ExecType
    ord_status: OrdStatus
    order_id: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    time_in_force: str
    order_qty: Decimal
    price: Decimal | None
    leaves_qty: Decimal
    cum_qty: Decimal
    avg_px: Decimal
    transact_time: int
    account: str = ""
    orig_cl_ord_id: str = ""
    exec_ref_id: str = ""
    last_qty: Decimal | None = None
    last_px: Decimal | None = None
    ord_rej_reason: OrdRejReason | None = None
    text: str = ""
    mass_status_req_id: str = ""
    ord_status_req_id: str = ""
    tot_num_reports: int | None = None
    last_rpt_requested: bool | None = None
    restatement: str = ""
    stop_px: Decimal | None = None
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
    exec_inst: str = ""
    expire_time: int = 0
    expire_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelReject:
    """One OrderCancelReject (9)."""

    owner: str
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: OrdStatus
    cxl_rej_response_to: CxlRejResponseTo
    cxl_rej_reason: CxlRejReason
    transact_time: int
    text: str = ""


Answer = ExecutionReport | OrderCancelReject


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One answer and what the fault switches do to it on its way; numbers rise without gaps."""

    number: int
    answer: Answer
    copies: int = 1
    delay_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command caused. refused names the rule where an operator command was not possible;
    subject is the ExecID or OrderID that it came to act on.
    """

    deliveries: tuple[Delivery, ...] = ()
    refused: str = ""
    subject: str = ""
