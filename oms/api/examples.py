"""Examples of answers for the OpenAPI document: made from their schemas, so that none is missing.

A field shows what stands here under its name, if its schema takes that, else what its schema says.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_MOMENT: Final = "2026-11-20T14:30:00.123456Z"
_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
# By the field's name; by "Schema.field" where one is meant.
_VALUES: Final[Mapping[str, Any]] = {
    "accepted": True,
    "account": "ALPHA-1",
    "avg_px": "227.45",
    "action_id": "AAPL-2026-4FOR1",
    "begin_seq_no": 17,
    "begin_string": "FIX.4.4",
    "bought": "100",
    "bought_value": "22745",
    "cl_ord_id": "A-20261120-0001",
    "cl_ord_ids": ["A-20261120-0001", "A-20261120-0002"],
    "client": "ALPHA",
    "cost": "22745",
    "counterparty": "ALPHA",
    "cum_qty": "100",
    "currency": "USD",
    "cxl_rej_reason": "TOO_LATE_TO_CANCEL",
    "cxl_rej_response_to": "ORDER_CANCEL_REQUEST",
    "database": True,
    "end_seq_no": 17,
    "exec_id": "XSIM1-4711",
    "exec_type": "TRADE",
    "field": "last_px",
    "holder": "oms-1:4242",
    "id": 42,
    "is_open": True,
    "kind": "PRICE",
    "last_hash": _HASH,
    "last_mkt": "XSIM1",
    "last_px": "227.45",
    "last_qty": "100",
    "leader": True,
    "leaves_qty": "200",
    "led": True,
    "level": "ACCOUNT",
    "logged_on": True,
    "lot": "1",
    "name": "ALPHA",
    "ok": True,
    "ord_rej_reason": "",
    "ord_status": "PARTIALLY_FILLED",
    "ord_type": "LIMIT",
    "order_id": "261120-42",
    "order_qty": "300",
    "ours": "227.45",
    "parent_id": "261120-42",
    "price": "227.50",
    "quantity": "100",
    "realised": "0",
    "ready": True,
    "reference_px": "227.50",
    "rule": "MAX_ORDER_QTY",
    "run_id": 7,
    "security_type": "CS",
    "sender_comp_id": "ALPHA",
    "session": "ALPHA",
    "side": "BUY",
    "sold": "0",
    "sold_value": "0",
    "subject": "ALPHA-1",
    "symbol": "AAPL",
    "target_comp_id": "PLUMBLINE",
    "theirs": "227.46",
    "tick": "0.01",
    "time_in_force": "DAY",
    "tradable": True,
    "user_name": "compliance",
    "venue": "XSIM1",
    "venue_order_id": "V-4711",
    "venues": ["XSIM1", "XSIM2"],
    # What is absent of an ordinary order.
    "cancel_due_at": None,
    "applied": None,
    "applied_at": None,
    "cash_in_lieu_px": None,
    "cash_order_qty": None,
    "cash_px": None,
    "cash_px_source": None,
    "doubt_since": None,
    "expire_date": None,
    "expire_time": None,
    "gap_at": None,
    "max_floor": None,
    "min_qty": None,
    "oldest_doubt_s": None,
    "original_px": None,
    "original_qty": None,
    "peg_offset": None,
    "reset_request": None,
    "reset_requested_at": None,
    "stop_px": None,
    "triggered_at": None,
    "undelivered_since": None,
    "waiting_since": None,
    "ChildOrder.order_id": "261120-43",
    "ChildOrder.parent_id": "261120-42",
    "ChildOrder.cl_ord_id": "261120-43",
    "ChildOrder.status": "PARTIALLY_FILLED",
    "CommandState.seq": 1234,
    "CommandState.order_id": "",
    "Execution.order_id": "261120-43",
    "Figures.inbox_wait_s": "0",
    "Figures.journal_age_s": "0.012",
    "KillSwitch.reason": "runaway algorithm",
    "OrderAtRisk.status": "PARTIALLY_FILLED",
    "OrderCancelReject.text": "the order is filled",
    "Orphan.side": "BUY",
    "ReconBreak.evidence": {
        "our_trade": {"journal_seq": 1240, "last_px": "227.45"},
        "their_trade": {"line": 12, "last_px": "227.46"},
    },
    "ReconRun.source": "var/exchange/XSIM1-2026-11-20.csv",
    "ReconRun.source_sha256": _HASH,
    "ReconRun.breaks": 1,
    "ReconRun.orders_checked": 310,
    "ReconRun.trades_checked": 482,
    "Refusal.type": "OrderRefused",
    "Refusal.reason": "MAX_ORDER_QTY",
    "Refusal.text": "MAX_ORDER_QTY at ACCOUNT ALPHA-1: limit 5000, measured 6000",
    "Resent.msg_type": "8",
    "RiskLimit.value": "5000",
    "RiskLimit.reason": "annual review",
    "TimelineLine.detail": {"cl_ord_id": "A-20261120-0001", "order_qty": "300"},
    "TimelineLine.who": "ALPHA, CLIENT",
    "Verification.differences": [],
    "Verification.entries": 1234,
    "Verification.faults": [],
    "Verification.last_seq": 1234,
    "Verification.rows": {"orders": 310, "executions": 482},
}
# Answers that are no JSON document: what their first lines look like.
TEXTS: Final[Mapping[str, str]] = {
    "application/x-ndjson": (
        f'{{"date":"2026-11-20","previous_hash":"{_HASH}"}}\n'
        '{"seq":1234,"at":1795185000123456,"kind":"event","type":"OrderAccepted",'
        f'"payload":"{{...}}","hash":"{_HASH}"}}\n'
        f'{{"entries":1,"last_hash":"{_HASH}"}}\n'
    ),
    "text/event-stream": (
        "id: 1234\nevent: OrderAccepted\n"
        'data: {"seq": 1234, "at": "2026-11-20T14:30:00.123456+00:00",'
        ' "order_id": "261120-42", "fact": {"order_id": "261120-42"}}\n\n'
    ),
    "text/plain": (
        "# TYPE plumbline_api_requests_total counter\n"
        'plumbline_api_requests_total{method="GET",route="/ready",status="200"} 12.0\n'
    ),
}


def add_examples(document: dict[str, Any]) -> None:
    """Give every answer that is a success an example."""
    schemas = document["components"]["schemas"]
    for methods in document["paths"].values():
        for route in methods.values():
            for status, answer in route["responses"].items():
                if not status.startswith("2"):
                    continue
                for media_type, content in answer.get("content", {}).items():
                    content.setdefault("schema", {"type": "string"})
                    if media_type in TEXTS:
                        content["example"] = TEXTS[media_type]
                    else:
                        content["example"] = example_of(content["schema"], schemas)
                    if status == "202":
                        content["example"] |= {"state": "new", "accepted": None, "seq": None}


def example_of(schema: Schema, schemas: Schema, name: str = "", owner: str = "") -> Any:
    """A value that the schema takes; name: the field's, owner: of which schema."""
    for known in (f"{owner}.{name}", name):
        if known in _VALUES and _takes(schema, _VALUES[known]):
            return _VALUES[known]
    if "$ref" in schema:
        owner = schema["$ref"].rpartition("/")[2]
        return example_of(schemas[owner], schemas, owner=owner)
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas, name, owner)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {one: example_of(fields[one], schemas, one, owner) for one in fields}
        case "array":
            return [example_of(schema["items"], schemas, name, owner)]
        case "integer":
            return int(schema.get("minimum", 0))
        case "boolean":
            return False
        case "string":
            return {"date-time": _MOMENT, "date": "2026-11-20"}.get(schema.get("format", ""), "")
        case _:
            return {}


def _takes(schema: Schema, value: Any) -> bool:
    """Whether a value from the table is of the schema's kind."""
    if "anyOf" in schema:
        return any(_takes(one, value) for one in schema["anyOf"])
    if "$ref" in schema:
        return False
    if "enum" in schema:
        return value in schema["enum"]
    match schema.get("type"):
        case "string":
            return (
                isinstance(value, str)
                and "format" not in schema
                and re.search(schema.get("pattern", ""), value) is not None
            )
        case "integer":
            return type(value) is int
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case _:
            return True
