"""Corporate actions: what was previewed and applied, and what a preview showed."""

from sqlalchemy import Connection, select

from oms.domain.splits import CorporateActionPreviewed
from oms.queries.paging import FIRST, Page, Row, Window, page, row_of
from oms.store.codec import decode
from oms.store.tables import corporate_actions, journal


def list_actions(
    connection: Connection, *, symbol: str | None = None, window: Window = FIRST
) -> Page:
    """Actions, the one previewed last first."""
    column = corporate_actions.c
    query = select(corporate_actions)
    if symbol is not None:
        query = query.where(column.symbol == symbol)
    return page(connection, query, key=(column.preview,), window=window)


def find_action(connection: Connection, action_id: str) -> Row | None:
    """The action of that id."""
    column = corporate_actions.c
    return row_of(connection, select(corporate_actions).where(column.action_id == action_id))


def preview_of(connection: Connection, preview: int) -> CorporateActionPreviewed:
    """What the preview of that journal number showed."""
    payload = connection.execute(
        select(journal.c.payload).where(journal.c.seq == preview)
    ).scalar_one()
    found = decode(CorporateActionPreviewed.__name__, bytes(payload))
    assert isinstance(found, CorporateActionPreviewed), preview
    return found
