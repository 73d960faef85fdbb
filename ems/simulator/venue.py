"""The venue: one state, changed only by apply(command, at), so that a replay makes it again."""

import random
from collections.abc import Iterable, Iterator
from typing import assert_never

from ems.simulator import operations, restatements, statements
from ems.simulator.book import Book
from ems.simulator.commands import (
    BustTrade,
    CancelOrder,
    CancelUnsolicited,
    Command,
    CorrectTrade,
    ExpireDay,
    Falsify,
    NewOrder,
    ReplaceOrder,
    ReportUnknownFill,
    RepriceOrder,
    SetFault,
    SplitShares,
    WalkPrices,
)
from ems.simulator.faults import Faults
from ems.simulator.ledger import Echo, Extra, Ledger
from ems.simulator.liquidity import Liquidity
from ems.simulator.matching import trigger
from ems.simulator.model import (
    STATUS_EXEC_ID,
    ExecutionReport,
    Outcome,
    Trade,
    VenueOrder,
    VenueSettings,
)
from ems.simulator.requests import decide_cancel, decide_new, decide_replace
from oms.domain.fix import ExecType, OrdRejReason

_UNKNOWN = OrdRejReason.UNKNOWN_ORDER


class Venue:
    """A market in some symbols. id_prefix makes OrderIDs and ExecIDs unique beyond this venue."""

    def __init__(self, settings: VenueSettings, *, id_prefix: str, rng: random.Random) -> None:
        self._settings = settings
        self._ledger = Ledger(id_prefix)
        self._books = {item.symbol: Book(item.symbol) for item in settings.symbols}
        self._liquidity = {
            item.symbol: Liquidity(item, settings.liquidity, rng) for item in settings.symbols
        }
        self._touched: set[str] = set()
        self._falsifier = statements.Falsifier(settings.symbols)
        for symbol, liquidity in self._liquidity.items():
            liquidity.top_up(self._ledger, self._books[symbol])

    @property
    def faults(self) -> Faults:
        return self._ledger.faults

    @property
    def orders(self) -> Iterable[VenueOrder]:
        """Every client order, refused ones too, oldest first."""
        return self._ledger.orders.values()

    @property
    def trades(self) -> Iterable[Trade]:
        """Every side of every match that a client has, oldest first."""
        return self._ledger.trades.values()

    @property
    def books(self) -> dict[str, Book]:
        return self._books

    @property
    def falsifications(self) -> tuple[statements.Falsification, ...]:
        return self._falsifier.done(self._ledger.trades)

    def last_trade(self, symbol: str) -> Trade | None:
        return self._ledger.last_trade.get(symbol)

    def take_touched(self) -> set[str]:
        """The symbols whose book changed since the last call."""
        touched, self._touched = self._touched, set()
        return touched

    def apply(self, command: Command, at: int) -> Outcome:
        """Carry out a command at `at` (microseconds since 1970 UTC)."""
        ledger = self._ledger
        ledger.begin(at)
        operations.expire_due(ledger, self._books)
        refused, subject = self._carry_out(command)
        trigger(ledger, self._books)
        if self._settings.liquidity.replenish:
            for symbol in sorted(ledger.touched):
                self._liquidity[symbol].top_up(ledger, self._books[symbol])
        self._touched |= ledger.touched
        return Outcome(deliveries=ledger.end(), refused=refused, subject=subject)

    def _carry_out(self, command: Command) -> operations.Done:
        ledger, books, settings = self._ledger, self._books, self._settings
        match command:
            case NewOrder():
                decide_new(ledger, books, settings, command)
            case CancelOrder():
                decide_cancel(ledger, books, command)
            case ReplaceOrder():
                decide_replace(ledger, books, settings, command)
            case WalkPrices():
                for symbol, liquidity in self._liquidity.items():
                    liquidity.walk(ledger, books[symbol])
            case SetFault(name=name, value=value):
                return ledger.faults.set(name, value), name
            case BustTrade(exec_id=exec_id):
                return operations.bust(ledger, books, exec_id)
            case CorrectTrade():
                return operations.correct(ledger, books, command)
            case CancelUnsolicited():
                return operations.cancel_unsolicited(ledger, books, command)
            case ExpireDay():
                return operations.expire_day(ledger, books)
            case SplitShares():
                return restatements.split(ledger, books, self._liquidity, command)
            case RepriceOrder():
                return restatements.reprice(ledger, books, command)
            case ReportUnknownFill():
                return operations.report_unknown_fill(ledger, books, command)
            case Falsify(kind=kind, exec_id=exec_id):
                return self._falsifier.order(kind, exec_id, ledger.trades)
            case _:
                assert_never(command)
        return "", ""

    def status(self, echo: Echo, ord_status_req_id: str, at: int) -> ExecutionReport:
        """The answer to an OrderStatusRequest; any ClOrdID that the order ever had will do."""
        self._ledger.begin(at)
        order = self._ledger.requests.get((echo.owner, echo.cl_ord_id))
        if order is not None:
            return self._ledger.status(order, Extra(ord_status_req_id=ord_status_req_id))
        text = f"ClOrdID (11) {echo.cl_ord_id}: unknown"
        extra = Extra(ord_status_req_id=ord_status_req_id, ord_rej_reason=_UNKNOWN, text=text)
        return self._ledger.unknown(echo, ExecType.ORDER_STATUS, STATUS_EXEC_ID, extra)

    def mass_status(self, echo: Echo, request_id: str, at: int) -> Iterator[ExecutionReport]:
        """One report per working order of the owner, the last one marked; symbol and side filter
        where given. With no such order, one report that says so, with TotNumReports 0.
        """
        self._ledger.begin(at)
        found = [
            order
            for order in self._ledger.orders.values()
            if order.owner == echo.owner
            and order.leaves_qty
            and echo.symbol in ("", order.symbol)
            and echo.side in ("", order.side)
        ]
        for position, order in enumerate(found, start=1):
            extra = Extra(
                mass_status_req_id=request_id,
                tot_num_reports=len(found),
                last_rpt_requested=position == len(found),
            )
            yield self._ledger.status(order, extra)
        if not found:
            extra = Extra(
                mass_status_req_id=request_id,
                tot_num_reports=0,
                last_rpt_requested=True,
                ord_rej_reason=_UNKNOWN,
                text="no working order",
            )
            yield self._ledger.unknown(echo, ExecType.ORDER_STATUS, STATUS_EXEC_ID, extra)
