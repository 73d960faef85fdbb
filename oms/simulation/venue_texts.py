"""Messages of a venue that are about none of its orders, as fields."""

from fix_sessions.wire import utc_timestamp_ms

Told = dict[int, str]


def not_found(cl_ord_id: str, at_us: int) -> Told:
    """The answer to a question about an order that it does not have."""
    return {
        37: "NONE",
        11: cl_ord_id,
        17: "0",
        150: "I",
        39: "8",
        55: "[N/A]",
        54: "1",
        14: "0",
        151: "0",
        6: "0",
        103: "5",
        60: utc_timestamp_ms(at_us),
    }


def best_prices(n: int) -> list[tuple[int, str]]:
    """Its best bid and offer in a share."""
    bid, ask = 96 + n % 6, 100 + n // 6 % 5
    return [
        (55, "AAPL" if n % 3 else "MSFT"),
        (268, "2"),
        *((269, "0"), (270, str(bid)), (271, "300")),
        *((269, "1"), (270, str(ask)), (271, "200")),
    ]
