"""The venue's end-of-day files on disk, each one whole or not there."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ems.simulator.statements import order_file, trade_file
from ems.simulator.venue import Venue
from fix_sessions.exchange_config import ExchangeConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFiles:
    """Where the two files of a UTC date stand."""

    trades: Path
    orders: Path


def write_day_files(venue: Venue, config: ExchangeConfig, day: date) -> DayFiles:
    """Write the trade file and the order file of a UTC date, replacing earlier ones."""
    config.files_dir.mkdir(parents=True, exist_ok=True)
    files = DayFiles(
        trades=config.day_file(config.trade_file, day),
        orders=config.day_file(config.order_file, day),
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
