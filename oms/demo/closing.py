"""The end of the day: close it, have the venues' files lie, reconcile, and hold the breaks against
the lies.
"""

import random
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import httpx

from oms.demo.evidence import Check
from oms.demo.programs import DemoError
from oms.demo.truth import Database, control
from oms.demo.world import World
from oms.settings.environment import environment_without_settings

LIES = (
    ("omit", "quantity", "duplicate"),
    ("price", "extra", "omit"),
    ("side", "unknown_order", "quantity"),
)
COMMAND_LIMIT_S = 120.0
_KINDS = {
    "omit": ("MISSING_THERE", ""),
    "quantity": ("QUANTITY", ""),
    "price": ("PRICE", ""),
    "side": ("SIDE", ""),
    "duplicate": ("DUPLICATE", ""),
    "extra": ("MISSING_HERE", "-X"),
    "unknown_order": ("UNKNOWN_ORDER", "-U"),
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Injected:
    """One break that reconciliation must find."""

    venue: str
    kind: str
    exec_id: str

    def __str__(self) -> str:
        return f"{self.venue}: {self.kind} of trade {self.exec_id or '(none)'}"


def close_day(world: World, trade_date: str) -> None:
    """CloseTradingDay over REST, as the operations desk does it. Raises DemoError."""
    answer = httpx.post(
        f"{world.api_url}/v1/trading-day/close",
        json={"trade_date": trade_date},
        headers={"X-API-Key": world.keys["operations"], "Idempotency-Key": f"close-{trade_date}"},
        timeout=30.0,
        trust_env=False,
    )
    if not answer.is_success:
        raise DemoError(f"the day cannot be closed: {answer.status_code} {answer.text}")


def falsify(world: World, seed: int) -> set[Injected]:
    """Have each venue's trade file lie about some trades of its own; the breaks that this makes."""
    rng = random.Random(seed)
    injected: set[Injected] = set()
    for name, lies in zip(world.venues, LIES, strict=True):
        with control(world, name) as venue:
            # One trade of an order at most: two lies about one order could hide each other.
            by_order = {one["order_id"]: one for one in venue.trades() if one["status"] == "NEW"}
            chosen = rng.sample(list(by_order.values()), min(len(lies), len(by_order)))
            for lie, trade in zip(lies, chosen, strict=False):
                venue.falsify(lie, trade["exec_id"])
                kind, suffix = _KINDS[lie]
                told = f"{trade['exec_id']}{suffix}"
                injected.add(Injected(venue=name, kind=kind, exec_id=told))
            venue.write_trade_file()
    return injected


def true_files(world: World) -> set[Injected]:
    """Have each venue write its trade file as it is; no break is made."""
    for name in world.venues:
        with control(world, name) as venue:
            venue.write_trade_file()
    return set()


def reconcile(world: World, trade_date: str) -> tuple[int, str]:
    """`oms recon run` for the day: its exit code and what it said."""
    return run_oms(world, "recon", "run", "--date", trade_date)


def run_oms(world: World, *arguments: str) -> tuple[int, str]:
    """An `oms` command against this world: exit code and output."""
    command = [sys.executable, "-m", "oms", *arguments, "--config", str(world.config)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment_without_settings() | {"OMS_LOGGING__LEVEL": "warning"},
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"no end within {COMMAND_LIMIT_S:.0f} s"
    return done.returncode, done.stdout.decode(errors="replace")


def recon_check(
    database: Database, world: World, trade_date: str, injected: set[Injected], said: str
) -> Check:
    """The day's last run of each venue is complete and found the injected breaks, no other."""
    runs = database.rows(
        "SELECT DISTINCT ON (venue) * FROM recon_runs"
        " WHERE trade_date = %s ORDER BY venue, run_id DESC",
        trade_date,
    )
    done = {row["venue"]: row for row in runs if row["state"] == "done"}
    faults = [f"{name}: no complete run" for name in world.venues if name not in done]
    faults += [f"{row['venue']}: {row['state']}: {row['error']}" for row in runs if row["error"]]
    if faults:
        faults += said.splitlines()[-10:]
    ids = [row["run_id"] for row in done.values()]
    query: LiteralString = "SELECT * FROM recon_breaks WHERE run_id = ANY(%s) ORDER BY run_id, n"
    breaks = database.rows(query, ids)
    faults += compare_breaks(breaks, injected)
    figure = f"{len(breaks)} found, {len(injected)} injected"
    return Check(name="Reconciliation: the injected breaks", figure=figure, faults=faults)


def compare_breaks(breaks: Sequence[Mapping[str, Any]], injected: Iterable[Injected]) -> list[str]:
    """What was injected and not found, and what was found and not injected, once too often too."""
    left = sorted(injected)
    faults = []
    for row in breaks:
        found = Injected(venue=row["venue"], kind=row["kind"], exec_id=row["exec_id"])
        if found in left:
            left.remove(found)
        else:
            what = f"{row['field']} ours {row['ours']!r}, theirs {row['theirs']!r}"
            faults.append(f"found, not injected: {found}, order {row['order_id']}: {what}")
    return faults + [f"injected, not found: {one}" for one in left]


def verify(world: World) -> Check:
    """`oms audit verify`: the chain, and every table recomputed from the journal."""
    code, said = run_oms(world, "audit", "verify")
    lines = said.strip().splitlines()
    faults = [] if code == 0 else [f"exit code {code}", *lines[-10:]]
    told = next((line for line in lines if "journal entries" in line), "-")
    figure = told.split(" verified")[0]
    return Check(name="Chain and tables verified", figure=figure, faults=faults)
