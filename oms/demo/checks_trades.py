"""What must agree about trades: venues, server and clients, and what is made of them; pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal

from oms.demo.evidence import Check, Evidence, different, number
from oms.domain.fix import Side

ZERO = Decimal(0)
_NONE: tuple[Decimal, ...] = (ZERO,) * 5


def trades_at_venues(evidence: Evidence) -> Check:
    """Each venue's trade stands in executions once, and nothing else does."""
    ours = {(row["venue"], row["exec_id"]): row for row in evidence.tables["executions"]}
    times = Counter((row["venue"], row["exec_id"]) for row in evidence.tables["executions"])
    faults = [
        f"{key[0]} {key[1]}: booked {count} times" for key, count in times.items() if count > 1
    ]
    count = 0
    for venue, books in evidence.venues.items():
        for theirs in books["trades"]:
            count += 1
            row = ours.pop((venue, theirs["exec_id"]), None)
            if row is None:
                faults.append(f"{venue} {theirs['exec_id']}: lost, not in executions")
                continue
            faults += different(
                f"{venue} {theirs['exec_id']}",
                {
                    "symbol": (row["symbol"], theirs["symbol"]),
                    "side": (row["side"], theirs["side"]),
                    "last_qty": (row["last_qty"], number(theirs["last_qty"])),
                    "last_px": (row["last_px"], number(theirs["last_px"])),
                    "busted": (row["busted"], theirs["status"] == "BUSTED"),
                },
                "server",
                "venue",
            )
    faults += [f"{venue} {exec_id}: the venue has no such trade" for venue, exec_id in ours]
    return Check(name="Trades: server = venues, each once", figure=f"{count:,}", faults=faults)


def trades_at_clients(evidence: Evidence) -> Check:
    """Each execution of a FIX order was reported to its client, in its last figures."""
    seen = {
        (str(client["client"]), str(trade["exec_id"])): trade
        for client in evidence.clients
        for trade in client["trades"]
    }
    owners = {row["order_id"]: row["client"] for row in evidence.tables["orders"] if row["session"]}
    faults: list[str] = []
    count = 0
    for row in evidence.tables["executions"]:
        client = owners.get(row["parent_id"])
        if client is None:
            continue
        count += 1
        # Our ExecID towards clients is made of the journal number of the trade.
        trade = seen.pop((client, f"E{row['seq']}"), None)
        if trade is None:
            faults.append(f"{client}: trade {row['exec_id']} of {row['venue']} was not reported")
            continue
        values = {
            "order_id": (trade["order_id"], row["parent_id"]),
            "venue": (trade["venue"], row["venue"]),
            "busted": (trade["busted"], row["busted"]),
        }
        if not row["busted"]:
            values["last_qty"] = (number(trade["last_qty"]), row["last_qty"])
            values["last_px"] = (number(trade["last_px"]), row["last_px"])
        faults += different(f"{client} {trade['exec_id']}", values, "client", "server")
    faults += [f"{client}: trade {exec_id} is not in executions" for client, exec_id in seen]
    return Check(name="Trades: FIX clients = server", figure=f"{count:,}", faults=faults)


def reports_once(evidence: Evidence) -> Check:
    """Each ExecID came once as news; a repeat said that it was one."""
    faults = [fault for client in evidence.clients for fault in client["faults"]]
    reports = sum(client["reports"] for client in evidence.clients)
    repeats = sum(client["repeats"] for client in evidence.clients)
    figure = f"{reports:,}, {repeats:,} marked repeats"
    return Check(name="Each ExecID at the client once", figure=figure, faults=faults)


def children_make_parents(evidence: Evidence) -> Check:
    """CumQty of an order is the sum of its children's executions, and within OrderQty."""
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in evidence.tables["executions"]:
        filled[row["parent_id"]] += ZERO if row["busted"] else row["last_qty"]
    faults = []
    for row in evidence.tables["orders"]:
        total = filled[row["order_id"]]
        if total != row["cum_qty"]:
            faults.append(f"{row['order_id']}: CumQty {row['cum_qty']}, its fills {total}")
        if row["cum_qty"] > row["order_qty"]:
            faults.append(f"{row['order_id']}: filled {row['cum_qty']} of {row['order_qty']}")
    total = sum(filled.values(), ZERO)
    return Check(name="CumQty = sum of the fills", figure=f"{total:,.0f} shares", faults=faults)


def positions_are_fills(evidence: Evidence) -> Check:
    """Positions are the sum of the fills, as we have them and as the venues have them."""
    accounts = {row["venue_order_id"]: row["account"] for row in evidence.tables["children"]}
    ours = _sums(
        (row["account"], row["symbol"], row["side"], row["last_qty"], row["last_px"])
        for row in evidence.tables["executions"]
        if not row["busted"]
    )
    theirs = _sums(
        (
            accounts.get(trade["order_id"], "?"),
            trade["symbol"],
            trade["side"],
            Decimal(trade["last_qty"]),
            Decimal(trade["last_px"]),
        )
        for books in evidence.venues.values()
        for trade in books["trades"]
        if trade["status"] != "BUSTED"
    )
    held = {(row["account"], row["symbol"]): row for row in evidence.tables["positions"]}
    faults: list[str] = []
    for key in sorted({*held, *ours, *theirs}):
        row, mine, venues = held.get(key), ours.get(key, _NONE), theirs.get(key, _NONE)
        has = _NONE
        if row is not None:
            names = ("quantity", "bought", "sold", "bought_value", "sold_value")
            has = tuple(row[name] for name in names)
        if not has == mine == venues:
            faults.append(f"{key[0]} {key[1]}: position {has}, fills {mine}, venues {venues}")
    return Check(name="Positions = sum of the fills", figure=f"{len(held):,}", faults=faults)


def _sums(
    fills: Iterable[tuple[str, str, str, Decimal, Decimal]],
) -> dict[tuple[str, str], tuple[Decimal, ...]]:
    """By account and symbol: net, bought, sold, and the values of both."""
    found: dict[tuple[str, str], tuple[Decimal, ...]] = {}
    for account, symbol, side, quantity, price in fills:
        net, bought, sold, bought_value, sold_value = found.get((account, symbol), _NONE)
        if side == Side.BUY:
            bought, bought_value = bought + quantity, bought_value + quantity * price
        else:
            sold, sold_value = sold + quantity, sold_value + quantity * price
        net = bought - sold
        found[account, symbol] = (net, bought, sold, bought_value, sold_value)
    return found
