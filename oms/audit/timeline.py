"""One order's whole life: what was asked, decided, booked and said, by whom and when.

The journal is the source: the events of the order and its children, and the command behind each,
which stands before its events. FIX messages stand with what they caused or what caused them: one
that came in before its command, one that went out behind its event, with the time of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    RowMapping,
    and_,
    func,
    or_,
    select,
    true,
    union,
)

from oms.domain.commands import SentMessage
from oms.domain.values import micros
from oms.store.sent_messages import messages_of
from oms.store.tables import (
    child_orders,
    journal,
    list_orders,
    order_cl_ord_ids,
    orders,
    sent_orders,
)


class UnknownOrder(LookupError):
    """No order has that OrderID or ClOrdID."""


class AmbiguousOrder(LookupError):
    """Several orders had that ClOrdID: order_ids are theirs."""

    def __init__(self, text: str, order_ids: list[str]) -> None:
        super().__init__(f"{text}: several orders had this ClOrdID: {', '.join(order_ids)}")
        self.order_ids = order_ids


class EntryKind(StrEnum):
    """What a line of the timeline is, in the order of cause and effect."""

    FIX_IN = "FIX_IN"
    COMMAND = "COMMAND"
    EVENT = "EVENT"
    FIX_OUT = "FIX_OUT"


_RANK = {kind: rank for rank, kind in enumerate(EntryKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line. seq: of the journal; of a message, of its command or event. at: microseconds UTC.

    type: the command's or event's name, a message's MsgType (35). who: user, session and door of a
    command, else what acted. detail: the payload, decimals as text, FIX enumerations as on the
    wire. text: the FIX message with | for SOH.
    """

    seq: int
    at: int
    kind: EntryKind
    type: str
    order_id: str
    who: str
    session: str
    msg_seq_num: int | None
    detail: dict[str, Any]
    text: str


def timeline(connection: Connection, order_id: str) -> list[TimelineEntry]:
    """Every line about that order, in order. order_id: OrderID, a child's too, or a ClOrdID.

    Raises UnknownOrder, AmbiguousOrder.
    """
    parent = find_order(connection, order_id)
    children = select(child_orders.c.order_id).where(child_orders.c.parent_id == parent)
    ids = [parent, *connection.execute(children).scalars()]
    events = _rows(connection, journal.c.order_id.in_(ids), journal.c.kind == "E")
    # The list that it came in, and its part of that, came perhaps long before it was an order.
    came = list_orders.c.order_id == parent
    for column in (list_orders.c.seq, list_orders.c.list_seq):
        events += _rows(connection, journal.c.seq.in_(select(column).where(came)))
    commands = _commands_behind(connection, [row["seq"] for row in events])
    spans = _spans([row["seq"] for row in commands], [row["seq"] for row in events])
    rows = (*commands, *events, *_beside(connection, spans))
    found = [_of_journal(row) for row in {row["seq"]: row for row in rows}.values()]
    found += [one for one in map(_received, commands) if one.text]
    found += [_of_sent(message, noted_at) for message, noted_at in _sent(connection, ids)]
    return sorted(found, key=lambda one: (one.seq, _RANK[one.kind], one.at, one.msg_seq_num or 0))


def find_order(connection: Connection, text: str) -> str:
    """OrderID of the client order that is meant. Raises UnknownOrder, AmbiguousOrder."""
    exact = select(orders.c.order_id).where(orders.c.order_id == text)
    child = select(child_orders.c.parent_id).where(child_orders.c.order_id == text)
    for query in (exact, child):
        known = connection.execute(query).scalar_one_or_none()
        if known is not None:
            return str(known)
    chain = order_cl_ord_ids.c
    named = union(
        select(orders.c.order_id).where(orders.c.cl_ord_id == text),
        select(orders.c.order_id)
        .join(order_cl_ord_ids, chain.order_id == orders.c.order_id)
        .where(chain.cl_ord_id == text),
        select(child_orders.c.parent_id)
        .join(order_cl_ord_ids, chain.order_id == child_orders.c.order_id)
        .where(chain.cl_ord_id == text),
    )
    found = sorted(connection.execute(named).scalars())
    if not found:
        raise UnknownOrder(f"{text}: no order has this OrderID or ClOrdID")
    if len(found) > 1:
        raise AmbiguousOrder(text, found)
    return str(found[0])


def _rows(connection: Connection, *conditions: Any) -> list[RowMapping]:
    return list(connection.execute(select(journal).where(*conditions)).mappings())


