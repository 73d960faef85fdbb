"""`schedule` of a client or venue: when its FIX session is open, in local times."""

from datetime import date
from enum import IntEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from oms.domain.schedule import Schedule
from oms.settings.calendars import holidays_of
from oms.settings.values import Calendar, Date, LocalTime, Section, TimeZone


class Weekday(IntEnum):
    """As `date.weekday` counts."""

    MON = 0
    TUE = 1
    WED = 2
    THU = 3
    FRI = 4
    SAT = 5
    SUN = 6


def _weekday(value: Any) -> Any:
    if isinstance(value, Weekday):
        return value
    found = Weekday.__members__.get(value.upper()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"must be one of {', '.join(Weekday.__members__)}")
    return found


WeekdayName = Annotated[Weekday, BeforeValidator(_weekday)]
Weekdays = Annotated[tuple[WeekdayName, ...], Field(min_length=1)]


class ScheduleSettings(Section):
    """Daily with `days`, on which intervals begin, or weekly with `start_day` and `end_day`.

    An end that is not after the start is on the next day (daily; equal: 24 hours) or in the next
    week. reset: when the sequence numbers begin anew, on `reset_days` (where absent, on the days
    on which intervals begin); absent: never. holidays: local dates on which there is no session;
    calendar: and those of an exchange, as far ahead as its calendar knows.
    """

    time_zone: TimeZone
    start: LocalTime
    end: LocalTime
    days: Weekdays | None = None
    start_day: WeekdayName | None = None
    end_day: WeekdayName | None = None
    reset: LocalTime | None = None
    reset_days: Weekdays | None = None
    holidays: tuple[Date, ...] = ()
    calendar: Calendar | None = None

    @model_validator(mode="after")
    def _daily_or_weekly(self) -> Self:
        weekly = self.start_day is not None and self.end_day is not None
        half = (self.start_day is None) != (self.end_day is None)
        if half or weekly == (self.days is not None):
            raise ValueError("must hold either days, or start_day and end_day")
        if self.reset_days is not None and self.reset is None:
            raise ValueError("must hold reset where it holds reset_days")
        return self

    def compiled(self) -> Schedule:
        """As the rest of the server knows it."""
        days = self.days if self.start_day is None else (self.start_day,)
        begin = frozenset(int(one) for one in days or ())
        on_days = begin if self.reset_days is None else frozenset(int(d) for d in self.reset_days)
        return Schedule(
            time_zone=ZoneInfo(self.time_zone),
            start=self.start,
            end=self.end,
            days=begin,
            end_day=None if self.end_day is None else int(self.end_day),
            reset=self.reset,
            reset_days=on_days if self.reset is not None else frozenset(),
            closed=self._closed(),
        )

    def _closed(self) -> frozenset[date]:
        told = frozenset(self.holidays)
        return told | holidays_of(self.calendar) if self.calendar else told
