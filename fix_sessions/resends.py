"""ResendRequests answered from what somebody else keeps: QuickFIX's stores hold numbers alone.

Two more writes for each message that leaves would cost more than the sending itself. So QuickFIX
keeps no texts, and finds them in its files for as long as it answers: it tells us of a request
before it looks whether it keeps any.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import structlog

from fix_sessions.resend_costs import ResendCosts
from fix_sessions.settings import SessionSpec
from fix_sessions.store_files import StoreFiles, files_of
from fix_sessions.wire import checksum

_log = structlog.get_logger(__name__)

# (MsgSeqNum, text) of what was sent on a session since our numbers last began, from a MsgSeqNum to
# another one, each as it left; the last to come for a number counts. A number that is missing is
# passed over by a gap fill. Raises ResendUnavailable.
ResendSource = Callable[[str, int, int], Iterable[tuple[int, str]]]

# "All that follow", in EndSeqNo (16), up to FIX 4.2 and since.
_OPEN_ENDS = frozenset({0, 999_999})
_TRAILER_BYTES = len(b"10=000\x01")


class ResendUnavailable(Exception):
    """What was sent cannot be read now."""


class Resends:
    """Fills the stores of one engine for a request, and empties them when it is answered."""

    def __init__(self, store_dir: Path, source: ResendSource) -> None:
        self._source = source
        self._store_dir = store_dir
        self._files: dict[str, StoreFiles] = {}
        self._filled: dict[str, Any] = {}
        self._costs = ResendCosts()
        store_dir.mkdir(parents=True, exist_ok=True)

    def keep(self, specs: Iterable[SessionSpec]) -> None:
        """These sessions too; before QuickFIX opens their stores."""
        for spec in specs:
            files = self._files[spec.session_id] = files_of(self._store_dir, spec)
            files.fill(())

    def fill(self, session_id: str, session: Any, begin: int, end: int) -> str | None:
        """Have ready what is asked for; if that cannot be, the text to end the session with.

        begin, end: BeginSeqNo (7) and EndSeqNo (16) as they came.
        """
        sent = int(session.getExpectedSenderNum()) - 1
        last = sent if end in _OPEN_ENDS else min(end, sent)
        if not 1 <= begin <= last:
            return None
        if not self._costs.may_ask(session_id, begin, last, time.monotonic()):
            _log.warning(
                "fix.resend_storm", session=session_id, begin_seq_no=begin, end_seq_no=last
            )
            return "too many ResendRequests (2) for the same messages: log on again, and ask once"
        files = self._files[session_id]
        try:
            with contextlib.closing(_whole(self._source(session_id, begin, last))) as found:
                files.fill(found)
        except (ResendUnavailable, OSError) as error:
            _log.warning(
                "fix.resend_unavailable",
                session=session_id,
                begin_seq_no=begin,
                end_seq_no=last,
                error=str(error),
            )
            return "what was sent cannot be read now: log on again, and ask again"
        session.setPersistMessages(True)
        session.refresh()
        self._filled[session_id] = session
        return None

    def clear(self) -> None:
        """Once QuickFIX has answered."""
        while self._filled:
            session_id, session = self._filled.popitem()
            session.setPersistMessages(False)
            self._files[session_id].fill(())
            session.refresh()


def _whole(sent: Iterable[tuple[int, str]]) -> Generator[tuple[int, bytes], None, None]:
    """Those whose text is the very bytes that left: QuickFIX fails on any other."""
    for number, text in sent:
        data = text.encode()
        if data[-_TRAILER_BYTES:] == b"10=%03d\x01" % checksum(data[:-_TRAILER_BYTES]):
            yield number, data
