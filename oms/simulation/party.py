"""What clients, venues and drop copies of a simulated world have in common: a session, a voice."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable

from fix_sessions.light_session import LightSession, LightSettings
from oms.simulation.agenda import Agenda
from oms.simulation.story import Story

_SPEAKS_AGAIN_US = 3_000_000


class SimParty(ABC):
    """See the module. owes: how often it is about to say or ask again what may be lost."""

    def __init__(
        self,
        settings: LightSettings,
        *,
        agenda: Agenda,
        randomness: random.Random,
        story: Story,
        flush: Callable[[], None],
    ) -> None:
        self.name = settings.sender_comp_id
        self.session = LightSession(settings, agenda.now)
        self.owes = 0
        self._agenda = agenda
        self._random = randomness
        self._story = story
        self._flush = flush

    def begin_again(self) -> None:
        """By agreement both sides begin at 1; a while later it says again what may be lost."""
        self.session.next_in = self.session.next_out = 1
        self.session.sent.clear()
        self.owes += 1
        self._agenda.after(_SPEAKS_AGAIN_US, self._speak_again)

    def _speak_again(self) -> None:
        self.owes -= 1
        self.say_all_again()

    @abstractmethod
    def say_all_again(self) -> None:
        """Whatever may have been lost with the old numbers."""
