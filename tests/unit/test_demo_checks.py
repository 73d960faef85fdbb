"""The demo's comparisons: they pass where all agree, and each lie is told by the right one."""

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from oms.demo.checks import all_checks
from oms.demo.closing import Injected, compare_breaks
from oms.demo.evidence import Evidence
from oms.demo.plan import PlannedOrder
from oms.demo.rest import RestOrder

D = Decimal
TERMS = {"account": "ALPHA-1", "symbol": "AAPL", "side": "1", "order_qty": D(10), "price": D(5)}
STATE = {"cum_qty": D(10), "leaves_qty": D(0), "avg_px": D(5), "ord_status": "2", "text": ""}
STANDING = {"status": "FILLED", "in_doubt": False, "doubt_reason": "", "closed_reason": ""}


def planned(cl_ord_id: str, *, rest: bool) -> PlannedOrder:
    return PlannedOrder(
        cl_ord_id=cl_ord_id,
        client="ALPHA",
        account="ALPHA-1",
        symbol="AAPL",
        side="1",
        order_qty="10",
        ord_type="2",
        price="5",
        rest=rest,
    )


def order_row(order_id: str, cl_ord_id: str, session: str) -> dict[str, Any]:
    names = {"order_id": order_id, "client": "ALPHA", "cl_ord_id": cl_ord_id, "session": session}
    return names | TERMS | STATE | STANDING


def child_row(parent_id: str, venue_order_id: str) -> dict[str, Any]:
    names = {"order_id": f"{parent_id}-1", "cl_ord_id": f"{parent_id}-1", "parent_id": parent_id}
    return names | {"venue": "XSIM1", "venue_order_id": venue_order_id} | TERMS | STATE | STANDING


def execution_row(parent_id: str, exec_id: str, seq: int) -> dict[str, Any]:
    names = {"venue": "XSIM1", "exec_id": exec_id, "parent_id": parent_id, "seq": seq}
    figures = {"last_qty": D(10), "last_px": D(5), "busted": False}
    return names | {"account": "ALPHA-1", "symbol": "AAPL", "side": "1"} | figures


def venue_order(parent_id: str, order_id: str) -> dict[str, str]:
    terms = {"symbol": "AAPL", "side": "1", "order_qty": "10", "price": "5", "cum_qty": "10"}
    return {"order_id": order_id, "cl_ord_id": f"{parent_id}-1", "ord_status": "2"} | terms


def venue_trade(exec_id: str, order_id: str) -> dict[str, str]:
    figures = {"symbol": "AAPL", "side": "1", "last_qty": "10", "last_px": "5", "status": "NEW"}
    return {"exec_id": exec_id, "order_id": order_id} | figures


def books() -> dict[str, Any]:
    seen = {"cl_ord_id": "F1", "client": "ALPHA", "order_id": "O1", "ord_status": "2"}
    seen |= {"cum_qty": "10", "leaves_qty": "0", "avg_px": "5", "order_qty": "10", "price": "5"}
    trade = {"exec_id": "E7", "order_id": "O1", "venue": "XSIM1", "busted": False}
    return {
        "client": "ALPHA",
        "orders": [seen],
        "trades": [trade | {"last_qty": "10", "last_px": "5"}],
        "requests": {"F1": {"kind": "D", "order": "F1", "final": True}},
        "reports": 2,
        "repeats": 0,
        "faults": [],
    }


def agreed() -> Evidence:
    """One order over FIX, one over REST, each filled at once; all parties agree."""
    rest = planned("R1", rest=True)
    last = {"ord_status": "FILLED", "cum_qty": "10", "order_qty": "10"}
    position = {"account": "ALPHA-1", "symbol": "AAPL", "quantity": D(20), "bought": D(20)}
    return Evidence(
        plan=[planned("F1", rest=False), rest],
        clients=[books()],
        rest=[RestOrder(order=rest, order_id="O2", last=last)],
        tables={
            "orders": [order_row("O1", "F1", "ALPHA"), order_row("O2", "R1", "")],
            "children": [child_row("O1", "V1"), child_row("O2", "V2")],
            "executions": [execution_row("O1", "X1", 7), execution_row("O2", "X2", 9)],
            "positions": [position | {"sold": D(0), "bought_value": D(100), "sold_value": D(0)}],
            "orphans": [],
        },
        venues={
            "XSIM1": {
                "orders": [venue_order("O1", "V1"), venue_order("O2", "V2")],
                "trades": [venue_trade("X1", "V1"), venue_trade("X2", "V2")],
            }
        },
    )