def _commands_behind(connection: Connection, event_seqs: list[int]) -> list[RowMapping]:
    """The commands that these events came of, each once."""
    if not event_seqs:
        return []
    event = func.unnest(event_seqs, type_=BigInteger).table_valued("seq").render_derived()
    behind = (
        select(journal.c.seq)
        .where(journal.c.seq < event.c.seq, journal.c.kind == "C")
        .order_by(journal.c.seq.desc())
        .limit(1)
        .lateral()
    )
    wanted = select(behind.c.seq).select_from(event.join(behind, true())).distinct()
    return _rows(connection, journal.c.seq.in_(wanted))


def _spans(commands: list[int], events: list[int]) -> list[tuple[int, int]]:
    """By command the stretch from it to the last event of its own that concerns the order."""
    found: dict[int, int] = {}
    starts = sorted(commands)
    place = -1
    for seq in sorted(events):
        while place + 1 < len(starts) and starts[place + 1] < seq:
            place += 1
        if place >= 0:
            found[starts[place]] = seq
    return list(found.items())


def _beside(connection: Connection, spans: Iterable[tuple[int, int]]) -> list[RowMapping]:
    """Events of the same commands that concern no order but explain: a switch, a lost session."""
    stretches = [journal.c.seq.between(first, last) for first, last in spans if last > first + 1]
    if not stretches:
        return []
    no_order = or_(journal.c.order_id.is_(None), journal.c.order_id == "")
    return _rows(connection, and_(journal.c.kind == "E", no_order), or_(*stretches))


def _sent(connection: Connection, ids: list[str]) -> Iterator[tuple[SentMessage, int]]:
    """What was sent about the orders, each with when, at the latest."""
    wanted = select(sent_orders.c.seq).where(sent_orders.c.order_id.in_(ids))
    told: set[tuple[str, int, int]] = set()
    for note in sorted(_rows(connection, journal.c.seq.in_(wanted)), key=lambda row: row["seq"]):
        for one in messages_of(note["payload"]):
            key = (one.session, one.epoch, one.msg_seq_num)
            if one.order_id in ids and key not in told:
                told.add(key)
                yield one, micros(note["at"])


def _of_journal(row: RowMapping) -> TimelineEntry:
    detail: dict[str, Any] = msgspec.json.decode(row["payload"])
    command = row["kind"] == "C"
    origin = detail.get("origin", {}) if command else {}
    origin.pop("raw", None)
    return TimelineEntry(
        seq=row["seq"],
        at=micros(row["at"]),
        kind=EntryKind.COMMAND if command else EntryKind.EVENT,
        type=row["type"],
        order_id=row["order_id"] or "",
        who=_who(origin) if command else f"core, leadership {row['leader_epoch']}",
        session=row["session"] or "",
        msg_seq_num=row["msg_seq_num"],
        detail=detail,
        text="",
    )


def _who(origin: dict[str, Any]) -> str:
    parts = [origin.get("counterparty", "")]
    user = origin.get("user", "")
    if user and user not in parts:
        parts.append(f"user {user}")
    if origin.get("session"):
        parts.append(f"session {origin['session']}")
    parts.append(str(origin.get("channel", "")))
    return ", ".join(part for part in parts if part)


def _received(row: RowMapping) -> TimelineEntry:
    """The message that came in as this command; without text if none did."""
    raw: str = msgspec.json.decode(row["payload"]).get("origin", {}).get("raw", "")
    return TimelineEntry(
        seq=row["seq"],
        at=micros(row["at"]),
        kind=EntryKind.FIX_IN,
        type=_msg_type_of(raw),
        order_id=row["order_id"] or "",
        who=f"from {row['session']}",
        session=row["session"] or "",
        msg_seq_num=row["msg_seq_num"],
        detail={},
        text=raw.replace("\x01", "|"),
    )


def _of_sent(message: SentMessage, noted_at: int) -> TimelineEntry:
    return TimelineEntry(
        seq=message.event_seq,
        at=message.at or noted_at,
        kind=EntryKind.FIX_OUT,
        type=message.msg_type,
        order_id=message.order_id,
        who=f"to {message.session}",
        session=message.session,
        msg_seq_num=message.msg_seq_num,
        detail={},
        text=message.text.replace("\x01", "|"),
    )


def _msg_type_of(raw: str) -> str:
    """MsgType (35) of a message's text; empty where there is none."""
    return raw.partition("\x0135=")[2].partition("\x01")[0]
