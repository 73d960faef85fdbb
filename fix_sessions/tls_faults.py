"""Why a TLS handshake failed: a reason that can be counted, and a sentence for whoever mends it."""

import ssl
from enum import StrEnum
from typing import Final

_HOST_MISMATCH: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH
_EXPIRED: Final = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_NOT_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "PACKET_LENGTH_TOO_LONG"}
    | {"UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "BAD_RECORD_TYPE", "UNEXPECTED_MESSAGE"}
)


class TlsFault(StrEnum):
    """What went wrong with a counterparty's TLS."""

    TIMEOUT = "tls_timeout"
    NOT_TLS = "tls_not_spoken"
    NO_CERTIFICATE = "tls_no_certificate"
    CERTIFICATE_EXPIRED = "tls_certificate_expired"
    CERTIFICATE_REFUSED = "tls_certificate_refused"
    WRONG_NAME = "tls_wrong_name"
    REFUSED_BY_PEER = "tls_refused_by_peer"
    CLOSED = "tls_closed"
    FAILED = "tls_failed"


def fault_of(error: BaseException) -> tuple[TlsFault, str]:
    """Of what a handshake raised, or what ended a connection: the fault and its details."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _fault_of_certificate(error)
    reason = getattr(error, "reason", None)  # which Python gives none where OpenSSL had none
    if isinstance(error, ssl.SSLError) and reason:
        return _fault_of_protocol(reason)
    if isinstance(error, TimeoutError | ConnectionAbortedError):
        return TlsFault.TIMEOUT, ""
    return TlsFault.CLOSED, "closed in the middle of the handshake"


def _fault_of_certificate(error: ssl.SSLCertVerificationError) -> tuple[TlsFault, str]:
    text = error.verify_message.rstrip(".")
    if error.verify_code in _HOST_MISMATCH:
        return TlsFault.WRONG_NAME, f"their certificate is not of that name: {text}"
    if error.verify_code == _EXPIRED:
        return TlsFault.CERTIFICATE_EXPIRED, f"their {text}"
    return TlsFault.CERTIFICATE_REFUSED, f"their certificate: {text}"


def _fault_of_protocol(reason: str) -> tuple[TlsFault, str]:
    words = reason.lower().replace("_", " ")
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return TlsFault.NO_CERTIFICATE, "they showed no certificate"
    if "_ALERT_" in reason:
        alert = words.partition(" alert ")[2]
        return TlsFault.REFUSED_BY_PEER, f"they refuse us: {alert}"
    if reason.startswith("UNEXPECTED_EOF"):
        return TlsFault.CLOSED, "closed in the middle of the handshake"
    if reason in _NOT_TLS:
        return TlsFault.NOT_TLS, f"what they send is not TLS: {words}"
    return TlsFault.FAILED, words
