"""The configuration of a fresh server for conformance, as the TOML that it reads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oms.conformance.profiles import Profile
from oms.domain.conditions import SINCE_FIX_44

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The clients of a FIX version, its venue, and what they trade. clients: profiles by name."""

    begin_string: str
    clients: Mapping[str, Profile]
    venue: str
    venue_port: int
    symbol: str
    account: str


def database_dir(directory: Path) -> Path:
    """Where the server keeps its PostgreSQL."""
    return directory / "postgres"


def server_config(
    directory: Path,
    lane: Lane,
    *,
    comp_id: str,
    fix_port: int,
    metrics_port: int,
    password_hash: str,
) -> str:
    """The file's text. No risk limits: the figures of the rows would meet them. Venues may be slow
    to answer: scripts answer when their row comes. The trading date is the date by UTC until
    midnight, as it is for the nights of the scripts (oms.conformance.day).
    """
    tables = [
        _table("[database]", data_dir=str(database_dir(directory))),
        _table("[core]", data_dir=str(directory / "core"), metrics_port=metrics_port),
        _table("[acceptor]", host="127.0.0.1", port=fix_port),
        "[trading_day]\ncut_off = 23:59:59\nend_of_day = 23:59:58\n",
        _table("[logging]", level="warning"),
    ]
    for client, profile in lane.clients.items():
        tables.append(
            _table(
                "[[clients]]",
                name=client,
                sender_comp_id=client,
                target_comp_id=comp_id,
                begin_string=lane.begin_string,
                username=client,
                password_hash=password_hash,
                allowed_addresses=["127.0.0.1"],
                accounts=[lane.account],
            )
        )
        tables.append(_table("[clients.profile]", **profile.settings))
    tables += _venue(lane, comp_id)
    return "\n".join(tables)


def _venue(lane: Lane, comp_id: str) -> list[str]:
    venue = _table(
        "[[venues]]",
        name=lane.venue,
        host="127.0.0.1",
        port=lane.venue_port,
        sender_comp_id=comp_id,
        target_comp_id=lane.venue,
        begin_string=lane.begin_string,
        ack_timeout_ms=_MINUTE_MS,
        ord_types=["MARKET", "LIMIT", "STOP", "STOP_LIMIT"],
        times_in_force=["DAY", "IOC", "FOK", "GTC", "GTD", "OPG", "CLS"],
        abilities=[] if lane.begin_string == "FIX.4.2" else sorted(SINCE_FIX_44),
    )
    instrument = _table(
        "[[instruments]]",
        symbol=lane.symbol,
        currency="USD",
        tick="0.01",
        lot="1",
        venues=[lane.venue],
    )
    return [venue, instrument]


def _table(head: str, **values: str | int | list[str]) -> str:
    # What JSON writes for text, whole numbers and lists of text is TOML as well.
    return "\n".join([head, *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])
