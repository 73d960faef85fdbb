"""What was sent on a FIX session, as the journal's read tables know it."""

from typing import Any

import psycopg

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


def highest_sent(connection: Connection, session: str) -> int:
    """The largest MsgSeqNum ever sent on the session, whatever was reset since."""
    row = connection.execute(_HIGHEST, [session]).fetchone()
    return int(row[0]) if row else 0
