"""Holidays in the schedules of sessions: which intervals fall out, and which are cut."""

import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.schedule import Schedule, intervals, is_open, next_change, resets
from oms.domain.values import utc
from oms.settings import ConfigError, load
from oms.settings.calendars import holidays_of
from tests.unit.test_schedule import MINUTE, ZONES, at, daily, shown
from tests.unit.test_schedule_settings import SCHEDULE, config, printed

CHRISTMAS = frozenset({date(2026, 12, 25)})  # a Friday


def weekly(**more: object) -> Schedule:
    return daily("America/New_York", "17:00", "17:00", days=frozenset({6}), end_day=4, **more)


def test_a_daily_session_does_not_open_on_a_holiday() -> None:
    schedule = daily("America/New_York", "08:00", "17:00", closed=CHRISTMAS)
    assert shown(schedule, "2026-12-23", "2026-12-28") == [
        "Wed 23 13:00-Wed 23 22:00",
        "Thu 24 13:00-Thu 24 22:00",
        "Mon 28 13:00-Mon 28 22:00",
    ]
    assert not is_open(schedule, at("2026-12-25T15:00:00"))
    assert next_change(schedule, at("2026-12-25T15:00:00")) == at("2026-12-28T13:00:00")


def test_an_overnight_session_is_of_the_date_on_which_it_ends() -> None:
    every = frozenset(range(7))
    schedule = daily("UTC", "17:00", "16:00", days=every, closed=CHRISTMAS)
    assert shown(schedule, "2026-12-23", "2026-12-25") == [
        "Wed 23 17:00-Thu 24 16:00",
        "Fri 25 17:00-Sat 26 16:00",
    ]


def test_a_session_of_a_whole_day_is_of_that_day() -> None:
    schedule = daily("UTC", "00:00", "00:00", days=frozenset(range(7)), closed=CHRISTMAS)
    assert shown(schedule, "2026-12-24", "2026-12-26") == [
        "Thu 24 00:00-Fri 25 00:00",
        "Sat 26 00:00-Sun 27 00:00",
    ]


def test_a_weekly_session_is_cut_from_midnight_to_midnight() -> None:
    schedule = weekly(closed=frozenset({date(2026, 12, 23), date(2026, 12, 24)}))
    assert shown(schedule, "2026-12-20", "2026-12-20") == [
        "Sun 20 22:00-Wed 23 05:00",
        "Fri 25 05:00-Fri 25 22:00",
    ]
    whole_week = frozenset(date(2026, 12, 20) + timedelta(days=n) for n in range(7))
    assert shown(weekly(closed=whole_week), "2026-12-20", "2026-12-20") == []
    assert shown(weekly(closed=CHRISTMAS), "2026-12-20", "2026-12-20") == [
        "Sun 20 22:00-Fri 25 05:00"
    ]


def test_resets_stay() -> None:
    schedule = daily(
        "UTC",
        "08:00",
        "17:00",
        closed=CHRISTMAS,
        reset=time(7),
        reset_days=frozenset(range(5)),
    )
    assert at("2026-12-25T07:00:00") in resets(schedule, date(2026, 12, 24), date(2026, 12, 26))


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    closed=st.frozensets(st.dates(date(2026, 3, 1), date(2026, 4, 15)), max_size=8),
    end_day=st.none() | st.integers(0, 6),
    minutes=st.integers(0, 36 * 24 * 60),
)
def test_holidays_only_ever_take_away(
    zone: str, closed: frozenset[date], end_day: int | None, minutes: int
) -> None:
    days = frozenset(range(5)) if end_day is None else frozenset({0})
    plain = daily(zone, "09:00", "08:00", days=days, end_day=end_day)
    kept = daily(zone, "09:00", "08:00", days=days, end_day=end_day, closed=closed)
    stamp = at("2026-03-05T00:00:00") + minutes * MINUTE
    if is_open(kept, stamp):
        assert is_open(plain, stamp)
        if end_day is not None:
            assert utc(stamp).astimezone(plain.time_zone).date() not in closed
    first, last = date(2026, 3, 2), date(2026, 4, 12)
    found = intervals(kept, first, last)
    assert all(one.end < other.start for one, other in pairwise(found))
    assert all(one.start < one.end for one in found)


def test_the_holidays_of_an_exchange_are_not_its_weekends() -> None:
    found = holidays_of("XNYS")
    assert found
    assert all(one.weekday() < 5 for one in found)
    christmas = {date(datetime.now(UTC).year + n, 12, 25) for n in (0, 1)}
    on_weekdays = {one for one in christmas if one.weekday() < 5 and one < max(found)}
    assert on_weekdays <= found
    assert holidays_of("24/7") == frozenset()


def test_both_come_from_the_configuration_and_are_printed(tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    every_day = json.dumps(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"])
    text = f'days = {every_day}\nholidays = [{tomorrow}]\ncalendar = "XNYS"\n'
    path = config(tmp_path, SCHEDULE + text)
    table = load(path).venues[0].schedule
    assert table is not None
    assert table.compiled().closed == holidays_of("XNYS") | {tomorrow}
    told = json.loads(printed(path, "XSIM", "--days", "7", "--json"))
    assert tomorrow.isoformat() in told["holidays"]
    assert len(told["intervals"]) == 7 - len(told["holidays"])
    assert f"{tomorrow:%a %Y-%m-%d} is a holiday." in printed(path, "XSIM", "--days", "7")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('calendar = "XMARS"\n', "calendar = XMARS: must be a calendar of exchange_calendars"),
        ('holidays = ["Christmas"]\n', "holidays[0] = Christmas: "),
    ],
)
def test_a_holiday_that_is_none(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(config(tmp_path, SCHEDULE + 'days = ["MON"]\n' + text))
    assert str(caught.value).startswith(f"venues[0].schedule.{fault}")
