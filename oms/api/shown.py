"""What answers show: FIX fields by their names, enumerations by their members' names."""

from datetime import date, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from oms.api.values import (
    Amount,
    ExecInstsShown,
    OrdStatusShown,
    OrdTypeShown,
    SideShown,
    TimeInForceShown,
)

_T = TypeVar("_T")


class Answer(BaseModel):
    """A representation; columns that it does not show are left out."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, json_schema_serialization_defaults_required=True
    )


class Conditions(Answer):
    """What an order asks for besides; null where it does not."""

    stop_px: Amount | None = None
    expire_time: datetime | None = None
    expire_date: date | None = None
    min_qty: Amount | None = None
    max_floor: Amount | None = None
    exec_inst: ExecInstsShown = ()
    cash_order_qty: Amount | None = None
    cash_px: Amount | None = Field(None, description="at which cash was made a quantity")
    cash_px_source: str | None = None
    peg_offset: Amount | None = None


class Order(Conditions):
    """A client order. status is UNKNOWN while we do not know; ord_status is FIX's (39)."""

    order_id: str
    client: str
    cl_ord_id: str
    session: str
    account: str
    symbol: str
    side: SideShown
    ord_type: OrdTypeShown
    price: Amount | None
    time_in_force: TimeInForceShown
    order_qty: Amount
    cum_qty: Amount
    leaves_qty: Amount
    avg_px: Amount
    ord_status: OrdStatusShown
    status: str = Field(examples=["PARTIALLY_FILLED", "UNKNOWN"])
    is_open: bool
    in_doubt: bool
    doubt_since: datetime | None
    doubt_reason: str
    closed_reason: str
    text: str
    triggered_at: datetime | None = Field(None, description="when a stop reached its price")
    trade_date: date | None
    created_at: datetime
    updated_at: datetime
    last_seq: int


class ChildOrder(Conditions):
    """An order that we sent to a venue for a client order."""

    order_id: str
    parent_id: str
    venue: str
    venue_order_id: str
    cl_ord_id: str
    side: SideShown
    ord_type: OrdTypeShown
    price: Amount | None
    time_in_force: TimeInForceShown
    order_qty: Amount
    cum_qty: Amount
    leaves_qty: Amount
    avg_px: Amount
    ord_status: OrdStatusShown
    status: str
    is_open: bool
    in_doubt: bool
    doubt_since: datetime | None
    doubt_reason: str
    closed_reason: str
    text: str
    created_at: datetime
    updated_at: datetime
    last_seq: int


class Execution(Answer):
    """One trade. last_qty and last_px are what counts now, original_* what was corrected.

    told_by: the drop copy that alone told it; empty where the order session did.
    """

    venue: str
    exec_id: str
    order_id: str = Field(description="the child order")
    parent_id: str = Field(description="the client order")
    account: str
    symbol: str
    side: SideShown
    last_qty: Amount
    last_px: Amount
    original_qty: Amount | None
    original_px: Amount | None
    transact_time: datetime | None
    at: datetime
    trade_date: date | None
    excess: bool
    late: bool
    early: bool
    busted: bool
    seq: int
    told_by: str


class OrderDetail(Order):
    """A client order with everything below it."""

    cl_ord_ids: list[str] = Field(description="of its cancels and replaces, first to last")
    children: list[ChildOrder]
    executions: list[Execution]


class Position(Answer):
    """quantity is signed; cost, realised and values are in the instrument's currency."""

    account: str
    symbol: str
    quantity: Amount
    avg_px: Amount
    cost: Amount
    realised: Amount
    bought: Amount
    sold: Amount
    bought_value: Amount
    sold_value: Amount
    updated_at: datetime


class Instrument(Answer):
    """Reference data of one symbol."""

    symbol: str
    currency: str
    tick: Amount
    lot: Amount
    security_type: str
    venues: list[str]
    reference_px: Amount | None
    tradable: bool


