"""What requests hold: FIX fields by their names, enumerations by their members' names."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from oms.api.values import (
    ASCII_LINE,
    Amount,
    ClOrdId,
    Day,
    ExecInstName,
    Moment,
    OneOf,
    OrdTypeName,
    Reasoning,
    ShortText,
    SideName,
    TimeInForceName,
)
from oms.domain.fix import TimeInForce
from oms.domain.splits import MOST_SHARES


class Request(BaseModel):
    """A request's body: an unknown field is an error, not a wish silently dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewOrder(Request):
    """NewOrderSingle (D)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "cl_ord_id": "A-20261121-0001",
                    "account": "ALPHA-1",
                    "symbol": "AAPL",
                    "side": "BUY",
                    "order_qty": "300",
                    "ord_type": "LIMIT",
                    "price": "227.50",
                    "time_in_force": "DAY",
                },
                {
                    "cl_ord_id": "A-20261121-0005",
                    "account": "ALPHA-1",
                    "symbol": "AAPL",
                    "side": "SELL",
                    "order_qty": "300",
                    "ord_type": "STOP_LIMIT",
                    "stop_px": "220.00",
                    "price": "219.50",
                    "time_in_force": "GTD",
                    "expire_date": "2026-12-18",
                },
                {
                    "cl_ord_id": "A-20261121-0006",
                    "account": "ALPHA-1",
                    "symbol": "AAPL",
                    "side": "BUY",
                    "cash_order_qty": "50000",
                    "ord_type": "MARKET",
                },
            ]
        }
    )

    cl_ord_id: ClOrdId
    account: ShortText
    symbol: ShortText
    side: SideName
    order_qty: Amount | None = Field(None, description="this or cash_order_qty")
    ord_type: OrdTypeName
    price: Amount | None = Field(
        None, description="required for LIMIT and STOP_LIMIT, absent for MARKET and STOP"
    )
    time_in_force: TimeInForceName = Field(TimeInForce.DAY, json_schema_extra={"default": "DAY"})
    text: Annotated[str, Field(max_length=200, pattern=ASCII_LINE)] = ""
    stop_px: Amount | None = Field(None, description="required for STOP and STOP_LIMIT")
    expire_time: Moment | None = Field(None, description="for GTD: this or expire_date")
    expire_date: Day | None = None
    min_qty: Amount | None = None
    max_floor: Amount | None = Field(None, description="what an iceberg shows")
    exec_inst: Annotated[tuple[ExecInstName, ...], Field(max_length=5)] = ()
    cash_order_qty: Amount | None = Field(
        None, description="money, made whole lots at the limit price or the reference price"
    )
    peg_offset: Amount | None = Field(None, description="for PEGGED: PegOffsetValue (211)")


class Replacement(Request):
    """OrderCancelReplaceRequest (G): the new quantity (not the change) and price."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"cl_ord_id": "A-20261121-0002", "order_qty": "200", "price": "227.40"}]
        }
    )

    cl_ord_id: ClOrdId
    order_qty: Amount
    price: Amount | None = Field(None, description="absent only where the order has none")
    stop_px: Amount | None = Field(None, description="absent: stays as it is")


class Cancellation(Request):
    """OrderCancelRequest (F)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cl_ord_id": "A-20261121-0003"}]})

    cl_ord_id: ClOrdId


class MassCancellation(Request):
    """Cancel every open order that matches; what is absent matches all."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"cl_ord_id": "A-20261121-0004", "symbol": "AAPL"}]}
    )

    cl_ord_id: ClOrdId
    account: ShortText | None = None
    symbol: ShortText | None = None
    side: SideName | None = None
    client: ShortText | None = Field(None, description="whose, for a key without a client")


class Resolution(Request):
    """A signed decision about an order in doubt; order_id may name a child order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"outcome": "CANCELED", "reason": "XSIM1's desk says it is off the book"}]
        }
    )

    outcome: Annotated[str, OneOf(("CANCELED", "REJECTED", "NEW"))] = Field(
        description="CANCELED, REJECTED, or NEW where the order is working"
    )
    reason: Reasoning


class LimitChange(Request):
    """One risk limit; value null removes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rule": "MAX_ORDER_QTY",
                    "level": "ACCOUNT",
                    "subject": "ALPHA-1",
                    "value": "5000",
                    "reason": "annual review",
                }
            ]
        }
    )

    rule: ShortText
    level: ShortText
    subject: ShortText = "*"
    value: Amount | None
    reason: Reasoning