def failing(evidence: Evidence) -> set[str]:
    return {check.name for check in all_checks(evidence) if not check.passed}


def test_all_pass_where_all_agree() -> None:
    assert failing(agreed()) == set()


LIES: dict[str, tuple[Callable[[Any], object], set[str]]] = {
    "client's CumQty": (
        lambda e: e.clients[0]["orders"][0].update(cum_qty="9"),
        {"FIX orders: clients = server"},
    ),
    "REST status": (
        lambda e: e.rest[0].last.update(ord_status="NEW"),
        {"REST orders: client = server"},
    ),
    "order nobody sent": (
        lambda e: e.tables["orders"].append(order_row("O3", "Z1", "ALPHA") | {"cum_qty": D(0)}),
        {"No order lost, none doubled"},
    ),
    "one order for two": (
        lambda e: setattr(e.rest[0], "order_id", "O1"),
        {"No order lost, none doubled"},
    ),
    "venue's order that is not ours": (
        lambda e: e.venues["XSIM1"]["orders"].append(venue_order("O9", "V9")),
        {"Child orders: server = venues"},
    ),
    "child that the venue lacks": (
        lambda e: e.venues["XSIM1"]["orders"].pop(),
        {"Child orders: server = venues"},
    ),
    "parent without its fill": (
        lambda e: e.tables["orders"][1].update(cum_qty=D(0)),
        {"REST orders: client = server", "CumQty = sum of the fills"},
    ),
    "trade booked twice": (
        lambda e: e.tables["executions"].append(execution_row("O2", "X2", 11)),
        {
            "Trades: server = venues, each once",
            "CumQty = sum of the fills",
            "Positions = sum of the fills",
        },
    ),
    "trade at another price": (
        lambda e: e.venues["XSIM1"]["trades"][1].update(last_px="6"),
        {"Trades: server = venues, each once", "Positions = sum of the fills"},
    ),
    "trade not reported": (
        lambda e: e.clients[0]["trades"].clear(),
        {"Trades: FIX clients = server"},
    ),
    "report twice": (
        lambda e: e.clients[0]["faults"].append("E7 came twice"),
        {"Each ExecID at the client once"},
    ),
    "request without answer": (
        lambda e: e.clients[0]["requests"]["F1"].update(final=False),
        {"Each request answered"},
    ),
    "order in doubt": (
        lambda e: e.tables["children"][0].update(in_doubt=True),
        {"Every order resolved"},
    ),
    "orphan": (
        lambda e: e.tables["orphans"].append(
            {"venue": "XSIM1", "exec_id": "X3", "cl_ord_id": "", "venue_order_id": "V3"}
        ),
        {"Every order resolved"},
    ),
    "position off by one": (
        lambda e: e.tables["positions"][0].update(quantity=D(19)),
        {"Positions = sum of the fills"},
    ),
    "refused without a plan": (
        lambda e: e.tables["orders"][1].update(ord_status="8", closed_reason="OFF_TICK"),
        {"REST orders: client = server", "Refused by risk: as planned"},
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_told_by_the_checks_that_it_is_about(lie: str) -> None:
    evidence = copy.deepcopy(agreed())
    tell, told = LIES[lie]
    tell(evidence)
    assert told <= failing(evidence)
    allowed = told | {"No order lost, none doubled", "REST orders: client = server"}
    assert failing(evidence) <= allowed


def test_an_order_that_never_left_is_at_no_venue() -> None:
    evidence = agreed()
    stale = child_row("O2", "") | {"order_id": "O2-2", "cl_ord_id": "O2-2", "cum_qty": D(0)}
    stale |= {"ord_status": "4", "closed_reason": "STALE"}
    evidence.tables["children"].append(stale)  # type: ignore[attr-defined]
    assert failing(evidence) == set()


def test_breaks_are_held_against_what_was_injected_each_once() -> None:
    one = Injected(venue="XSIM1", kind="PRICE", exec_id="X1")
    other = Injected(venue="XSIM2", kind="DUPLICATE", exec_id="X2")
    row = {"venue": "XSIM1", "kind": "PRICE", "exec_id": "X1", "order_id": "O1-1"}
    row |= {"field": "last_px", "ours": "5", "theirs": "6"}
    assert compare_breaks([row], {one}) == []
    [twice] = compare_breaks([row, row], {one})
    assert twice.startswith("found, not injected: XSIM1: PRICE of trade X1")
    [missing] = compare_breaks([row], {one, other})
    assert missing == "injected, not found: XSIM2: DUPLICATE of trade X2"
