"""Orders by their OrderID, and OrderIDs by other names: those at work as they are, finished ones
packed.

Whoever asks sees no difference: what is packed is opened when it is asked for, and put away again
a moment later. Only memory tells. A family is a client order with its children: it is packed,
opened and forgotten as one. What is packed lies on two shelves: families that were touched on this
trading date, and those that were touched on the one before and not since.
"""

from collections import deque
from collections.abc import Container, ItemsView, Iterator, KeysView, Sequence, ValuesView
from typing import Final, TypeVar

from oms.domain.order import Order
from oms.domain.packing import (
    Family,
    cl_ord_ids_of,
    exec_ids_of,
    packed,
    unpacked,
)
from oms.domain.shelf import MemoryShelf, NewShelf, Shelf

Name = tuple[str, str]
"""Who calls it so, and how."""

T = TypeVar("T")

# For so long something may follow the end of an order: another word of its venue, a question.
QUIET_AFTER_US: Final = 2_000_000
# In a burst they wait for its end; not longer, so that a burst without end is no matter.
PUT_AWAY_AFTER_US: Final = 10_000_000
# With each command so many, and of a long queue a share.
_AT_ONCE: Final = 2
_SHARE: Final = 1024

_ORDER_ID: Final = -1
CL_ORD_ID, CHILD_CL_ORD_ID, VENUE_ORDER_ID, EXEC_ID = range(4)


