"""Certificates made in the test, and both ends of a TLS connection."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from fix_sessions.tls_files import ClientFiles, ServerFiles

LOCALHOST = "127.0.0.1"
PATIENCE_S = 20.0


class Pair:
    """A certificate and its key, in files of their own."""

    def __init__(self, directory: Path, name: str, cert: trustme.LeafCert) -> None:
        self.certificate = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"
        self.certificate.write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))
        self.key.write_bytes(cert.private_key_pem.bytes())
        self.key.chmod(0o600)


class Authority:
    """A certificate authority; what it issues stands in files of `directory`."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self._name = name
        self._ca = trustme.CA(organization_name=f"Test {name}")
        self.file = directory / f"{name}.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, *names: str, common_name: str = "", expired: bool = False) -> Pair:
        """For these host names or addresses."""
        until = datetime.now(UTC) - timedelta(days=1) if expired else None
        cert = self._ca.issue_cert(*names, common_name=common_name or None, not_after=until)
        kind = "expired" if expired else "good"
        return Pair(self._directory, f"{self._name}-{kind}-{common_name or names[0]}", cert)


def server_files(pair: Pair, clients: Authority | None = None, minimum: str = "1.2") -> ServerFiles:
    return ServerFiles(
        certificate_file=str(pair.certificate),
        key_file=str(pair.key),
        client_ca_file=str(clients.file) if clients else "",
        minimum_version=minimum,
    )


def client_files(authority: Authority, pair: Pair | None = None) -> ClientFiles:
    return ClientFiles(
        ca_file=str(authority.file),
        certificate_file=str(pair.certificate) if pair else "",
        key_file=str(pair.key) if pair else "",
    )


def client_context(
    authority: Authority, pair: Pair | None = None, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """As a counterparty's program has one: the standard library's, not ours."""
    context = ssl.create_default_context(cafile=str(authority.file))
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def connect(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection after its handshake, as this side sees it."""
    raw = socket.create_connection((LOCALHOST, port), timeout=PATIENCE_S)
    try:
        return context.wrap_socket(raw, server_hostname=LOCALHOST)
    except BaseException:
        raw.close()
        raise
