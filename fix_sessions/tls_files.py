"""TLS made from files: both sides' contexts, read again when a file changes, faults in plain words.

Python's own ssl module, for QuickFIX is built without TLS: set-up needs no OpenSSL headers.
"""

import re
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_PEM: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)
_SEQUENCE, _INTEGER, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x02, 0xA0, 0x17, 0x18
_LONG_FORM: Final = 0x80

Stamps = tuple[tuple[int, int, int] | None, ...]


class TlsFileError(ValueError):
    """A file that cannot be used; the text says key, value and rule, on one line."""

    def __init__(self, key: str, value: str, rule: str) -> None:
        super().__init__(f"{key} = {value}: {rule}")
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFiles:
    """Our certificate as a server. With client_ca_file, clients must have one that it signed."""

    certificate_file: str  # PEM, the server's own first, then those between it and its root
    key_file: str
    client_ca_file: str = ""
    minimum_version: str = "1.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFiles:
    """Whom we believe as a client, and our own certificate where the server asks for one."""

    ca_file: str
    certificate_file: str = ""
    key_file: str = ""
    minimum_version: str = "1.2"


Files = ServerFiles | ClientFiles


def server_context(files: ServerFiles) -> ssl.SSLContext:
    """Raises TlsFileError. Sessions are not resumed: each connection shows its certificate anew."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[files.minimum_version]
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    _load_own(context, files)
    if files.client_ca_file:
        context.verify_mode = ssl.CERT_REQUIRED
        _load_trusted(context, "client_ca_file", files.client_ca_file)
    return context


def client_context(files: ClientFiles) -> ssl.SSLContext:
    """Verifies the server's certificate and its name; there is no way to leave that out.

    Raises TlsFileError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = _VERSIONS[files.minimum_version]
    context.options |= ssl.OP_NO_RENEGOTIATION
    _load_trusted(context, "ca_file", files.ca_file)
    if files.certificate_file:
        _load_own(context, files)
    return context


def _load_own(context: ssl.SSLContext, files: Files) -> None:
    first_certificate(files.certificate_file)
    _read("key_file", files.key_file)
    key = ("key_file", files.key_file)

    def no_passphrase() -> str:
        raise TlsFileError(*key, "is encrypted: must hold a key without a passphrase")

    try:
        context.load_cert_chain(files.certificate_file, files.key_file, no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            rule = f"must be the key of certificate_file = {files.certificate_file}"
            raise TlsFileError(*key, rule) from None
        if error.reason in {"EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "CA_KEY_TOO_SMALL"}:
            rule = f"is too weak: {(error.reason or '').lower().replace('_', ' ')}"
            raise TlsFileError("certificate_file", files.certificate_file, rule) from None
        raise TlsFileError(*key, "must hold a private key in PEM") from None


def _load_trusted(context: ssl.SSLContext, key: str, path: str) -> None:
    _read(key, path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise TlsFileError(key, path, "must hold certificates in PEM") from None


def _read(key: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise TlsFileError(key, path, f"cannot be read: {error.strerror}") from None


def first_certificate(path: str) -> bytes:
    """The first certificate of a PEM file, in DER. Raises TlsFileError."""
    found = _PEM.search(_read("certificate_file", path).decode("ascii", "replace"))
    if found is None:
        raise TlsFileError("certificate_file", path, "must hold a certificate in PEM")
    try:
        return ssl.PEM_cert_to_DER_cert(found[0])
    except ValueError:
        raise TlsFileError("certificate_file", path, "must hold sound base64") from None


def expires_at(path: str) -> datetime:
    """When the certificate of a PEM file, its first, is no longer valid. Raises TlsFileError."""
    der = first_certificate(path)
    try:
        return _not_after(der)
    except (LookupError, StopIteration, ValueError):
        raise TlsFileError("certificate_file", path, "must hold an X.509 certificate") from None


def _not_after(der: bytes) -> datetime:
    """RFC 5280: a Certificate begins { { [version], serial, algorithm, issuer, { from, until }."""
    [(_, certificate)] = _elements(der)
    _, body = next(_elements(certificate))
    members = [item for item in _elements(body) if item[0] != _VERSION]
    if members[0][0] != _INTEGER or members[3][0] != _SEQUENCE:
        raise ValueError("not a certificate")
    _, (kind, text) = _elements(members[3][1])
    form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}[kind]
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of the DER elements that stand one behind the other."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size & _LONG_FORM:
            width = size & ~_LONG_FORM
            size = int.from_bytes(data[at : at + width])
            at += width
        if at + size > len(data):
            raise ValueError("cut off")
        yield tag, data[at : at + size]
        at += size


def is_open_to_others(path: str) -> bool:
    """Whether every account of this machine may read the file."""
    return bool(Path(path).stat().st_mode & stat.S_IROTH)


class Contexts:
    """A context from files, made anew when one of them has changed.

    So a certificate is renewed without a restart. While the new files cannot be used, as between
    the writing of certificate and key, the old ones stay.
    """

    def __init__(self, files: Files, tell_fault: Callable[[str], None]) -> None:
        self._files = files
        self._tell_fault = tell_fault
        self._stamps = self._told = _stamps_of(files)
        self._context = context_of(files)

    def current(self) -> ssl.SSLContext:
        """For the next connection."""
        stamps = _stamps_of(self._files)
        if stamps != self._stamps:
            try:
                self._context = context_of(self._files)
                self._stamps = stamps
            except (TlsFileError, OSError) as error:  # or it went away meanwhile
                if stamps != self._told:
                    self._tell_fault(str(error))
                self._told = stamps
        return self._context


def context_of(files: Files) -> ssl.SSLContext:
    """Raises TlsFileError."""
    return client_context(files) if isinstance(files, ClientFiles) else server_context(files)


def paths_of(files: Files) -> list[str]:
    """All the files that are named."""
    named = [item.name for item in fields(files) if item.name.endswith("_file")]
    return [value for name in named if (value := getattr(files, name))]


def _stamps_of(files: Files) -> Stamps:
    found: list[tuple[int, int, int] | None] = []
    for path in paths_of(files):
        try:
            status = Path(path).stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)
