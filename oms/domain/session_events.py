"""Events about FIX sessions beyond their logons: hours, operators' doings, resets, gaps."""

from oms.domain.fact import fact


@fact
class SessionHoursBegan:
    """The session's schedule has it open."""

    session: str


@fact
class SessionHoursEnded:
    """The session's schedule has it closed."""

    session: str


@fact
class SessionStopped:
    """An operator keeps the session logged out."""

    session: str
    user: str
    reason: str


@fact
class SessionStarted:
    """No operator keeps the session logged out any more."""

    session: str
    user: str
    reason: str


@fact
class ResetScheduleNoted:
    """Resets are scheduled for the session from here on; `moment`: the last one gone by."""

    session: str
    moment: int


@fact
class SessionsReloaded:
    """Which sessions there are was taken over from the configuration file; all by name, never with
    what is secret. remade: those of the changed ones that log out and are made anew.
    """

    user: str
    reason: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    remade: tuple[str, ...]
    removed: tuple[str, ...]


@fact
class SequenceResetRequested:
    """An operator asks for new sequence numbers. Its journal number names the request."""

    session: str
    user: str
    reason: str


@fact
class SequenceResetOrdered:
    """The session logs out, gets new sequence numbers and comes back. moment: 0, or the scheduled
    time; user, approved_by: who asked for it and who agreed, where it was not scheduled.
    """

    session: str
    moment: int
    reason: str
    user: str = ""
    approved_by: str = ""


@fact
class ReportsDiscardRequested:
    """An operator asks to let go of what waits for a client that is not configured. Its journal
    number names the request.
    """

    session: str
    user: str
    reason: str


@fact
class ReportsDiscarded:
    """What waited for a client that is not configured is told to it never: so many messages, of
    the journal entries from first_event to last_event. user and reason: of who asked for it;
    approved_by and approval: of who agreed.
    """

    session: str
    request: int
    count: int
    first_event: int
    last_event: int
    user: str
    reason: str
    approved_by: str
    approval: str


@fact
class MessagesRepeated:
    """What a reset would have swallowed has its numbers of the new epoch; the session may open."""

    session: str
    count: int


@fact
class GapFound:
    """Messages were asked for again, by either side; text: which, in plain words."""

    session: str
    by_us: bool
    text: str


@fact
class CancelOnDisconnectArmed:
    """A client's session is lost: its open orders are cancelled at that stamp if it stays away."""

    session: str
    due_at: int


@fact
class CancelOnDisconnectDisarmed:
    """The client came back in time."""

    session: str


@fact
class CancelOnDisconnectFired:
    """The client stayed away. asked: the orders whose cancel begins here; pending: open ones whose
    cancel was under way already. lost_at: since when its session was down.
    """

    session: str
    lost_at: int
    asked: tuple[str, ...]
    pending: tuple[str, ...]


SessionFact = (
    SessionHoursBegan
    | SessionHoursEnded
    | SessionStopped
    | SessionStarted
    | ResetScheduleNoted
    | SequenceResetRequested
    | SequenceResetOrdered
    | ReportsDiscardRequested
    | ReportsDiscarded
    | MessagesRepeated
    | GapFound
    | CancelOnDisconnectArmed
    | CancelOnDisconnectDisarmed
    | CancelOnDisconnectFired
)
