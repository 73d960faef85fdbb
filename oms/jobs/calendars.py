"""The exchanges' sessions, loaded into trading_calendar: a year ahead and what lies behind a month.

The trading day's own calendar stands there as venue `FIRM`; no venue can be called so.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert

from oms.queries.calendars import FIRM
from oms.settings.model import Settings
from oms.store.tables import trading_calendar

_BEHIND: Final = timedelta(days=31)


def load_calendars(connection: Connection, settings: Settings, today: date) -> None:
    """Bring the table up to what the installed calendars say; days that are none any more go."""
    wanted = {FIRM: settings.trading_day.calendar}
    wanted |= {venue.name: venue.calendar for venue in settings.venues}
    sessions = {code: list(_sessions(code, today)) for code in set(wanted.values())}
    column = trading_calendar.c
    for venue, code in wanted.items():
        rows = [{"venue": venue, **one} for one in sessions[code]]
        if not rows:
            raise ValueError(f"calendar {code}: has no session from {today} on")
        kept = [row["session_date"] for row in rows]
        connection.execute(
            delete(trading_calendar).where(
                column.venue == venue,
                column.session_date >= kept[0],
                column.session_date.not_in(kept),
            )
        )
        statement = insert(trading_calendar)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[column.venue, column.session_date],
                set_={
                    "opens_at": statement.excluded.opens_at,
                    "closes_at": statement.excluded.closes_at,
                },
            ),
            rows,
        )


def _sessions(code: str, today: date) -> Iterator[dict[str, Any]]:
    import exchange_calendars  # noqa: PLC0415 -- brings pandas: half a second, and only for this

    first = today - _BEHIND
    calendar = exchange_calendars.get_calendar(code, start=first - timedelta(days=7))
    for session in calendar.sessions:
        day = session.date()
        if day < first:
            continue
        yield {
            "session_date": day,
            "opens_at": calendar.session_open(session).to_pydatetime(),
            "closes_at": calendar.session_close(session).to_pydatetime(),
        }
