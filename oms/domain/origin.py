"""Origin: where a command came from. Every command has one."""

from enum import StrEnum

from oms.domain.fact import fact


class Channel(StrEnum):
    """The kind of door a command came in by."""

    CLIENT = "CLIENT"
    VENUE = "VENUE"
    REST = "REST"
    OPERATOR = "OPERATOR"
    SYSTEM = "SYSTEM"


@fact
class Origin:
    """Who sent a command and where it stood in their stream.

    counterparty: client or venue name, or the operator's. session, epoch, msg_seq_num: the FIX
    session's short name, its reset count and MsgSeqNum (34). inbox_id: row of command_inbox.
    accounts: what an API key may use (empty: the client's own). raw: the FIX text as received.
    """

    channel: Channel
    counterparty: str
    session: str = ""
    epoch: int = 0
    msg_seq_num: int = 0
    poss_dup: bool = False
    poss_resend: bool = False
    inbox_id: int = 0
    user: str = ""
    accounts: tuple[str, ...] = ()
    received_at: int = 0
    raw: str = ""


SYSTEM = Origin(channel=Channel.SYSTEM, counterparty="system")
"""The core itself."""

JOBS = Origin(channel=Channel.SYSTEM, counterparty="jobs", user="jobs")
"""The scheduler's process."""

EXTERNAL = "EXTERNAL"
"""The counterparty of external orders: of trades at our venues that no order of ours made."""

OWN_NAMES = frozenset({SYSTEM.counterparty, JOBS.counterparty, EXTERNAL.lower()})
"""Counterparties of the server's own: no client and no venue may be called so. An operator's name
holds a colon, which no configured name can.
"""
