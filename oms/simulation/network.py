"""The network between the core and one party: frames in order, late, lost with their connection.

As TCP has it, what arrives arrives in order and whole. What FIX has to bear beside that is made
here too: a frame that an engine lost or said twice, a connection that breaks, a partition that
holds everything back until it heals or somebody gives up.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from fix_sessions.light_session import LightSession
from fix_sessions.wire import FrameReader
from oms.simulation.agenda import Agenda


@dataclass(slots=True, kw_only=True)
class Weather:
    """How bad the network is: delays in microseconds, probabilities for each frame."""

    delay_us: int = 100
    jitter_us: int = 200
    drop: float = 0.0
    repeat: float = 0.0
    cut: float = 0.0

    def calm(self) -> None:
        """From here on nothing is lost."""
        self.drop = self.repeat = self.cut = 0.0


@dataclass(slots=True, kw_only=True)
class End:
    """One end of a connection. receive: takes a frame; turned: after each, to write the answer."""

    session: LightSession
    receive: Callable[[bytes], None]
    closed: Callable[[str], None]
    reader: FrameReader = field(default_factory=lambda: FrameReader(1 << 20))


class Connection:
    """Two ends for as long as the connection lives."""

    def __init__(
        self,
        agenda: Agenda,
        randomness: random.Random,
        weather: Weather,
        ends: tuple[End, End],
        seen: Callable[[int, bytes], None],
    ) -> None:
        """seen: told of each frame that an end writes, by the number of that end."""
        self.alive = True
        self._dead = False
        self.since_us = agenda.now_us
        self.blocked_until_us = 0
        self._agenda = agenda
        self._random = randomness
        self._weather = weather
        self._ends = ends
        self._seen = seen
        self._arrives_us = [0, 0]

    def pump(self, number: int) -> None:
        """Put on the wire what that end has written."""
        end = self._ends[number]
        data = end.session.take_outgoing()
        for frame in end.reader.feed(data) if data else ():
            self._seen(number, frame.raw)
            if self.alive:
                self._travel(number, frame.raw)
        if end.session.closing and self.alive:
            # What is on its way arrives first.
            self._plan(number, lambda: self.close(end.session.close_reason))

    def close(self, reason: str) -> None:
        """Both ends learn of it now; what is under way is lost."""
        if self.alive:
            self.alive = False
            for end in self._ends:
                end.closed(reason)

    def die(self, reason: str) -> None:
        """The process behind the second end is gone: what it wrote may still arrive, or not."""
        if self._random.random() < 0.5:
            self.close(reason)
        elif self.alive:
            self._dead = True
            self._plan(1, lambda: self.close(reason))

    def _travel(self, number: int, raw: bytes) -> None:
        weather, draw = self._weather, self._random.random()
        if draw < weather.drop:
            # TCP loses nothing but the end of what was sent: the connection is about to break.
            after_us = self._random.randrange(2_000_000)
            self._agenda.after(after_us, lambda: self.close("the connection broke"))
            return
        other = self._ends[1 - number]
        self._plan(number, lambda: other.receive(raw))
        if draw < weather.drop + weather.repeat:
            self._plan(number, lambda: other.receive(raw))
        elif draw < weather.drop + weather.repeat + weather.cut:
            self._agenda.after(1, lambda: self.close("the connection broke"))

    def _plan(self, number: int, action: Callable[[], None]) -> None:
        """In the order in which it was written."""
        weather = self._weather
        takes_us = weather.delay_us + self._random.randrange(weather.jitter_us + 1)
        moment = max(self._agenda.now_us + takes_us, self._arrives_us[number])
        moment = max(moment, self.blocked_until_us)
        self._arrives_us[number] = moment
        self._agenda.at(moment, lambda: self._arrive(number, action))

    def _arrive(self, number: int, action: Callable[[], None]) -> None:
        if not self.alive or (self._dead and number == 0):
            return
        if self._agenda.now_us < self.blocked_until_us:
            self._arrives_us[number] = max(self._arrives_us[number], self.blocked_until_us)
            self._agenda.at(self.blocked_until_us, lambda: self._arrive(number, action))
            return
        action()
