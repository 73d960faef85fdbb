"""What all lists share: who may see a row, and where the next page begins (keyset pagination)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, true, tuple_

from oms.store.tables import orders

Row = Mapping[str, Any]
Key = tuple[datetime | str | int, ...]


class CursorRefused(ValueError):
    """A cursor that no page of ours ended with; the message names the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose rows may be seen: of one client, and of these accounts of it. EVERYTHING: of all."""

    client: str = ""
    accounts: frozenset[str] = frozenset()

    @property
    def limited(self) -> bool:
        """Whether anything is hidden."""
        return bool(self.client)

    def allows(self, client: str, account: str) -> bool:
        """Whether an order of that client for that account may be seen."""
        return not self.limited or (client == self.client and account in self.accounts)

    def orders(self) -> ColumnElement[bool]:
        """The condition on `orders`."""
        if not self.limited:
            return true()
        return and_(orders.c.client == self.client, orders.c.account.in_(self.accounts))


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows of a list: so many, behind those of the page that ended with this cursor."""

    cursor: str = ""
    limit: int = 100


FIRST = Window()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows, and the cursor of what follows them; empty when nothing does."""

    rows: list[Row]
    next: str = ""


def rows_of(connection: Connection, query: Select[Any]) -> list[Row]:
    """Every row of the query."""
    return [dict(row) for row in connection.execute(query).mappings()]


def row_of(connection: Connection, query: Select[Any]) -> Row | None:
    """The one row that the query may have."""
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def page(
    connection: Connection,
    query: Select[Any],
    *,
    key: tuple[ColumnElement[Any], ...],
    window: Window,
    descending: bool = True,
) -> Page:
    """The rows of `query` behind the cursor, by `key`: selected columns, unique together.

    A page is as cheap at any depth, and rows that arrive meanwhile neither repeat nor hide others.
    Raises CursorRefused.
    """
    if window.cursor:
        after = tuple_(*_decode(window.cursor, key))
        row_key = tuple_(*key)
        query = query.where(row_key < after if descending else row_key > after)
    order = [column.desc() if descending else column.asc() for column in key]
    rows = rows_of(connection, query.order_by(*order).limit(window.limit + 1))
    if len(rows) <= window.limit:
        return Page(rows=rows)
    rows = rows[: window.limit]
    names = [column.key for column in key]
    return Page(rows=rows, next=_encode(tuple(rows[-1][str(name)] for name in names)))


def _encode(key: Key) -> str:
    parts = [one.isoformat() if isinstance(one, datetime) else str(one) for one in key]
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def _decode(cursor: str, key: tuple[ColumnElement[Any], ...]) -> Key:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        parts = text.split("\n")
        if len(parts) != len(key) or "\0" in text:
            raise ValueError("other parts")
        pairs = zip(parts, key, strict=True)
        return tuple(_part(part, column.type.python_type) for part, column in pairs)
    except (ValueError, binascii.Error):
        raise CursorRefused("must be the `next` of a page of this list") from None


def _part(text: str, kind: type) -> datetime | str | int:
    if kind is datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("without a time zone")
        return moment
    if kind is int:
        value = int(text)
        if not 0 <= value < 1 << 63:
            raise ValueError("not a bigint")
        return value
    return text
