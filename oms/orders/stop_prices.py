"""Whether a replace may give an order another StopPx."""

from decimal import Decimal

from oms.domain.order import Order
from oms.domain.values import decimal_text


def stop_px_fault(order: Order, stop_px: Decimal | None) -> str:
    """Why that StopPx (99) cannot be asked for now; empty where it can, or changes nothing."""
    have = order.conditions.stop_px if order.conditions else None
    if stop_px is None or stop_px == have:
        return ""
    if not order.ord_type.is_stop:
        return f"StopPx (99) = {decimal_text(stop_px)}: only on a stop or stop limit order"
    if order.triggered_at:
        return f"StopPx (99) = {decimal_text(stop_px)}: the order was triggered"
    return ""
