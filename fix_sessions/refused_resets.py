"""QuickFIX resets a session before it asks whether the Logon is welcome: undo what was not.

What was sent is in the files that it deleted, and comes back with the numbers.
"""

from pathlib import Path

import structlog

from fix_sessions.application import SessionRecord
from fix_sessions.store_files import files_of

_log = structlog.get_logger(__name__)


def open_files(records: dict[str, SessionRecord], store_dir: Path) -> None:
    """Before the engine opens the stores: undo what nobody had accepted when a process ended."""
    for record in records.values():
        if record.spec.role == "acceptor":
            record.files = files_of(store_dir, record.spec)
            if record.files.was_reset():
                record.files.restore()


def mend_stores(records: dict[str, SessionRecord], tried: set[str]) -> None:
    """Settle the resets of the sessions that somebody tried to log on to; empties `tried`."""
    for session_id in tried:
        record = records[session_id]
        if record.files is None or not record.files.was_reset():
            continue
        if record.reset_accepted:
            record.files.keep()
        else:
            _undo(record)
        record.reset_accepted = False
    tried.clear()


def end_reset_session(record: SessionRecord) -> bool:
    """End a running session whose numbers were reset though nobody was asked; whether it was so.

    By a Logon that fails a check before ours: a wrong time, number or name.
    """
    if record.files is None or not record.files.was_reset():
        return False
    record.session.disconnect()
    _undo(record)
    return True


def _undo(record: SessionRecord) -> None:
    assert record.files is not None
    _log.warning("fix.reset_refused", session=record.session_id)
    record.files.restore()
    record.session.refresh()
