"""What was sent on a FIX session, as the journal's read tables know it."""

from collections.abc import Iterator
from typing import Any

import psycopg

from oms.domain.commands import SentMessage
from oms.domain.fix import MsgType
from oms.store.leader import NOTICED_SOON

_PAGE = 1_000
# Whoever reads holds the core up meanwhile: a page has its limit, and comes by the index, in order,
# however many messages there are.
_OPTIONS = "-c statement_timeout=3s -c enable_seqscan=off -c enable_sort=off -c jit=off"

_SENT = """
    SELECT msg_seq_num, text FROM fix_messages
    WHERE session = %s AND direction = 'out' AND epoch >= %s AND msg_seq_num BETWEEN %s AND %s
    ORDER BY epoch, msg_seq_num
"""
_HIGHEST = """
    SELECT msg_seq_num, seq FROM fix_messages
    WHERE session = %s AND direction = 'out' ORDER BY msg_seq_num DESC, seq LIMIT 1
"""

# Refusals of messages name numbers of their epoch: of no use in another.
REJECTS = frozenset({MsgType.REJECT.value, MsgType.BUSINESS_MESSAGE_REJECT.value})

_SENT_SINCE = """
    SELECT epoch, msg_seq_num, seq, msg_type, coalesce(order_id, ''), text FROM fix_messages
    WHERE session = %s AND direction = 'out' AND epoch <= %s
        AND at >= to_timestamp(%s::double precision / 1e6) AND NOT (msg_type = ANY(%s))
    ORDER BY epoch, msg_seq_num
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class SentReader:
    """Reads over a connection of its own, made when it is first needed. For one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def read(
        self, session: str, since_epoch: int, first: int, last: int
    ) -> Iterator[tuple[int, str]]:
        """(MsgSeqNum, text) of what was sent in that epoch and later, from first to last, in order.

        Raises psycopg.Error.
        """
        connection = self._connected()
        with connection.transaction(), connection.cursor("sent", scrollable=False) as cursor:
            cursor.itersize = _PAGE
            cursor.execute(_SENT, [session, since_epoch, first, last])
            yield from cursor

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=3,
                application_name="plumbline resends",
                options=_OPTIONS,
                **NOTICED_SOON,
            )
        return self._connection


def sent_since(url: str, session: str, epoch: int, since: int) -> list[SentMessage]:
    """What was sent up to that epoch from the stamp on, in order, but for Rejects."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5, **NOTICED_SOON) as connection:
        rows = connection.execute(_SENT_SINCE, [session, epoch, since, list(REJECTS)]).fetchall()
    return [
        SentMessage(
            session=session,
            epoch=epoch,
            msg_seq_num=number,
            event_seq=event_seq,
            msg_type=msg_type,
            order_id=order_id,
            text=text,
        )
        for epoch, number, event_seq, msg_type, order_id, text in rows
    ]


def highest_sent(connection: Connection, session: str) -> tuple[int, int]:
    """The largest MsgSeqNum ever sent on the session, whatever was reset since, and the journal
    number of its event; zeros where nothing was.
    """
    row = connection.execute(_HIGHEST, [session]).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
