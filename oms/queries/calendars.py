"""The trading dates of the firm and of venues, as the jobs have loaded them from calendars."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, select

from oms.store.tables import trading_calendar

FIRM: Final = "*"
"""Where the trading day's own calendar stands; no venue can be called so."""
_AROUND: Final = timedelta(days=14)


def sessions_of(connection: Connection, venue: str, first: date, last: date) -> list[date]:
    """The session dates from first to last, in order."""
    column = trading_calendar.c
    query = (
        select(column.session_date)
        .where(column.venue == venue, column.session_date.between(first, last))
        .order_by(column.session_date)
    )
    return list(connection.execute(query).scalars())


def next_session(connection: Connection, venue: str, day: date) -> date | None:
    """The first session on or after that day, None where none is loaded."""
    column = trading_calendar.c
    query = (
        select(column.session_date)
        .where(column.venue == venue, column.session_date >= day)
        .order_by(column.session_date)
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def sessions_around(connection: Connection, day: date) -> tuple[str, ...]:
    """The firm's trading dates near that day, ISO; none where the calendar does not reach so far on
    both sides of it, so that a date which it lacks is none.
    """
    first = day - min(_AROUND, day - date.min)
    last = day + min(_AROUND, date.max - day)
    found = sessions_of(connection, FIRM, first, last)
    if not found or not found[0] <= day <= found[-1]:
        return ()
    return tuple(one.isoformat() for one in found)
