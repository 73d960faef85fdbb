"""`oms session schedule`: what a session's schedule comes to on the next days."""

import json
from datetime import UTC, date, datetime, timedelta, tzinfo

from rich.table import Table

from oms.app.exits import Exit, Stop
from oms.app.operate import console
from oms.domain.schedule import Schedule, intervals, resets
from oms.domain.values import utc
from oms.settings.model import SessionSettings, Settings

_MOMENT = "%a %Y-%m-%d %H:%M:%S"


def show(settings: Settings, name: str, days: int, *, as_json: bool) -> None:
    """Print the intervals and resets of the local dates from today on. Raises Stop."""
    schedule = schedule_of(configured(settings, name))
    if schedule is None:
        none: dict[str, list[str]] = {"holidays": [], "intervals": [], "resets": []}
        told = json.dumps({"name": name, "time_zone": None} | none)
        console().out(told if as_json else f"{name} has no schedule: it is always open.")
        return
    today = datetime.now(UTC).astimezone(schedule.time_zone).date()
    last = today + timedelta(days=days - 1)
    if as_json:
        console().out(json.dumps({"name": name} | document(schedule, today, last)))
    else:
        _print_table(name, schedule, today, last)


def configured(settings: Settings, name: str) -> SessionSettings:
    """The client, venue or drop copy of that name. Raises Stop."""
    sessions: list[SessionSettings] = [*settings.clients, *settings.venues]
    sessions += settings.drop_copies
    for one in sessions:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in sessions)
    raise Stop(Exit.CONFIG, f"session = {name}: must be one of {known}")


def schedule_of(session: SessionSettings) -> Schedule | None:
    """Its schedule, None of one that is always open."""
    return session.schedule.compiled() if session.schedule else None


def document(schedule: Schedule, first: date, last: date) -> dict[str, object]:
    """Intervals and resets of these local dates, each moment in UTC (ISO 8601)."""
    return {
        "time_zone": str(schedule.time_zone),
        "holidays": [one.isoformat() for one in _holidays(schedule, first, last)],
        "intervals": [
            {"start": utc(one.start).isoformat(), "end": utc(one.end).isoformat()}
            for one in intervals(schedule, first, last)
        ],
        "resets": [utc(moment).isoformat() for moment in resets(schedule, first, last)],
    }


def _holidays(schedule: Schedule, first: date, last: date) -> list[date]:
    return sorted(one for one in schedule.closed if first <= one <= last)


def _print_table(name: str, schedule: Schedule, first: date, last: date) -> None:
    zone = schedule.time_zone
    table = Table("What", "UTC", str(zone), title=f"{name}, {first} to {last}")
    rows = [(one, "reset") for one in resets(schedule, first, last)]
    for one in intervals(schedule, first, last):
        rows += [(one.start, "opens"), (one.end, "closes")]
    order = {"closes": 0, "reset": 1, "opens": 2}
    for moment, what in sorted(rows, key=lambda row: (row[0], order[row[1]])):
        table.add_row(what, f"{utc(moment):{_MOMENT}}", _local(moment, zone))
    console().print(table)
    for day in _holidays(schedule, first, last):
        console().print(f"{day:%a %Y-%m-%d} is a holiday.")


def _local(moment: int, zone: tzinfo) -> str:
    return f"{utc(moment).astimezone(zone):{_MOMENT} %Z}"
