"""The engine's side of a hand-over: it takes the connections that the gate offers."""

import contextlib
import os
import socket
from typing import Final

import structlog

from fix_sessions.engine import Engine
from fix_sessions.gate_offers import MAX_BYTES, Answer, Offer, answer_to_json, offer_from_json

_log = structlog.get_logger(__name__)
_MAX_OFFERS: Final = 64  # for one turn: the engine's thread has more to do


class Handover:
    """Answers one gate's offers between two turns of the engine's work, when nothing is under way.

    For the engine's thread. An offer that does not fit yet is declined; the gate offers it again.
    """

    def __init__(self, channel: socket.socket, engine: Engine) -> None:
        """channel: one end of a datagram socket pair, the gate has the other; ours from now on."""
        channel.setblocking(False)
        self._channel = channel
        self._engine = engine
        self._numbers: dict[int, int] = {}
        self._has_offers = False
        engine.add_wakeup(channel.fileno(), self._note)
        engine.after_work = self._serve
        engine.taken_over.ended = self._tell_ended

    def close(self) -> None:
        """The gate is gone, or is to go. What was taken over stays; its last offers count."""
        self._has_offers = True
        self._serve()
        self._engine.remove_wakeup(self._channel.fileno())
        self._engine.after_work = self._engine.taken_over.ended = None
        self._channel.close()

    def _note(self) -> None:
        self._has_offers = True

    def _serve(self) -> None:
        if not self._has_offers:
            return
        self._has_offers = False
        for _ in range(_MAX_OFFERS):
            try:
                data, found, _, _ = socket.recv_fds(
                    self._channel, MAX_BYTES, 1, socket.MSG_CMSG_CLOEXEC
                )
            except OSError:  # nothing more, or no gate any more
                return
            if not data:
                return
            self._answer(offer_from_json(data), found)

    def _answer(self, offer: Offer, found: list[int]) -> None:
        is_taken = bool(found) and self._engine.take_over(
            offer.session_id,
            found[0],
            peer_port=offer.port,
            bytes_in=offer.to_engine,
            bytes_out=offer.from_engine,
        )
        if is_taken:
            self._numbers[found[0]] = offer.number
            _log.info("fix.taken_over", session=offer.session_id)
        else:
            for descriptor in found:
                os.close(descriptor)
        self._say(offer.number, Answer.TAKEN if is_taken else Answer.KEPT)

    def _tell_ended(self, client: int) -> None:
        number = self._numbers.pop(client, None)
        if number is not None:
            self._say(number, Answer.ENDED)

    def _say(self, number: int, answer: Answer) -> None:
        with contextlib.suppress(OSError):  # a gate that is gone needs no answer
            self._channel.send(answer_to_json(number, answer))
