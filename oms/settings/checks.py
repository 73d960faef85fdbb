"""What one table alone cannot show: names that must agree across the file."""

import ipaddress
from collections.abc import Hashable, Iterable, Iterator
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from oms.domain.conditions import SINCE_FIX_44
from oms.domain.origin import OWN_NAMES
from oms.domain.profile import OrphanPolicy
from oms.risk.limits import FIRM_SUBJECT, Level, refusal_of_limit
from oms.settings.model import Role, Settings

_PUBLIC: Final = "is the published example's: make one of your own before you listen on"


def faults_of(settings: Settings) -> list[str]:
    """One line per fault: key path, value, rule."""
    return [
        *_repeated(settings),
        *_unknown_names(settings),
        *_untold_abilities(settings),
        *_keys(settings),
        *_limits(settings),
        *_ports(settings),
        *_tls(settings),
        *_examples(settings),
    ]


def _repeated(settings: Settings) -> Iterator[str]:
    sessions = [(f"clients[{i}].name", one.name) for i, one in enumerate(settings.clients)]
    sessions += [(f"venues[{i}].name", one.name) for i, one in enumerate(settings.venues)]
    sessions += [(f"drop_copies[{i}].name", one.name) for i, one in enumerate(settings.drop_copies)]
    yield from _twice(sessions, "must be different from all other names of clients and venues")
    for path, name in sessions:
        if name.lower() in OWN_NAMES:
            yield f"{path} = {name}: is reserved for commands of the server's own"
    pairs = [
        (f"clients[{i}].sender_comp_id", (one.target_comp_id, one.sender_comp_id))
        for i, one in enumerate(settings.clients)
    ]
    pairs += [
        (f"venues[{i}].target_comp_id", (one.sender_comp_id, one.target_comp_id))
        for i, one in enumerate(settings.venues)
    ]
    pairs += [
        (f"drop_copies[{i}].target_comp_id", (one.sender_comp_id, one.target_comp_id))
        for i, one in enumerate(settings.drop_copies)
    ]
    yield from _twice(pairs, "our and their comp id must be a pair that no other session has")
    symbols = [
        (f"instruments[{i}].symbol", one.symbol) for i, one in enumerate(settings.instruments)
    ]
    yield from _twice(symbols, "must stand once")
    names = [(f"api.keys[{i}].name", one.name) for i, one in enumerate(settings.api.keys)]
    yield from _twice(names, "must stand once")
    limits = [
        (f"risk.limits[{i}]", (one.rule, one.level, one.subject))
        for i, one in enumerate(settings.risk.limits)
    ]
    yield from _twice(limits, "rule, level and subject must stand once")
    hashes = [one.key_hash for one in settings.api.keys]
    for index, key_hash in enumerate(hashes):
        if key_hash in hashes[:index]:
            yield f"api.keys[{index}].key_hash: must be different from all other keys'"


def _twice(items: Iterable[tuple[str, Hashable]], rule: str) -> Iterator[str]:
    seen: set[Hashable] = set()
    for path, value in items:
        if value in seen:
            text = ", ".join(value) if isinstance(value, tuple) else value
            yield f"{path} = {text}: {rule}"
        seen.add(value)


def _unknown_names(settings: Settings) -> Iterator[str]:
    venues = {one.name for one in settings.venues}
    for index, instrument in enumerate(settings.instruments):
        for name in instrument.venues:
            if name not in venues:
                known = ", ".join(sorted(venues)) or "none is configured"
                yield f"instruments[{index}].venues = {name}: must be a configured venue ({known})"
    for index, copy in enumerate(settings.drop_copies):
        if copy.venue not in venues:
            known = ", ".join(sorted(venues)) or "none is configured"
            yield f"drop_copies[{index}].venue = {copy.venue}: must be a configured venue ({known})"
    for index, venue in enumerate(settings.venues):
        if venue.profile.orphans is OrphanPolicy.ADOPT and not venue.profile.orphan_account:
            where = f"venues[{index}].profile.orphan_account"
            yield f"{where}: is missing; orphans = ADOPT must name whose the trades are"


def _untold_abilities(settings: Settings) -> Iterator[str]:
    """What a venue is said to follow must have a value in its FIX version."""
    for index, venue in enumerate(settings.venues):
        if venue.begin_string == "FIX.4.2":
            for one in sorted(SINCE_FIX_44.intersection(venue.abilities)):
                yield f"venues[{index}].abilities = {one}: FIX 4.2 has no ExecInst (18) for it"


