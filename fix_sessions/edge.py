"""The edge of the core process: what the sessions' process read comes in, effects are encoded and
sent.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fix_sessions.encode import WITH_GROUPS, Encoder, encoder_of
from fix_sessions.registry import Counterparty
from fix_sessions.remote_engine import RemoteEngine
from fix_sessions.wire import fields_of
from oms.domain.commands import (
    SYSTEM,
    Channel,
    Command,
    MessagesSent,
    Origin,
    SentMessage,
    SequenceReset,
    SessionLoggedOn,
    SessionLoggedOut,
    StreamMark,
)
from oms.domain.effects import TO_CLIENTS, FixMessage
from oms.domain.session_commands import LogoutCause, ResendAsked
from oms.ports import Clock, Intake

# How far to jump where the engine's store lost numbers that the journal knows were used: nothing
# that may have been sent and not noted is ever numbered again.
LOST_STORE_MARGIN = 10_000

_POSS_RESEND = "97=Y"
# What the session sets anew in a message that is sent again.
_OF_THE_SESSION = frozenset({8, 9, 10, 34, 35, 43, 49, 52, 56, 97, 122, 1128})


@dataclass(slots=True)
class _Repetition:
    """What a session is told again after a reset, until all of it is sent."""

    count: int
    sent: list[SentMessage] = field(default_factory=list)


@dataclass(slots=True)
class _Leaving:
    """A message that was handed to the engine and is not told of yet."""

    session_id: str
    msg_type: str
    event_seq: int
    order_id: str
    repetition: _Repetition | None = None
    was_held: bool = False


class Edge:
    """RemoteHandler of the engine, and Outlet of the sequencer.

    Call `drive` and set `intake` and `read_sent` before the engine polls: they are made one after
    the other. `read_sent` is asked with session, first epoch, first and last MsgSeqNum.
    """

    engine: RemoteEngine
    intake: Intake
    read_sent: Callable[[str, int, int, int], Iterable[tuple[int, str]]]

    def __init__(
        self,
        counterparties: Sequence[Counterparty],
        *,
        epochs: Mapping[str, int],
        outbound_epochs: Mapping[str, int],
        clock: Clock,
        unpack: Callable[[int, bytes], Command],
    ) -> None:
        """epochs: each session's reset count so far; outbound_epochs: that at which our own numbers
        began. unpack: undoes fix_sessions.reading.Pack.
        """
        self._counterparties: dict[str, Counterparty] = {}
        self._encoders: dict[str, Encoder] = {}
        # By session: messages that are made with the dictionary, which keeps groups whole.
        self._with_groups: dict[str, frozenset[str]] = {}
        self._epochs: dict[str, int] = {}
        # The sessions that are configured and made: what was removed is still understood.
        self._open: set[str] = set()
        self._know(counterparties, epochs)
        self._outbound_epochs = dict(outbound_epochs)
        self._clock = clock
        self._unpack = unpack
        self._leaving: deque[_Leaving] = deque()
        # By session of a client that is not configured: what it is told when it is.
        self._kept: dict[str, list[FixMessage]] = {}
        self._sent: list[SentMessage] = []
        # By session that gets new numbers: what leaves after the repetition of what came before.
        self._held: dict[str, list[FixMessage]] = {}
        self._resetting: set[str] = set()
        self._held_leaving = 0

    def drive(self, engine: RemoteEngine) -> None:
        """This engine, whose process learns who is behind the sessions."""
        self.engine = engine
        engine.understand(list(self._counterparties.values()), self._epochs)

    def take_in(self, counterparties: Sequence[Counterparty], epochs: Mapping[str, int]) -> None:
        """These sessions are there, too, or are different from now on; in their process as well."""
        self._know(counterparties, epochs)
        self.engine.understand(counterparties, self._epochs)

    def _know(self, counterparties: Sequence[Counterparty], epochs: Mapping[str, int]) -> None:
        for one in counterparties:
            name = one.session_id
            self._counterparties[name] = one
            self._encoders[name] = encoder_of(one)
            self._with_groups[name] = WITH_GROUPS.union(one.wire.custom_tags)
            self._epochs.setdefault(name, epochs.get(name, 0))
            self._open.add(name)

    def set_aside(self, names: Iterable[str], *, gone: bool = False) -> None:
        """Nothing is done with these sessions until they are taken in again. What comes from there
        is understood, what is sent there is numbered and kept for the counterparty. gone: they are
        not configured, and what a client is told waits for `catch_up`.
        """
        for name in names:
            self._open.discard(name)
            self._let_go(name)
            if gone and self._counterparties[name].role == "client":
                del self._encoders[name]

    def catch_up(self, session_id: str, wanted: Callable[[FixMessage], bool]) -> None:
        """A client that was not configured is, and its numbers are set: what was kept leaves."""
        if self._counterparties[session_id].role == "client":
            for effect in filter(wanted, self._kept.pop(session_id, ())):
                self.deliver(effect)

    def discard(self, session_id: str, through: int) -> None:
        """What is kept for that client of events up to that one is told to nobody."""
        kept = self._kept.pop(session_id, [])
        left = [one for one in kept if one.event_seq > through]
        if left:
            self._kept[session_id] = left

    # The engine's side

    def on_command(self, session_id: str, number: int, packed: bytes) -> None:
        """See RemoteHandler."""
        self.intake.submit(self._unpack(number, packed), packed)

    def on_logon(self, session_id: str) -> None:
        """See RemoteHandler."""
        self._resetting.discard(session_id)
        self.intake.submit(SessionLoggedOn(origin=self._origin(session_id)))

    def on_logout(self, session_id: str, reason: str, cause: LogoutCause) -> None:
        """See RemoteHandler."""
        self._resetting.discard(session_id)
        command = SessionLoggedOut(origin=self._origin(session_id), text=reason, cause=cause)
        self.intake.submit(command)

    def on_resend_request(
        self, session_id: str, *, by_us: bool, begin: int, end: int, highest: int
    ) -> None:
        """See RemoteHandler."""
        self.intake.submit(
            ResendAsked(
                origin=self._origin(session_id),
                by_us=by_us,
                begin_seq_no=begin,
                end_seq_no=end,
                highest=highest,
            )
        )

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        """See RemoteHandler."""
        inbound_only = next_inbound > 1
        self._resetting.discard(session_id)
        self.intake.submit(
            SequenceReset(origin=self._origin(session_id), inbound_only=inbound_only)
        )
        self._epochs[session_id] += 1
        if not inbound_only:
            self._outbound_epochs[session_id] = self._epochs[session_id]
        else:
            # What came before is not to be asked for again under the new epoch.
            mark = StreamMark(
                session=session_id, epoch=self._epochs[session_id], msg_seq_num=next_inbound - 1
            )
            self.intake.submit(MessagesSent(origin=SYSTEM, messages=(), observed=(mark,)))

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        """See RemoteHandler."""
        left = self._leaving.popleft()
        assert left.session_id == session_id, "messages are told of in the order that they left in"
        sent = SentMessage(
            session=session_id,
            epoch=self._epochs[session_id],
            msg_seq_num=msg_seq_num,
            event_seq=left.event_seq,
            msg_type=left.msg_type,
            order_id=left.order_id,
            text=text,
            at=self._clock.now(),
        )
        self._held_leaving -= left.was_held
        if left.repetition is None:
            self._sent.append(sent)
        else:
            left.repetition.sent.append(sent)
            self._note_repetition(session_id, left.repetition)

    def sent_before(self, session_id: str, first: int, last: int) -> Iterable[tuple[int, str]]:
        """See RemoteHandler."""
        since = self._outbound_epochs.get(session_id, 0)
        return self.read_sent(session_id, since, first, last)

    def _origin(self, session_id: str) -> Origin:
        counterparty = self._counterparties[session_id]
        client = counterparty.role == "client"
        return Origin(
            channel=Channel.CLIENT if client else Channel.VENUE,
            counterparty=counterparty.name,
            session=session_id,
            epoch=self._epochs[session_id],
        )

    # The sequencer's side

    def deliver(self, effect: FixMessage) -> None:
        """See oms.ports.Outlet."""
        if effect.session in self._held:
            self._held[effect.session].append(effect)
        else:
            self._encode(effect)

    def _encode(self, effect: FixMessage, *, was_held: bool = False) -> None:
        session_id = effect.session
        encode = self._encoders.get(session_id)
        if encode is None:
            self._keep(effect)
            return
        msg_type, body = encode(effect)
        if msg_type:
            order_id = getattr(effect, "order_id", "")
            leaving = _Leaving(session_id, msg_type, effect.event_seq, order_id, was_held=was_held)
            self._held_leaving += was_held
            self._send(leaving, body)

    def _keep(self, effect: FixMessage) -> None:
        """Of what nobody is configured for, a client's is journaled as such; a venue is asked."""
        if not isinstance(effect, TO_CLIENTS):
            return
        self._kept.setdefault(effect.session, []).append(effect)
        self._sent.append(
            SentMessage(
                session=effect.session,
                epoch=self._epochs.get(effect.session, 0),
                msg_seq_num=0,
                event_seq=effect.event_seq,
                msg_type="",
                order_id=getattr(effect, "order_id", ""),
                text="",
                at=self._clock.now(),
            )
        )

    def release(self) -> list[SentMessage]:
        """See oms.ports.Outlet. What was delivered is written at once, before anything else."""
        self.engine.flush()
        sent, self._sent = self._sent, []
        return sent

    @property
    def pending(self) -> bool:
        """See oms.ports.Outlet."""
        return bool(self._leaving or self._sent)

    @property
    def held_from(self) -> int | None:
        """See oms.ports.Outlet."""
        if not (self._held or self._held_leaving):
            return None
        held = [one.event_seq for messages in self._held.values() for one in messages]
        held += [one.event_seq for one in self._leaving if one.was_held]
        return min(held, default=None)

    def _send(self, leaving: _Leaving, pieces: Sequence[str]) -> None:
        session_id, msg_type = leaving.session_id, leaving.msg_type
        groups = msg_type in self._with_groups[session_id]
        self._leaving.append(leaving)
        self.engine.send_pieces(session_id, msg_type, pieces, groups=groups)

    def knows(self, session_id: str) -> bool:
        """Whether the session is configured, and made."""
        return session_id in self._open

    def reset(self, session_id: str, reason: str) -> None:
        """Log out, then both numbers to 1, unless the session comes up again meanwhile.

        The engine does so before the core knows. From here on a client's messages wait for
        `repeat`: under the new numbers they would be ahead of the older ones.
        """
        if self._counterparties[session_id].role == "client":
            self._held.setdefault(session_id, [])
        self._resetting.add(session_id)
        self.engine.reset(session_id, reason)

    def is_being_reset(self, session_id: str) -> bool:
        """Whether that was asked for, and neither done yet nor overtaken by a logon or logout."""
        return session_id in self._resetting

    def was_reset_since(self, session_id: str, epoch: int) -> bool:
        """Whether our numbers there began anew after that epoch, journaled or not."""
        return self._outbound_epochs.get(session_id, 0) > epoch

    def _let_go(self, session_id: str) -> None:
        for effect in self._held.pop(session_id, ()):
            self._encode(effect, was_held=True)

    def repeat(self, session_id: str, messages: Sequence[SentMessage]) -> None:
        """After a reset: send a client what was sent to nobody; venues are asked what they have.

        The note of it lets the session open.
        """
        client = self._counterparties[session_id].role == "client"
        again = messages if client else ()
        repetition = _Repetition(len(again))
        for message in again:
            self._send_again(message, repetition)
        self._let_go(session_id)
        self._note_repetition(session_id, repetition)

    def _send_again(self, message: SentMessage, repetition: _Repetition) -> None:
        """Under a new number and as PossResend, what was sent in an epoch before."""
        fields = [one for one in fields_of(message.text) if one[0] not in _OF_THE_SESSION]
        pieces = [_POSS_RESEND, *(f"{tag}={value}" for tag, value in fields)]
        leaving = _Leaving(
            message.session, message.msg_type, message.event_seq, message.order_id, repetition
        )
        self._send(leaving, pieces)

    def _note_repetition(self, session_id: str, repetition: _Repetition) -> None:
        if len(repetition.sent) == repetition.count:
            note = MessagesSent(origin=SYSTEM, messages=tuple(repetition.sent), repeated=session_id)
            self.intake.submit(note)

    def set_numbers(self, inbound: Mapping[str, int], outbound: Mapping[str, int]) -> None:
        """Before the sessions open: expect what the journal has not, never number anything twice.

        inbound, outbound: the last MsgSeqNum that the journal knows, by session. The engine counts
        a message before it is journaled: where it expects less than that, it was reset and the
        journal was not told.
        """
        marks = [
            self._numbered(one, inbound.get(one, 0), outbound.get(one, 0))
            for one in self._counterparties
        ]
        self._note_numbered([one for one in marks if one is not None])

    def set_number(self, session_id: str, inbound: int, outbound: int, ahead: int = 0) -> None:
        """As `set_numbers`, for one session that has just been made. ahead: where its store may be
        behind, for others have led since: how many more numbers they may have used.
        """
        engine = self.engine
        if ahead:
            engine.set_expected_inbound(session_id, inbound + 1)
            first = max(engine.next_outbound(session_id), outbound + 1) + ahead
            engine.set_next_outbound(session_id, first)
        mark = self._numbered(session_id, inbound, outbound)
        self._note_numbered([mark] if mark is not None else [])

    def _note_numbered(self, marks: Sequence[StreamMark]) -> None:
        """By it a machine that leads next knows what this one may have used without a word."""
        if marks:
            self.intake.submit(MessagesSent(origin=SYSTEM, messages=(), numbered=tuple(marks)))

    def _numbered(self, session_id: str, inbound: int, outbound: int) -> StreamMark | None:
        journaled = inbound
        if self.engine.expected_inbound(session_id) <= journaled:
            self.on_sequence_reset(session_id, 1)
            self.engine.new_epoch(session_id)
            journaled = 0
        self.engine.set_expected_inbound(session_id, journaled + 1)
        noted = outbound + 1
        number = self.engine.next_outbound(session_id)
        if number < noted:
            number = noted + LOST_STORE_MARGIN
            self.engine.set_next_outbound(session_id, number)
        if number == noted:
            return None
        epoch = self._epochs[session_id]
        return StreamMark(session=session_id, epoch=epoch, msg_seq_num=number - 1)
