"""The orders of a list on the wire: entries of NoOrders (73), each of which begins with ClOrdID.

The engine gives a message's fields sorted by tag with groups whole, so fields of the list itself
may stand behind its orders; they are known by their tags.
"""

from collections.abc import Callable
from typing import Final

from fix_sessions.fields import Pairs

NO_ORDERS: Final = 73
_FIRST: Final = 11
# Of the list itself, in whichever version; 10, 89 and 93 are the trailer.
_OF_THE_LIST: Final = frozenset(
    {66, 68, 69, 352, 353, 390, 391, 394, 414, 415, 433, 480, 481, 513, 765, 766, 767, 893, 1385}
    | {1116, 1117, 1118, 1119, 1120, 1121, 1122, 1685, 2388, 2401, 10, 89, 93}
)


def split(fields: Pairs) -> tuple[Pairs, list[Pairs]]:
    """The fields of the list itself, NoOrders among them, and those of each of its orders.

    What stands behind NoOrders and ahead of the first ClOrdID is an entry too, of no ClOrdID.
    """
    own: Pairs = []
    entries: list[Pairs] = []
    listing = False
    for tag, value in fields:
        if tag == NO_ORDERS or not listing or tag in _OF_THE_LIST:
            own.append((tag, value))
            listing = listing or tag == NO_ORDERS
        elif tag == _FIRST or not entries:
            entries.append([(tag, value)])
        else:
            entries[-1].append((tag, value))
    return own, entries


def per_order(translation: Callable[[Pairs], Pairs]) -> Callable[[Pairs], Pairs]:
    """A list's translation, made of that of one order."""

    def translate(fields: Pairs) -> Pairs:
        own, entries = split(fields)
        head = [one for one in own if one[0] != NO_ORDERS]
        count = [one for one in own if one[0] == NO_ORDERS]
        return [*head, *count, *(one for entry in entries for one in translation(entry))]

    return translate