class Orders(dict[str, Order]):
    """See the module. The dict itself holds the orders that are not packed.

    Walking through all orders shows those that are packed as copies, to be read only. at: the stamp
    of what is folded. finished: client orders to put away, each with the stamp since when.
    """

    __slots__ = (
        "_before",
        "_new_shelf",
        "_to_free",
        "_today",
        "at",
        "finished",
        "names",
        "put_away_after_us",
    )

    def __init__(self, new_shelf: NewShelf = MemoryShelf) -> None:
        super().__init__()
        self.at = 0
        self.put_away_after_us = PUT_AWAY_AFTER_US
        self.finished: deque[tuple[int, str]] = deque()
        self.names = tuple(Names(self, kind) for kind in range(4))
        self._new_shelf = new_shelf
        self._today, self._before = new_shelf(), new_shelf()
        self._to_free: list[Shelf] = []

    def due(self, at: int) -> bool:
        """Whether something waits to be put away, or to be freed."""
        self.at = at
        finished = self.finished
        return bool(self._to_free or (finished and finished[0][0] <= at - self.put_away_after_us))

    def put_away(
        self,
        due: int,
        date_since: int,
        open_orders: set[str],
        lists_at_work: dict[Name, None],
        most: int = 0,
    ) -> None:
        """Pack some of what ended before the stamp `due`; date_since: the trading date's begin.

        Nobody may hold an order meanwhile: it is called between two commands.
        """
        finished = self.finished
        if self._to_free and not self._to_free[-1].free_some():
            self._to_free.pop()
        for _ in range(most or _AT_ONCE + len(finished) // _SHARE):
            if not finished or finished[0][0] > due:
                return
            stamp, order_id = finished.popleft()
            order = dict.get(self, order_id)
            # What was told of it since has put it in the queue again; so does the end of its list.
            if order is not None and not (order.open_children or order_id in open_orders):
                list_id = order.first_terms.list_id
                if not list_id or (order.counterparty, list_id) not in lists_at_work:
                    self._pack(order, stamp, date_since)

    def _pack(self, parent: Order, stamp: int, date_since: int) -> None:
        touched = parent.updated_at
        children = [self[one] for one in parent.children]
        for child in children:
            touched = max(touched, child.updated_at)
        if touched > stamp:
            return
        family = packed(parent, children)
        if family is None:
            return
        signs = []
        for order in (parent, *children):
            del self[order.order_id]
            signs.append(hash((_ORDER_ID, order.order_id)))
        names = self.names
        for kind, name, order_id in _names(parent, children):
            owner = names[kind].pop(name, None)
            if owner == order_id:
                signs.append(hash((kind, name)))
            elif owner is not None:
                names[kind][name] = owner  # another order's by now
        (self._today if touched > date_since else self._before).put(family, signs)

    def owner(self, kind: int, name: str | Name) -> tuple[Shelf, int, list[Order], str] | None:
        """The packed family that has the name: its shelf, its number, itself, and whose it is."""
        sign = hash((kind, name))
        for shelf in (self._today, self._before):
            if shelf.may_have(sign):
                for number, family in shelf.find(sign):
                    orders = unpacked(family)
                    for which, known, order_id in _all_names(orders):
                        if which == kind and known == name:
                            return shelf, number, orders, order_id
        return None

    def open_named(self, kind: int, name: str | Name) -> str | None:
        """Whose name that is among those that are packed, which are opened; None: nobody's."""
        sign = hash((kind, name))
        if not (self._today.may_have(sign) or self._before.may_have(sign)):
            return None
        found = self.owner(kind, name)
        if found is None:
            return None
        shelf, number, orders, order_id = found
        for which, known, whose in _names(orders[0], orders[1:]):
            index = self.names[which]
            if dict.get(index, known) is None:
                owner = self.owner(which, known)
                if owner is not None and owner[0] is shelf and owner[1] == number:
                    index[known] = whose
        for order in orders:
            self[order.order_id] = order
        shelf.take_off(number)
        self.finished.append((self.at, orders[0].order_id))
        return order_id

    def families(self) -> list[Family]:
        """What is packed, as it lies there."""
        return [*self._before.families(), *self._today.families()]

    def in_full(self, but: Container[int] = ()) -> tuple[dict[str, Order], list[dict[Name, str]]]:
        """All orders, those that are packed as copies; and their names of each kind.

        but: the id of `families` to leave out.
        """
        orders: dict[str, Order] = {}
        names: list[dict[Name, str]] = [{} for _ in self.names]
        for family in self.families():
            if id(family) in but:
                continue
            copies = unpacked(family)
            orders |= {one.order_id: one for one in copies}
            whose: dict[tuple[int, Name], str] = {}
            for kind, name, order_id in _names(copies[0], copies[1:]):
                whose.setdefault((kind, name), order_id)
            for (kind, name), order_id in whose.items():
                owner = self._owner_in_full(family, kind, name, order_id)
                if owner is not None:
                    names[kind][name] = owner
        for found, index in zip(names, self.names, strict=True):
            found |= dict(dict.items(index))
        return orders | dict(dict.items(self)), names

    def _owner_in_full(self, family: Family, kind: int, name: Name, order_id: str) -> str | None:
        """As `owner` says whose it is; family: one that has the name, order_id: who of it."""
        sign = hash((kind, name))
        for shelf in (self._today, self._before):
            for _, found in shelf.find(sign):
                if found is family:
                    return order_id
                owner = self.owner(kind, name)
                return None if owner is None else owner[3]
        return None

    def forget(self, gone: set[str]) -> None:
        """A trading date begins: these go, and what is packed and was not touched on the last."""
        self._to_free.append(self._before)
        self._before, self._today = self._today, self._new_shelf()
        for order_id in gone:
            del self[order_id]
        for index in self.names:
            # "": a trade that is no order's.
            for name, order_id in list(dict.items(index)):
                if order_id and order_id not in self:
                    del index[name]

    def traded(self, *texts: str) -> Iterator[Order]:
        """Client orders with trades; of those that are packed only such as have all these texts."""
        yield from [one for one in self.here() if one.executions and not one.is_child]
        marks = [one.encode("utf-8", "surrogatepass") for one in texts if one]
        for shelf in (self._before, self._today):
            for family in shelf.traded(marks):
                yield unpacked(family)[0]

    def here(self) -> list[Order]:
        """Those that are not packed."""
        return list(dict.values(self))

    def everything(self) -> dict[str, Order]:
        """All of them; those that are packed as copies."""
        found = dict(dict.items(self))
        for family in self.families():
            found |= {one.order_id: one for one in unpacked(family)}
        return found

    def __missing__(self, order_id: str) -> Order:
        if self.open_named(_ORDER_ID, order_id) is None:
            raise KeyError(order_id)
        return self[order_id]

    def get(self, order_id: str, default: None = None) -> Order | None:  # type: ignore[override]
        """The order, opened if need be; `default` where there is none."""
        found = dict.get(self, order_id)
        if found is None and self.open_named(_ORDER_ID, order_id) is not None:
            found = dict.get(self, order_id)
        return default if found is None else found

    def __contains__(self, order_id: object) -> bool:
        if dict.__contains__(self, order_id):
            return True
        return isinstance(order_id, str) and self.owner(_ORDER_ID, order_id) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.everything())

    def __len__(self) -> int:
        return len(self.everything())

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """See `everything`."""
        return self.everything().keys()

    def values(self) -> ValuesView[Order]:  # type: ignore[override]
        """See `everything`."""
        return self.everything().values()

    def items(self) -> ItemsView[str, Order]:  # type: ignore[override]
        """See `everything`."""
        return self.everything().items()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Orders) and self.everything() == other.everything()

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


