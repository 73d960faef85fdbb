"""What a venue reports of an order or a trade that we do not know."""

from collections.abc import Iterator

from oms.domain.commands import ExecutionReport
from oms.domain.events import DuplicateExecutionDropped, Event, OrphanReported
from oms.domain.fix import ExecType
from oms.domain.instrument import Venue
from oms.domain.profile import UnknownTrades
from oms.domain.state import State


def orphan_of(venue: Venue, report: ExecutionReport) -> OrphanReported:
    """What a venue told about an order or a trade that we do not know; a trade is declined where
    the venue wants to be told.
    """
    trade = report.exec_type is ExecType.TRADE
    return OrphanReported(
        venue=venue.name,
        session=report.origin.session,
        cl_ord_id=report.cl_ord_id,
        venue_order_id=report.order_id,
        exec_id=report.exec_id,
        exec_type=report.exec_type,
        ord_status=report.ord_status,
        symbol=report.symbol,
        side=report.side,
        last_qty=report.last_qty,
        last_px=report.last_px,
        text=report.text,
        declined=trade and venue.profile.unknown_trades is UnknownTrades.DONT_KNOW,
    )


def decide_orphan(state: State, venue: Venue, report: ExecutionReport) -> Iterator[Event]:
    """Kept for reconciliation, once."""
    if report.exec_type is ExecType.TRADE and (venue.name, report.exec_id) in state.exec_ids:
        yield DuplicateExecutionDropped(
            order_id=state.exec_ids[venue.name, report.exec_id],
            venue=venue.name,
            exec_id=report.exec_id,
        )
        return
    yield orphan_of(venue, report)
