"""Events that somebody should look at: one log line each; docs/operations.md says what to do."""

import structlog

from oms.domain.answers import TradeDisputed
from oms.domain.events import (
    DiscrepancyFound,
    Event,
    KillSwitchEngaged,
    OrderInDoubt,
    OrphanReported,
    PeerRefusedMessage,
    TradeExecuted,
)
from oms.domain.orphans import OrphanKind
from oms.domain.reasons import Reason
from oms.domain.session_events import CancelOnDisconnectFired

log = structlog.get_logger()

_LOOKED_AT = frozenset(
    {
        CancelOnDisconnectFired,
        DiscrepancyFound,
        KillSwitchEngaged,
        OrderInDoubt,
        OrphanReported,
        PeerRefusedMessage,
        TradeDisputed,
        TradeExecuted,
    }
)


def note(event: Event) -> None:
    """Log the event if it is one of those."""
    if type(event) in _LOOKED_AT:
        _tell(event)


def _tell(event: Event) -> None:
    match event:
        case TradeExecuted():
            if event.excess or event.late:
                _warn("order.fill_flagged", event, "order_id", "venue", "exec_id", "excess", "late")
        case OrderInDoubt():
            if event.reason is not Reason.SESSION_LOST:
                _warn("order.in_doubt", event, "order_id", "reason", "text")
        case OrphanReported() if event.kind is not OrphanKind.UNKNOWN:
            _warn("trade.may_be_booked", event, "order_id", "venue", "exec_id", "text")
        case OrphanReported():
            _warn("venue.orphan", event, "venue", "cl_ord_id", "exec_id", "exec_type")
        case TradeDisputed():
            _warn("trade.disputed", event, "order_id", "venue", "exec_id", "dk_reason", "text")
        case DiscrepancyFound():
            _warn("venue.discrepancy", event, "order_id", "field", "ours", "theirs")
        case PeerRefusedMessage():
            _warn("session.peer_refused", event, "session", "ref_seq_num", "ref_msg_type", "text")
        case CancelOnDisconnectFired():
            _warn("session.orders_cancelled", event, "session", "asked", "pending")
        case KillSwitchEngaged():
            _warn("risk.kill_switch_engaged", event, "subject", "user", "reason")
        case _:
            pass


def _warn(name: str, event: Event, *fields: str) -> None:
    log.warning(name, **{field: getattr(event, field) for field in fields})
