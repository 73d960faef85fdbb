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
class RequestReportsDiscard:
    """Ask to let go of what waits for a client that is not configured; somebody else approves."""

    origin: Origin
    session: str
    reason: str


@fact
class ApproveReportsDiscard:
    """Let it go. request: the number that the request was answered with."""

    origin: Origin
    session: str
    request: int
    reason: str


DiscardCommand = RequestReportsDiscard | ApproveReportsDiscard


@fact
class ReloadSessions:
    """Take over from the configuration file which sessions there are, and how they are.

    dry_run: only tell. force: remove clients that have open orders too. All that follows the core
    fills in when it has read the file: fault, why it cannot be taken over; added, changed, removed,
    by name; remade: those of the changed ones that log out and are made anew; kept: other tables
    that differ and wait for a restart.
    """

    origin: Origin
    reason: str
    dry_run: bool = False
    force: bool = False
    fault: str = ""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    remade: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


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