class Names(dict[Name, str]):
    """OrderIDs by names of one kind; the dict itself holds those of orders that are not packed."""

    __slots__ = ("_kind", "_orders")

    def __init__(self, orders: Orders, kind: int) -> None:
        super().__init__()
        self._orders, self._kind = orders, kind

    def everything(self) -> dict[Name, str]:
        """All of them, for whoever compares."""
        return self._orders.in_full()[1][self._kind]

    def get(self, name: Name, default: T | None = None) -> str | T | None:  # type: ignore[override]
        """Whose it is, opened if need be; `default` where it is nobody's."""
        found = dict.get(self, name)
        if found is None:
            found = self._orders.open_named(self._kind, name)
        return default if found is None else found

    def setdefault(self, name: Name, order_id: str) -> str:
        """Whose it is; from now on that order's where it was nobody's."""
        found = self.get(name)
        if found is None:
            found = self[name] = order_id
        return found

    def __missing__(self, name: Name) -> str:
        found = self._orders.open_named(self._kind, name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return self.get(name) is not None  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Name]:
        return iter(self.everything())

    def __len__(self) -> int:
        return len(self.everything())

    def keys(self) -> KeysView[Name]:  # type: ignore[override]
        """See `everything`."""
        return self.everything().keys()

    def values(self) -> ValuesView[str]:  # type: ignore[override]
        """See `everything`."""
        return self.everything().values()

    def items(self) -> ItemsView[Name, str]:  # type: ignore[override]
        """See `everything`."""
        return self.everything().items()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and self.everything() == other.everything()

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


def _names(parent: Order, children: Sequence[Order]) -> list[tuple[int, Name, str]]:
    """What a family is called, by kind of name; and who of it is called so."""
    order_id, who = parent.order_id, parent.counterparty
    found = [(CL_ORD_ID, (who, name), order_id) for name in cl_ord_ids_of(parent)]
    for child in children:
        order_id, who = child.order_id, child.counterparty
        found += [(CHILD_CL_ORD_ID, (who, name), order_id) for name in cl_ord_ids_of(child)]
        found.append((VENUE_ORDER_ID, (who, child.venue_order_id), order_id))
        found += [(EXEC_ID, told, order_id) for told in exec_ids_of(child)]
    return found


def _all_names(orders: list[Order]) -> Iterator[tuple[int, str | Name, str]]:
    for one in orders:
        yield _ORDER_ID, one.order_id, one.order_id
    yield from _names(orders[0], orders[1:])
