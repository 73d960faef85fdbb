"""A database that has lost entries: a core does not lead it before somebody has declared that.

Its numbers would be given twice, to venues too, and what counterparties know and the journal does
not would never be asked for. What is declared is journaled, with numbers left out before it that
the lost entries may have had; then the FIX stores are written anew, so that counterparties send
again what the journal has not got.
"""

import structlog

from oms.app.core_start import configured_limits, core_started
from oms.app.database import database, database_faults, require_schema
from oms.app.exits import Exit, Stop
from oms.app.operate import console, operator
from oms.core import step
from oms.domain.commands import Command, Stamped
from oms.domain.kept_orders import Orders
from oms.domain.shelf import MemoryShelf
from oms.domain.state import State
from oms.domain.values import utc
from oms.runtime.clock import SystemClock
from oms.runtime.recovery import recover
from oms.runtime.witness import Seen, seen_in
from oms.settings.model import Settings
from oms.settings.reference import reference_of
from oms.settings.trading_date import trade_date_of
from oms.store.batch import Batch
from oms.store.codec import CodecError
from oms.store.inbox_rules import MAX_TEXT
from oms.store.journal import PostgresJournal
from oms.store.leader import Leadership, LeadershipLost, LeadershipUnavailable, acquire_leadership

log = structlog.get_logger()

# Longer than a core that may not lead holds the lead for.
LEAD_WAIT_S = 60.0
# Numbers go on at the next multiple of this.
NUMBERS_LEFT_OUT = 10_000_000


def require_nothing_lost(seen: Seen | None, journal: PostgresJournal, state: State) -> None:
    """Raises Stop where the journal has not got the entry that was durable once.

    seen: this machine's note; state: the fold of the journal.
    """
    if seen is None or seen.restores < state.restores or journal.hash_of(seen.seq) == seen.hash:
        return
    ends = f"{state.seq} of {utc(state.at):%Y-%m-%d %H:%M:%S} UTC" if state.seq else "nowhere"
    log.error("core.journal_went_back", seen=seen.seq, journal=state.seq)
    raise Stop(
        Exit.JOURNAL_LOST,
        f"the journal ends at {ends} and lacks entry {seen.seq}, which was durable: the database "
        'went back. docs/operations.md, "A database that was restored", says what to do',
    )


def declare_restored(settings: Settings, *, reason: str) -> None:
    """Journal that the database has lost entries, and how numbers go on. Raises Stop."""
    if not (reason.strip() and reason.isprintable() and len(reason) <= MAX_TEXT):
        text = f"reason = {reason!r:.60}: must have 1 to {MAX_TEXT} printable characters"
        raise Stop(Exit.FAILED, f"refused: {text}")
    with database(settings.database) as urls:
        require_schema(urls)
        with database_faults(), _lead(urls.app, settings.core.shard) as leadership:
            try:
                first, last = _declare(settings, leadership, reason)
            except (LeadershipLost, CodecError) as error:
                text = f"it may not have been declared, and may be again: {error}"
                raise Stop(Exit.FAULT, text) from None
    console().print(f"declared: journal entry {first}; {last} was the last before it")


def _lead(url: str, shard: str) -> Leadership:
    try:
        return acquire_leadership(url, shard=shard, wait=True, timeout_s=LEAD_WAIT_S)
    except LeadershipUnavailable as error:
        text = f"core.shard = {shard}: {error}: stop it, if the database was restored under it"
        raise Stop(Exit.NOT_LEADER, text) from None


def _declare(settings: Settings, leadership: Leadership, reason: str) -> tuple[int, int]:
    """Number of the declaration, and of the entry before."""
    journal = PostgresJournal(leadership)
    state = State(reference=reference_of(settings), orders=Orders(MemoryShelf))
    last_hash = recover(state, journal).last_hash
    last = state.seq
    seen = seen_in(settings.core.data_dir / settings.core.shard)
    known = max(last, seen.seq if seen else 0)
    first = (known // NUMBERS_LEFT_OUT + 1) * NUMBERS_LEFT_OUT
    at = max(SystemClock().now(), state.at)
    trade_date = trade_date_of(settings.trading_day, utc(at))
    started = core_started(leadership.epoch, trade_date, origin=operator(), restored=reason)
    # The limits are the configuration's only where nothing was journaled before.
    commands: list[Command] = [started, *([] if last else configured_limits(settings))]
    batch = Batch(state, first_seq=first, previous_hash=last_hash, leader_epoch=leadership.epoch)
    for command in commands:
        seq = max(first, state.seq + 1)
        batch.add_command(seq, at, command)
        for number, event in step(state, Stamped(seq=seq, at=at, command=command)):
            batch.add_event(number, at, event)
    journal.append(batch.seal())
    return first, last
