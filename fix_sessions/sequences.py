"""Sequence numbers of a session, read and set from outside, before or after the engine starts."""

from typing import Any


def expected_inbound(session: Any) -> int:
    """The MsgSeqNum that the counterparty's next message must carry."""
    return int(session.getExpectedTargetNum())


def set_expected_inbound(session: Any, number: int) -> None:
    """Set it, in either direction: what the journal lacks is asked for again by ResendRequest."""
    if number < 1:
        raise ValueError(f"expected inbound MsgSeqNum {number}: it must be 1 or more")
    session.setNextTargetMsgSeqNum(number)


def next_outbound(session: Any) -> int:
    """The MsgSeqNum that our next message will carry."""
    return int(session.getExpectedSenderNum())


def set_next_outbound(session: Any, number: int) -> None:
    """Raise it. Never lower it: a number used twice for two messages ends the session's trust.

    Numbers skipped have no message; a counterparty that asks for them gets a gap fill.
    """
    current = next_outbound(session)
    if number < current:
        raise ValueError(
            f"next outbound MsgSeqNum {number}: it may only go forward, and is {current}"
        )
    session.setNextSenderMsgSeqNum(number)
