"""What the API's tests share: an order's body, rows of the blotter, what a problem must be."""

from typing import Any

import httpx
import psycopg

ORDER = {
    "cl_ord_id": "A-1",
    "account": "ALPHA-1",
    "symbol": "AAPL",
    "side": "BUY",
    "order_qty": "300",
    "ord_type": "LIMIT",
    "price": "227.50",
}


def add_order(
    rows: psycopg.Connection[tuple[Any, ...]], order_id: str, minute: int = 0, **more: object
) -> None:
    """A row of the blotter, as the projector writes it."""
    columns: dict[str, object] = {
        "order_id": order_id,
        "client": "ALPHA",
        "session": "ALPHA",
        "cl_ord_id": f"C-{order_id}",
        "account": "ALPHA-1",
        "symbol": "AAPL",
        "side": "1",
        "ord_type": "2",
        "price": "100.50",
        "time_in_force": "0",
        "order_qty": "10",
        "cum_qty": "4",
        "leaves_qty": "6",
        "avg_px": "100.1234567891",
        "ord_status": "1",
        "status": "PARTIALLY_FILLED",
        "is_open": True,
        "trade_date": "2026-11-20",
        "created_at": f"2026-11-20T10:{minute:02}:00Z",
        "updated_at": f"2026-11-20T10:{minute:02}:01Z",
        "last_seq": 7,
    } | more
    names = ", ".join(columns)
    marks = ", ".join(["%s"] * len(columns))
    rows.execute(f"INSERT INTO orders ({names}) VALUES ({marks})", list(columns.values()))


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem document that the answer must be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"urn:plumbline:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    return body
