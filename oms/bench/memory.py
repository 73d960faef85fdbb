"""How the server's processes grow under load: their resident memory after every so many orders."""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from oms.bench.load import BenchError
from oms.bench.server import Server
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_account import EmbeddedPostgresError

_PORTIONS: Final = 20
_CLIENT_SESSIONS: Final = 2
_IN_FLIGHT: Final = 64
# By what its command line says.
_PROCESSES: Final = {
    "oms.app.fix_process": "FIX process",
    "fix_sessions.gate": "gate",
    "fix_sessions.venue_relay": "venue relay",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """After so many orders: how many came in a second since the one before; by process, bytes."""

    orders: int
    per_second: float
    resident: dict[str, int]


def main(orders: int, data_dir: Path = Path("var/bench")) -> int:
    """Send that many orders, all filled, in twenty portions, and print what each process holds.

    0 when it was measured, whatever the figures.
    """
    errors = Console(stderr=True)
    samples: list[Sample] = []
    try:
        with _server(data_dir) as server:
            for sample in measured(server, orders):
                if not samples:
                    _tell("orders", "a second", *(f"{one}, MB" for one in sample.resident))
                samples.append(sample)
                sizes = [f"{size / 1e6:.1f}" for size in sample.resident.values()]
                _tell(f"{sample.orders:,}", f"{sample.per_second:,.0f}", *sizes)
    except (BenchError, EmbeddedPostgresError, TimeoutError) as error:
        errors.print(f"oms bench: {error}", style="red", highlight=False, markup=False)
        return 1
    found = growth(samples)
    _tell("bytes an order", "", *(f"{size:,.0f}" for size in found.values()))
    return 0


def measured(server: Server, orders: int) -> Iterator[Sample]:
    """Before the first order, and after each portion."""
    portion = max(orders // _PORTIONS, 1)
    yield Sample(orders=0, per_second=0.0, resident=resident(server.pids))
    for sent in range(portion, portion * _PORTIONS + 1, portion):
        began = time.monotonic()
        server.load.run(orders=portion, in_flight=_IN_FLIGHT)
        per_second = portion / (time.monotonic() - began)
        yield Sample(orders=sent, per_second=per_second, resident=resident(server.pids))


def growth(samples: list[Sample]) -> dict[str, float]:
    """Bytes an order, of each process, in the second half: what a start costs is in the first."""
    middle, last = samples[len(samples) // 2], samples[-1]
    orders = last.orders - middle.orders
    return {
        name: (size - middle.resident.get(name, size)) / orders
        for name, size in last.resident.items()
    }


def resident(pids: dict[str, int]) -> dict[str, int]:
    """Resident bytes of these processes and of those that they started, by name."""
    found: dict[str, int] = {}
    for name, pid in pids.items():
        found[name] = found.get(name, 0) + _resident_bytes(pid)
        for child in _children(pid):
            called = _called(child)
            if called:
                found[called] = found.get(called, 0) + _resident_bytes(child)
    return found


def _resident_bytes(pid: int) -> int:
    """0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(one) for one in (task / "children").read_text().split()]
    return found


def _called(pid: int) -> str:
    """Empty for a process that is none of ours."""
    with contextlib.suppress(OSError):
        said = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        for module, name in _PROCESSES.items():
            if module in said:
                return name
    return ""


@contextlib.contextmanager
def _server(data_dir: Path) -> Iterator[Server]:
    data_dir.mkdir(parents=True, exist_ok=True)
    own_dir = Path(tempfile.mkdtemp(dir=data_dir))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, own_dir, ignore_errors=True)
        stack.enter_context(EmbeddedPostgres(own_dir / "postgres"))
        server = Server(data_dir=own_dir, client_sessions=_CLIENT_SESSIONS)
        stack.callback(server.stop)
        yield server


def _tell(first: str, *others: str) -> None:
    sys.stdout.write(f"{first:>14}" + "".join(f"{one:>18}" for one in others) + "\n")
    sys.stdout.flush()
