"""The line between a simulated core and its FIX process."""

import random
from collections import deque
from collections.abc import Callable

from oms.simulation.agenda import Action, Agenda


class Line:
    """One direction of the line between the core and its FIX process: in order, a moment late."""

    def __init__(
        self,
        agenda: Agenda,
        randomness: random.Random,
        slow_us: int,
        do: Callable[[Action], None],
    ) -> None:
        """slow_us: how long something takes at most, where the other end is busy."""
        self._agenda = agenda
        self._random = randomness
        self._slow_us = slow_us
        self._do = do
        self._free_us = 0
        self._waiting: deque[Action] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, action: Action) -> None:
        """Have it done at the other end."""
        self._waiting.append(action)
        takes_us = 10 + self._random.randrange(60)
        if self._random.random() < 0.2:
            takes_us += self._random.randrange(self._slow_us + 1)
        self._free_us = max(self._free_us, self._agenda.now_us + takes_us)
        self._agenda.at(self._free_us, self._arrive)

    def catch_up(self) -> None:
        """Do now all that is under way."""
        while self._waiting:
            self._do(self._waiting.popleft())

    def end(self, done: int = 0) -> None:
        """So much more is done; the rest is lost."""
        for _ in range(min(done, len(self._waiting))):
            self._waiting.popleft()()
        self._waiting.clear()

    def _arrive(self) -> None:
        if self._waiting:
            self._do(self._waiting.popleft())
