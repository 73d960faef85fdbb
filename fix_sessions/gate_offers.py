"""What gate and engine say to each other when the engine takes a client's connection over.

The gate sends an Offer with the client's socket, the engine one Answer, and another one when the
connection has ended. One datagram each, on a socket pair that the gate is started with.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

MAX_BYTES: Final = 1_024


class Answer(StrEnum):
    """TAKEN: the engine has it. KEPT: the gate has it for now. ENDED: it was taken and is over."""

    TAKEN = "taken"
    KEPT = "kept"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A client's connection, all of whose bytes the gate has passed on, in both directions."""

    number: int  # the gate's own, never used twice
    session_id: str
    port: int  # the local port of the gate's connection with the engine
    to_engine: int  # bytes in all, the Logon included
    from_engine: int


def offer_to_json(offer: Offer) -> bytes:
    return json.dumps(asdict(offer)).encode()


def offer_from_json(data: bytes) -> Offer:
    """Raises ValueError or TypeError for what is none."""
    return Offer(**json.loads(data))


def answer_to_json(number: int, answer: Answer) -> bytes:
    return json.dumps({"number": number, "answer": answer}).encode()


def answer_from_json(data: bytes) -> tuple[int, Answer]:
    """Raises ValueError or KeyError for what is none."""
    members = json.loads(data)
    return int(members["number"]), Answer(members["answer"])
