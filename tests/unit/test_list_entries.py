"""The orders of a list on the wire, cut and joined; and whatever else may stand there."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fix_sessions.list_entries import per_order, split
from oms.domain.baskets import NewOrderList
from oms.domain.commands import UnreadableMessage
from tests.support.messages import VERSIONS, read

OWN = st.tuples(st.sampled_from([66, 68, 394, 433, 893, 1385]), st.text("ab1", min_size=1))
OF_AN_ORDER = st.tuples(st.sampled_from([1, 38, 40, 44, 54, 55, 67]), st.text("ab1", min_size=1))
ENTRIES = st.lists(st.lists(OF_AN_ORDER, max_size=5), max_size=4)
TAGS = [11, 67, 1, 54, 55, 38, 40, 44, 59, 60, 73, 66, 68, 394, 433, 893, 78, 79, 453, 448, 452]
VALUES = st.sampled_from(["1", "2", "3", "", "x", "L1", "N", "20260101-00:00:00", "-1", "1e5", "="])


@given(head=st.lists(OWN, max_size=4), entries=ENTRIES, tail=st.lists(OWN, max_size=3))
def test_a_list_is_cut_into_its_orders(
    head: list[tuple[int, str]],
    entries: list[list[tuple[int, str]]],
    tail: list[tuple[int, str]],
) -> None:
    orders = [[(11, f"c{n}"), *entry] for n, entry in enumerate(entries)]
    count = (73, str(len(orders)))
    fields = [*head, count, *(one for order in orders for one in order), *tail]
    assert split(fields) == ([*head, count, *tail], orders)
    joined = per_order(lambda order: [*order, (58, "x")])(fields)
    assert split(joined) == ([*head, *tail, count], [[*order, (58, "x")] for order in orders])


@settings(max_examples=300, deadline=None)
@given(
    version=st.sampled_from(VERSIONS),
    fields=st.lists(st.tuples(st.sampled_from(TAGS), VALUES), max_size=25),
)
def test_whatever_stands_in_a_list_is_read_or_refused(
    version: str, fields: list[tuple[int, str]]
) -> None:
    command = read(version, [(35, "E"), (34, "2"), *fields])
    assert isinstance(command, NewOrderList | UnreadableMessage)
    if isinstance(command, UnreadableMessage):
        assert command.text
        assert command.reason_code
