"""Whose certificate a connection brought, and whether it is the one that the session wants."""

import asyncio
import hashlib
import ssl
from dataclasses import dataclass

from fix_sessions.gate_config import GateClient
from fix_sessions.gate_events import RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is behind a connection with TLS: nobody in particular where no certificate is asked."""

    fingerprint: str = ""
    common_names: frozenset[str] = frozenset()
    dns_names: frozenset[str] = frozenset()


def peer_of(transport: asyncio.Transport) -> Peer | None:
    """Whose certificate a connection brought, verified in the handshake; None is no TLS."""
    connection: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if connection is None:
        return None
    der = connection.getpeercert(binary_form=True)
    found = connection.getpeercert()
    if der is None or not found:
        return Peer()
    names: tuple[tuple[str, str], ...] = found.get("subjectAltName", ())  # type: ignore[assignment]
    subject: tuple[tuple[tuple[str, str], ...], ...] = found.get("subject", ())  # type: ignore[assignment]
    return Peer(
        fingerprint=hashlib.sha256(der).hexdigest(),
        common_names=frozenset(
            value for part in subject for name, value in part if name == "commonName"
        ),
        dns_names=frozenset(value.lower() for kind, value in names if kind == "DNS"),
    )


def refusal_of_peer(client: GateClient, peer: Peer | None) -> RefusalReason | None:
    """Whether the connection is not as the session wants it."""
    subject, fingerprints = client.tls_subject, client.tls_fingerprints
    if peer is None:
        wants_tls = client.tls_only or subject or fingerprints
        return RefusalReason.TLS_REQUIRED if wants_tls else None
    if fingerprints and peer.fingerprint not in fingerprints:
        return RefusalReason.TLS_CERTIFICATE_OF_ANOTHER
    if subject and subject not in peer.common_names and subject.lower() not in peer.dns_names:
        return RefusalReason.TLS_CERTIFICATE_OF_ANOTHER
    return None
