"""The configuration's clients and venues, as the FIX edge takes them: parties, sessions, gate."""

from collections.abc import Sequence

from fix_sessions.gate_config import GateClient, GateConfig, GateTls
from fix_sessions.registry import Counterparty
from fix_sessions.settings import SessionSpec
from fix_sessions.tls_files import ClientFiles, ServerFiles
from oms.settings.drop_copies import DropCopySettings
from oms.settings.model import AcceptorSettings, ClientSettings, Settings, VenueSettings


def counterparties_of(settings: Settings) -> list[Counterparty]:
    """Who is behind each session; a session is called as its client or venue is."""
    clients = [
        Counterparty(
            session_id=one.name,
            name=one.name,
            role="client",
            begin_string=one.begin_string,
            wire=one.profile.profile().wire,
        )
        for one in settings.clients
    ]
    venues = [
        Counterparty(
            session_id=one.name,
            name=one.name,
            role="venue",
            begin_string=one.begin_string,
            wire=one.profile.profile(one.begin_string).wire,
        )
        for one in settings.venues
    ]
    copies = [
        Counterparty(
            session_id=one.name, name=one.name, role="drop_copy", begin_string=one.begin_string
        )
        for one in settings.drop_copies
    ]
    return clients + venues + copies


def session_specs(settings: Settings) -> list[SessionSpec]:
    """The engine's sessions: clients behind the gate on a free loopback port, venues outward."""
    clients = [
        SessionSpec(
            session_id=one.name,
            role="acceptor",
            begin_string=one.begin_string,
            sender_comp_id=one.target_comp_id,
            target_comp_id=one.sender_comp_id,
            host="127.0.0.1",
            port=0,
        )
        for one in settings.clients
    ]
    venues = [_initiator(one, reset_on_logon=one.profile.reset_on_logon) for one in settings.venues]
    copies = [_initiator(one, reset_on_logon=one.reset_on_logon) for one in settings.drop_copies]
    return clients + venues + copies


def _initiator(one: VenueSettings | DropCopySettings, *, reset_on_logon: bool) -> SessionSpec:
    return SessionSpec(
        session_id=one.name,
        role="initiator",
        begin_string=one.begin_string,
        sender_comp_id=one.sender_comp_id,
        target_comp_id=one.target_comp_id,
        host=one.host,
        port=one.port,
        heart_bt_int_s=one.heart_bt_int_s,
        username=one.username or None,
        password=one.password.get_secret_value() if one.password else None,
        reset_on_logon=reset_on_logon,
    )


def gate_config_of(settings: Settings, *, ticket: str) -> GateConfig:
    """The gate listens where the configuration says and passes on to the engine's loopback port,
    which is known once the engine listens.
    """
    return GateConfig(
        host=settings.acceptor.host,
        port=settings.acceptor.port,
        engine_host="127.0.0.1",
        engine_port=0,
        ticket=ticket,
        plain=settings.acceptor.plain,
        tls=gate_tls_of(settings.acceptor),
        clients=gate_clients_of(settings.clients),
    )


def gate_clients_of(clients: Sequence[ClientSettings]) -> tuple[GateClient, ...]:
    """Who may come in, and how."""
    return tuple(
        GateClient(
            session_id=one.name,
            begin_string=one.begin_string,
            sender_comp_id=one.sender_comp_id,
            target_comp_id=one.target_comp_id,
            username=one.username,
            password_hash=one.password_hash,
            allowed_addresses=tuple(str(network) for network in one.allowed_addresses),
            allow_reset=one.allow_reset,
            tls_only=one.tls_only,
            tls_subject=one.tls_subject,
            tls_fingerprints=one.tls_fingerprints,
        )
        for one in clients
    )


def gate_tls_of(acceptor: AcceptorSettings) -> GateTls | None:
    """Where the gate takes connections with TLS; None: nowhere."""
    tls = acceptor.tls
    if tls is None:
        return None
    files = ServerFiles(
        certificate_file=str(tls.certificate_file),
        key_file=str(tls.key_file),
        client_ca_file=str(tls.client_ca_file or ""),
        minimum_version=tls.minimum_version,
    )
    return GateTls(host=tls.host or acceptor.host, port=tls.port, files=files)


def client_files_of(venue: VenueSettings | DropCopySettings) -> ClientFiles:
    """What the TLS of a venue or of its drop copy is made of."""
    tls = venue.tls
    assert tls is not None
    return ClientFiles(
        ca_file=str(tls.ca_file),
        certificate_file=str(tls.certificate_file or ""),
        key_file=str(tls.key_file or ""),
        minimum_version=tls.minimum_version,
    )
