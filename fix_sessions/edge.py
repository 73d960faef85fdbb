"""The edge of the core process: callbacks decoded into commands, effects encoded and sent."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from fix_sessions.decode import Decoder
from fix_sessions.dialects import APPL_VER_ID, FIXT11
from fix_sessions.encode import WITH_GROUPS, encoder_of
from fix_sessions.engine import Engine
from fix_sessions.registry import Counterparty
from fix_sessions.wire import fields_of, first
from oms.domain.commands import (
    SYSTEM,
    Channel,
    MessagesSent,
    Origin,
    SentMessage,
    SequenceReset,
    SessionLoggedOn,
    SessionLoggedOut,
    StreamMark,
)
from oms.domain.effects import FixMessage
from oms.domain.session_commands import ResendAsked
from oms.ports import Clock, Intake

# How far to jump where the engine's store lost numbers that the journal knows were used: nothing
# that may have been sent and not noted is ever numbered again.
LOST_STORE_MARGIN = 10_000

_POSS_RESEND = "97=Y"
# What the session sets anew in a message that is sent again.
_OF_THE_SESSION = frozenset({8, 9, 10, 34, 35, 43, 49, 52, 56, 97, 122, 1128})


class Edge:
    """SessionHandler of the engine, and Outlet of the sequencer.

    Set `engine`, `intake` and `read_sent` before the engine polls: they are made one after the
    other. `read_sent` is asked with session, first epoch, first and last MsgSeqNum.
    """

    engine: Engine
    intake: Intake
    read_sent: Callable[[str, int, int, int], Iterable[tuple[int, str]]]

    def __init__(
        self,
        counterparties: Sequence[Counterparty],
        *,
        epochs: Mapping[str, int],
        outbound_epochs: Mapping[str, int],
        ticket: str,
        clock: Clock,
    ) -> None:
        """epochs: each session's reset count so far; outbound_epochs: that at which our own numbers
        began; ticket: what the gate's Logons carry.
        """
        self._counterparties = {one.session_id: one for one in counterparties}
        self._encoders = {one.session_id: encoder_of(one) for one in counterparties}
        # By session: messages that are made with the dictionary, which keeps groups whole.
        self._with_groups = {
            one.session_id: WITH_GROUPS.union(one.wire.custom_tags) for one in counterparties
        }
        self._decoders = {one.session_id: Decoder(one) for one in counterparties}
        self._epochs = {one.session_id: epochs.get(one.session_id, 0) for one in counterparties}
        self._outbound_epochs = dict(outbound_epochs)
        self._ticket = ticket
        self._clock = clock
        self._numbered: tuple[int, str] = (0, "")

    # The engine's side

    def on_message(self, session_id: str, text: str) -> None:
        """See SessionHandler."""
        decoder = self._decoders[session_id]
        at = self._clock.now()
        for command in decoder.decode(text, epoch=self._epochs[session_id], at=at):
            self.intake.submit(command)

    def on_logon(self, session_id: str) -> None:
        """See SessionHandler."""
        self.intake.submit(SessionLoggedOn(origin=self._origin(session_id)))

    def on_logout(self, session_id: str, reason: str) -> None:
        """See SessionHandler."""
        cause = self.engine.logout_cause(session_id)
        command = SessionLoggedOut(origin=self._origin(session_id), text=reason, cause=cause)
        self.intake.submit(command)

    def on_resend_request(self, session_id: str, by_us: bool, begin: int, end: int) -> None:
        """A ResendRequest went out or came in; see Sessions.watch_resends."""
        highest = 0 if by_us else self.engine.next_outbound(session_id) - 1
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
        """See SessionHandler."""
        inbound_only = next_inbound > 1
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
        """See SessionHandler."""
        self._numbered = (msg_seq_num, text)

    def sent_again(self, session_id: str, begin: int, end: int) -> Iterable[tuple[int, str]]:
        """What was sent under these numbers; see fix_sessions.resends.ResendSource."""
        since = self._outbound_epochs.get(session_id, 0)
        return self.read_sent(session_id, since, begin, end)

    def check_logon(self, session_id: str, fields: list[tuple[int, str]]) -> str | None:
        """Only the gate's Logons are welcome: they carry its ticket instead of a password."""
        counterparty = self._counterparties[session_id]
        version = first(fields, 1137) or "absent"
        if counterparty.begin_string == FIXT11 and version != APPL_VER_ID:
            return f"DefaultApplVerID (1137) = {version}: must be {APPL_VER_ID}"
        if counterparty.role == "venue":
            return None
        if first(fields, 554) == self._ticket:
            return None
        return "Logon refused: not through the gate"

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

    def deliver(self, effect: FixMessage) -> SentMessage | None:
        """See oms.ports.Outlet."""
        session_id = effect.session
        encode = self._encoders.get(session_id)
        if encode is None:
            return None
        msg_type, body = encode(effect)
        if not msg_type:
            return None
        groups = msg_type in self._with_groups[session_id]
        self.engine.send_pieces(session_id, msg_type, body, groups=groups)
        order_id = getattr(effect, "order_id", "")
        return self._sent(session_id, msg_type, effect.event_seq, order_id)

    def _sent(self, session_id: str, msg_type: str, event_seq: int, order_id: str) -> SentMessage:
        msg_seq_num, text = self._numbered
        return SentMessage(
            session=session_id,
            epoch=self._epochs[session_id],
            msg_seq_num=msg_seq_num,
            event_seq=event_seq,
            msg_type=msg_type,
            order_id=order_id,
            text=text,
            at=self._clock.now(),
        )

    def knows(self, session_id: str) -> bool:
        """Whether the session is configured."""
        return session_id in self._counterparties

    def repeat(self, session_id: str, messages: Sequence[SentMessage]) -> None:
        """After a reset: send a client what was sent to nobody; venues are asked what they have.

        The note of it lets the session open.
        """
        client = self._counterparties[session_id].role == "client"
        again = tuple(self._send_again(one) for one in messages) if client else ()
        note = MessagesSent(origin=SYSTEM, messages=again, repeated=session_id)
        self.intake.submit(note)

    def _send_again(self, message: SentMessage) -> SentMessage:
        """Under a new number and as PossResend, what was sent in an epoch before."""
        session_id = message.session
        fields = [one for one in fields_of(message.text) if one[0] not in _OF_THE_SESSION]
        pieces = [_POSS_RESEND, *(f"{tag}={value}" for tag, value in fields)]
        groups = message.msg_type in self._with_groups[session_id]
        self.engine.send_pieces(session_id, message.msg_type, pieces, groups=groups)
        return self._sent(session_id, message.msg_type, message.event_seq, message.order_id)

    def reset(self, session_id: str) -> None:
        """New sequence numbers both ways, for a session that is logged out."""
        self.engine.reset(session_id)
        self.on_sequence_reset(session_id, 1)

    def set_numbers(self, inbound: Mapping[str, int], outbound: Mapping[str, int]) -> None:
        """Before the sessions open: expect what the journal has not, never number anything twice.

        inbound, outbound: the last MsgSeqNum that the journal knows, by session. The engine counts
        a message before it is journaled: where it expects less than that, it was reset and the
        journal was not told.
        """
        for session_id in self._counterparties:
            journaled = inbound.get(session_id, 0)
            if self.engine.expected_inbound(session_id) <= journaled:
                self.on_sequence_reset(session_id, 1)
                journaled = 0
            self.engine.set_expected_inbound(session_id, journaled + 1)
            noted = outbound.get(session_id, 0) + 1
            if self.engine.next_outbound(session_id) < noted:
                self.engine.set_next_outbound(session_id, noted + LOST_STORE_MARGIN)
