"""An order's timeline for people: one line an entry, and below it what was weighed."""

from collections.abc import Iterator
from typing import Any, Final

from oms.audit.timeline import EntryKind, TimelineEntry
from oms.domain.fix import ExecInst, OrdStatus, OrdType, Side, TimeInForce
from oms.domain.values import utc

_ARROW: Final = {
    EntryKind.FIX_IN: "<-",
    EntryKind.COMMAND: "? ",
    EntryKind.EVENT: "! ",
    EntryKind.FIX_OUT: "->",
}
_BELOW: Final = frozenset({"figures", "quotes", "origin", "terms", "conditions", "orders"})
# What stands elsewhere in the timeline or the list of orphans.
_ELSEWHERE: Final = frozenset({"report", "child_terms"})

_NAMES: Final = {
    "side": Side,
    "ord_type": OrdType,
    "time_in_force": TimeInForce,
    "ord_status": OrdStatus,
    "exec_inst": ExecInst,
}
_MOMENTS: Final = frozenset({"at"})
_TIME: Final = "%Y-%m-%d %H:%M:%S"


def lines_of(entries: list[TimelineEntry]) -> Iterator[str]:
    """The timeline as text: time, journal number, what, who, and the details."""
    yield "UTC                         journal"
    yield "  <- FIX message in   ? command   ! event   -> FIX message out"
    for entry in entries:
        moment = utc(entry.at)
        stamp = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond:06d}"
        head = f"{stamp}  {entry.seq:>7}  {_ARROW[entry.kind]} {entry.type}"
        if entry.kind in {EntryKind.FIX_IN, EntryKind.FIX_OUT}:
            yield f"{head} {entry.who}, MsgSeqNum {entry.msg_seq_num}: {entry.text}"
            continue
        who = f" by {entry.who}" if entry.kind is EntryKind.COMMAND else ""
        yield f"{head}{who}{_plain(entry.detail)}"
        yield from _below(entry.detail)


def _plain(detail: dict[str, Any]) -> str:
    """What the entry says, empty fields left out; terms and conditions among the rest."""
    said = {**detail, **detail.get("terms", {})}
    said |= said.get("conditions") or {}
    if "orders" in said:
        said["no_orders"] = len(said["orders"])
    found = [
        f"{name}={_told(name, value)}"
        for name, value in said.items()
        if name not in _BELOW | _ELSEWHERE and value not in (None, "", [], False)
    ]
    return f": {' '.join(found)}" if found else ""


def _told(name: str, value: Any) -> Any:
    """An enumeration's name for its FIX value, UTC for microseconds; all else as it is."""
    if name in _NAMES:
        known = {one.value: one.name for one in _NAMES[name]}
        if isinstance(value, list):
            return ",".join(str(known.get(one, one)) for one in value)
        return known.get(value, value)
    if isinstance(value, int) and (name in _MOMENTS or name.endswith(("_at", "_time"))):
        moment = utc(value)
        return f"{moment:{_TIME}}.{moment.microsecond:06d}Z"
    return value


def _below(detail: dict[str, Any]) -> Iterator[str]:
    indent = " " * 42
    for figure in detail.get("figures", ()):
        limit = "none" if figure["limit"] is None else figure["limit"]
        passed = "passed" if figure["passed"] else "FAILED"
        of = f"{figure['level']} {figure['subject']}"
        yield f"{indent}risk {figure['rule']} {of}: {figure['measured']} of {limit}, {passed}"
    for seen in detail.get("quotes", ()):
        quote = seen["quote"]
        if quote is None:
            yield f"{indent}quote {seen['venue']}: none"
            continue
        bid = f"{quote['bid_size']} @ {quote['bid']}" if quote["bid"] else "no bid"
        ask = f"{quote['ask_size']} @ {quote['ask']}" if quote["ask"] else "no offer"
        yield f"{indent}quote {seen['venue']}: {bid} / {ask}"
