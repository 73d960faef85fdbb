"""A drop copy's session: a venue tells of each trade there too, a while later, by other ExecIDs."""

import random
from collections.abc import Callable
from functools import partial

from fix_sessions.light_session import LightSettings
from oms.simulation.agenda import Agenda
from oms.simulation.party import SimParty
from oms.simulation.story import EXEC_TYPES, Story
from oms.simulation.venue_texts import Told
from oms.simulation.versions import said

COPIED = frozenset("FGH")


class SimCopy(SimParty):
    """See the module. Both sessions give a trade the same TrdMatchID (880)."""

    def __init__(
        self,
        settings: LightSettings,
        *,
        agenda: Agenda,
        randomness: random.Random,
        story: Story,
        flush: Callable[[], None],
        slow_us: int,
    ) -> None:
        """slow_us: how much later than its venue it tells at most."""
        super().__init__(settings, agenda=agenda, randomness=randomness, story=story, flush=flush)
        self._slow_us = slow_us
        self._told: list[Told] = []

    def receive(self, data: bytes) -> None:
        """One frame came; it takes no requests."""
        self.session.receive(data)
        self._flush()

    def tell(self, report: Told) -> None:
        """What its venue has reported, once."""
        copy = report | {17: f"C-{report[17]}", 797: "Y"}
        if 19 in report:
            copy[19] = f"C-{report[19]}"
        self._told.append(copy)
        self.owes += 1
        self._agenda.after(self._random.randrange(self._slow_us + 1), partial(self._say, copy))

    def _say(self, copy: Told, *, again: bool = False) -> None:
        if not again:
            self.owes -= 1
            self._story.tell(
                f"{self.name} copies: {EXEC_TYPES[copy[150]]} {copy[32]} of {copy[11]}"
            )
        version = self.session.settings.begin_string
        fields = said(version, "8", [one for one in copy.items() if one[1]])
        self.session.send("8", fields, [(97, "Y")] if again else [])
        self._flush()

    def say_all_again(self) -> None:
        """Every copy once more."""
        for copy in self._told:
            self._say(copy, again=True)
