"""Recovery: fold the journal, and find what may not have left. Nothing is decided again.

Only clients are sent anything again: what venues have is settled by asking them (ems.resync).
"""

import time
from dataclasses import dataclass, replace

from oms.core import replay
from oms.domain.commands import Command
from oms.domain.effects import (
    Effect,
    SendReject,
    ToClient,
)
from oms.domain.state import State
from oms.outbound import effects_of
from oms.ports import JournalReader
from oms.runtime.memory import uncollected


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The state after replay, the chain's end, what to send again, and how long it took.

    sent_from: the first entry whose messages were made again.
    """

    last_hash: bytes
    entries: int
    sent_from: int
    undelivered: list[Effect]
    seconds: float


def recover(state: State, journal: JournalReader) -> Recovered:
    """Fold everything into `state`, an empty one."""
    with uncollected():
        return _recover(state, journal)


def _recover(state: State, journal: JournalReader) -> Recovered:
    began = time.perf_counter()
    delivered = journal.delivered([one.session for one in state.reference.venues.values()])
    kept = journal.kept()
    first = min((delivered + 1, *kept.values()))
    tip, last_hash = journal.tip()
    undelivered: list[Effect] = []
    entries = 0
    for entry in journal.read():
        obj = entry.obj
        replay(state, entry.seq, entry.at, obj)
        entries += 1
        if entry.seq >= first and not isinstance(obj, Command):
            undelivered.extend(
                _possibly_sent(effect)
                for effect in effects_of(state, entry.seq, obj)
                if isinstance(effect, ToClient)
                and entry.seq >= kept.get(effect.session, delivered + 1)
                and _for_client(state, effect.session)
            )
    assert state.seq == tip, f"the journal ends at {tip}, the fold at {state.seq}"
    return Recovered(
        last_hash=last_hash,
        entries=entries,
        sent_from=first,
        # A crash may have come between a decision to let go of some and the next note.
        undelivered=[
            one for one in undelivered if one.event_seq > state.session(one.session).discarded_to
        ],
        seconds=time.perf_counter() - began,
    )


def _for_client(state: State, session: str) -> bool:
    return state.reference.venue_of_session(session) is None


def _possibly_sent(effect: ToClient) -> Effect:
    if isinstance(effect, SendReject):
        return effect
    return replace(effect, poss_resend=True)
