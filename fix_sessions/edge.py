"""The edge of the core process: callbacks decoded into commands, effects encoded and sent."""

from collections.abc import Mapping, Sequence

from fix_sessions.decode import Decoder
from fix_sessions.dialects import APPL_VER_ID, FIXT11
from fix_sessions.encode import WITH_GROUPS, encoder_of
from fix_sessions.engine import Engine
from fix_sessions.registry import Counterparty
from fix_sessions.wire import first
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
from oms.domain.effects import Effect
from oms.ports import Clock, Intake

# How far to jump where the engine's store lost numbers that the journal knows were used: nothing
# that may have been sent and not noted is ever numbered again.
LOST_STORE_MARGIN = 10_000


class Edge:
    """SessionHandler of the engine, and Outlet of the sequencer.

    Set `engine` and `intake` before the engine polls: the three are made one after the other.
    """

    engine: Engine
    intake: Intake

    def __init__(
        self,
        counterparties: Sequence[Counterparty],
        *,
        epochs: Mapping[str, int],
        ticket: str,
        clock: Clock,
    ) -> None:
        """epochs: each session's reset count so far; ticket: what the gate's Logons carry."""
        self._counterparties = {one.session_id: one for one in counterparties}
        self._encoders = {one.session_id: encoder_of(one) for one in counterparties}
        # By session: messages that are made with the dictionary, which keeps groups whole.
        self._with_groups = {
            one.session_id: WITH_GROUPS.union(one.wire.custom_tags) for one in counterparties
        }
        self._decoders = {one.session_id: Decoder(one) for one in counterparties}
        self._epochs = {one.session_id: epochs.get(one.session_id, 0) for one in counterparties}
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
        self.intake.submit(SessionLoggedOut(origin=self._origin(session_id), text=reason))

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        """See SessionHandler."""
        self.intake.submit(SequenceReset(origin=self._origin(session_id)))
        self._epochs[session_id] += 1
        if next_inbound > 1:
            # What came before is not to be asked for again under the new epoch.
            mark = StreamMark(
                session=session_id, epoch=self._epochs[session_id], msg_seq_num=next_inbound - 1
            )
            self.intake.submit(MessagesSent(origin=SYSTEM, messages=(), observed=(mark,)))

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        """See SessionHandler."""
        self._numbered = (msg_seq_num, text)

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

    def deliver(self, effect: Effect) -> SentMessage | None:
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
        msg_seq_num, text = self._numbered
        return SentMessage(
            session=session_id,
            epoch=self._epochs[session_id],
            msg_seq_num=msg_seq_num,
            event_seq=effect.event_seq,
            msg_type=msg_type,
            order_id=getattr(effect, "order_id", ""),
            text=text,
        )

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
