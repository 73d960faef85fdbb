"""What there is of a soak to be judged by, read on from where it was read last.

The journal and the tapes only grow, so each look reads what is new of them; what else is looked at
is as large as the day's books.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from fix_sessions.exchange_control import ExchangeControl
from fix_sessions.registry import Counterparty
from oms.app.fix_parties import counterparties_of
from oms.domain.instrument import Reference
from oms.domain.state import State
from oms.runtime.recovery import recover
from oms.settings.reference import reference_of
from oms.simulation.rest import Handed
from oms.soak.screen import People, Told
from oms.soak.site import CLIENTS, COMP_ID, VENUES, Site
from oms.soak.tape import Played, Reel
from oms.store.batch import Entry
from oms.store.fold_codec import decode_for_fold
from oms.store.journal import read, tip

Row = dict[str, Any]
Connection = psycopg.Connection[tuple[Any, ...]]

_ANSWERS: LiteralString = (
    "SELECT id, accepted, order_id FROM command_inbox WHERE state = 'done' AND id = ANY(%s)"
)
_SHOWN: LiteralString = (
    "SELECT order_id, client, symbol, account FROM orders WHERE order_id = ANY(%s)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What there is of a soak: the journal, what each client has on tape, the venues' books.

    orders, trades: by venue, in the venue's own words. handed, told, lost: see People; answers: the
    inbox's to those, by number; shown: the rows of the orders that these name.
    recovered: what a core that starts makes of the journal, where that was tried.
    """

    reference: Reference
    parties: Sequence[Counterparty]
    entries: list[Entry]
    tapes: Mapping[str, Played]
    orders: Mapping[str, list[dict[str, str]]]
    trades: Mapping[str, list[dict[str, str]]]
    handed: Mapping[str, list[Handed]]
    told: Mapping[int, Told]
    lost: Sequence[str]
    answers: Mapping[int, Row]
    shown: Mapping[str, Row]
    recovered: State | None = None


class Record:
    """See the module."""

    def __init__(self, site: Site) -> None:
        settings = site.settings()
        self.reference = reference_of(settings)
        self.parties = counterparties_of(settings)
        self._site = site
        self._entries: list[Entry] = []
        self._reels = {name: Reel(site.tape(name)) for name in CLIENTS}

    def gather(self, url: str, people: People, *, recovered: bool = False) -> Gathered:
        """All of it as it is now. recovered: recover from the journal, as a core does that starts.

        Raises psycopg.Error, OSError, ControlRefused where it cannot be had.
        """
        # Facts come last: what somebody was told by then they must explain.
        tapes = {name: reel.read_on() for name, reel in self._reels.items()}
        orders, trades = {}, {}
        for name in VENUES:
            with ExchangeControl(self._site.controls[name]) as venue:
                orders[name] = [one for one in venue.orders() if one["owner"] == COMP_ID]
                trades[name] = [one for one in venue.trades() if one["owner"] == COMP_ID]
        with psycopg.connect(url, connect_timeout=5) as connection:
            answers, shown = _answers(connection, people.handed)
            self._entries += list(read(connection, len(self._entries) + 1))
            state = self._recovered(connection) if recovered else None
        return Gathered(
            reference=self.reference,
            parties=self.parties,
            entries=self._entries,
            tapes=tapes,
            orders=orders,
            trades=trades,
            handed=people.handed,
            told=people.told,
            lost=people.lost,
            answers=answers,
            shown=shown,
            recovered=state,
        )

    def _recovered(self, connection: Connection) -> State:
        state = State(reference=reference_of(self._site.settings()))
        recover(state, _Reader(connection, len(self._entries)))
        return state


class _Reader:
    """The journal as a core that starts reads it, up to an entry."""

    def __init__(self, connection: Connection, last: int) -> None:
        self._connection = connection
        self._last = last

    def tip(self) -> tuple[int, bytes]:
        """See JournalReader."""
        return self._last, tip(self._connection)[1]

    def delivered(self, venues: Collection[str]) -> int:
        """See JournalReader; what would be sent again is not looked at."""
        del venues
        return self._last

    def kept(self) -> dict[str, int]:
        """See JournalReader."""
        return {}

    def read(self, from_seq: int = 1) -> Iterator[Entry]:
        """See JournalReader."""
        for entry in read(self._connection, from_seq, decode_for_fold):
            if entry.seq > self._last:
                return
            yield entry


def _answers(
    connection: Connection, handed: Mapping[str, list[Handed]]
) -> tuple[dict[int, Row], dict[str, Row]]:
    numbers = [one.number for those in handed.values() for one in those]
    with connection.cursor(row_factory=dict_row) as cursor:
        answers = {one["id"]: one for one in cursor.execute(_ANSWERS, [numbers])}
        named = [one["order_id"] for one in answers.values()]
        return answers, {one["order_id"]: one for one in cursor.execute(_SHOWN, [named])}
