"""Any reports of trades, corrections and busts, in any order, by two sessions, with verdicts in
between: nothing breaks, the record folds the same, and positions are what is booked.
"""

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from oms.domain.commands import SYSTEM
from oms.domain.fix import ExecType
from oms.domain.orphans import DecideOrphan, OrphanVerdict
from oms.domain.profile import OrphanPolicy
from oms.domain.values import ZERO
from tests.support.invariants import check_same
from tests.unit.test_early_amendments import COPY, EarlyWorld, Message


def any_message(draw: random.Random) -> Message:
    """Few names, so that reports meet."""
    source = draw.choice(["XA", "XA", COPY])
    ours = "" if source == "XA" else "D"
    number = draw.choice("12")
    figures: dict[str, Any] = {
        "last_qty": Decimal(draw.choice([10, 10, 8])),
        "last_px": Decimal(draw.choice([50, 51])),
        "transact_time": draw.choice([1, 2_000_000]),
    }
    ref = draw.choice([f"{ours}T{number}", f"{ours}C{number}", f"T{number}"])
    match draw.choice("TCB"):
        case "T":
            return f"{ours}T{number}", source, figures
        case "C":
            amends = {"kind": ExecType.TRADE_CORRECT, "exec_ref_id": ref}
            return f"{ours}C{number}", source, figures | amends
        case _:
            leaves = Decimal(draw.choice([0, 90]))
            amends = {"kind": ExecType.TRADE_CANCEL, "exec_ref_id": ref, "leaves_qty": leaves}
            return f"{ours}B{number}", source, amends


def decide_one(world: EarlyWorld, draw: random.Random) -> None:
    world.send(
        DecideOrphan(
            origin=replace(SYSTEM, user="eve"),
            orphan=draw.choice(list(world.state.orphans)),
            verdict=draw.choice(list(OrphanVerdict)),
            reason="drawn",
            account="A1",
        )
    )


def booked(world: EarlyWorld) -> Decimal:
    """What the executions of clients' orders come to."""
    orders = [world.state.orders[one] for one in list(world.state.orders)]
    trades = [one for order in orders if not order.is_child for one in order.executions.values()]
    return sum((one.last_qty for one in trades if not one.busted), ZERO)


@pytest.mark.parametrize("seeds", [range(600, 660), range(770, 830), range(960, 1020)])
def test_any_reports_in_any_order_break_nothing(seeds: range) -> None:
    for seed in seeds:
        draw = random.Random(seed)
        world = EarlyWorld(draw.choice([OrphanPolicy.HOLD, OrphanPolicy.ADOPT]))
        ours = world.placed().cl_ord_id
        for _ in range(draw.randint(3, 12)):
            world.told(draw.choice([ours, ours, ours, "whose"]), any_message(draw))
            if world.state.orphans and draw.random() < 0.2:
                decide_one(world, draw)
        held = sum((one.quantity for one in world.state.positions.values()), ZERO)
        assert booked(world) == held, seed
        check_same(world.state, world.replayed())
