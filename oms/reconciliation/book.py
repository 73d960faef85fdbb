"""The two sides by what they are looked up with."""

from collections import defaultdict

from oms.reconciliation.sides import (
    Evidence,
    OurOrder,
    OurOrphan,
    OurSide,
    OurTrade,
    TheirOrder,
    TheirSide,
)


class Book:
    """Our orders by every name, our trades by every ExecID, their orders by ours."""

    def __init__(self, ours: OurSide, theirs: TheirSide) -> None:
        self.trades = sorted(ours.trades, key=lambda one: (one.exec_id, one.order_id))
        self.orders = {one.order_id: one for one in ours.orders}
        self._orphans: dict[tuple[int, str], OurOrphan] = {}
        for orphan in sorted(ours.orphans, key=lambda one: one.seq):
            names = (orphan.exec_id, orphan.cl_ord_id, orphan.venue_order_id)
            for key in enumerate(names):
                self._orphans.setdefault(key, orphan)
        self._by_name: dict[str, OurOrder] = {}
        self._by_venue_order_id: dict[str, OurOrder] = {}
        for order in sorted(ours.orders, key=lambda one: one.order_id):
            for name in order.cl_ord_ids:
                self._by_name.setdefault(name, order)
            if order.venue_order_id:
                self._by_venue_order_id.setdefault(order.venue_order_id, order)
        self._by_exec_id: dict[str, list[OurTrade]] = defaultdict(list)
        for trade in self.trades:
            for exec_id in {trade.exec_id, trade.latest_exec_id}:
                self._by_exec_id[exec_id].append(trade)
        self.their_orders: dict[str, list[TheirOrder]] = defaultdict(list)
        self.strangers: list[TheirOrder] = []
        for row in theirs.orders or ():
            known = self.order_of(row.cl_ord_id, row.order_id)
            if known is None:
                self.strangers.append(row)
            else:
                self.their_orders[known.order_id].append(row)
        self._strangers: dict[tuple[int, str], TheirOrder] = {}
        for row in sorted(self.strangers, key=lambda row: row.line):
            for key in enumerate((row.cl_ord_id, row.order_id)):
                self._strangers.setdefault(key, row)

    def order_of(self, cl_ord_id: str, venue_order_id: str) -> OurOrder | None:
        """Our order that a row of theirs is about: by ClOrdID, where it has none by OrderID."""
        if cl_ord_id:
            return self._by_name.get(cl_ord_id)
        return self._by_venue_order_id.get(venue_order_id)

    def trades_of(self, exec_id: str) -> list[OurTrade]:
        """Our trades that this ExecID may mean."""
        return self._by_exec_id.get(exec_id, [])

    def name_of(self, order_id: str) -> str:
        """The first ClOrdID of an order of ours."""
        order = self.orders.get(order_id)
        return order.cl_ord_ids[0] if order is not None and order.cl_ord_ids else ""

    def orphan_of(self, exec_id: str, cl_ord_id: str, order_id: str) -> OurOrphan | None:
        """The report that we could not place and that a row of theirs is about."""
        for place, name in enumerate((exec_id, cl_ord_id, order_id)):
            found = self._orphans.get((place, name)) if name else None
            if found is not None:
                return found
        return None

    def their_order_of(self, cl_ord_id: str, order_id: str) -> TheirOrder | None:
        """Their row of an order that we do not know."""
        for place, name in enumerate((cl_ord_id, order_id)):
            found = self._strangers.get((place, name)) if name else None
            if found is not None:
                return found
        return None

    def order_evidence(self, order_id: str) -> dict[str, Evidence]:
        """What both sides say of the order."""
        found: dict[str, Evidence] = {}
        if order_id in self.orders:
            found["our_order"] = self.orders[order_id].evidence()
        rows = self.their_orders.get(order_id)
        if rows:
            found["their_order"] = min(rows, key=lambda row: row.line).evidence()
        return found