class KillSwitchChange(Request):
    """FIRM with subject *, SESSION with a client's name, or ACCOUNT with an account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"level": "ACCOUNT", "subject": "ALPHA-1", "reason": "runaway algorithm"}]
        }
    )

    level: ShortText
    subject: ShortText = "*"
    reason: Reasoning


class KillSwitchEngagement(KillSwitchChange):
    """The scope, and whether its open orders are to be cancelled too."""

    cancel_open_orders: Annotated[bool, Field(strict=True)] = True


class SessionChange(Request):
    """What is done with a session, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "their change of systems, ticket 4711"}]}
    )

    reason: Reasoning


class SessionReload(Request):
    """Why the sessions of the configuration file are taken over, and how.

    `dry_run`: only tell what would be done. `force`: remove clients that have open orders too.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "a new client, ticket 4712", "dry_run": True}]}
    )

    reason: Reasoning
    dry_run: bool = False
    force: bool = False


class DisputeResolution(Request):
    """How a disputed execution was settled."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "client confirmed by phone, ticket 4711"}]}
    )

    reason: Reasoning


class OrphanAdoption(Request):
    """Whose trade it is; account absent: the orphan_account of its venue's profile."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"account": "ALPHA-1", "reason": "given up to us by phone, ticket 4712"}]
        }
    )

    account: ShortText | None = None
    reason: Reasoning


class OrphanRefusal(Request):
    """Why nothing is booked. tell_venue: its venue is sent a DontKnowTrade (Q)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "not ours, XSIM1 cancels it", "tell_venue": True}]
        }
    )

    reason: Reasoning
    tell_venue: Annotated[bool, Field(strict=True)] = False


class ResetApproval(SessionChange):
    """The second person's consent to the reset that was requested under this number."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"request": 4711, "reason": "agreed with their desk"}]}
    )

    request: Annotated[int, Field(strict=True, ge=1, lt=1 << 63)]


class DiscardApproval(SessionChange):
    """The second person's consent to let go of what waits, requested under this number."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"request": 4711, "reason": "their desk was told by mail"}]}
    )

    request: Annotated[int, Field(strict=True, ge=1, lt=1 << 63)]


class TradingDate(Request):
    """The trading date that is meant, ISO."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"trade_date": "2026-11-20"}]})

    trade_date: Day


class ReconRequest(Request):
    """Whose statement of which trading date is to be compared."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"trade_date": "2026-11-20", "venue": "XSIM1"}]}
    )

    trade_date: Day
    venue: ShortText


SharesOf = Annotated[int, Field(strict=True, ge=1, le=MOST_SHARES)]


class SplitPreview(Request):
    """A split: old_shares of an instrument become new_shares on the trading date effective_date."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "action_id": "AAPL-2026-4FOR1",
                    "symbol": "AAPL",
                    "new_shares": 4,
                    "old_shares": 1,
                    "effective_date": "2026-11-23",
                    "cash_in_lieu_px": None,
                    "reason": "announced on 2026-11-02",
                }
            ]
        }
    )

    action_id: ShortText = Field(description="yours; an action is applied once")
    symbol: ShortText
    new_shares: SharesOf
    old_shares: SharesOf
    effective_date: Day = Field(description="the first trading date of the new shares")
    cash_in_lieu_px: Amount | None = Field(
        None, description="what a new share is worth where a position is left with a part of one"
    )
    reason: Reasoning


class CorporateActionApproval(Request):
    """The second person's consent to the action, as the preview of this number showed it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"action_id": "AAPL-2026-4FOR1", "preview": 4711, "reason": "as announced"}
            ]
        }
    )

    action_id: ShortText
    preview: Annotated[int, Field(strict=True, ge=1, lt=1 << 63)]
    reason: Reasoning
