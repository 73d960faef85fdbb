"""Small venues for the simulator's tests, and short ways to speak to them."""

import random
from decimal import Decimal

from ems.simulator.commands import CancelOrder, Command, NewOrder, ReplaceOrder
from ems.simulator.model import (
    Answer,
    ExecutionReport,
    LiquiditySettings,
    OrderCancelReject,
    Outcome,
    SymbolSettings,
    VenueOrder,
    VenueSettings,
)
from ems.simulator.venue import Venue
from oms.domain.fix import ExecType

AT = 1_790_000_000_000_000
EMPTY = LiquiditySettings(depth=0, replenish=False)
SYMBOL = SymbolSettings(symbol="ACME", reference_price=Decimal(100), tick=Decimal("0.01"))


def venue(liquidity: LiquiditySettings = EMPTY, seed: int = 1) -> Venue:
    """A venue in ACME and ZETA (lot 10); without liquidity unless asked."""
    zeta = SymbolSettings(symbol="ZETA", reference_price=Decimal(20), lot=Decimal(10))
    settings = VenueSettings(symbols=(SYMBOL, zeta), liquidity=liquidity)
    return Venue(settings, id_prefix="V", rng=random.Random(seed))


def new(
    cl_ord_id: str,
    side: str = "1",
    qty: str = "100",
    price: str | None = "100",
    *,
    symbol: str = "ACME",
    time_in_force: str = "0",
    owner: str = "OMS",
    poss_resend: bool = False,
) -> NewOrder:
    """A limit order, or a market order where price is None."""
    return NewOrder(
        owner=owner,
        cl_ord_id=cl_ord_id,
        symbol=symbol,
        side=side,
        ord_type="1" if price is None else "2",
        order_qty=Decimal(qty),
        price=None if price is None else Decimal(price),
        time_in_force=time_in_force,
        poss_resend=poss_resend,
    )


def cancel(cl_ord_id: str, orig: str, side: str = "1", *, poss_resend: bool = False) -> CancelOrder:
    return CancelOrder(
        owner="OMS",
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig,
        symbol="ACME",
        side=side,
        poss_resend=poss_resend,
    )


def replace_order(cl_ord_id: str, orig: str, qty: str, price: str, side: str = "1") -> ReplaceOrder:
    return ReplaceOrder(
        owner="OMS",
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig,
        symbol="ACME",
        side=side,
        ord_type="2",
        order_qty=Decimal(qty),
        price=Decimal(price),
    )


def answers(at: Venue, command: Command) -> list[Answer]:
    return [item.answer for item in at.apply(command, AT).deliveries]


def reports(at: Venue, command: Command) -> list[ExecutionReport]:
    """The answers, all of which must be execution reports."""
    found = answers(at, command)
    assert all(isinstance(item, ExecutionReport) for item in found), found
    return [item for item in found if isinstance(item, ExecutionReport)]


def cancel_reject(at: Venue, command: Command) -> OrderCancelReject:
    """The one answer, which must be a cancel reject."""
    (found,) = answers(at, command)
    assert isinstance(found, OrderCancelReject), found
    return found


def brief(report: ExecutionReport) -> tuple[str, str, str, str, str, str]:
    """ClOrdID, ExecType, OrdStatus, CumQty, LeavesQty, LastQty: a row of the FIX matrices."""
    last = "" if report.last_qty is None else f"{report.last_qty:f}"
    return (
        report.cl_ord_id,
        report.exec_type,
        report.ord_status,
        f"{report.cum_qty:f}",
        f"{report.leaves_qty:f}",
        last,
    )


def fills(outcome: Outcome) -> list[tuple[str, Decimal, Decimal]]:
    """ClOrdID, quantity and price of each trade report."""
    return [
        (item.answer.cl_ord_id, item.answer.last_qty, item.answer.last_px)
        for item in outcome.deliveries
        if isinstance(item.answer, ExecutionReport)
        and item.answer.exec_type is ExecType.TRADE
        and item.answer.last_qty is not None
        and item.answer.last_px is not None
    ]


def order(at: Venue, cl_ord_id: str) -> VenueOrder:
    """The order that now has this ClOrdID."""
    return next(item for item in at.orders if item.cl_ord_id == cl_ord_id)