class SessionState(Answer):
    """A FIX session as configured and as the journal knows it. ready: a venue's is in step.

    next_change: when its schedule opens or closes it next; next_reset: when its sequence numbers
    begin anew by schedule. waiting: messages that were sent while it is down. gap: the last
    messages that were asked for again. reset_request: the number of a reset that waits for its
    approval. cancel_due_at: when the open orders of a lost client are cancelled. undelivered:
    messages that wait for a client that is not configured (kind removed), until it is.
    """

    name: str
    kind: str = Field(examples=["client", "venue", "drop copy", "removed"])
    sender_comp_id: str
    target_comp_id: str
    begin_string: str
    logged_on: bool
    ready: bool
    epoch: int
    inbound: int
    outbound: int
    updated_at: datetime | None
    status: str = Field(
        examples=[
            "UP",
            "RESYNCHRONISING",
            "DOWN",
            "STOPPED",
            "OUT_OF_HOURS",
            "RESETTING",
            "NOT_CONFIGURED",
        ]
    )
    changed_at: datetime | None
    closed_text: str
    closed_cause: str = Field(examples=["", "LOST", "PEER", "OURS", "UNANSWERED"])
    waiting: int
    waiting_since: datetime | None
    next_change: datetime | None
    next_reset: datetime | None
    stopped_by: str
    stop_reason: str
    reset_request: int | None
    reset_requested_by: str
    reset_reason: str
    reset_requested_at: datetime | None
    gap: str
    gap_at: datetime | None
    cancel_due_at: datetime | None
    undelivered: int
    undelivered_since: datetime | None


class OrderAtRisk(Answer):
    """An open order whose messages go by the session."""

    order_id: str
    cl_ord_id: str
    account: str
    symbol: str
    side: SideShown
    order_qty: Amount
    leaves_qty: Amount
    status: str
    in_doubt: bool


class ResetPreview(Answer):
    """What a reset would put at risk, and the request that waits, if one does."""

    reset_request: int | None
    reset_requested_by: str
    reset_reason: str
    orders_at_risk: list[OrderAtRisk]


class Resent(Answer):
    """Part of the answer to a ResendRequest: a message again, or a gap fill (msg_type 4)."""

    begin_seq_no: int
    end_seq_no: int
    msg_type: str
    order_id: str
    at: datetime | None
    text: str


class DisconnectCancel(Answer):
    """An open order of a client whose session was lost, and what became of it. asked: we began
    its cancel; else one was under way.
    """

    seq: int
    lost_at: datetime
    at: datetime
    order_id: str
    cl_ord_id: str
    asked: bool
    outcome: str = Field(examples=["CANCELED", "STILL OPEN", "NOT CANCELED: FILLED"])
    symbol: str | None
    order_qty: Amount | None
    cum_qty: Amount | None
    leaves_qty: Amount | None
    text: str


class RiskLimit(Answer):
    """A limit in force, who set it, and why."""

    rule: str
    level: str
    subject: str
    value: Amount
    user_name: str
    reason: str
    at: datetime
    seq: int


class KillSwitch(Answer):
    """An engaged kill switch."""

    level: str
    subject: str
    user_name: str
    reason: str
    at: datetime
    seq: int


class ReconRun(Answer):
    """One comparison of a venue's trade file with the record."""

    run_id: int
    trade_date: date
    venue: str
    started_at: datetime
    finished_at: datetime | None
    state: str = Field(examples=["done"])
    source: str
    source_sha256: str
    orders_checked: int
    trades_checked: int
    breaks: int
    error: str
    journal_seq: int


class ReconBreak(Answer):
    """One difference, with the evidence of both sides."""

    run_id: int
    n: int
    venue: str
    kind: str
    order_id: str
    cl_ord_id: str
    exec_id: str
    field: str
    ours: str
    theirs: str
    evidence: Any


class Refusal(Answer):
    """A request or message that was refused."""

    seq: int
    at: datetime
    type: str
    session: str
    counterparty: str
    order_id: str
    cl_ord_id: str
    reason: str
    text: str


class Dispute(Answer):
    """An execution that a client does not accept (DontKnowTrade). report_id: ExecID of our report.

    resolved_by is empty where the venue settled it.
    """

    seq: int
    at: datetime
    client: str
    order_id: str
    venue: str
    exec_id: str
    report_id: str
    dk_reason: str
    text: str
    resolved_at: datetime | None
    resolved_by: str
    resolution: str


class Discrepancy(Answer):
    """A figure in a venue's report that differs from ours."""

    seq: int
    at: datetime
    order_id: str
    field: str
    ours: str
    theirs: str
    trade_date: date | None


class CommandState(Answer):
    """What became of a command that was handed to the core. state: new or done."""

    id: int
    state: str = Field(examples=["done"])
    accepted: bool | None
    reason: str
    order_id: str
    text: str
    seq: int | None = Field(description="the command's number in the journal")


class Listing(Answer, Generic[_T]):
    """A page; `next` is the cursor of the following one, empty on the last."""

    items: list[_T]
    next: str = ""
