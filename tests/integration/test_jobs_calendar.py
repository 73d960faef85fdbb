"""Calendars in the database: real sessions with their hours in UTC, and changes followed."""

from datetime import UTC, date, datetime

from sqlalchemy import Connection, insert, select

from oms.jobs.calendars import load_calendars
from oms.jobs.once import jobs_engine
from oms.queries.calendars import FIRM, next_session, sessions_of
from oms.settings.load import load
from oms.settings.model import Settings
from oms.store.postgres_urls import APP_ROLE, role_url
from oms.store.tables import trading_calendar
from tests.support.api import EXAMPLE

TODAY = date(2026, 11, 20)


def settings_with(calendar: str) -> Settings:
    """The example's configuration with that calendar for the firm and New York's for XSIM1."""
    settings = load(EXAMPLE)
    venues = tuple(
        one.model_copy(update={"calendar": "XNYS"}) if one.name == "XSIM1" else one
        for one in settings.venues
    )
    day = settings.trading_day.model_copy(update={"calendar": calendar})
    return settings.model_copy(update={"trading_day": day, "venues": venues})


def hours(connection: Connection, venue: str, day: date) -> tuple[datetime, datetime]:
    column = trading_calendar.c
    query = select(column.opens_at, column.closes_at).where(
        column.venue == venue, column.session_date == day
    )
    opens, closes = connection.execute(query).one()
    return opens, closes


def test_sessions_holidays_short_days_and_summer_time(database_url: str) -> None:
    engine = jobs_engine(role_url(database_url, APP_ROLE))
    with engine.begin() as connection:
        load_calendars(connection, settings_with("XLON"), TODAY)
        week = sessions_of(connection, "XSIM1", date(2026, 11, 23), date(2026, 11, 29))
        assert [day.day for day in week] == [23, 24, 25, 27]  # Thanksgiving is no session
        short = hours(connection, "XSIM1", date(2026, 11, 27))
        assert short == (
            datetime(2026, 11, 27, 14, 30, tzinfo=UTC),
            datetime(2026, 11, 27, 18, 0, tzinfo=UTC),
        )
        summer = hours(connection, "XSIM1", date(2027, 7, 1))
        assert summer == (
            datetime(2027, 7, 1, 13, 30, tzinfo=UTC),
            datetime(2027, 7, 1, 20, 0, tzinfo=UTC),
        )
        assert next_session(connection, FIRM, date(2026, 11, 21)) == date(2026, 11, 23)
        everyday = sessions_of(connection, "XSIM2", date(2026, 11, 21), date(2026, 11, 22))
        assert len(everyday) == 2


def test_a_day_that_is_no_session_any_more_goes(database_url: str) -> None:
    engine = jobs_engine(role_url(database_url, APP_ROLE))
    settings = settings_with("XLON")
    sunday = date(2026, 11, 22)
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with engine.begin() as connection:
        row = {"venue": FIRM, "session_date": sunday, "opens_at": noon, "closes_at": noon}
        connection.execute(insert(trading_calendar).values(row))
    for _ in range(2):
        with engine.begin() as connection:
            load_calendars(connection, settings, TODAY)
            assert next_session(connection, FIRM, sunday) == date(2026, 11, 23)
