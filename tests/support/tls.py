"""Certificates made in the test, and both ends of a TLS connection."""

import contextlib
import select
import socket
import ssl
import threading
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


class TlsFront:
    """A server with TLS in a thread: passes on to a plain port, or echoes where there is none.

    It counts the handshakes that failed on its side, and says why in `faults`.
    """

    def __init__(self, context: ssl.SSLContext, plain_port: int = 0, port: int = 0) -> None:
        self._context = context
        self._plain_port = plain_port
        self._listener = socket.create_server((LOCALHOST, port))
        self.port: int = self._listener.getsockname()[1]
        self.faults: list[str] = []
        self.versions: list[str | None] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, cut all connections off."""
        with contextlib.suppress(OSError):  # wakes the thread that waits for a connection
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_off()

    def cut_off(self) -> None:
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(PATIENCE_S)
        try:
            secure = self._context.wrap_socket(raw, server_side=True)
        except OSError as error:
            self.faults.append(str(error))
            raw.close()
            return
        self.versions.append(secure.version())
        self._open.append(secure)
        with contextlib.suppress(OSError), secure:
            if self._plain_port:
                self._pass_on(secure)
            else:
                while data := secure.recv(1 << 16):
                    secure.sendall(data)

    def _pass_on(self, secure: ssl.SSLSocket) -> None:
        """One thread: a TLS connection may not be read and written by two at a time."""
        with socket.create_connection((LOCALHOST, self._plain_port)) as plain:
            self._open.append(plain)
            secure.setblocking(False)
            while True:
                select.select([secure, plain], [], [], PATIENCE_S)
                data = _read(secure)
                if data == b"":
                    return
                plain.sendall(data or b"")
                readable, _, _ = select.select([plain], [], [], 0)
                if readable:
                    answer = plain.recv(1 << 16)
                    if not answer:
                        return
                    secure.setblocking(True)
                    secure.sendall(answer)
                    secure.setblocking(False)


def _read(secure: ssl.SSLSocket) -> bytes | None:
    """What there is now; None is nothing, empty the end."""
    found = b""
    while True:
        try:
            data = secure.recv(1 << 16)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return found or None
        if not data:
            return found
        found += data
