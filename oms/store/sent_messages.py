"""What was sent on FIX sessions, as the journal knows it.

Its notes (MessagesSent) hold the texts; the tables sent_notes and sent_orders say which of them do.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import psycopg

from oms.domain.commands import SentMessage
from oms.domain.fix import MsgType
from oms.store.leader import NOTICED_SOON

# Notes read at a time; one of a busy moment has a hundred kilobytes.
_PAGE = 100
# Whoever reads holds the core up meanwhile: a page has its limit, and comes by the index, however
# many messages there are.
_OPTIONS = "-c statement_timeout=3s -c enable_seqscan=off -c jit=off"

_NOTES = """
    SELECT epoch, first_msg_seq_num, last_msg_seq_num, seq FROM sent_notes
    WHERE session = %s AND epoch >= %s AND last_msg_seq_num >= %s AND first_msg_seq_num <= %s
"""
_PAYLOADS = "SELECT seq, payload FROM journal WHERE seq = ANY(%s)"
_HIGHEST = """
    SELECT n.epoch, n.last_msg_seq_num, j.payload FROM sent_notes AS n JOIN journal AS j USING (seq)
    WHERE n.session = %s ORDER BY n.last_msg_seq_num DESC, n.seq LIMIT 1
"""
# A message leaves before it is noted; the minute is for clocks that are set.
_NOTES_SINCE = """
    SELECT j.seq, (extract(epoch FROM j.at) * 1000000)::bigint, j.payload FROM journal AS j
    WHERE j.at >= to_timestamp(%s::double precision / 1e6) - interval '1 minute'
        AND j.seq IN (SELECT seq FROM sent_notes WHERE session = %s AND epoch <= %s)
    ORDER BY j.seq
"""

# Refusals of messages name numbers of their epoch: of no use in another.
REJECTS = frozenset({MsgType.REJECT.value, MsgType.BUSINESS_MESSAGE_REJECT.value})

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    messages: tuple[SentMessage, ...]


_DECODER: Final = msgspec.json.Decoder(_Noted)


def messages_of(payload: bytes) -> tuple[SentMessage, ...]:
    """The messages of a note in the journal. Raises msgspec.MsgspecError."""
    return _DECODER.decode(payload).messages


class SentReader:
    """Reads over a connection of its own, made when it is first needed. For one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def read(
        self, session: str, since_epoch: int, first: int, last: int
    ) -> Iterator[tuple[int, str]]:
        """(MsgSeqNum, text) of what was sent in that epoch and later, from first to last, in order.

        Of messages with one number the first stays. Raises psycopg.Error.
        """
        connection = self._connected()
        notes = connection.execute(_NOTES, [session, since_epoch, first, last], binary=True)
        for page in _pages(_stretches(notes.fetchall())):
            wanted = [seq for stretch in page for seq in stretch]
            rows = connection.execute(_PAYLOADS, [wanted], binary=True).fetchall()
            payloads: dict[int, bytes] = dict(rows)
            for stretch in page:
                found: dict[tuple[int, int], str] = {}
                for seq in sorted(stretch):
                    for one in messages_of(payloads[seq]):
                        mine = one.session == session and one.epoch >= since_epoch
                        if mine and first <= one.msg_seq_num <= last:
                            found.setdefault((one.epoch, one.msg_seq_num), one.text)
                yield from ((number, found[epoch, number]) for epoch, number in sorted(found))

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


def _stretches(notes: Iterable[tuple[int, int, int, int]]) -> Iterator[list[int]]:
    """Notes in the order of their numbers, together where these overlap; each by its seq."""
    stretch: list[int] = []
    end = (0, 0)
    for epoch, first, last, seq in sorted(notes):
        if stretch and (epoch, first) > end:
            yield stretch
            stretch = []
        stretch.append(seq)
        end = max(end, (epoch, last))
    if stretch:
        yield stretch


def _pages(stretches: Iterable[list[int]]) -> Iterator[Sequence[list[int]]]:
    page: list[list[int]] = []
    for stretch in stretches:
        page.append(stretch)
        if sum(map(len, page)) >= _PAGE:
            yield page
            page = []
    yield page


def sent_since(url: str, session: str, epoch: int, since: int) -> list[SentMessage]:
    """What was sent up to that epoch from the stamp on, in order, but for Rejects."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5, **NOTICED_SOON) as connection:
        notes = connection.execute(_NOTES_SINCE, [since, session, epoch], binary=True).fetchall()
    found: dict[tuple[int, int], SentMessage] = {}
    for _, at, payload in notes:
        for one in messages_of(payload):
            mine = one.session == session and one.epoch <= epoch
            if mine and (one.at or at) >= since and one.msg_type not in REJECTS:
                found.setdefault((one.epoch, one.msg_seq_num), one)
    return [found[key] for key in sorted(found)]


def highest_sent(connection: Connection, session: str) -> tuple[int, int]:
    """The largest MsgSeqNum ever sent on the session, whatever was reset since, and the journal
    number of its event; zeros where nothing was.
    """
    row = connection.execute(_HIGHEST, [session], binary=True).fetchone()
    if row is None:
        return 0, 0
    key = (session, *row[:2])
    told = {(one.session, one.epoch, one.msg_seq_num): one for one in messages_of(row[2])}
    return row[1], told[key].event_seq
