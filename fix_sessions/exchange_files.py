"""The venue's end-of-day files on disk, each one whole or not there."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ems.simulator.statements import order_file, trade_file
from ems.simulator.venue import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFiles:
    """Where the two files of a UTC date stand."""

    trades: Path
    orders: Path


def write_day_files(venue: Venue, name: str, directory: Path, day: date) -> DayFiles:
    """Write `<name>-<day>-trades.csv` and `<name>-<day>-orders.csv`, replacing earlier ones."""
    directory.mkdir(parents=True, exist_ok=True)
    files = DayFiles(
        trades=directory / f"{name}-{day}-trades.csv",
        orders=directory / f"{name}-{day}-orders.csv",
    )
    _write(files.trades, trade_file(venue.trades, venue.falsifications, day))
    _write(files.orders, order_file(venue.orders, day))
    return files


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".tmp")
    with draft.open("w", encoding="utf-8", newline="") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
