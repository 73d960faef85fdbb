"""`oms session ...`: how sessions stand, and what operators do with them."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
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
from oms.app.session_schedules import configured
from oms.domain.fix import Side
from oms.domain.session_commands import (
    ApproveSessionReset,
    ReloadSessions,
    RequestSessionReset,
    StartSession,
    StopSession,
)
from oms.domain.values import decimal_text
from oms.queries import sessions as queries
from oms.queries.health import is_led
from oms.queries.paging import Row
from oms.queries.session_views import SessionView, views
from oms.settings.model import Settings

# A message's fields are shown in one line each.
_SOH = "\x01"
_RESEND_LIMIT = 5_000


def show_all(settings: Settings, *, as_json: bool) -> None:
    """Print every configured session. Raises Stop."""
    now = datetime.now(UTC)
    with open_record(settings) as engine, engine.begin() as connection:
        found = _views(settings, connection, now)
    if as_json:
        for view in found:
            print_json(_document(view))
        return
    table = Table("Session", "Kind", "State", "In", "Out", "Waiting", "Next reset", "Last gap")
    for view in found:
        row = view.row
        numbers = (str(row["inbound"]), str(row["outbound"]))
        waiting = _waiting(view, now)
        reset = _in_words(view.next_reset, now)
        told = (waiting, reset, _gap(view))
        table.add_row(view.name, view.kind, state_of(view, now), *numbers, *told)
    console().print(table)


def show_one(settings: Settings, name: str, *, as_json: bool) -> None:
    """Print all that is known of a session. Raises Stop."""
    now = datetime.now(UTC)
    with open_record(settings) as engine, engine.begin() as connection:
        at_risk = queries.orders_at_risk(connection, name)
        found = {one.name: one for one in _views(settings, connection, now)}
    if name not in found:
        configured(settings, name)
    view = found[name]
    if as_json:
        print_json(_document(view) | {"open_orders": [asdict(one) for one in at_risk]})
        return
    row = view.row
    out = console()
    out.print(f"{name}: {view.kind}", end="")
    if view.begin_string:
        ids = f"{view.sender_comp_id} and {view.target_comp_id}"
        out.print(f", {view.begin_string}, {ids}", end="")
    out.print()
    for label, text in (
        ("state", state_of(view, now)),
        ("last message received", f"{row['inbound']} in epoch {row['epoch']}"),
        ("last application message sent", str(row["outbound"])),
        ("waiting for it to come up", _waiting(view, now) or "nothing"),
        ("opens or closes next", _in_words(view.next_change, now)),
        ("next scheduled reset", _in_words(view.next_reset, now)),
        ("last gap", _gap(view) or "none"),
        ("reset", _request(view)),
        ("open orders are cancelled", _in_words(row["cancel_due_at"], now)),
    ):
        out.print(f"  {label + ':':31}{text}")
    _print_at_risk(at_risk)


def stop(settings: Settings, name: str, reason: str) -> None:
    """Keep a session logged out. Raises Stop."""
    command = StopSession(origin=operator(), session=name, reason=checked_reason(reason))
    carry_out(settings, command)


def start(settings: Settings, name: str, reason: str) -> None:
    """Undo `stop`. Raises Stop."""
    command = StartSession(origin=operator(), session=name, reason=checked_reason(reason))
    carry_out(settings, command)


def reload(settings: Settings, reason: str, *, dry_run: bool, force: bool) -> None:
    """Have the core take over the sessions of its configuration file. Raises Stop."""
    command = ReloadSessions(
        origin=operator(), reason=checked_reason(reason), dry_run=dry_run, force=force
    )
    carry_out(settings, command)


def request_reset(settings: Settings, name: str, reason: str, *, sure: bool) -> None:
    """Show what is at risk, and ask for a reset. Raises Stop."""
    checked = checked_reason(reason)
    _look_first(settings, name, f"Ask for a reset of {name}?", sure=sure)
    carry_out(settings, RequestSessionReset(origin=operator(), session=name, reason=checked))


def approve_reset(settings: Settings, name: str, request: int, reason: str, *, sure: bool) -> None:
    """Show what is at risk, and approve a reset. Raises Stop."""
    checked = checked_reason(reason)
    _look_first(settings, name, f"Approve the reset of {name}?", sure=sure)
    command = ApproveSessionReset(origin=operator(), session=name, request=request, reason=checked)
    carry_out(settings, command)


def show_resend(
    settings: Settings, name: str, begin: int, end: int, *, dry_run: bool, as_json: bool
) -> None:
    """Print what a ResendRequest would be answered with. Raises Stop."""
    if not dry_run:
        text = "--dry-run: must be given; messages are sent again when the counterparty asks"
        raise Stop(Exit.USAGE, text)
    configured(settings, name)
    with open_record(settings) as engine, engine.begin() as connection:
        found = queries.resend_preview(connection, name, begin, end, limit=_RESEND_LIMIT)
    if as_json:
        _print_lines(asdict(one) for one in found)
        return
    table = Table("MsgSeqNum", "What", "Order", "Sent at (UTC)", "Text")
    for one in found:
        if one.at is None:
            numbers = f"{one.begin_seq_no} to {one.end_seq_no}"
            table.add_row(numbers, "gap fill: session messages", "", "", "")
        else:
            text = one.text.replace(_SOH, "|")
            what = f"{one.msg_type} with PossDupFlag"
            at = f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
            table.add_row(str(one.begin_seq_no), what, one.order_id, at, text)
    console().print(table if found else "Nothing: no message of that range was sent.")


def show_disconnects(settings: Settings, name: str, *, as_json: bool) -> None:
    """Print what cancel-on-disconnect did. Raises Stop."""
    configured(settings, name)
    with open_record(settings) as engine, engine.begin() as connection:
        rows = queries.disconnect_report(connection, name)
    if as_json:
        _print_lines(rows)
        return
    table = Table("Lost (UTC)", "Order", "ClOrdID", "Our cancel", "Outcome", "Traded", "Open")
    for row in rows:
        lost = utc_text(row["lost_at"])
        asked = "asked" if row["asked"] else "was pending"
        quantities = (_amount(row["cum_qty"]), _amount(row["leaves_qty"]))
        ids = (row["order_id"], row["cl_ord_id"])
        table.add_row(lost, *ids, asked, row["outcome"], *quantities)
    console().print(table if rows else f"No open order of {name} has met a lost session.")


def _views(settings: Settings, connection: Connection, now: datetime) -> list[SessionView]:
    led = is_led(connection, settings.core.shard)
    return list(views(settings, queries.list_sessions(connection), now, led=led))


def _look_first(settings: Settings, name: str, question: str, *, sure: bool) -> None:
    configured(settings, name)
    with open_record(settings) as engine, engine.begin() as connection:
        _print_at_risk(_at_risk(connection, name))
    if not sure and not typer.confirm(question):
        raise Stop(Exit.FAILED, "nothing was done")


def _at_risk(connection: Connection, name: str) -> list[queries.OrderAtRisk]:
    return queries.orders_at_risk(connection, name)


def _print_at_risk(orders: list[queries.OrderAtRisk]) -> None:
    if not orders:
        console().print("No open order goes by this session.")
        return
    table = Table("Order", "ClOrdID", "Account", "Side", "Symbol", "Qty", "Open", "Status")
    for one in orders:
        status = f"{one.status} (in doubt)" if one.in_doubt else one.status
        quantities = (_amount(one.order_qty), _amount(one.leaves_qty))
        side = Side(one.side).name
        table.add_row(
            one.order_id, one.cl_ord_id, one.account, side, one.symbol, *quantities, status
        )
    table.title = f"{len(orders)} open orders at risk"
    console().print(table)


def _amount(value: Any) -> str:
    return "" if value is None else decimal_text(value)


def state_of(view: SessionView, now: datetime) -> str:
    """How it stands and for how long, who stopped it and why, or how it was lost."""
    row = view.row
    text = view.status.replace("_", " ").lower()
    if row["changed_at"] is not None:
        text += f" for {_age(row['changed_at'], now)}"
    if row["stopped"]:
        text += f", stopped by {row['stopped_by'] or 'nobody'}: {row['stop_reason']}"
    elif row["closed_cause"]:
        text += f": {row['closed_text']}"
    return text


def _waiting(view: SessionView, now: datetime) -> str:
    row = view.row
    since = row["waiting_since"] or row["undelivered_since"]
    count = row["waiting"] + row["undelivered"]
    return f"{count} messages, the first for {_age(since, now)}" if since else ""


def _gap(view: SessionView) -> str:
    row = view.row
    return f"{utc_text(row['gap_at'])} {row['gap']}" if row["gap"] else ""


def _request(view: SessionView) -> str:
    row = view.row
    if not row["reset_request"]:
        return "under way" if row["reset_due"] else "none asked for"
    return f"request {row['reset_request']} by {row['reset_requested_by']}: {row['reset_reason']}"


def _age(moment: datetime, now: datetime) -> str:
    return str(max(now - moment, now - now)).partition(".")[0]


def _in_words(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    at = f"{utc_text(moment)} UTC"
    return f"in {str(moment - now).partition('.')[0]} ({at})" if moment > now else at


def _document(view: SessionView) -> dict[str, Any]:
    told = {one.name: getattr(view, one.name) for one in fields(view)}
    row = told.pop("row")
    return {**told, **_plain(row)}


def _plain(row: Row) -> dict[str, Any]:
    """With keys that are nothing but texts."""
    return {str(key): value for key, value in row.items() if key != "name"}


def _print_lines(documents: Iterable[Row]) -> None:
    for document in documents:
        print_json(_plain(document))
