"""Splits from a shell: previewed, looked at, applied."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import typer
from rich.table import Table
from sqlalchemy import Connection

from oms.app.exits import Exit, Stop
from oms.app.operate import (
    carry_out,
    checked_reason,
    console,
    open_record,
    operator,
    print_json,
    utc_text,
)
from oms.domain.splits import (
    MOST_SHARES,
    ApplyCorporateAction,
    CorporateActionPreviewed,
    OrderChange,
    PreviewCorporateAction,
)
from oms.domain.values import ValueRefused, decimal_text, parse_decimal
from oms.queries.calendars import sessions_around
from oms.queries.corporate_actions import find_action, list_actions, preview_of
from oms.queries.paging import Window
from oms.settings.model import Settings

_RATIO = re.compile(r"([0-9]{1,6}):([0-9]{1,6})", re.ASCII)
_MOST_SHOWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A split as it was typed."""

    action_id: str
    symbol: str
    ratio: str
    effective: str
    cash_in_lieu: str
    reason: str


def show_all(settings: Settings, *, as_json: bool) -> None:
    """Print every action. Raises Stop."""
    with open_record(settings) as engine, engine.begin() as connection:
        rows = list_actions(connection, window=Window(limit=_MOST_SHOWN)).rows
    if as_json:
        for row in rows:
            print_json(row)
        return
    table = Table(
        "Action", "Symbol", "New:old", "Effective", "Preview", "By", "Applied (UTC)", "By"
    )
    for row in rows:
        ratio = f"{row['new_shares']}:{row['old_shares']}"
        applied = utc_text(row["applied_at"]) if row["applied"] else "no"
        asked = (str(row["preview"]), row["requested_by"])
        told = (str(row["effective_date"]), *asked, applied, row["approved_by"])
        table.add_row(row["action_id"], row["symbol"], ratio, *told)
    console().print(table if rows else "No split was previewed.")


def show_one(settings: Settings, action_id: str, *, as_json: bool) -> None:
    """Print an action and its latest preview. Raises Stop."""
    with open_record(settings) as engine, engine.begin() as connection:
        row, shown = _found(connection, action_id)
    if as_json:
        print_json(dict(row) | {"shown": shown})
    else:
        _print(row, shown)


def preview(settings: Settings, wanted: Wanted) -> None:
    """Have the split previewed, and print what it would change. Raises Stop."""
    command = _command(wanted)
    with open_record(settings) as engine, engine.begin() as connection:
        sessions = sessions_around(connection, date.fromisoformat(command.effective_date))
    carry_out(settings, replace(command, sessions=sessions))
    show_one(settings, wanted.action_id, as_json=False)


def apply(settings: Settings, action_id: str, number: int, reason: str, *, sure: bool) -> None:
    """Print the preview of that number, and let it take effect. Raises Stop."""
    checked = checked_reason(reason)
    with open_record(settings) as engine, engine.begin() as connection:
        row, shown = _found(connection, action_id)
        sessions = sessions_around(connection, row["effective_date"])
    if row["preview"] != number:
        text = f"preview = {number}: must be the latest one ({row['preview']})"
        raise Stop(Exit.FAILED, text)
    _print(row, shown)
    if not sure and not typer.confirm(f"Apply {action_id}?"):
        raise Stop(Exit.FAILED, "nothing was done")
    carry_out(
        settings,
        ApplyCorporateAction(
            origin=operator(),
            action_id=action_id,
            preview=number,
            reason=checked,
            sessions=sessions,
        ),
    )


def _command(wanted: Wanted) -> PreviewCorporateAction:
    found = _RATIO.fullmatch(wanted.ratio)
    if found is None:
        text = f"ratio = {wanted.ratio}: must be new:old, both from 1 to {MOST_SHARES}, as 2:1"
        raise Stop(Exit.USAGE, text)
    return PreviewCorporateAction(
        origin=operator(),
        action_id=wanted.action_id,
        symbol=wanted.symbol,
        new_shares=int(found[1]),
        old_shares=int(found[2]),
        effective_date=_date(wanted.effective),
        reason=checked_reason(wanted.reason),
        cash_in_lieu_px=_price(wanted.cash_in_lieu),
    )


def _date(text: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise Stop(Exit.USAGE, f"effective = {text}: must be a date as YYYY-MM-DD")


def _price(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        return parse_decimal(text)
    except ValueRefused as refused:
        raise Stop(Exit.USAGE, f"cash-in-lieu = {text}: {refused.rule}") from None


def _found(
    connection: Connection, action_id: str
) -> tuple[Mapping[str, Any], CorporateActionPreviewed]:
    row = find_action(connection, action_id)
    if row is None:
        raise Stop(Exit.FAILED, f"action_id = {action_id}: no such action was previewed")
    return row, preview_of(connection, row["preview"])


def _print(row: Mapping[str, Any], shown: CorporateActionPreviewed) -> None:
    out, split = console(), shown.split
    applied = f"applied by {row['approved_by']} as {row['applied']}" if row["applied"] else "open"
    out.print(
        f"{split.action_id}: {split.old_shares} {split.symbol} become {split.new_shares} on"
        f" {split.effective_date}; preview {row['preview']} by {shown.user}; {applied}"
    )
    if shown.orders:
        table = Table("Order", "Of", "ClOrdID", "Quantity", "Traded", "Price", "Stop")
        for one in shown.orders:
            table.add_row(one.order_id, one.counterparty, one.cl_ord_id, *_figures(one))
        out.print(table)
    if shown.positions:
        table = Table("Account", "Position", "Average price", "Paid out", "At")
        for held in shown.positions:
            quantity = _turned(held.quantity_before, held.quantity)
            price = _turned(held.avg_px_before, held.avg_px)
            paid = decimal_text(held.cash_qty) if held.cash_qty else ""
            table.add_row(held.account, quantity, price, paid, _text(held.cash_px))
        out.print(table)
    for fault in shown.faults:
        out.print(f"cannot be applied now: {fault}", markup=False)


def _figures(change: OrderChange) -> tuple[str, ...]:
    before, after = change.before, change.after
    return (
        _turned(before.order_qty, after.order_qty),
        _turned(before.cum_qty, after.cum_qty),
        _turned(before.price, after.price),
        _turned(before.stop_px, after.stop_px),
    )


def _turned(before: Decimal | None, after: Decimal | None) -> str:
    return f"{_text(before)} -> {_text(after)}" if before is not None else ""


def _text(value: Decimal | None) -> str:
    return "" if value is None else decimal_text(value)
