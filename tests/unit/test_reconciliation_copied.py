"""A trade that only a drop copy told has no ExecID of its venue: its figures tell which it is."""

from dataclasses import replace
from decimal import Decimal

from oms.reconciliation.breaks import BreakKind
from tests.unit.test_reconciliation import Day, matching_day


def day_with_copies(*exec_ids: str) -> Day:
    """A day of three trades, of which a drop copy alone told these."""
    day = matching_day([3])
    for exec_id in exec_ids:
        named = f"DC:{exec_id}"
        told = replace(day.our_trades.pop(exec_id), exec_id=named, latest_exec_id=named)
        day.our_trades[named] = replace(told, copied=True)
    return day


def test_all_of_the_day_agree() -> None:
    assert not day_with_copies("E0-0").breaks()
    assert not day_with_copies("E0-0", "E0-1", "E0-2").breaks()


def test_one_that_differs_is_on_neither_side_the_others() -> None:
    day = day_with_copies("E0-1")
    day.our_trades["DC:E0-1"] = replace(day.our_trades["DC:E0-1"], last_px=Decimal(9))
    assert sorted(one.kind for one in day.breaks()) == [
        BreakKind.MISSING_HERE,
        BreakKind.MISSING_THERE,
    ]


def test_one_row_is_one_trade() -> None:
    day = day_with_copies("E0-0", "E0-1")
    del day.their_trades[0]
    [found] = [one for one in day.breaks() if one.kind is BreakKind.MISSING_THERE]
    assert found.exec_id == "DC:E0-0"
