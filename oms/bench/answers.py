"""What the bench's venue says: it accepts and fills every order at once, and has no others."""

from collections.abc import Mapping, Sequence
from typing import Literal

from fix_sessions.light_session import wall_clock_us
from fix_sessions.wire import utc_timestamp_ms

# New and Trade as an exchange sends them; the Trade alone, where one message each way is timed; or
# New alone, of an order that rests.
Style = Literal["new and trade", "trade", "new"]
Body = list[tuple[int, str]]

BID, OFFER = "99.90", "100.10"
_DEPTH = "10000000"


def reports(order: Mapping[int, str], number: int, style: Style) -> list[Body]:
    """ExecutionReports for the venue's order number `number`; its Trade, if any, is the last."""
    now = utc_timestamp_ms(wall_clock_us())
    qty, price = order[38], order.get(44, OFFER)
    same = [
        *((11, order[11]), (54, order[54]), (55, order[55]), (38, qty), (60, now)),
        *((37, f"V{number}"), (40, order.get(40, "2")), (44, price)),
    ]
    new = [(17, f"N{number}"), (150, "0"), (39, "0"), (151, qty), (14, "0"), (6, "0")]
    trade = [
        *((17, f"T{number}"), (150, "F"), (39, "2"), (151, "0"), (14, qty)),
        *((6, price), (32, qty), (31, price)),
    ]
    if style == "trade":
        return [[*same, *trade]]
    if style == "new":
        return [[*same, *new]]
    return [[*same, *new], [*same, *trade]]


def snapshots(request: Sequence[tuple[int, str]]) -> list[Body]:
    """MarketDataSnapshotFullRefresh for each symbol of a MarketDataRequest: one fixed market."""
    md_req_id = dict(request).get(262, "")
    market = [
        *((268, "2"), (269, "0"), (270, BID), (271, _DEPTH)),
        *((269, "1"), (270, OFFER), (271, _DEPTH)),
    ]
    return [[(262, md_req_id), (55, symbol), *market] for tag, symbol in request if tag == 55]


def no_orders(mass_status_req_id: str) -> Body:
    """The ExecutionReport that answers an OrderMassStatusRequest when there are no orders."""
    now = utc_timestamp_ms(wall_clock_us())
    return [
        *((37, "NONE"), (17, f"M-{mass_status_req_id}"), (150, "I"), (39, "8"), (54, "1")),
        *((55, "NONE"), (584, mass_status_req_id), (911, "0"), (912, "Y")),
        *((151, "0"), (14, "0"), (6, "0"), (60, now), (58, "no orders")),
    ]
