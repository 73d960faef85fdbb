"""The kinds of writes to the read tables: for each the columns that travel, and its SQL."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Table, Text

from oms.store import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of write. body reads the rows as `new` with these columns."""

    columns: tuple["Column[Any]", ...]
    body: str


def _new(table: Table) -> Operation:
    """Rows that cannot be there yet."""
    return Operation(columns=tuple(table.columns), body=_into(table))


def _insert(table: Table) -> Operation:
    """Rows that are written once; the first one of a key stays."""
    return Operation(columns=tuple(table.columns), body=f"{_into(table)} ON CONFLICT DO NOTHING")


def _upsert(table: Table) -> Operation:
    """Rows that may be there already."""
    keys = [column.name for column in table.primary_key]
    changing = [one.name for one in table.columns if one.name not in keys]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in changing)
    target = ", ".join(keys)
    return Operation(
        columns=tuple(table.columns),
        body=f"{_into(table)} ON CONFLICT ({target}) DO UPDATE SET {changes}",
    )


def _update(table: Table, *, fixed: frozenset[str]) -> Operation:
    """Rows that are there: all but their key and the columns in `fixed`, which never change."""
    keys = table.primary_key.columns.keys()
    columns = [one for one in table.columns if one.name in keys or one.name not in fixed]
    changes = ", ".join(
        f'"{one.name}" = new."{one.name}"' for one in columns if one.name not in keys
    )
    matches = " AND ".join(f"old.{name} = new.{name}" for name in keys)
    return Operation(
        columns=tuple(columns),
        body=f"UPDATE {table.name} AS old SET {changes} FROM {{new}} WHERE {matches}",  # noqa: S608
    )


def _delete(table: Table) -> Operation:
    matches = " AND ".join(f"old.{one.name} = new.{one.name}" for one in table.primary_key)
    return Operation(
        columns=tuple(table.primary_key.columns),
        body=f"DELETE FROM {table.name} AS old USING {{new}} WHERE {matches}",  # noqa: S608
    )


def _into(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {{new}}"  # noqa: S608


def _nullable(column: "Column[Any]") -> "Column[Any]":
    return Column(column.name, column.type, nullable=True)


_NEVER = "client venue parent_id account symbol side ord_type time_in_force trade_date"
ORDER_FIXED: Final = frozenset([*_NEVER.split(), "created_at"])
_EXECUTIONS = tables.executions.c

TRADE_CHANGES: Final = Operation(
    columns=(
        _EXECUTIONS.venue,
        _EXECUTIONS.exec_id,
        _EXECUTIONS.order_id,
        _nullable(_EXECUTIONS.last_qty),
        _nullable(_EXECUTIONS.last_px),
        _EXECUTIONS.busted,
        _nullable(_EXECUTIONS.latest_exec_id),
        _EXECUTIONS.changed_at,
        Column("renamed", Text, nullable=True),
    ),
    body="""
        UPDATE executions AS old SET
            original_qty = CASE WHEN new.last_qty IS NULL THEN old.original_qty
                           ELSE coalesce(old.original_qty, old.last_qty) END,
            original_px = CASE WHEN new.last_px IS NULL THEN old.original_px
                          ELSE coalesce(old.original_px, old.last_px) END,
            last_qty = coalesce(new.last_qty, old.last_qty),
            last_px = coalesce(new.last_px, old.last_px),
            busted = old.busted OR new.busted,
            latest_exec_id = coalesce(new.latest_exec_id, old.latest_exec_id),
            changed_at = coalesce(new.changed_at, old.changed_at),
            exec_id = coalesce(new.renamed, old.exec_id),
            told_by = CASE WHEN new.renamed IS NULL THEN old.told_by ELSE '' END
        FROM {new}
        WHERE (old.venue, old.exec_id, old.order_id) = (new.venue, new.exec_id, new.order_id)
    """,
)

_INBOX = tables.command_inbox.c

ANSWERS: Final = Operation(
    columns=(
        _INBOX.id,
        _INBOX.first_seq,
        _INBOX.accepted,
        _INBOX.reason,
        _INBOX.order_id,
        _INBOX.answer_text,
        _INBOX.answered_at,
    ),
    body="""
        UPDATE command_inbox AS old SET
            state = 'done', first_seq = new.first_seq, accepted = new.accepted,
            reason = new.reason, order_id = new.order_id, answer_text = new.answer_text,
            answered_at = new.answered_at
        FROM {new} WHERE old.id = new.id
    """,
)

# What was read of a session stays read, unless its numbers started again.
_SESSIONS: Final = Operation(
    columns=tuple(tables.sessions.columns),
    body=_upsert(tables.sessions).body.replace(
        '= excluded."inbound"',
        "= CASE WHEN excluded.epoch = sessions.epoch"
        " THEN greatest(excluded.inbound, sessions.inbound) ELSE excluded.inbound END",
    ),
)

OPERATIONS: Final[dict[str, Operation]] = {
    "orders": _new(tables.orders),
    "order_changes": _update(tables.orders, fixed=ORDER_FIXED),
    "child_orders": _new(tables.child_orders),
    "child_order_changes": _update(tables.child_orders, fixed=ORDER_FIXED),
    "order_cl_ord_ids": _insert(tables.order_cl_ord_ids),
    "order_conditions": _upsert(tables.order_conditions),
    "executions": _insert(tables.executions),
    "trade_changes": TRADE_CHANGES,
    "positions": _upsert(tables.positions),
    "sent_notes": _new(tables.sent_notes),
    "sent_orders": _new(tables.sent_orders),
    "sessions": _SESSIONS,
    "risk_limits": _upsert(tables.risk_limits),
    "removed_limits": _delete(tables.risk_limits),
    "kill_switches": _upsert(tables.kill_switches),
    "released_switches": _delete(tables.kill_switches),
    "orphans": _upsert(tables.orphans),
    "discrepancies": _insert(tables.discrepancies),
    "disputes": _upsert(tables.disputes),
    "corporate_actions": _upsert(tables.corporate_actions),
    "order_lists": _upsert(tables.order_lists),
    "list_orders": _upsert(tables.list_orders),
    "refusals": _insert(tables.refusals),
    "disconnect_cancels": _insert(tables.disconnect_cancels),
    "answers": ANSWERS,
}
