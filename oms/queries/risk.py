"""Risk: the limits in force and the engaged kill switches."""

from sqlalchemy import Connection, select

from oms.queries.paging import Row, rows_of
from oms.store.tables import kill_switches, risk_limits


def list_limits(connection: Connection) -> list[Row]:
    """Every limit, by rule, level and subject."""
    column = risk_limits.c
    query = select(risk_limits).order_by(column.rule, column.level, column.subject)
    return rows_of(connection, query)


def list_kill_switches(connection: Connection) -> list[Row]:
    """Every engaged kill switch, by level and subject."""
    column = kill_switches.c
    query = select(kill_switches).order_by(column.level, column.subject)
    return rows_of(connection, query)
