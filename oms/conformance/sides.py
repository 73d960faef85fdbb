"""The two scripted sides of one server: a client that sends orders, a venue that takes them.

Nothing is awaited by the clock. `settle` asks both sides of the server something whose answer comes
after all that was caused before: then what has not come will not come.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from fix_sessions.light_session import Message, wall_clock_us
from fix_sessions.light_socket import LightPeer
from fix_sessions.wire import utc_timestamp_ms
from oms.conformance.dialect import Body, Dialect
from oms.domain.conditions import SINCE_FIX_44, Ability

ANSWER_LIMIT_S = 20.0
_TO_CLIENT = frozenset({"8", "9", "3", "j"})
_TO_VENUE = frozenset({"D", "F", "G", "H", "3", "j"})
_SYNC = "SYNC-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is traded: a symbol that only the scripted venue takes, at prices the server lets by.

    unknown_symbol, off_tick: what the server must refuse by itself. abilities: what the server
    takes the venue to follow.
    """

    symbol: str
    account: str
    price: Decimal = Decimal(100)
    unknown_symbol: str = "NO-SUCH-SYMBOL"
    off_tick: Decimal = Decimal("0.0000001")
    abilities: frozenset[Ability] = SINCE_FIX_44


def now() -> str:
    """TransactTime (60)."""
    return utc_timestamp_ms(wall_clock_us())


class Night(Protocol):
    """What parts two trading days of the server."""

    def close(self) -> None:
        """The day is over."""

    def split(self, symbol: str, ratio: Fraction) -> None:
        """A corporate action makes `ratio` shares of one; between the days."""

    def open(self) -> None:
        """The next day begins."""


class Sides:
    """Both peers of a lane, and what each has heard and nobody has taken yet.

    night: None where the trading date is not ours to move.
    """

    def __init__(
        self,
        client: LightPeer,
        venue: LightPeer,
        dialect: Dialect,
        market: Market,
        night: Night | None = None,
    ) -> None:
        self.client = client
        self.venue = venue
        self.dialect = dialect
        self.market = market
        self.night = night
        self._numbers = itertools.count(1)
        self._heard = 0
        self._taken = 0
        venue.on_message = self._venue_is_asked

    def begin(self) -> None:
        """Both sides logged on, nothing under way, nothing heard. Raises TimeoutError and more."""
        for peer in (self.venue, self.client):
            if not peer.is_logged_on:
                peer.logon(ANSWER_LIMIT_S)
        self.settle()
        self.heard()
        self.at_venue()

    def settle(self) -> None:
        """Until everything that was sent has had its effect on both sides."""
        self._probe(self.venue)
        self._ask()
        self._probe(self.venue)

    def heard(self) -> list[Message]:
        """What the client was told since the last call."""
        found = self.client.messages[self._heard :]
        self._heard = len(self.client.messages)
        return [one for one in found if one.msg_type in _TO_CLIENT and not _is_sync(one)]

    def at_venue(self) -> list[Message]:
        """What the venue was sent since the last call."""
        found = self.venue.messages[self._taken :]
        self._taken = len(self.venue.messages)
        return [one for one in found if one.msg_type in _TO_VENUE]

    def ask_status(self, cl_ord_id: str) -> Message:
        """The answer to an OrderStatusRequest of the client."""
        since = len(self.client.messages)
        self._send_status_request(cl_ord_id)
        return self._answered(
            self.client, lambda m: m.msg_type == "8" and m.get(11) == cl_ord_id, since
        )

    def _ask(self) -> None:
        """A status request for no order goes through the server's one queue and its journal."""
        name = f"{_SYNC}{next(self._numbers)}"
        since = len(self.client.messages)
        self._send_status_request(name)
        self._answered(self.client, lambda m: m.get(11) == name, since)

    def _send_status_request(self, cl_ord_id: str) -> None:
        self.client.send("H", [(11, cl_ord_id), (55, self.market.symbol), (54, "1")])

    def _probe(self, peer: LightPeer) -> None:
        """What the server had taken from this session, and sent on it, is done and here."""
        name = f"{_SYNC}{next(self._numbers)}"
        since = len(peer.messages)
        peer.send("1", [(112, name)])
        self._answered(peer, lambda m: m.msg_type == "0" and m.get(112) == name, since)

    def _answered(
        self, peer: LightPeer, is_answer: Callable[[Message], bool], since: int
    ) -> Message:
        found: list[Message] = []

        def done() -> bool:
            found.extend(one for one in peer.messages[since:] if is_answer(one))
            return bool(found) or not peer.is_connected

        peer.wait_until(done, ANSWER_LIMIT_S, "an answer of the server")
        if not found:
            raise ConnectionError(f"the server closed the session: {peer.session.close_reason}")
        return found[0]

    def _venue_is_asked(self, message: Message) -> None:
        """The venue has no orders of before; scripts answer all that is asked later."""
        if message.msg_type == "AF":
            self.venue.session.send("8", self._no_orders(message.get(584) or ""))

    def _no_orders(self, mass_status_req_id: str) -> Body:
        return [
            *((37, "NONE"), (17, "0")),
            *self.dialect.exec_type_said("I", "8", complete=False),
            *((39, "8"), (103, "5"), (55, "[N/A]"), (54, "7"), (584, mass_status_req_id)),
            *((911, "0"), (912, "Y"), (14, "0"), (151, "0"), (6, "0"), (60, now())),
        ]


# By the name of the client's profile.
VersionSides = Mapping[str, Sides]


def _is_sync(message: Message) -> bool:
    return (message.get(11) or "").startswith(_SYNC)
