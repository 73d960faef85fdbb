"""What must agree at the end, line by line; pure. Each check lists whatever differs.

Three parties are compared one by one: the clients' own books, the server's tables, the venues'
books. None of them is made from another.
"""

from collections import Counter

from oms.demo.checks_trades import (
    children_make_parents,
    positions_are_fills,
    reports_once,
    trades_at_clients,
    trades_at_venues,
)
from oms.demo.evidence import Check, Evidence, Row, different, number
from oms.demo.ledger import FINAL
from oms.domain.fix import OrdStatus

# What may end an order that risk let pass: an IOC finds no venue while the core resynchronises.
_NOT_RISK = frozenset({"", "VENUE_REFUSED", "NO_VENUE_CONNECTED"})


def all_checks(evidence: Evidence) -> list[Check]:
    """Every comparison of the three parties."""
    return [
        orders_of_fix_clients(evidence),
        orders_of_rest_client(evidence),
        nothing_lost_or_extra(evidence),
        orders_at_venues(evidence),
        children_make_parents(evidence),
        trades_at_venues(evidence),
        trades_at_clients(evidence),
        reports_once(evidence),
        requests_settled(evidence),
        refusals_as_planned(evidence),
        nothing_open(evidence),
        positions_are_fills(evidence),
    ]


def orders_of_fix_clients(evidence: Evidence) -> Check:
    """Status, quantities, price and average of every FIX order, as told and as recorded."""
    ours = {row["order_id"]: row for row in evidence.tables["orders"]}
    faults: list[str] = []
    count = 0
    for seen in evidence.fix_orders():
        count += 1
        row = ours.get(seen["order_id"])
        if row is None:
            faults.append(f"{seen['cl_ord_id']}: the server has no order {seen['order_id']!r}")
            continue
        faults += different(
            f"{seen['cl_ord_id']} ({seen['order_id']})",
            {
                "client": (seen["client"], row["client"]),
                "ord_status": (seen["ord_status"], row["ord_status"]),
                "cum_qty": (number(seen["cum_qty"]), row["cum_qty"]),
                "leaves_qty": (number(seen["leaves_qty"]), row["leaves_qty"]),
                "avg_px": (number(seen["avg_px"]), row["avg_px"]),
                "order_qty": (number(seen["order_qty"]), row["order_qty"]),
                "price": (number(seen["price"]), row["price"]),
            },
            "client",
            "server",
        )
    return Check(name="FIX orders: clients = server", figure=f"{count:,}", faults=faults)


def orders_of_rest_client(evidence: Evidence) -> Check:
    """Every REST order was answered, and reads back as it is recorded."""
    ours = {row["order_id"]: row for row in evidence.tables["orders"]}
    faults = []
    for one in evidence.rest:
        name = one.order.cl_ord_id
        row = ours.get(one.order_id)
        if row is None or one.last is None:
            faults.append(f"{name}: the server has no order {one.order_id!r}: {one.refusal}")
            continue
        last = one.last
        faults += different(
            f"{name} ({one.order_id})",
            {
                "client": (one.order.client, row["client"]),
                "ord_status": (last.get("ord_status"), OrdStatus(row["ord_status"]).name),
                "cum_qty": (number(last.get("cum_qty")), row["cum_qty"]),
                "order_qty": (number(last.get("order_qty")), row["order_qty"]),
            },
            "client",
            "server",
        )
    return Check(
        name="REST orders: client = server", figure=f"{len(evidence.rest):,}", faults=faults
    )


def nothing_lost_or_extra(evidence: Evidence) -> Check:
    """Each planned order is one order of the server, and the server has no other."""
    named = [(row["cl_ord_id"], row["order_id"]) for row in evidence.fix_orders()]
    named += [(one.order.cl_ord_id, one.order_id) for one in evidence.rest]
    known = Counter(order_id for _, order_id in named)
    faults = [
        f"order {order_id} stands for {count} orders of clients"
        for order_id, count in known.items()
        if count > 1
    ]
    sent = {name for name, _ in named}
    faults += [f"{one.cl_ord_id}: never sent" for one in evidence.plan if one.cl_ord_id not in sent]
    faults += [
        f"{row['order_id']} ({row['cl_ord_id']} of {row['client']}): no client sent it"
        for row in evidence.tables["orders"]
        if row["order_id"] not in known
    ]
    figure = f"{len(evidence.plan):,} sent, {len(evidence.tables['orders']):,} recorded"
    return Check(name="No order lost, none doubled", figure=figure, faults=faults)


