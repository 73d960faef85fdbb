"""How long a core takes to fold a long journal: what stands between a crash and trading."""

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from oms.bench.answers import Style
from oms.bench.scratch import Scratch
from oms.bench.server import SHAPE
from oms.domain.kept_orders import Orders
from oms.domain.state import State
from oms.runtime.disk_shelf import DiskShelf
from oms.runtime.recovery import Recovered, recover
from oms.runtime.scratch import Scratch as ScratchFiles
from oms.store.embedded_postgres import EmbeddedPostgres
from oms.store.postgres_account import EmbeddedPostgresError

_ORDERS_A_BATCH = 128
# Of the orders, those that are open at the end: one for each ten events.
_EVENTS_AN_OPEN_ORDER = 10
_FILLS: Final[Style] = "new and trade"
_RESTS: Final[Style] = "new"
# Accepted, routed, acknowledged, and traded.
_EVENTS_FILLED, _EVENTS_AT_REST = 4, 3


def main(events: int, data_dir: Path = Path("var/bench")) -> int:
    """Write a journal of about `events` events that leaves a tenth as many orders open; fold it.

    0 when it was measured, whatever the figures.
    """
    errors = Console(stderr=True)
    data_dir.mkdir(parents=True, exist_ok=True)
    own_dir = Path(tempfile.mkdtemp(dir=data_dir))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, own_dir, ignore_errors=True)
        try:
            postgres = stack.enter_context(EmbeddedPostgres(own_dir / "postgres"))
        except EmbeddedPostgresError as error:
            errors.print(f"oms bench: {error}", style="red", highlight=False, markup=False)
            return 1
        scratch = Scratch(postgres.url, SHAPE)
        stack.callback(scratch.close)
        with errors.status("writing the journal") as status:
            counted = write(scratch, events)
            status.update("recovering")
            state, found = fold(scratch, own_dir)
    open_orders = sum(not state.orders[one].is_child for one in state.open_orders)
    sys.stdout.write(
        f"{found.entries:,} journal entries, {counted:,} of them events, "
        f"{open_orders:,} open orders: recovered in {found.seconds:.1f} s, "
        f"{found.entries / found.seconds:,.0f} entries a second\n"
    )
    return 0


def write(scratch: Scratch, events: int) -> int:
    """Filled orders, then such that rest; how many events there are."""
    counted = 0
    at_rest = events // _EVENTS_AN_OPEN_ORDER
    filled = (events - at_rest * _EVENTS_AT_REST) // _EVENTS_FILLED
    for style, orders in ((_FILLS, filled), (_RESTS, at_rest)):
        scratch.flow.style = style
        for _ in range(-(-orders // _ORDERS_A_BATCH)):
            counted += scratch.add(_ORDERS_A_BATCH)
    return counted + scratch.add(0)


def fold(scratch: Scratch, directory: Path) -> tuple[State, Recovered]:
    """What a core does at its start. directory: for its scratch files."""
    files = ScratchFiles(directory)
    orders = Orders(lambda: DiskShelf(files))
    state = State(reference=scratch.flow.state.reference, orders=orders)
    return state, recover(state, scratch.journal)
