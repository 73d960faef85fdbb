"""Effects that answer what clients asked for beyond single orders; see oms.domain.effects."""

from dataclasses import dataclass

from oms.domain.fix import Side


@dataclass(slots=True, kw_only=True)
class SendOrderMassCancelReport:
    """OrderMassCancelReport (r) to a client. response "0": rejected, for reject_reason."""

    session: str
    event_seq: int
    at: int
    request_id: str
    cl_ord_id: str
    request_type: str
    response: str
    reject_reason: str
    affected: int
    symbol: str
    side: Side | None
    text: str
    poss_resend: bool = False
