"""How a FIX session stands: the configuration, the journal and the clock in one record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oms.domain import schedule
from oms.domain.values import micros, utc
from oms.queries.paging import Row
from oms.settings import SessionSettings, Settings
from oms.settings.reference import schedules_of

_BLANK: dict[str, Any] = {
    "logged_on": False,
    "ready": False,
    "epoch": 0,
    "inbound": 0,
    "outbound": 0,
    "updated_at": None,
    "changed_at": None,
    "waiting": 0,
    "waiting_since": None,
    "closed_text": "",
    "closed_cause": "",
    "stopped": False,
    "stopped_by": "",
    "stop_reason": "",
    "out_of_hours": False,
    "reset_due": False,
    "reset_request": None,
    "reset_requested_by": "",
    "reset_reason": "",
    "reset_requested_at": None,
    "gap": "",
    "gap_at": None,
    "cancel_due_at": None,
    "undelivered": 0,
    "undelivered_since": None,
}

# What the record still shows as up when its core has died: nobody is there to write that it is not.
_WITHOUT_CORE: dict[str, Any] = {
    "logged_on": False,
    "ready": False,
    "changed_at": None,
    "closed_cause": "LOST",
    "closed_text": "no core leads",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One session. status: UP, RESYNCHRONISING, DOWN, STOPPED, OUT_OF_HOURS or RESETTING, or
    NOT_CONFIGURED, of kind "removed". next_change: when its schedule opens or closes it next;
    next_reset: when its numbers begin anew by schedule. The rest as the table `sessions` has it.
    """

    name: str
    kind: str
    sender_comp_id: str = ""
    target_comp_id: str = ""
    begin_string: str = ""
    status: str
    next_change: datetime | None = None
    next_reset: datetime | None = None
    row: Row


def views(
    settings: Settings, rows: list[Row], now: datetime, *, led: bool
) -> Iterator[SessionView]:
    """Every configured session, and those of clients that are not and would have been told
    something. rows: what the journal knows of them; led: whether a core leads.
    """
    known = {str(row["name"]): row for row in rows}
    plans = schedules_of(settings)
    at = micros(now)
    parties: list[tuple[str, SessionSettings]] = [
        *(("client", one) for one in settings.clients),
        *(("venue", one) for one in settings.venues),
        *(("drop copy", one) for one in settings.drop_copies),
    ]
    for kind, one in parties:
        plan = plans.get(one.name)
        # What leaves now that it is configured waits for nobody.
        row: Row = {**known.get(one.name, _BLANK), "undelivered": 0, "undelivered_since": None}
        if row["logged_on"] and not led:
            row = {**row, **_WITHOUT_CORE}
        yield SessionView(
            name=one.name,
            kind=kind,
            sender_comp_id=one.sender_comp_id,
            target_comp_id=one.target_comp_id,
            begin_string=one.begin_string,
            status=_status(kind, row),
            next_change=_moment(schedule.next_change(plan, at)) if plan else None,
            next_reset=_moment(schedule.next_reset(plan, at)) if plan else None,
            row=row,
        )
    configured = {one.name for _, one in parties}
    for name, row in known.items():
        if row["undelivered"] and name not in configured:
            # Whatever the record shows of a core that died: nobody is let in.
            gone = {**row, "logged_on": False, "ready": False}
            yield SessionView(name=name, kind="removed", status="NOT_CONFIGURED", row=gone)


def _status(kind: str, row: Row) -> str:
    if row["reset_due"]:
        return "RESETTING"
    if row["logged_on"]:
        return "UP" if kind != "venue" or row["ready"] else "RESYNCHRONISING"
    if row["stopped"]:
        return "STOPPED"
    return "OUT_OF_HOURS" if row["out_of_hours"] else "DOWN"


def _moment(at: int | None) -> datetime | None:
    return None if at is None else utc(at)
