"""What was sent on a FIX session, as the journal's read tables know it."""

from typing import Any

import psycopg

from oms.domain.commands import SentMessage
from oms.domain.fix import MsgType

# One query for the newest numbers: what is older is not sent again but passed over.
NEWEST = 100_000

_SENT = """
    SELECT epoch, msg_seq_num, text FROM fix_messages
    WHERE session = %s AND direction = 'out' ORDER BY epoch DESC, msg_seq_num DESC LIMIT %s
"""
_HIGHEST = """
    SELECT coalesce(max(msg_seq_num), 0) FROM fix_messages
    WHERE session = %s AND direction = 'out'
"""

# Of what clients are told of their orders; refusals of messages name numbers of their epoch.
_SENT_SINCE = """
    SELECT epoch, msg_seq_num, seq, msg_type, coalesce(order_id, ''), text FROM fix_messages
    WHERE session = %s AND direction = 'out' AND epoch = %s
        AND at >= to_timestamp(%s::double precision / 1e6) AND NOT (msg_type = ANY(%s))
    ORDER BY msg_seq_num
"""

Connection = psycopg.Connection[tuple[Any, ...]]


def sent_messages(connection: Connection, session: str) -> list[tuple[int, str]]:
    """(MsgSeqNum, text) in order, from where the session's outbound numbers began last.

    An epoch may begin by a reset of the other direction alone: then the numbers go on.
    """
    found: list[tuple[int, str]] = []
    for _, number, text in connection.execute(_SENT, [session, NEWEST]):
        if found and number >= found[-1][0]:
            break
        found.append((number, text))
    found.reverse()
    return found


def sent_since(url: str, session: str, epoch: int, since: int) -> list[SentMessage]:
    """What was sent in that epoch from the stamp on, in order, but for Rejects."""
    rejects = [MsgType.REJECT.value, MsgType.BUSINESS_MESSAGE_REJECT.value]
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        rows = connection.execute(_SENT_SINCE, [session, epoch, since, rejects]).fetchall()
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


def highest_sent(connection: Connection, session: str) -> int:
    """The largest MsgSeqNum ever sent on the session, whatever was reset since."""
    row = connection.execute(_HIGHEST, [session]).fetchone()
    return int(row[0]) if row else 0
