"""A server that runs already: this program takes the place of one of its clients and of one venue.

The server's configuration says where it listens, where it looks for the venue and what may be
traded; the password of the client is the caller's to give. Sequence numbers go on where the server
is: what it says it expects, is what is sent next.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub, LightPeer
from oms.app.exits import Exit, Stop
from oms.conformance.dialect import DIALECTS, Dialect
from oms.conformance.fresh import ServerError
from oms.conformance.profiles import PROFILES, USUAL, Profile
from oms.conformance.sides import Market, Sides, VersionSides
from oms.settings.load import load
from oms.settings.model import ClientSettings, InstrumentSettings, Settings, VenueSettings
from oms.settings.values import read_secret

_LOGON_LIMIT_S = 60.0
_TRY_S = 5.0
_EXPECTING = re.compile(r"expecting (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """client, venue, symbol: by name; empty: the first client, the first venue, and the first
    instrument that only that venue takes.
    """

    config: Path
    password: str = field(repr=False)
    client: str = ""
    venue: str = ""
    symbol: str = ""
    price: Decimal = Decimal(100)


def running_of(
    config: Path | None,
    *,
    client: str,
    venue: str,
    symbol: str,
    price: str,
    password_file: Path | None,
) -> Running | None:
    """The running server that a caller means; None: a fresh one. Raises Stop."""
    if config is None:
        return None
    if password_file is None:
        raise Stop(Exit.USAGE, "password-file: needed with --server, for the client's Logon")
    try:
        found = Decimal(price)
    except InvalidOperation:
        found = Decimal(0)
    if not found.is_finite() or found <= 0:
        raise Stop(Exit.USAGE, f"price = {price}: must be a number greater than zero")
    try:
        password = read_secret(password_file)
    except ValueError as error:
        raise Stop(Exit.USAGE, f"password-file = {password_file}: {error}") from None
    return Running(
        config=config, password=password, client=client, venue=venue, symbol=symbol, price=found
    )


@contextlib.contextmanager
def running_server(wanted: Running) -> Iterator[VersionSides]:
    """Both sides, logged on. Raises ServerError, or Stop for what is not configured."""
    settings = load(wanted.config)
    client = _client(settings, wanted.client)
    venue = _venue(settings, wanted.venue)
    instrument = _instrument(settings, venue.name, wanted.symbol)
    if client.begin_string != venue.begin_string:
        text = f"client {client.name} and venue {venue.name} speak different FIX versions"
        raise Stop(Exit.USAGE, text)
    dialect = _dialect(client.begin_string)
    with Hub() as hub:
        sides = Sides(
            hub.client(
                settings.acceptor.host,
                settings.acceptor.port,
                _as_client(client, dialect, wanted.password),
            ),
            hub.venue(_as_venue(venue, dialect), venue.host, venue.port),
            dialect,
            Market(
                symbol=instrument.symbol,
                account=client.accounts[0],
                price=wanted.price,
                unknown_symbol="NO.SUCH.SYMBOL",
                abilities=frozenset(venue.abilities),
            ),
        )
        for peer in (sides.venue, sides.client):
            _log_on(peer)
        yield {_profile(client).name: sides}


def _client(settings: Settings, name: str) -> ClientSettings:
    for one in settings.clients:
        if name in ("", one.name):
            return one
    raise Stop(Exit.USAGE, f"client {name or '(any)'}: is not configured")


def _venue(settings: Settings, name: str) -> VenueSettings:
    for one in settings.venues:
        if name in ("", one.name):
            return one
    raise Stop(Exit.USAGE, f"venue {name or '(any)'}: is not configured")


def _instrument(settings: Settings, venue: str, symbol: str) -> InstrumentSettings:
    everywhere = tuple(one.name for one in settings.venues)
    for one in settings.instruments:
        if symbol in ("", one.symbol) and (one.venues or everywhere) == (venue,):
            return one
    text = f"symbol {symbol or '(any)'}: there is no instrument that only venue {venue} takes"
    raise Stop(Exit.USAGE, text)


def _dialect(begin_string: str) -> Dialect:
    for one in DIALECTS:
        if one.begin_string == begin_string:
            return one
    raise Stop(Exit.USAGE, f"begin_string {begin_string}: is not played")


def _profile(client: ClientSettings) -> Profile:
    """The profile of ours that the client's is, as far as scenarios differ by it."""
    told = client.profile.model_dump(mode="json")
    for one in PROFILES:
        if one.settings and all(told[key] == value for key, value in one.settings.items()):
            return one
    return USUAL


def _as_client(client: ClientSettings, dialect: Dialect, password: str) -> LightSettings:
    return LightSettings(
        sender_comp_id=client.sender_comp_id,
        target_comp_id=client.target_comp_id,
        begin_string=client.begin_string,
        username=client.username or client.sender_comp_id,
        password=password,
        logon_fields=dialect.logon_fields,
    )


def _as_venue(venue: VenueSettings, dialect: Dialect) -> LightSettings:
    """The other end of that session: its names are the other way round."""
    return LightSettings(
        sender_comp_id=venue.target_comp_id,
        target_comp_id=venue.sender_comp_id,
        begin_string=venue.begin_string,
        logon_fields=dialect.logon_fields,
        initiates=False,
    )


def _log_on(peer: LightPeer) -> None:
    """Log on with the numbers that the other side expects. Raises ServerError."""
    deadline = time.monotonic() + _LOGON_LIMIT_S
    said = ""
    while time.monotonic() < deadline:
        seen = len(peer.messages)
        try:
            peer.logon(_TRY_S)
            peer.hub.pump(0.2)
            if peer.is_logged_on:
                return
        except (OSError, TimeoutError) as error:
            said = str(error)
        texts = [said, peer.session.close_reason, *(m.get(58) or "" for m in peer.messages[seen:])]
        expected = next((found[1] for one in texts if (found := _EXPECTING.search(one))), "")
        if expected:
            peer.session.next_out = int(expected)
    who = peer.session.settings.sender_comp_id
    raise ServerError(f"{who} is not logged on within {_LOGON_LIMIT_S:.0f} s: {said}")
