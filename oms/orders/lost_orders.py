"""Orders that a restored database may have lost: neither taken again nor denied; pure.

What a client sends again because we ask for it, or because it had no answer, may be at a venue
already under a number that the journal has not got. Whether it is nobody here knows, so it is
answered by a BusinessMessageReject, which says nothing of the order's state.
"""

from oms.domain.events import MessageRefused
from oms.domain.fix import BusinessRejectReason
from oms.domain.origin import Origin
from oms.domain.state import State
from oms.domain.values import utc


def may_be_lost(state: State, origin: Origin, sent_at: int) -> bool:
    """Whether an order that the journal has not got may have been taken before it lost entries.

    sent_at: TransactTime (60); 0 where there is none, then the date decides.
    """
    if not state.restored_at or not (origin.poss_dup or origin.poss_resend):
        return False
    return (sent_at or state.trade_date_at) < state.restored_at


def not_taken_again(state: State, origin: Origin, msg_type: str, ref_id: str) -> MessageRefused:
    """The answer; ref_id: ClOrdID (11) or ListID (66)."""
    return MessageRefused(
        session=origin.session,
        ref_seq_num=origin.msg_seq_num,
        ref_msg_type=msg_type,
        ref_id=ref_id,
        business=True,
        reason_code=BusinessRejectReason.OTHER,
        ref_tag=0,
        text=f"{ref_id}: sent before our database was restored at"
        f" {utc(state.restored_at):%Y-%m-%d %H:%M:%S} UTC, and not in it: whether it was taken is"
        " not known, so it is not taken again; ask the desk",
    )
