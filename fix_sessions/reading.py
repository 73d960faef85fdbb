"""Reading what the sessions receive: texts into packed commands, in the process of the sessions.

So the core, which is the busier of the two, gets each command in the form that its journal keeps.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from fix_sessions.decode import Decoder
from fix_sessions.registry import Counterparty
from oms.domain.commands import Command

Packed = tuple[int, bytes]
Pack = Callable[[Command], Packed]
"""A command's number and bytes, as another process of the same program takes them."""

_MEMBERS: Final = ("session_id", "name", "role", "begin_string")


class Reading:
    """The decoders of the sessions, and how often each session was reset.

    clock: the stamp of what is received, as oms.ports.Clock.now.
    """

    def __init__(self, pack: Pack, clock: Callable[[], int]) -> None:
        self._pack = pack
        self._clock = clock
        self._decoders: dict[str, Decoder] = {}
        self._epochs: dict[str, int] = {}

    def take_in(self, parties: Iterable[Counterparty], epochs: Mapping[str, int]) -> None:
        """These sessions are there, too, or are different from now on; epochs: of those new here.

        What a venue's quotes refer to is forgotten.
        """
        for one in parties:
            self._decoders[one.session_id] = Decoder(one)
            self._epochs.setdefault(one.session_id, epochs.get(one.session_id, 0))

    def read(self, session_id: str, text: str) -> list[Packed]:
        """The commands in one message, one for all but market data."""
        found = self._decoders[session_id].decode(
            text, epoch=self._epochs[session_id], at=self._clock()
        )
        return [self._pack(one) for one in found]

    def reset(self, session_id: str) -> None:
        """Its numbers began anew: what comes next belongs to the next epoch."""
        self._epochs[session_id] += 1


def parties_to_json(parties: Sequence[Counterparty], epochs: Mapping[str, int]) -> str:
    """For `Reading.take_in` in another process."""
    members = [[getattr(one, name) for name in _MEMBERS] for one in parties]
    return json.dumps([members, dict(epochs)])


def parties_from_json(text: str) -> tuple[list[Counterparty], dict[str, int]]:
    """What `parties_to_json` was given, without how messages to them are written."""
    parties, epochs = json.loads(text)
    return [Counterparty(**dict(zip(_MEMBERS, one, strict=True))) for one in parties], epochs
