"""`oms session discard`: what waits for a client that is gone for good is let go, by two people."""

from datetime import UTC, datetime

import typer

from oms.app.exits import Exit, Stop
from oms.app.operate import carry_out, checked_reason, console, open_record, operator, utc_text
from oms.domain.session_commands import ApproveReportsDiscard, RequestReportsDiscard
from oms.queries import sessions as queries
from oms.queries.session_views import views
from oms.settings.model import Settings


def request(settings: Settings, name: str, reason: str, *, sure: bool) -> None:
    """Show what waits, and ask for it. Raises Stop."""
    checked = checked_reason(reason)
    _look_first(settings, name, f"Ask to discard what waits for {name}?", sure=sure)
    carry_out(settings, RequestReportsDiscard(origin=operator(), session=name, reason=checked))


def approve(settings: Settings, name: str, request: int, reason: str, *, sure: bool) -> None:
    """Show what waits, and let it go. Raises Stop."""
    checked = checked_reason(reason)
    _look_first(settings, name, f"Discard what waits for {name}?", sure=sure)
    command = ApproveReportsDiscard(
        origin=operator(), session=name, request=request, reason=checked
    )
    carry_out(settings, command)


def _look_first(settings: Settings, name: str, question: str, *, sure: bool) -> None:
    """What waits by this machine's configuration and the record; the core decides by its own."""
    now = datetime.now(UTC)
    with open_record(settings) as engine, engine.begin() as connection:
        found = list(views(settings, queries.list_sessions(connection), now, led=True))
        orders = len(queries.orders_at_risk(connection, name))
    for one in found:
        if (one.name, one.kind) == (name, "removed"):
            since = utc_text(one.row["undelivered_since"])
            waits = f"{one.row['undelivered']} messages wait for {name}, the first since {since}"
            console().print(f"{waits} UTC; {orders} orders of its session are open")
            break
    else:
        console().print(f"Nothing waits for {name}, by the configuration here.")
    if not sure and not typer.confirm(question):
        raise Stop(Exit.FAILED, "nothing was done")
