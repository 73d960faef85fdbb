"""What is compared: our record of one venue's day, and what the venue states of it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from oms.domain.fix import OrdStatus, Side
from oms.domain.values import decimal_text

Evidence = dict[str, str | int]


class TradeStatus(StrEnum):
    """How a trade stands in a venue's statement."""

    NEW = "NEW"
    CORRECTED = "CORRECTED"
    BUSTED = "BUSTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirTrade:
    """One row of a venue's trade file. line: where it stands, from 1; order_id is the venue's.

    last_qty and last_px are what stands now; of a busted trade what stood last.
    """

    line: int
    exec_id: str
    cl_ord_id: str
    order_id: str
    symbol: str
    side: Side
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    status: TradeStatus

    @property
    def busted(self) -> bool:
        return self.status is TradeStatus.BUSTED

    def evidence(self) -> Evidence:
        """The row as a break shows it."""
        return {
            "line": self.line,
            "exec_id": self.exec_id,
            "cl_ord_id": self.cl_ord_id,
            "order_id": self.order_id,
            "symbol": self.symbol,
            "side": self.side.name,
            "last_qty": decimal_text(self.last_qty),
            "last_px": decimal_text(self.last_px),
            "transact_time": self.transact_time,
            "status": self.status.value,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirOrder:
    """One row of a venue's order file: how an order stood when the file was written."""

    line: int
    cl_ord_id: str
    order_id: str
    symbol: str
    side: Side
    order_qty: Decimal
    price: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    ord_status: OrdStatus

    def evidence(self) -> Evidence:
        """The row as a break shows it."""
        return {
            "line": self.line,
            "cl_ord_id": self.cl_ord_id,
            "order_id": self.order_id,
            "symbol": self.symbol,
            "side": self.side.name,
            "order_qty": decimal_text(self.order_qty),
            "price": optional_text(self.price),
            "cum_qty": decimal_text(self.cum_qty),
            "leaves_qty": decimal_text(self.leaves_qty),
            "ord_status": self.ord_status.name,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OurTrade:
    """One execution of ours. seq: journal number of its booking; order_id: the child order's.

    due: the statement of this day must hold it. One that is not only serves to know a row again.
    copied: only a drop copy told it, so that we do not know the venue's ExecID.
    """

    seq: int
    exec_id: str
    latest_exec_id: str
    order_id: str
    parent_id: str
    account: str
    symbol: str
    side: Side
    last_qty: Decimal
    last_px: Decimal
    transact_time: int
    busted: bool = False
    due: bool = True
    copied: bool = False

    def evidence(self) -> Evidence:
        """The execution as a break shows it."""
        return {
            "journal_seq": self.seq,
            "exec_id": self.exec_id,
            "latest_exec_id": self.latest_exec_id,
            "order_id": self.order_id,
            "parent_id": self.parent_id,
            "account": self.account,
            "symbol": self.symbol,
            "side": self.side.name,
            "last_qty": decimal_text(self.last_qty),
            "last_px": decimal_text(self.last_px),
            "transact_time": self.transact_time,
            "status": "BUSTED" if self.busted else "BOOKED",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OurOrder:
    """One child order of ours. seq: the last event about it; cl_ord_ids: all that it ever had.

    due: the venue's order file of this day must hold it. comparable: nothing changed it after the
    day, so that the file and our record speak of the same state.
    """

    seq: int
    order_id: str
    parent_id: str
    venue_order_id: str
    cl_ord_ids: tuple[str, ...]
    symbol: str
    side: Side
    order_qty: Decimal
    price: Decimal | None
    cum_qty: Decimal
    ord_status: OrdStatus
    is_open: bool
    in_doubt: bool = False
    due: bool = True
    comparable: bool = True

    def evidence(self) -> Evidence:
        """The order as a break shows it."""
        return {
            "journal_seq": self.seq,
            "order_id": self.order_id,
            "parent_id": self.parent_id,
            "venue_order_id": self.venue_order_id,
            "cl_ord_ids": " ".join(self.cl_ord_ids),
            "symbol": self.symbol,
            "side": self.side.name,
            "order_qty": decimal_text(self.order_qty),
            "price": optional_text(self.price),
            "cum_qty": decimal_text(self.cum_qty),
            "ord_status": "UNKNOWN" if self.in_doubt else self.ord_status.name,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OurOrphan:
    """A venue's report that we could not place and kept. seq: its journal number."""

    seq: int
    exec_id: str
    cl_ord_id: str
    venue_order_id: str
    text: str

    def evidence(self) -> Evidence:
        """The report as a break shows it."""
        return {
            "journal_seq": self.seq,
            "exec_id": self.exec_id,
            "cl_ord_id": self.cl_ord_id,
            "venue_order_id": self.venue_order_id,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OurDispute:
    """A trade that its client does not accept. seq: the journal number of the dispute."""

    seq: int
    order_id: str
    exec_id: str
    client: str
    report_id: str
    dk_reason: str
    text: str

    def evidence(self) -> Evidence:
        """The dispute as a break shows it."""
        return {
            "journal_seq": self.seq,
            "client": self.client,
            "report_id": self.report_id,
            "dk_reason": self.dk_reason,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OurSide:
    """Our record of the venue's day."""

    trades: tuple[OurTrade, ...]
    orders: tuple[OurOrder, ...]
    orphans: tuple[OurOrphan, ...] = ()
    disputes: tuple[OurDispute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirSide:
    """The venue's statement; orders None: it sends no order file."""

    trades: tuple[TheirTrade, ...]
    orders: tuple[TheirOrder, ...] | None


def optional_text(value: Decimal | None) -> str:
    """The value without exponent, empty where there is none."""
    return "" if value is None else decimal_text(value)
