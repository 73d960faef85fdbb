from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.schedule import (
    Schedule,
    intervals,
    is_open,
    last_reset,
    next_change,
    next_reset,
    resets,
    to_utc,
)
from oms.domain.values import micros, utc

ZONES = (
    "America/New_York",
    "Europe/London",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Lord_Howe",  # its clocks change by half an hour
    "Africa/Casablanca",  # its clocks change around Ramadan, backwards first
    "UTC",
)
WEEKDAYS = frozenset(range(5))
HOUR = 3_600_000_000
MINUTE = HOUR // 60


def daily(zone: str, start: str, end: str, **more: object) -> Schedule:
    given_days = {"days": WEEKDAYS} | more
    return Schedule(
        time_zone=ZoneInfo(zone),
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        **given_days,  # type: ignore[arg-type]
    )


def shown(schedule: Schedule, first: str, last: str) -> list[str]:
    found = intervals(schedule, date.fromisoformat(first), date.fromisoformat(last))
    return [f"{utc(one.start):%a %d %H:%M}-{utc(one.end):%a %d %H:%M}" for one in found]


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_new_york_in_spring_and_autumn() -> None:
    schedule = daily("America/New_York", "09:30", "16:00")
    assert shown(schedule, "2026-03-06", "2026-03-09") == [
        "Fri 06 14:30-Fri 06 21:00",
        "Mon 09 13:30-Mon 09 20:00",
    ]
    assert shown(schedule, "2026-10-30", "2026-11-02") == [
        "Fri 30 13:30-Fri 30 20:00",
        "Mon 02 14:30-Mon 02 21:00",
    ]


def test_sydney_changes_the_other_way_round() -> None:
    schedule = daily("Australia/Sydney", "10:00", "16:00", days=frozenset(range(7)))
    assert shown(schedule, "2026-04-04", "2026-04-05") == [
        "Fri 03 23:00-Sat 04 05:00",
        "Sun 05 00:00-Sun 05 06:00",
    ]
    assert shown(schedule, "2026-10-03", "2026-10-04") == [
        "Sat 03 00:00-Sat 03 06:00",
        "Sat 03 23:00-Sun 04 05:00",
    ]


