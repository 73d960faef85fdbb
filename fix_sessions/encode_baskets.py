"""ListStatus (N) as FIX 4.4 writes it; see encode."""

from typing import Final

from fix_sessions.wire import utc_timestamp_ms
from oms.domain.answer_effects import ListedOrder, SendListStatus
from oms.domain.values import decimal_text

MAX_TEXT: Final = 500


def list_status(effect: SendListStatus) -> list[str]:
    """The body, its orders last."""
    last = effect.rpt_seq == effect.no_rpts
    body = [
        f"66={effect.list_id}",
        f"429={effect.status_type}",
        f"82={effect.no_rpts}",
        f"431={effect.order_status}",
        f"83={effect.rpt_seq}",
        f"444={effect.text[:MAX_TEXT]}",
        f"60={utc_timestamp_ms(effect.at)}",
        f"68={effect.tot_no_orders}",
        "893=Y" if last else "893=N",
        f"73={len(effect.orders)}",
    ]
    for one in effect.orders:
        body += _order(one)
    return body


def _order(one: ListedOrder) -> list[str]:
    return [
        f"11={one.cl_ord_id}",
        f"14={decimal_text(one.cum_qty)}",
        f"39={one.ord_status}",
        f"151={decimal_text(one.leaves_qty)}",
        f"84={decimal_text(one.cxl_qty)}",
        f"6={decimal_text(one.avg_px)}",
        f"103={one.ord_rej_reason}",
        f"58={one.text[:MAX_TEXT]}",
    ]
