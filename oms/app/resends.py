"""What was sent on FIX sessions, for counterparties that ask for it again.

The journal keeps every text. What left a moment ago may not be in it yet: that the sequencer holds.
"""

from collections.abc import Iterator

import psycopg

from fix_sessions.resends import ResendUnavailable
from oms.domain.commands import SentMessage
from oms.runtime.sequencer import Sequencer
from oms.store.sent_messages import REJECTS, SentReader, sent_since


class Resends:
    """Asked on the sequencer's thread, which waits for the database meanwhile: it is rarely asked.

    What a core sent and died before noting it is in neither; recovery settles that: clients are
    told again with PossResend, venues are asked what they have.
    """

    def __init__(self, url: str, sequencer: Sequencer) -> None:
        self._url = url
        self._reader = SentReader(url)
        self._sequencer = sequencer

    def read(
        self, session: str, since_epoch: int, first: int, last: int
    ) -> Iterator[tuple[int, str]]:
        """See fix_sessions.resends.ResendSource; of what was sent in that epoch and later."""
        try:
            yield from self._reader.read(session, since_epoch, first, last)
        except psycopg.Error as error:
            raise ResendUnavailable(str(error).partition("\n")[0]) from error
        for message in self._sequencer.unjournaled():
            if (
                message.session == session
                and message.epoch >= since_epoch
                and first <= message.msg_seq_num <= last
            ):
                yield message.msg_seq_num, message.text

    def sent_since(self, session: str, epoch: int, since: int) -> list[SentMessage]:
        """What clients were told up to that epoch from the stamp on, in order.

        Raises psycopg.Error.
        """
        found = {
            (one.epoch, one.msg_seq_num): one
            for one in sent_since(self._url, session, epoch, since)
        }
        for one in self._sequencer.unjournaled():
            if one.session == session and one.epoch <= epoch and one.msg_type not in REJECTS:
                found[one.epoch, one.msg_seq_num] = one
        return [found[key] for key in sorted(found)]

    def close(self) -> None:
        """End the connection."""
        self._reader.close()
