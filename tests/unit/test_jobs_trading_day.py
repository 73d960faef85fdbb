"""What the end of a day concerns, and when a failed job is tried again."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import RowMapping

from oms.domain.commands import SYSTEM, CloseTradingDay, OpenTradingDate
from oms.domain.events import CommandAnswered, ExpiryPending
from oms.domain.reasons import Reason
from oms.jobs.once import Retry
from tests.support.book import Book

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def expiring(book: Book, trade_date: str) -> set[str]:
    events = book.take(CloseTradingDay(origin=SYSTEM, trade_date=trade_date))
    return {one.order_id for one in events if isinstance(one, ExpiryPending)}


def test_a_day_closed_late_ends_its_own_orders_and_older_ones_only() -> None:
    book = Book()
    book.start()
    rng = random.Random(1)
    first = book.state.trade_date
    for number in range(10):
        book.take(book.order(number, rng))
    old = {one for one in book.state.open_orders if not book.state.orders[one].is_child}
    book.take(OpenTradingDate(origin=SYSTEM, trade_date="2026-11-23"))
    for number in range(10, 20):
        book.take(book.order(number, rng))
    every = {one for one in book.state.open_orders if not book.state.orders[one].is_child}
    assert old
    assert every > old
    assert expiring(book, "2026-01-01") == set()
    assert expiring(book, first) == old
    assert expiring(book, "2026-11-23") == every - old


@pytest.mark.parametrize(
    "trade_date", ["9999-12-31", "0001-01-01", "2026-12-23", "2025-10-16", "20261123", "soon", ""]
)
@pytest.mark.parametrize("kind", [OpenTradingDate, CloseTradingDay])
def test_a_date_far_from_today_is_neither_opened_nor_closed(
    kind: type[OpenTradingDate | CloseTradingDay], trade_date: str
) -> None:
    book = Book()
    book.start()
    rng = random.Random(1)
    book.take(book.order(1, rng))
    before = book.state.trade_date
    (answer,) = book.take(kind(origin=SYSTEM, trade_date=trade_date))
    assert isinstance(answer, CommandAnswered)
    assert (answer.accepted, answer.reason) == (False, Reason.UNSUPPORTED_VALUE)
    assert answer.text.startswith(f"trade_date = {trade_date}: must be from 2025-")
    assert answer.text.endswith(", as today is 2026-11-21")
    assert book.state.trade_date == before


def test_a_date_that_is_over_is_not_opened_again_and_the_one_that_is_open_stays() -> None:
    book = Book()
    book.start()
    before = book.state.trade_date
    assert book.take(OpenTradingDate(origin=SYSTEM, trade_date=before)) == []
    (answer,) = book.take(OpenTradingDate(origin=SYSTEM, trade_date="2026-11-19"))
    assert isinstance(answer, CommandAnswered)
    assert (answer.accepted, answer.reason) == (True, Reason.NONE)
    assert answer.text == f"trade_date = 2026-11-19: {before} is open, and stays"
    assert book.state.trade_date == before


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (20, 30), (2_000, 30)]
)
def test_a_failed_job_waits_longer_each_time_and_never_too_long(
    attempts: int, minutes: int
) -> None:
    ended = NOW - timedelta(minutes=minutes)
    row: dict[str, Any] = {"attempts": attempts, "finished_at": ended}
    mapping = cast("RowMapping", row)
    assert Retry().due(mapping, NOW)
    assert not Retry().due(mapping, NOW - timedelta(seconds=1))
    assert Retry().due(cast("RowMapping", row | {"finished_at": None}), NOW)
