"""When a FIX session is open: local times of its time zone, compiled to intervals of UTC.

Two rules make every schedule right on the days on which clocks change. A local time that does not
exist is the moment at which the clock jumps over it. Of a local time that comes twice, the first is
meant where something begins or is reset and the second where something ends.

On a holiday a daily session does not open for that date, which is the local one on which it would
have ended; a weekly one is closed from midnight to midnight. Resets are not moved: nothing passes
between one and the next where there was no session.

All moments are sequencer stamps: microseconds since 1970, UTC.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from oms.domain.values import micros, utc_date

WEEK = 7
# A window shows every boundary for so long before and after its day: a weekly one is within it, and
# the end of the longest holidays.
_REACH = timedelta(days=3 * WEEK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Local times of one session. Weekdays count from Monday, 0.

    Daily (end_day None): an interval begins on each of `days`, and ends on the next day where `end`
    is not after `start`. Weekly: one begins on each of `days`, and ends on the next `end_day`.
    reset: on each of `reset_days` the sequence numbers begin anew at that time; None: never.
    closed: the holidays.
    """

    time_zone: tzinfo
    start: time
    end: time
    days: frozenset[int]
    end_day: int | None = None
    reset: time | None = None
    reset_days: frozenset[int] = frozenset()
    closed: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Open from `start` on, and no more at `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a schedule comes to around a day."""

    intervals: tuple[Interval, ...]
    resets: tuple[int, ...]


def intervals(schedule: Schedule, first: date, last: date) -> tuple[Interval, ...]:
    """The intervals that begin on these local dates, in order; those that touch are one."""
    found: list[Interval] = []
    for day in _days(first, last):
        if day.weekday() not in schedule.days:
            continue
        for one in _without_holidays(schedule, day):
            if found and one.start <= found[-1].end:
                found[-1] = Interval(found[-1].start, max(found[-1].end, one.end))
            elif one.start < one.end:
                found.append(one)
    return tuple(found)


def _without_holidays(schedule: Schedule, day: date) -> Iterator[Interval]:
    """What is left of the interval that would begin on that local date."""
    zone, until = schedule.time_zone, _end_date(schedule, day)
    start = to_utc(day, schedule.start, zone)
    end = to_utc(until, schedule.end, zone, last=True)
    if schedule.end_day is None:
        # Midnight is the end of the day before it.
        its_date = until - timedelta(days=1) if schedule.end == time(0) else until
        if its_date not in schedule.closed:
            yield Interval(start, end)
        return
    for holiday in [one for one in _days(day, until) if one in schedule.closed]:
        ends = to_utc(holiday, time(0), zone, last=True)
        if start < ends:
            yield Interval(start, min(ends, end))
        start = max(start, to_utc(holiday + timedelta(days=1), time(0), zone))
    if start < end:
        yield Interval(start, end)


def resets(schedule: Schedule, first: date, last: date) -> tuple[int, ...]:
    """The moments on these local dates at which the sequence numbers begin anew."""
    if schedule.reset is None:
        return ()
    moments = {
        to_utc(day, schedule.reset, schedule.time_zone)
        for day in _days(first, last)
        if day.weekday() in schedule.reset_days
    }
    return tuple(sorted(moments))


def is_open(schedule: Schedule, at: int) -> bool:
    """Whether the session is to be open."""
    found = _window(schedule, utc_date(at)).intervals
    index = bisect_right(found, at, key=lambda one: one.start) - 1
    return index >= 0 and at < found[index].end


def next_change(schedule: Schedule, at: int) -> int | None:
    """When it opens or closes next; None where that is not within three weeks."""
    found = _window(schedule, utc_date(at)).intervals
    # The last end may be the edge of what was looked at only.
    moments = [moment for one in found for moment in (one.start, one.end)][:-1]
    return min((moment for moment in moments if moment > at), default=None)


def last_reset(schedule: Schedule, at: int) -> int | None:
    """The latest moment, not after `at`, for which a reset is scheduled; None: there is none."""
    found = _window(schedule, utc_date(at)).resets
    return max((moment for moment in found if moment <= at), default=None)


def next_reset(schedule: Schedule, at: int) -> int | None:
    """The first moment after `at` for which a reset is scheduled; None: there is none."""
    found = _window(schedule, utc_date(at)).resets
    return min((moment for moment in found if moment > at), default=None)


@lru_cache(maxsize=4_096)
def _window(schedule: Schedule, day: date) -> Window:
    first, last = day - _REACH, day + _REACH
    return Window(intervals(schedule, first, last), resets(schedule, first, last))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _end_date(schedule: Schedule, day: date) -> date:
    overnight = schedule.end <= schedule.start
    if schedule.end_day is None:
        return day + timedelta(days=1) if overnight else day
    ahead = (schedule.end_day - day.weekday()) % WEEK
    return day + timedelta(days=WEEK if ahead == 0 and overnight else ahead)


def to_utc(day: date, clock: time, zone: tzinfo, *, last: bool = False) -> int:
    """The moment of a local time, by the module's rules; last: of two, the second."""
    naive = datetime.combine(day, clock)
    one = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    other = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if one > other:
        return micros(_jump(zone, other, one))
    return micros(max(one, other) if last else one)


def _jump(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The moment within (before, after], both UTC, at which the zone's offset changes."""
    before = before.replace(microsecond=0)
    offset = before.astimezone(zone).utcoffset()
    known, changed = 0, int((after - before).total_seconds()) + 1
    while changed - known > 1:
        middle = (known + changed) // 2
        moment = before + timedelta(seconds=middle)
        if moment.astimezone(zone).utcoffset() == offset:
            known = middle
        else:
            changed = middle
    return before + timedelta(seconds=changed)
