"""The FIX stores of a core that starts to lead: trusted, or written anew from the journal.

Where another core has led since, or the files are lost, the numbers here are behind; where the
journal has lost entries they are ahead of it, and what was lost has to be asked for. Numbers that
were used, for heartbeats too, must not be used again, so they go far ahead of what the journal
knows: once for each core that has led since then, as it may have logged on and sent nothing else.
What was sent is in the journal, for the counterparties to ask for (see oms.app.resends).
"""

from collections.abc import Sequence
from pathlib import Path

import structlog

from fix_sessions.edge import LOST_STORE_MARGIN
from fix_sessions.settings import SessionSpec
from fix_sessions.store_directory import StoreDirectory
from fix_sessions.store_files import Numbers, files_of, forget_others
from oms.domain.state import State
from oms.store.leader import Leadership
from oms.store.sent_messages import highest_sent

log = structlog.get_logger()


def claim_stores(
    directory: StoreDirectory,
    specs: Sequence[SessionSpec],
    state: State,
    leadership: Leadership,
) -> None:
    """Make the stores those of this leader, before the sessions are made."""
    path = directory.path
    if not directory.is_latest(state.leader_epoch, state.restores):
        log.warning("core.stores_written_anew", directory=str(path))
        # What is of a session that is not configured now would be taken for the latest later.
        forget_others(path, specs)
        for spec in specs:
            _write_anew(path, spec, state, leadership)
    else:
        if directory.contested:
            log.warning("core.stores_copied", directory=str(path))
        for spec in specs:
            if directory.contested:
                files_of(path, spec).separate()
            if files_of(path, spec).is_absent() and state.session(spec.session_id).changed_at:
                # Another machine has had it, while it was out of the configuration here.
                _write_anew(path, spec, state, leadership)
    directory.claim(leadership.epoch, state.restores)


def _write_anew(path: Path, spec: SessionSpec, state: State, leadership: Leadership) -> None:
    files = files_of(path, spec)
    connection = leadership.connection
    with leadership.guard():
        highest, event_seq = highest_sent(connection, spec.session_id)
    session = state.session(spec.session_id)
    outbound = first_number(
        files.numbers().outbound,
        highest,
        sum(seq > event_seq for seq in state.leaders),
        noted=session.outbound,
    )
    inbound = session.inbound + 1
    files.write(Numbers(outbound=outbound, inbound=inbound))


def first_number(in_files: int, highest: int, leaders: int, *, noted: int) -> int:
    """The MsgSeqNum to go on with: beyond all that can have been used.

    in_files: our own next one, of before others led. highest: of the messages in the journal;
    leaders: how many cores have led since its event. noted: the last that the journal knows since
    the numbers began; with what another leader noted that it may have used without a word.
    """
    return max(in_files, highest + 1, noted + 1) + LOST_STORE_MARGIN * (leaders + 1)