def _keys(settings: Settings) -> Iterator[str]:
    clients = {one.name: one for one in settings.clients}
    for index, key in enumerate(settings.api.keys):
        where = f"api.keys[{index}]"
        if key.role is Role.TRADER and not key.client:
            yield f"{where}.client: is missing; a trader's key must name its client"
        if key.client and key.client not in clients:
            known = ", ".join(clients) or "none is configured"
            yield f"{where}.client = {key.client}: must be a configured client ({known})"
        elif key.client:
            for account in key.accounts:
                if account not in clients[key.client].accounts:
                    yield f"{where}.accounts = {account}: must be an account of {key.client}"
        elif key.accounts:
            yield f"{where}.accounts: only a key with a client can be limited to accounts"


def _limits(settings: Settings) -> Iterator[str]:
    known = {
        Level.FIRM: {FIRM_SUBJECT},
        Level.SESSION: {one.name for one in settings.clients},
        Level.ACCOUNT: {account for one in settings.clients for account in one.accounts},
        Level.SYMBOL: {one.symbol for one in settings.instruments},
    }
    for index, limit in enumerate(settings.risk.limits):
        where = f"risk.limits[{index}]"
        fault = refusal_of_limit(limit.rule, limit.level, limit.subject, limit.value)
        if fault:
            yield f"{where}.{fault}"
        elif limit.subject not in known[Level(limit.level)]:
            what = {"SESSION": "client", "ACCOUNT": "account of a client", "SYMBOL": "symbol"}
            yield f"{where}.subject = {limit.subject}: must be a configured {what[limit.level]}"


def _ports(settings: Settings) -> Iterator[str]:
    ours = [
        ("acceptor.port", settings.acceptor.host, settings.acceptor.port),
        ("core.metrics_port", settings.core.metrics_host, settings.core.metrics_port),
        ("api.port", settings.api.host, settings.api.port),
        ("jobs.metrics_port", settings.jobs.metrics_host, settings.jobs.metrics_port),
    ]
    tls = settings.acceptor.tls
    if not settings.acceptor.plain:
        del ours[0]
    if tls is not None:
        ours.append(("acceptor.tls.port", tls.host or settings.acceptor.host, tls.port))
    for index, (path, host, port) in enumerate(ours):
        for other, other_host, other_port in ours[:index]:
            if port and port == other_port and _same_host(host, other_host):
                yield f"{path} = {port}: must not be the port of {other}"
    for index, venue in enumerate(settings.venues):
        for path, host, port in ours:
            if venue.port == port and _is_local(venue.host) and _same_host(host, venue.host):
                yield f"venues[{index}].port = {port}: must not be the port of {path} of our own"


def _examples(settings: Settings) -> Iterator[str]:
    """The keys and passwords of config/oms.toml are public: they are good on one machine only."""
    if not _is_local(settings.api.host):
        for index, key in enumerate(settings.api.keys):
            if sha256(f"example-key-{key.name}".encode()).hexdigest() == key.key_hash:
                yield f"api.keys[{index}].key_hash: {_PUBLIC} api.host = {settings.api.host}"
    public = next((host for host in _acceptor_hosts(settings) if not _is_local(host)), None)
    if public is not None:
        for index, client in enumerate(settings.clients):
            if _is_password(client.password_hash, f"{client.name.lower()}-example"):
                where = f"clients[{index}].password_hash"
                yield f"{where}: {_PUBLIC} acceptor.host = {public}"


def _acceptor_hosts(settings: Settings) -> list[str]:
    acceptor = settings.acceptor
    hosts = [acceptor.host] if acceptor.plain else []
    return hosts + ([acceptor.tls.host or acceptor.host] if acceptor.tls else [])


def _tls(settings: Settings) -> Iterator[str]:
    """What a client's TLS needs of the acceptor's."""
    tls = settings.acceptor.tls
    for index, client in enumerate(settings.clients):
        if client.tls_only and tls is None:
            yield f"clients[{index}].tls_only = true: needs a table acceptor.tls"
        bound = {"tls_subject": client.tls_subject, "tls_fingerprints": client.tls_fingerprints}
        for key, value in bound.items():
            if value and (tls is None or tls.client_ca_file is None):
                text = value if isinstance(value, str) else ", ".join(value)
                yield f"clients[{index}].{key} = {text}: needs acceptor.tls.client_ca_file"


def _is_password(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def _same_host(one: str, other: str) -> bool:
    everywhere = {"", "0.0.0.0", "::"}  # noqa: S104  (compared, not listened on)
    return one == other or one in everywhere or other in everywhere


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
