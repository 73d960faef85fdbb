"""Commands about FIX sessions: what operators do with them, and gaps in their streams."""

from enum import StrEnum

from oms.domain.fact import fact
from oms.domain.origin import Origin


class LogoutCause(StrEnum):
    """Whose doing the end of a session was.

    LOST: no Logout came: the connection broke, fell silent, or the gate dropped it. PEER: the other
    side logged out. OURS: we did, and it was answered. UNANSWERED: we did, and it was not.
    """

    LOST = "LOST"
    PEER = "PEER"
    OURS = "OURS"
    UNANSWERED = "UNANSWERED"


@fact
class StopSession:
    """Log the session out and keep it so, whatever its schedule says."""

    origin: Origin
    session: str
    reason: str


@fact
class StartSession:
    """Undo StopSession: the session is open when its schedule says so."""

    origin: Origin
    session: str
    reason: str


@fact
class RequestSessionReset:
    """Ask for new sequence numbers; somebody else has to approve it."""

    origin: Origin
    session: str
    reason: str


@fact
class ApproveSessionReset:
    """Let a requested reset happen. request: the number that the request was answered with."""

    origin: Origin
    session: str
    request: int
    reason: str


@fact
class ResendAsked:
    """A ResendRequest (2). by_us: we lack messages of theirs; else they lack some of ours.

    end_seq_no: EndSeqNo (16), 0 for all that follow. highest: by us, the MsgSeqNum that showed the
    gap, 0 where it is not known; by them, our last one.
    """

    origin: Origin
    by_us: bool
    begin_seq_no: int
    end_seq_no: int
    highest: int = 0
