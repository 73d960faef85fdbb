"""What the gate tells the engine: its events, the reasons for a refusal, and their JSON lines."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fix_sessions.tls_faults import TlsFault


class RefusalReason(StrEnum):
    """Why a connection was not let through. FIX session test case 1S decides who gets an answer."""

    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    BACKING_OFF = "backing_off"
    TOO_MANY_PENDING = "too_many_pending"
    TOO_MANY_PENDING_FROM_ADDRESS = "too_many_pending_from_address"
    LOGON_TIMEOUT = "logon_timeout"
    LOGON_TOO_LARGE = "logon_too_large"
    CLOSED_BEFORE_LOGON = "closed_before_logon"
    GARBLED = "garbled"
    NOT_A_LOGON = "not_a_logon"
    UNKNOWN_SESSION = "unknown_session"
    ADDRESS_NOT_ALLOWED_FOR_SESSION = "address_not_allowed_for_session"
    BAD_CREDENTIALS = "bad_credentials"
    RESET_NOT_ALLOWED = "reset_not_allowed"
    NEW_PASSWORD_NOT_SUPPORTED = "new_password_not_supported"  # noqa: S105 (a reason, no secret)
    ALREADY_CONNECTED = "already_connected"
    ENGINE_UNAVAILABLE = "engine_unavailable"
    TLS_TIMEOUT = TlsFault.TIMEOUT.value
    TLS_NOT_SPOKEN = TlsFault.NOT_TLS.value
    TLS_NO_CERTIFICATE = TlsFault.NO_CERTIFICATE.value
    TLS_CERTIFICATE_EXPIRED = TlsFault.CERTIFICATE_EXPIRED.value
    TLS_CERTIFICATE_REFUSED = TlsFault.CERTIFICATE_REFUSED.value
    TLS_REFUSED_BY_PEER = TlsFault.REFUSED_BY_PEER.value
    TLS_CLOSED = TlsFault.CLOSED.value
    TLS_FAILED = TlsFault.FAILED.value
    TLS_REQUIRED = "tls_required"
    TLS_CERTIFICATE_OF_ANOTHER = "tls_certificate_of_another"


# Text (58) of the Logout that a known session gets. Everything else is closed without a word.
LOGOUT_TEXTS: Final = {
    RefusalReason.BAD_CREDENTIALS: (
        "Logon refused: Username (553) and Password (554) do not belong to this session"
    ),
    RefusalReason.RESET_NOT_ALLOWED: (
        "Logon refused: ResetSeqNumFlag (141) = Y is not allowed for this session"
    ),
    RefusalReason.NEW_PASSWORD_NOT_SUPPORTED: (
        "Logon refused: a password cannot be changed by NewPassword (925)"
    ),
}

# What says nothing about the sender's intentions does not count towards backing off.
INNOCENT_REASONS: Final = frozenset(
    {
        RefusalReason.ADDRESS_NOT_ALLOWED,
        RefusalReason.BACKING_OFF,
        RefusalReason.TOO_MANY_PENDING,
        RefusalReason.TOO_MANY_PENDING_FROM_ADDRESS,
        RefusalReason.CLOSED_BEFORE_LOGON,
        RefusalReason.RESET_NOT_ALLOWED,
        RefusalReason.ALREADY_CONNECTED,
        RefusalReason.ENGINE_UNAVAILABLE,
        RefusalReason.TLS_CLOSED,
        RefusalReason.TLS_REQUIRED,
    }
)


class DisconnectCause(StrEnum):
    """How a relayed connection ended."""

    CLIENT_CLOSED = "client_closed"
    ENGINE_CLOSED = "engine_closed"
    ENGINE_SILENT = "engine_silent"
    SLOW_CONSUMER = "slow_consumer"
    SECOND_LOGON = "second_logon"
    SUPERSEDED = "superseded"
    SESSION_ENDED = "session_ended"  # of a connection that the engine had taken over
    GATE_CLOSED = "gate_closed"


class GateEventKind(StrEnum):
    CONNECTED = "connected"
    REFUSED = "refused"
    SLOW_CONSUMER = "slow_consumer"
    DISCONNECTED = "disconnected"
    TLS_FILES_REFUSED = "tls_files_refused"  # changed, and not usable: the old ones stay in use


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEvent:
    """One line from the gate. `count` is above 1 where equal refusals were told in one line."""

    kind: GateEventKind
    address: str
    session_id: str = ""
    reason: RefusalReason | None = None
    cause: DisconnectCause | None = None
    detail: str = ""
    count: int = 1


def event_to_json(event: GateEvent) -> str:
    """One line, without its newline; what is empty is left out."""
    members = {
        "kind": event.kind,
        "address": event.address,
        "session_id": event.session_id,
        "reason": event.reason,
        "cause": event.cause,
        "detail": event.detail,
        "count": event.count,
    }
    return json.dumps({key: value for key, value in members.items() if value})


def event_from_json(line: str | bytes) -> GateEvent:
    """Raises ValueError (JSON or enum) or KeyError for a line that is no event."""
    members = json.loads(line)
    reason, cause = members.get("reason"), members.get("cause")
    return GateEvent(
        kind=GateEventKind(members["kind"]),
        address=members.get("address", ""),
        session_id=members.get("session_id", ""),
        reason=RefusalReason(reason) if reason else None,
        cause=DisconnectCause(cause) if cause else None,
        detail=members.get("detail", ""),
        count=members.get("count", 1),
    )
