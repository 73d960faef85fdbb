"""What leaves for counterparties in one FIX version or another, for tests of both directions."""

from decimal import Decimal
from typing import Any

from fix_sessions.decode import Decoder
from fix_sessions.encode import encoder_of
from fix_sessions.registry import Counterparty
from oms.domain import effects as fx
from oms.domain.commands import Command
from oms.domain.fix import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from oms.domain.profile import WireProfile

VERSIONS = ["FIX.4.2", "FIX.4.4", "FIXT.1.1"]
AT = 1_790_000_000_000_000
NOW = "20260921-10:00:00.000"
NEW = (OrdStatus.NEW, "0", "100")
PARTIAL = (OrdStatus.PARTIALLY_FILLED, "40", "60")
FILLED = (OrdStatus.FILLED, "100", "0")


def counterparty(
    version: str, *, venue: bool = False, wire: WireProfile | None = None
) -> Counterparty:
    return Counterparty(
        session_id="S",
        name="S",
        role="venue" if venue else "client",
        begin_string=version,
        wire=wire or WireProfile(),
    )


def report(
    exec_type: ExecType, state: tuple[OrdStatus, str, str], **more: Any
) -> fx.SendExecutionReport:
    status, cum_qty, leaves_qty = state
    values: dict[str, Any] = {
        "session": "S",
        "event_seq": 1,
        "at": AT,
        "order_id": "o1",
        "cl_ord_id": "c2",
        "orig_cl_ord_id": "c1",
        "exec_id": "E1",
        "exec_type": exec_type,
        "ord_status": status,
        "account": "A-1",
        "symbol": "AAPL",
        "side": Side.BUY,
        "order_qty": Decimal(100),
        "ord_type": OrdType.LIMIT,
        "price": Decimal("10.5"),
        "time_in_force": TimeInForce.DAY,
        "cum_qty": Decimal(cum_qty),
        "leaves_qty": Decimal(leaves_qty),
        "avg_px": Decimal("10.5"),
    }
    if exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT):
        values |= {"last_qty": Decimal(40), "last_px": Decimal("10.5"), "last_mkt": "XSIM"}
    if exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
        values["exec_ref_id"] = "E0"
    return fx.SendExecutionReport(**(values | more))


def cancel_reject(reason: CxlRejReason) -> fx.SendOrderCancelReject:
    return fx.SendOrderCancelReject(
        session="S",
        event_seq=1,
        at=AT,
        order_id="o1",
        cl_ord_id="c2",
        orig_cl_ord_id="c1",
        ord_status=OrdStatus.NEW,
        cxl_rej_reason=reason,
        response_to=CxlRejResponseTo.ORDER_CANCEL_REQUEST,
        account="A-1",
        text="no",
    )


def reject(code: str, *, business: bool) -> fx.SendReject:
    return fx.SendReject(
        session="S",
        event_seq=1,
        at=AT,
        business=business,
        ref_seq_num=7,
        ref_msg_type="D",
        ref_id="c1",
        reason_code=code,
        ref_tag=38,
        text="no",
    )


def order(price: Decimal | None = Decimal("10.5")) -> fx.SendNewOrderSingle:
    return fx.SendNewOrderSingle(
        session="S",
        event_seq=1,
        at=AT,
        order_id="o1",
        cl_ord_id="c1",
        account="A-1",
        symbol="AAPL",
        side=Side.SELL_SHORT,
        order_qty=Decimal(100),
        ord_type=OrdType.LIMIT if price else OrdType.MARKET,
        price=price,
        time_in_force=TimeInForce.IOC,
    )


def about_an_order(kind: type, **more: Any) -> Any:
    known = {"orig_cl_ord_id": "c1", "venue_order_id": "v1", "order_qty": Decimal(90)}
    named = {"session": "S", "event_seq": 1, "at": AT, "order_id": "o1", "cl_ord_id": "c2"}
    return kind(**named, symbol="AAPL", side=Side.BUY, **(known | more))


def sent(version: str, effect: Any, wire: WireProfile | None = None) -> dict[int, str]:
    """What leaves for a counterparty of that version: its fields, or none of them."""
    msg_type, body = encoder_of(counterparty(version, wire=wire))(effect)
    pairs = [piece.split("=", 1) for piece in body]
    found = {int(tag): value for tag, value in pairs if value}
    return found | {35: msg_type} if msg_type else {}


def read(
    version: str, fields: dict[int, str] | list[tuple[int, str]], *, venue: bool = False
) -> Command:
    pairs = list(fields.items()) if isinstance(fields, dict) else fields
    text = "".join(f"{tag}={value}\x01" for tag, value in [(8, version), *pairs, (10, "000")])
    [command] = Decoder(counterparty(version, venue=venue)).decode(text, epoch=0, at=AT)
    return command