def orders_at_venues(evidence: Evidence) -> Check:
    """Every child order and every venue's order are one another's, in the same state."""
    children = {(row["venue"], row["venue_order_id"]): row for row in evidence.tables["children"]}
    faults: list[str] = []
    found: set[tuple[str, str]] = set()
    for venue, books in evidence.venues.items():
        for theirs in books["orders"]:
            key = (venue, theirs["order_id"])
            row = children.get(key) or _by_name(evidence, venue, theirs["cl_ord_id"])
            if row is None:
                faults.append(f"{venue} {theirs['order_id']} ({theirs['cl_ord_id']}): not ours")
                continue
            found.add((venue, row["order_id"]))
            faults += different(
                f"{row['order_id']} at {venue}",
                {
                    "symbol": (row["symbol"], theirs["symbol"]),
                    "side": (row["side"], theirs["side"]),
                    "order_qty": (row["order_qty"], number(theirs["order_qty"])),
                    "price": (row["price"], number(theirs["price"])),
                    "cum_qty": (row["cum_qty"], number(theirs["cum_qty"])),
                    "ord_status": (row["ord_status"], theirs["ord_status"]),
                },
                "server",
                "venue",
            )
    faults += [
        f"{row['order_id']}: {row['venue']} has no such order"
        for row in evidence.tables["children"]
        if (row["venue"], row["order_id"]) not in found and not _never_left(row)
    ]
    count = len(evidence.tables["children"])
    return Check(name="Child orders: server = venues", figure=f"{count:,}", faults=faults)


def _never_left(row: Row) -> bool:
    """A kill kept it from its venue, and its client withdrew it before it was sent again."""
    stale = row["closed_reason"] == "STALE" and row["ord_status"] == OrdStatus.CANCELED
    return stale and not row["venue_order_id"] and not row["cum_qty"]


def _by_name(evidence: Evidence, venue: str, cl_ord_id: str) -> Row | None:
    """A child that never had an OrderID from its venue: refused or answered by a fill alone."""
    for row in evidence.tables["children"]:
        if row["venue"] == venue and cl_ord_id in (row["cl_ord_id"], row["order_id"]):
            return row
    return None


def requests_settled(evidence: Evidence) -> Check:
    """Each order, cancel and replace had its answer."""
    faults = []
    count = 0
    for client in evidence.clients:
        orders = {row["cl_ord_id"]: row for row in client["orders"]}
        for name, request in client["requests"].items():
            count += 1
            if not request["final"]:
                status = orders[request["order"]]["ord_status"]
                faults.append(f"{client['client']} {name} ({request['kind']}): unsettled, {status}")
    return Check(name="Each request answered", figure=f"{count:,}", faults=faults)


def refusals_as_planned(evidence: Evidence) -> Check:
    """Risk refused what it had to, for the right reason, and nothing else."""
    texts = {row["order_id"]: row for row in evidence.tables["orders"]}
    ids = {row["cl_ord_id"]: row["order_id"] for row in evidence.fix_orders()}
    ids |= {one.order.cl_ord_id: one.order_id for one in evidence.rest}
    faults = []
    count = 0
    for order in evidence.plan:
        row = texts.get(ids.get(order.cl_ord_id, ""))
        if row is None or order.refusal is None:
            continue
        rejected = row["ord_status"] == OrdStatus.REJECTED
        if order.refusal:
            count += 1
            if not rejected or order.refusal not in row["text"]:
                told = f"{OrdStatus(row['ord_status']).name} {row['text']!r}"
                faults.append(f"{order.cl_ord_id}: {told}, must be refused: {order.refusal}")
        elif rejected and row["closed_reason"] not in _NOT_RISK:
            faults.append(f"{order.cl_ord_id}: refused without a plan: {row['text']}")
    return Check(name="Refused by risk: as planned", figure=f"{count:,}", faults=faults)


def nothing_open(evidence: Evidence) -> Check:
    """The day is closed: no order can trade any more, and none is in doubt."""
    faults: list[str] = []
    for name in ("orders", "children"):
        faults += [
            f"{row['order_id']}: {row['status']} {row['doubt_reason']}"
            for row in evidence.tables[name]
            if row["in_doubt"] or row["ord_status"] not in FINAL
        ]
    faults += [
        f"orphan: {row['venue']} {row['exec_id']} for {row['cl_ord_id'] or row['venue_order_id']}"
        for row in evidence.tables["orphans"]
    ]
    return Check(
        name="Every order resolved", figure=f"{len(faults)} open or in doubt", faults=faults
    )