def test_an_interval_over_midnight_and_a_clock_change_is_an_hour_shorter_or_longer() -> None:
    schedule = daily("Europe/London", "22:00", "06:00", days=frozenset(range(7)))
    lengths = {
        text: intervals(schedule, date.fromisoformat(text), date.fromisoformat(text))[0]
        for text in ("2026-03-27", "2026-03-28", "2026-10-24")
    }
    hours = {text: (one.end - one.start) // HOUR for text, one in lengths.items()}
    assert hours == {"2026-03-27": 8, "2026-03-28": 7, "2026-10-24": 9}


def test_a_week_from_sunday_to_friday() -> None:
    schedule = daily("America/New_York", "17:00", "17:00", days=frozenset({6}), end_day=4)
    assert shown(schedule, "2026-03-01", "2026-03-08") == [
        "Sun 01 22:00-Fri 06 22:00",
        "Sun 08 21:00-Fri 13 21:00",
    ]
    assert is_open(schedule, at("2026-03-04T03:00:00"))
    assert not is_open(schedule, at("2026-03-07T12:00:00"))
    assert next_change(schedule, at("2026-03-07T12:00:00")) == at("2026-03-08T21:00:00")


def test_a_week_that_ends_on_the_day_on_which_it_begins() -> None:
    seven_days = daily("UTC", "12:00", "11:00", days=frozenset({0}), end_day=0)
    one_day = daily("UTC", "11:00", "12:00", days=frozenset({0}), end_day=0)
    assert shown(seven_days, "2026-11-16", "2026-11-16") == ["Mon 16 12:00-Mon 23 11:00"]
    assert shown(one_day, "2026-11-16", "2026-11-16") == ["Mon 16 11:00-Mon 16 12:00"]


def test_days_of_24_hours_are_one_interval_until_the_weekend() -> None:
    schedule = daily("America/New_York", "00:00", "00:00")
    assert shown(schedule, "2026-03-02", "2026-03-15") == [
        "Mon 02 05:00-Sat 07 05:00",
        "Mon 09 04:00-Sat 14 04:00",
    ]
    always = daily("Europe/London", "00:00", "00:00", days=frozenset(range(7)))
    assert next_change(always, at("2026-10-25T00:30:00")) is None
    assert is_open(always, at("2026-10-25T00:30:00"))


def test_a_local_time_that_does_not_exist_is_the_jump_of_the_clock() -> None:
    new_york = ZoneInfo("America/New_York")
    jump = at("2026-03-08T07:00:00")
    for text in ("02:00", "02:30", "02:59:59", "03:00"):
        assert to_utc(date(2026, 3, 8), time.fromisoformat(text), new_york) == jump
    schedule = daily("America/New_York", "02:10", "02:50", days=frozenset(range(7)))
    assert shown(schedule, "2026-03-07", "2026-03-09") == [
        "Sat 07 07:10-Sat 07 07:50",
        "Mon 09 06:10-Mon 09 06:50",
    ]


def test_of_a_local_time_that_comes_twice_the_first_begins_and_the_second_ends() -> None:
    schedule = daily("Europe/London", "01:15", "01:45", days=frozenset({6}))
    assert shown(schedule, "2026-10-25", "2026-10-25") == ["Sun 25 00:15-Sun 25 01:45"]


def test_resets_stand_on_their_days_whether_the_session_is_open_or_not() -> None:
    schedule = daily(
        "America/New_York", "08:00", "17:00", reset=time(7, 55), reset_days=frozenset({0, 1})
    )
    found = resets(schedule, date(2026, 11, 14), date(2026, 11, 20))
    assert found == (at("2026-11-16T12:55:00"), at("2026-11-17T12:55:00"))
    assert last_reset(schedule, at("2026-11-17T12:55:00")) == at("2026-11-17T12:55:00")
    assert last_reset(schedule, at("2026-11-17T12:54:59")) == at("2026-11-16T12:55:00")
    assert next_reset(schedule, at("2026-11-17T12:55:00")) == at("2026-11-23T12:55:00")
    never = daily("America/New_York", "08:00", "17:00")
    assert last_reset(never, at("2026-11-17T12:55:00")) is None
    assert next_reset(never, at("2026-11-17T12:55:00")) is None


clock_times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
some_days = st.frozensets(st.integers(0, 6), min_size=1)
zones = st.sampled_from(ZONES).map(ZoneInfo)
dailies = st.builds(
    Schedule,
    time_zone=zones,
    start=clock_times,
    end=clock_times,
    days=some_days,
    reset=clock_times,
    reset_days=some_days,
)
weeklies = st.builds(
    Schedule,
    time_zone=zones,
    start=clock_times,
    end=clock_times,
    days=st.integers(0, 6).map(lambda day: frozenset({day})),
    end_day=st.integers(0, 6),
    reset=clock_times,
    reset_days=some_days,
)
schedules = dailies | weeklies
dates = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def wall(schedule: Schedule, moment: int) -> datetime:
    return utc(moment).astimezone(schedule.time_zone).replace(tzinfo=None)


def is_jump(schedule: Schedule, moment: int) -> bool:
    """Whether the clock jumps forward just there."""
    return wall(schedule, moment) - wall(schedule, moment - MINUTE) > timedelta(minutes=1)


@settings(deadline=None)
@given(schedule=schedules, first=dates)
def test_intervals_are_in_order_apart_and_at_their_local_times(
    schedule: Schedule, first: date
) -> None:
    found = intervals(schedule, first, first + timedelta(days=20))
    moments = [moment for one in found for moment in (one.start, one.end)]
    assert moments == sorted(set(moments))
    for one in found:
        assert wall(schedule, one.start).time() == schedule.start or is_jump(schedule, one.start)
        assert wall(schedule, one.end).time() == schedule.end or is_jump(schedule, one.end)
        begins = wall(schedule, one.start).weekday()
        assert begins in schedule.days


@settings(deadline=None)
@given(schedule=dailies, first=dates)
def test_every_day_that_is_named_has_its_interval(schedule: Schedule, first: date) -> None:
    found = intervals(schedule, first, first + timedelta(days=20))
    for day in (first + timedelta(days=n) for n in range(21)):
        if day.weekday() in schedule.days:
            start = to_utc(day, schedule.start, schedule.time_zone)
            later = timedelta(days=1 if schedule.end <= schedule.start else 0)
            end = to_utc(day + later, schedule.end, schedule.time_zone, last=True)
            covering = [one for one in found if one.start <= start and end <= one.end]
            assert start >= end or len(covering) == 1


@settings(deadline=None)
@given(schedule=schedules, first=dates, minute=st.integers(0, 14 * 24 * 60))
def test_open_at_a_moment_is_to_be_within_an_interval(
    schedule: Schedule, first: date, minute: int
) -> None:
    moment = micros(datetime.combine(first, time(), UTC)) + minute * MINUTE
    found = intervals(schedule, first - timedelta(days=30), first + timedelta(days=30))
    inside = any(one.start <= moment < one.end for one in found)
    assert is_open(schedule, moment) is inside
    change = next_change(schedule, moment)
    if change is not None:
        assert change > moment
        assert is_open(schedule, change - 1) is inside
        assert is_open(schedule, change) is not inside


@settings(deadline=None)
@given(schedule=schedules, first=dates, minute=st.integers(0, 14 * 24 * 60))
def test_a_moment_is_between_its_last_reset_and_its_next(
    schedule: Schedule, first: date, minute: int
) -> None:
    moment = micros(datetime.combine(first, time(), UTC)) + minute * MINUTE
    before, after = last_reset(schedule, moment), next_reset(schedule, moment)
    assert before is not None
    assert after is not None
    assert before <= moment < after
    assert last_reset(schedule, after) == after
    assert next_reset(schedule, before) in {after, moment}
    assert after - before <= 8 * 24 * HOUR


@settings(deadline=None)
@given(zone=zones, day=dates, clock=clock_times)
def test_a_local_time_and_its_moment(zone: ZoneInfo, day: date, clock: time) -> None:
    first = utc(to_utc(day, clock, zone)).astimezone(zone).replace(tzinfo=None)
    second = utc(to_utc(day, clock, zone, last=True)).astimezone(zone).replace(tzinfo=None)
    naive = datetime.combine(day, clock)
    assert first == second
    # The clock may jump over it: then it is just behind the jump.
    assert naive <= first <= naive + timedelta(hours=1)


@pytest.mark.parametrize("zone", ZONES[:4])
def test_a_whole_year_has_one_interval_each_weekday(zone: str) -> None:
    schedule = daily(zone, "08:00", "17:00")
    found = intervals(schedule, date(2026, 1, 1), date(2026, 12, 31))
    assert len(found) == 261
    assert {(one.end - one.start) // HOUR for one in found} == {9}
