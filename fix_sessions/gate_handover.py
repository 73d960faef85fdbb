"""The gate's side of a hand-over: after the Logon, the client's connection becomes the engine's.

Relaying costs each message two more system calls and a process switch each way. So once a Logon
is welcomed, the engine is offered the client's own socket. It takes it only where every byte has
been passed on, in both directions; else the gate goes on relaying, and offers it again a little
later.
"""

import asyncio
import itertools
import os
import socket
from typing import Final

from fix_sessions.gate_events import DisconnectCause
from fix_sessions.gate_offers import MAX_BYTES, Answer, Offer, answer_from_json, offer_to_json
from fix_sessions.gate_relay import Relay, engine_ended, shut_down

_FIRST_PAUSE_S: Final = 0.005
_LONGEST_PAUSE_S: Final = 1.0


class HandoverChannel:
    """Offers out, answers in. A descriptor of each connection that was taken over is kept.

    Kept to be cut off where nobody else can: the client of an engine that is frozen, or one that
    has fallen silent. It holds nothing open: the engine's own close ends the connection for both.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: socket.socket) -> None:
        channel.setblocking(False)
        self._loop = loop
        self._channel = channel
        self._numbers = itertools.count(1)
        self._offered: dict[int, tuple[Relay, socket.socket, float]] = {}
        self._taken: dict[int, Relay] = {}
        loop.add_reader(channel.fileno(), self._hear)

    def begin(self, relay: Relay) -> None:
        """Offer a relay's connection until it is taken or has ended."""
        self._loop.call_soon(self._try, relay, _FIRST_PAUSE_S)

    def cut_off(self) -> None:
        """End all connections that were taken over: who has them does not move."""
        for relay in self._taken.values():
            assert relay.taken is not None
            shut_down(relay.taken)

    def _try(self, relay: Relay, pause_s: float) -> None:
        engine = relay.engine
        if relay.cause is not None or relay.client.is_closing():
            return
        if engine is None or relay.engine_gone or engine.is_closing():
            return
        if relay.client.get_write_buffer_size() or engine.get_write_buffer_size():
            self._try_later(relay, pause_s)
            return
        relay.client.pause_reading()
        if not self._offer(relay, engine, pause_s):
            relay.client.resume_reading()
            self._try_later(relay, pause_s)

    def _try_later(self, relay: Relay, pause_s: float) -> None:
        longer_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        self._loop.call_later(pause_s, self._try, relay, longer_s)

    def _offer(self, relay: Relay, engine: asyncio.Transport, pause_s: float) -> bool:
        offer = Offer(
            number=next(self._numbers),
            session_id=relay.session_id,
            port=engine.get_extra_info("sockname")[1],
            to_engine=relay.to_engine,
            from_engine=relay.from_engine,
        )
        ours = relay.client.get_extra_info("socket").fileno()
        kept = socket.socket(fileno=os.dup(ours))
        try:
            socket.send_fds(self._channel, [offer_to_json(offer)], [ours])
        except OSError:  # the engine is behind, or gone
            kept.close()
            return False
        relay.offered = True
        self._offered[offer.number] = (relay, kept, pause_s)
        return True

    def _hear(self) -> None:
        while True:
            try:
                data = self._channel.recv(MAX_BYTES)
            except OSError:  # nothing more, or no engine any more
                return
            if not data:
                self._loop.remove_reader(self._channel.fileno())
                return
            number, answer = answer_from_json(data)
            match answer:
                case Answer.TAKEN:
                    self._was_taken(number)
                case Answer.KEPT:
                    self._was_declined(number)
                case Answer.ENDED:
                    self._has_ended(number)

    def _was_taken(self, number: int) -> None:
        relay, kept, _ = self._offered.pop(number)
        relay.offered = False
        if relay.cause is not None:  # it was to end meanwhile
            shut_down(kept)
            kept.close()
            if relay.engine_gone:
                engine_ended(relay)
            return
        relay.taken = kept
        self._taken[number] = relay
        assert relay.engine is not None
        relay.client.abort()
        relay.engine.abort()

    def _was_declined(self, number: int) -> None:
        relay, kept, pause_s = self._offered.pop(number)
        relay.offered = False
        kept.close()
        if relay.engine_gone:
            engine_ended(relay)
        elif not relay.client.is_closing():
            relay.client.resume_reading()
            self._try_later(relay, pause_s)

    def _has_ended(self, number: int) -> None:
        relay = self._taken.pop(number, None)
        if relay is None or relay.taken is None:
            return
        relay.taken.close()
        relay.cause = relay.cause or DisconnectCause.SESSION_ENDED
        relay.ended.set()
        relay.tell_ended(relay)
