"""Checkers that ask no more than a server can know still find what they are there for."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ems import child_orders, orphans
from fix_sessions.light_session import Message
from oms.domain.events import OrphanReported
from oms.domain.fix import ExecType
from oms.simulation.checkers import strangers_are_accounted_for
from oms.simulation.ledgers import Asked, ClientLedger
from oms.simulation.liveness import come_to_rest
from oms.simulation.plan import Recipe, plan_of
from oms.simulation.watching import Broken
from oms.simulation.world import World

MOST_SEEDS = 200


def test_what_an_order_over_rest_traded_before_its_client_asked_of_it_here_is_no_fault() -> None:
    """Seed 770. CumQty speaks of trades that this session was never told."""
    ledger = ledger_with(Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="r1"))
    told(ledger, "I", 0, cl_ord_id="r1", cum=30)
    told(ledger, "6", 1, cl_ord_id="b2", orig="r1", cum=30)
    told(ledger, "F", 2, cl_ord_id="r1", cum=40, last=10)
    told(ledger, "H", 3, cl_ord_id="r1", cum=20, ref="E99")
    told(ledger, "4", 4, cl_ord_id="b2", orig="r1", cum=20, leaves=0)
    assert not ledger.faults


def test_from_then_on_every_trade_of_it_must_be_told() -> None:
    ledger = ledger_with(Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="r1"))
    told(ledger, "6", 1, cl_ord_id="b2", orig="r1", cum=30)
    told(ledger, "F", 2, cl_ord_id="r1", cum=50, last=10)
    [fault] = ledger.faults
    assert "CumQty 50, and the trades told come to 10 after 30 untold" in fault


def test_no_more_is_taken_back_of_it_than_was_traded_before() -> None:
    ledger = ledger_with(Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="r1"))
    told(ledger, "6", 1, cl_ord_id="b2", orig="r1", cum=30)
    told(ledger, "H", 2, cl_ord_id="r1", cum=40, ref="E99")
    assert "CumQty 40" in ledger.faults[0]


@pytest.mark.parametrize("kind", ["6", "4"])
def test_of_an_order_of_the_session_no_trade_may_be_untold(kind: str) -> None:
    new = Asked(cl_ord_id="b1", msg_type="D", fields=[])
    ledger = ledger_with(new, Asked(cl_ord_id="b2", msg_type="F", fields=[], orig="b1"))
    told(ledger, kind, 1, cl_ord_id="b2", orig="b1", cum=30)
    assert "CumQty 30, and the trades told come to 0" in ledger.faults[0]


def test_of_an_order_in_a_list_no_trade_may_be_untold() -> None:
    ledger = ledger_with()
    ledger.listed.add("b1")
    told(ledger, "0", 1, cl_ord_id="b1", cum=30)
    assert "CumQty 30, and the trades told come to 0" in ledger.faults[0]


def test_a_stranger_whose_bust_is_ignored_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 657 alone is excused: what was booked on a date that is forgotten."""

    def ignored(*_: object) -> Iterator[Any]:
        yield from ()

    monkeypatch.setattr(child_orders, "decide_bust", ignored)
    assert "is booked" in first_fault(strangers_are_accounted_for.Checker, first=18)


def test_a_stranger_of_an_earlier_date_whose_bust_is_lost_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody keeps it for reconciliation, or an operator."""
    real = orphans.decide_orphan

    def lossy(*told_of: Any) -> Iterator[Any]:
        for event in real(*told_of):
            if isinstance(event, OrphanReported) and event.exec_type is ExecType.TRADE_CANCEL:
                continue
            yield event

    monkeypatch.setattr(child_orders, "decide_orphan", lossy)
    assert "and that is lost" in first_fault(strangers_are_accounted_for.Checker, first=657)


def first_fault(checker: Callable[[World], Any], first: int = 1) -> str:
    """What that checker alone says of the first run in which it finds something."""
    for seed in range(first, first + MOST_SEEDS):
        world = World(plan_of(Recipe(seed=seed)), (checker,))
        try:
            world.run()
            come_to_rest(world)
        except Broken as broken:
            return str(broken)
        finally:
            world.forget()
    return "nobody noticed"


def ledger_with(*asked: Asked) -> ClientLedger:
    return ClientLedger(asked={one.cl_ord_id: replace(one, finals=["0 E0"]) for one in asked})


def told(
    ledger: ClientLedger,
    kind: str,
    number: int,
    *,
    cl_ord_id: str,
    cum: int,
    orig: str = "",
    last: int = 0,
    ref: str = "",
    leaves: int | None = None,
) -> None:
    """An ExecutionReport comes, about an order of 100."""
    fields = {
        37: "O1",
        11: cl_ord_id,
        41: orig,
        17: f"E{number}" if number else "0",
        150: kind,
        39: "4" if kind == "4" else "1",
        54: "1",
        38: "100",
        14: str(cum),
        151: str(100 - cum if leaves is None else leaves),
        32: str(last or ""),
        31: "10" if last else "",
        19: ref,
    }
    pairs = [(tag, value) for tag, value in fields.items() if value]
    ledger.note(Message(msg_type="8", seq=1, fields=pairs, raw=b"", at_ns=0))
