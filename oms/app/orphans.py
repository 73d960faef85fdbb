"""`oms orphans`: what waits for a decision, and the decisions, by the inbox as everybody's."""

from rich.table import Table

from oms.app.operate import (
    carry_out,
    checked_reason,
    console,
    open_record,
    operator,
    print_json,
    utc_text,
)
from oms.domain.orphans import DecideOrphan, OrphanVerdict
from oms.domain.values import decimal_text
from oms.queries.paging import Row, Window
from oms.queries.refusals import list_orphans
from oms.settings.model import Settings

_MOST = 500


def show(settings: Settings, *, everything: bool, as_json: bool) -> None:
    """Print the open ones, or the newest of all. Raises Stop."""
    with open_record(settings) as engine, engine.begin() as connection:
        found = list_orphans(
            connection, is_open=None if everything else True, window=Window(limit=_MOST)
        )
    if as_json:
        for row in found.rows:
            print_json(row)
        return
    if not found.rows:
        console().print("No orphan waits for a decision." if not everything else "There is none.")
        return
    table = Table(
        "Number", "At (UTC)", "Venue", "By", "Trade", "Of", "What", "State", title="Orphans"
    )
    for row in found.rows:
        table.add_row(*_cells(row))
    console().print(table)


def _cells(row: Row) -> list[str]:
    traded = [decimal_text(row[one]) for one in ("last_qty", "last_px") if row[one] is not None]
    named = row["order_id"] or row["cl_ord_id"] or row["venue_order_id"]
    state = "open" if row["is_open"] else row["settlement"] or "note"
    if row["declined"]:
        state = f"{state}, declined" if row["settlement"] else "declined"
    if row["settled_by"] or row["settled_text"]:
        state = f"{state} {row['settled_by']}: {row['settled_text']}"
    return [
        str(row["seq"]),
        utc_text(row["at"]),
        row["venue"],
        row["session"],
        row["exec_id"],
        f"{named} {row['symbol']}",
        " at ".join(traded) + (f"; {row['text']}" if row["text"] else ""),
        state,
    ]


def adopt(settings: Settings, number: int, account: str, reason: str) -> None:
    """Sign that it is a trade of ours. Raises Stop."""
    command = DecideOrphan(
        origin=operator(),
        orphan=number,
        verdict=OrphanVerdict.ADOPT,
        account=account,
        reason=checked_reason(reason),
    )
    carry_out(settings, command)


def refuse(settings: Settings, number: int, reason: str, *, tell_venue: bool) -> None:
    """Sign that it is none, or is booked already. Raises Stop."""
    command = DecideOrphan(
        origin=operator(),
        orphan=number,
        verdict=OrphanVerdict.REFUSE,
        tell_venue=tell_venue,
        reason=checked_reason(reason),
    )
    carry_out(settings, command)
