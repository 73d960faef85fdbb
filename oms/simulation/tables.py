"""The read tables in memory: rows by table and key, written as the journal's statement would."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from oms.store import tables
from oms.store.operations import OPERATIONS
from oms.store.rows import Row

Key = tuple[Any, ...]
Fields = dict[str, Any]

# Operations whose table is not named as they are.
_TABLE_OF: Final = {
    "order_changes": "orders",
    "child_order_changes": "child_orders",
    "trade_changes": "executions",
    "removed_limits": "risk_limits",
    "released_switches": "kill_switches",
}
_REMOVING: Final = frozenset({"removed_limits", "released_switches"})
_FIRST_STAYS: Final = frozenset(
    {
        "order_cl_ord_ids",
        "executions",
        "discrepancies",
        "refusals",
        "disconnect_cancels",
    }
)
_KEYS: Final = {
    one.name: tuple(column.name for column in one.primary_key)
    for one in tables.metadata.tables.values()
}
_COLUMNS: Final = {
    name: tuple(column.name for column in one.columns) for name, one in OPERATIONS.items()
}
_KEY_AT: Final = {
    name: tuple(columns.index(one) for one in _KEYS[_TABLE_OF.get(name, name)])
    for name, columns in _COLUMNS.items()
    if name != "answers"
}


class Tables:
    """See the module."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Key, Fields]] = {}

    def write(self, batch: Mapping[str, Sequence[Row]]) -> None:
        """The rows of one batch, by operation."""
        for operation, rows in batch.items():
            if operation == "answers":
                continue
            name = _TABLE_OF.get(operation, operation)
            table = self.rows.setdefault(name, {})
            columns, key_at = _COLUMNS[operation], _KEY_AT[operation]
            for row in rows:
                fields = dict(zip(columns, row, strict=True))
                self._write(operation, table, tuple([row[at] for at in key_at]), fields)

    def _write(self, operation: str, table: dict[Key, Fields], key: Key, fields: Fields) -> None:
        if operation in _REMOVING:
            table.pop(key, None)
        elif operation in _FIRST_STAYS:
            table.setdefault(key, fields)
        elif operation == "trade_changes":
            trade = _change_trade(table.pop(key), fields)
            table[tuple(trade[one] for one in _KEYS["executions"])] = trade
        elif operation == "sessions" and key in table:
            before = table[key]
            if before["epoch"] == fields["epoch"]:
                fields["inbound"] = max(fields["inbound"], before["inbound"])
            table[key] = fields
        elif operation.endswith("_changes"):
            table[key] |= fields
        else:
            table[key] = fields


def _change_trade(trade: Fields, new: Fields) -> Fields:
    """As TRADE_CHANGES of oms.store.operations says it."""
    for name, original in (("last_qty", "original_qty"), ("last_px", "original_px")):
        if new[name] is not None:
            if trade[original] is None:
                trade[original] = trade[name]
            trade[name] = new[name]
    trade["busted"] = trade["busted"] or new["busted"]
    for name in ("latest_exec_id", "changed_at"):
        trade[name] = trade[name] if new[name] is None else new[name]
    if new["renamed"] is not None:
        trade["exec_id"], trade["told_by"] = new["renamed"], ""
    return trade
