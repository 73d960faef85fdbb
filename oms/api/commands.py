"""Requests become commands: FIX's messages over another wire, from the holder of the key."""

import secrets
from decimal import Decimal

from oms.api.auth import Principal
from oms.api.problems import Problem, invalid
from oms.api.requests import (
    Cancellation,
    CorporateActionApproval,
    DiscardApproval,
    DisputeResolution,
    KillSwitchChange,
    KillSwitchEngagement,
    LimitChange,
    MassCancellation,
    NewOrder,
    OrphanAdoption,
    OrphanRefusal,
    Replacement,
    ResetApproval,
    Resolution,
    SessionChange,
    SessionReload,
    SplitPreview,
)
from oms.domain.commands import (
    Channel,
    CloseTradingDay,
    EngageKillSwitch,
    NewOrderSingle,
    OpenTradingDate,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassCancelRequest,
    Origin,
    ReleaseKillSwitch,
    ResolveOrder,
    SetRiskLimit,
)
from oms.domain.conditions import Conditions
from oms.domain.fix import OrdStatus
from oms.domain.inquiries import ResolveDispute
from oms.domain.orphans import DecideOrphan, OrphanVerdict
from oms.domain.session_commands import (
    ApproveReportsDiscard,
    ApproveSessionReset,
    ReloadSessions,
    RequestReportsDiscard,
    RequestSessionReset,
    StartSession,
    StopSession,
)
from oms.domain.splits import ApplyCorporateAction, PreviewCorporateAction
from oms.domain.values import ZERO, decimal_text, micros


def operator_key() -> str:
    """An idempotency key for a command that came without one."""
    return f"auto-{secrets.token_hex(12)}"


def new_order(caller: Principal, body: NewOrder) -> NewOrderSingle:
    """The order, for the key's own client. Raises Problem for a key without one."""
    if not caller.client:
        detail = f"key {caller.name} has no client: orders need one whose they are"
        raise Problem(403, "forbidden", detail)
    return NewOrderSingle(
        origin=_of_client(caller, caller.client),
        cl_ord_id=body.cl_ord_id,
        account=body.account,
        symbol=body.symbol,
        side=body.side,
        order_qty=_order_qty(body),
        ord_type=body.ord_type,
        price=body.price,
        time_in_force=body.time_in_force,
        text=body.text,
        conditions=_conditions(body),
    )


def _order_qty(body: NewOrder) -> Decimal:
    """Zero where money stands in its place. Raises Problem for both and for neither."""
    if body.cash_order_qty is None:
        if body.order_qty is None:
            raise invalid("order_qty", "", "is required, or cash_order_qty in its place")
        return body.order_qty
    if body.order_qty is not None:
        cash = decimal_text(body.cash_order_qty)
        raise invalid("cash_order_qty", cash, "must not stand together with order_qty")
    return ZERO


def _conditions(body: NewOrder) -> Conditions | None:
    made = Conditions(
        stop_px=body.stop_px,
        expire_time=micros(body.expire_time) if body.expire_time else 0,
        expire_date=body.expire_date.isoformat() if body.expire_date else "",
        min_qty=body.min_qty,
        max_floor=body.max_floor,
        exec_inst=tuple(dict.fromkeys(body.exec_inst)),
        cash_order_qty=body.cash_order_qty,
        peg_offset=body.peg_offset,
    )
    return made if made != Conditions() else None


def replace(
    caller: Principal, client: str, order_id: str, body: Replacement
) -> OrderCancelReplaceRequest:
    """The replace of an order of that client, which the caller may handle."""
    return OrderCancelReplaceRequest(
        origin=_of_client(caller, client),
        cl_ord_id=body.cl_ord_id,
        order_id=order_id,
        order_qty=body.order_qty,
        price=body.price,
        conditions=Conditions(stop_px=body.stop_px) if body.stop_px is not None else None,
    )


def cancel(caller: Principal, client: str, order_id: str, body: Cancellation) -> OrderCancelRequest:
    """The cancel of an order of that client, which the caller may handle."""
    return OrderCancelRequest(
        origin=_of_client(caller, client), cl_ord_id=body.cl_ord_id, order_id=order_id
    )


def mass_cancel(caller: Principal, body: MassCancellation) -> OrderMassCancelRequest:
    """For the key's client; a key without one names it, one narrowed to accounts an account."""
    client = caller.client or body.client or ""
    if not client:
        raise invalid("client", "", "must say whose orders, as the key has no client")
    if caller.client and body.client not in {None, caller.client}:
        raise invalid("client", body.client, f"must be {caller.client} or absent", status=403)
    account = body.account or ""
    if caller.client and account and account not in caller.accounts:
        raise invalid("account", account, "must be one that the key may use", status=403)
    if caller.narrowed and not account:
        raise invalid("account", "", "must be one account, as the key is limited to some")
    return OrderMassCancelRequest(
        origin=_of_client(caller, client),
        cl_ord_id=body.cl_ord_id,
        account=account,
        symbol=body.symbol or "",
        side=body.side,
    )


def resolve(caller: Principal, order_id: str, body: Resolution) -> ResolveOrder:
    """The signed decision about a child order in doubt."""
    return ResolveOrder(
        origin=_of_operator(caller),
        order_id=order_id,
        outcome=OrdStatus[body.outcome],
        reason=body.reason,
    )


def resolve_dispute(caller: Principal, dispute: int, body: DisputeResolution) -> ResolveDispute:
    """The signed word that a disputed execution is settled."""
    return ResolveDispute(origin=_of_operator(caller), dispute=dispute, reason=body.reason)


def adopt_orphan(caller: Principal, orphan: int, body: OrphanAdoption) -> DecideOrphan:
    """The signed word that a trade which fits no order is ours."""
    return DecideOrphan(
        origin=_of_operator(caller),
        orphan=orphan,
        verdict=OrphanVerdict.ADOPT,
        reason=body.reason,
        account=body.account or "",
    )


def refuse_orphan(caller: Principal, orphan: int, body: OrphanRefusal) -> DecideOrphan:
    """The signed word that nothing is to be booked of it."""
    return DecideOrphan(
        origin=_of_operator(caller),
        orphan=orphan,
        verdict=OrphanVerdict.REFUSE,
        reason=body.reason,
        tell_venue=body.tell_venue,
    )


def set_limit(caller: Principal, body: LimitChange) -> SetRiskLimit:
    """The change of one limit."""
    return SetRiskLimit(
        origin=_of_operator(caller),
        rule=body.rule,
        level=body.level,
        subject=body.subject,
        value=body.value,
        reason=body.reason,
    )


def engage(caller: Principal, body: KillSwitchEngagement) -> EngageKillSwitch:
    """A kill switch on."""
    return EngageKillSwitch(
        origin=_of_operator(caller),
        level=body.level,
        subject=body.subject,
        reason=body.reason,
        cancel_open_orders=body.cancel_open_orders,
    )


def release(caller: Principal, body: KillSwitchChange) -> ReleaseKillSwitch:
    """A kill switch off."""
    return ReleaseKillSwitch(
        origin=_of_operator(caller), level=body.level, subject=body.subject, reason=body.reason
    )


def open_date(caller: Principal, trade_date: str) -> OpenTradingDate:
    """A new trading date."""
    return OpenTradingDate(origin=_of_operator(caller), trade_date=trade_date)


def close_day(caller: Principal, trade_date: str) -> CloseTradingDay:
    """The end of a trading day."""
    return CloseTradingDay(origin=_of_operator(caller), trade_date=trade_date)


def stop_session(caller: Principal, session: str, body: SessionChange) -> StopSession:
    """The session is kept logged out."""
    return StopSession(origin=_of_operator(caller), session=session, reason=body.reason)


def start_session(caller: Principal, session: str, body: SessionChange) -> StartSession:
    """The session is kept logged out no more."""
    return StartSession(origin=_of_operator(caller), session=session, reason=body.reason)


def reload_sessions(caller: Principal, body: SessionReload) -> ReloadSessions:
    """The sessions of the core's configuration file are taken over."""
    return ReloadSessions(
        origin=_of_operator(caller), reason=body.reason, dry_run=body.dry_run, force=body.force
    )


def request_reset(caller: Principal, session: str, body: SessionChange) -> RequestSessionReset:
    """A wish for new sequence numbers."""
    return RequestSessionReset(origin=_of_operator(caller), session=session, reason=body.reason)


def approve_reset(caller: Principal, session: str, body: ResetApproval) -> ApproveSessionReset:
    """The second person's consent."""
    return ApproveSessionReset(
        origin=_of_operator(caller), session=session, request=body.request, reason=body.reason
    )


def request_discard(caller: Principal, session: str, body: SessionChange) -> RequestReportsDiscard:
    """A wish to let go of what waits for a client that is gone."""
    return RequestReportsDiscard(origin=_of_operator(caller), session=session, reason=body.reason)


def approve_discard(
    caller: Principal, session: str, body: DiscardApproval
) -> ApproveReportsDiscard:
    """The second person's consent to that."""
    return ApproveReportsDiscard(
        origin=_of_operator(caller), session=session, request=body.request, reason=body.reason
    )


def preview_split(
    caller: Principal, body: SplitPreview, sessions: tuple[str, ...]
) -> PreviewCorporateAction:
    """What a split would change."""
    return PreviewCorporateAction(
        origin=_of_operator(caller),
        action_id=body.action_id,
        symbol=body.symbol,
        new_shares=body.new_shares,
        old_shares=body.old_shares,
        effective_date=body.effective_date.isoformat(),
        reason=body.reason,
        cash_in_lieu_px=body.cash_in_lieu_px,
        sessions=sessions,
    )


def apply_split(
    caller: Principal, body: CorporateActionApproval, sessions: tuple[str, ...]
) -> ApplyCorporateAction:
    """The split takes effect."""
    return ApplyCorporateAction(
        origin=_of_operator(caller),
        action_id=body.action_id,
        preview=body.preview,
        reason=body.reason,
        sessions=sessions,
    )


def _of_client(caller: Principal, client: str) -> Origin:
    """In the client's name: by its own key, or by the firm's staff, who are named."""
    own = caller.client == client
    return Origin(
        channel=Channel.REST if own else Channel.OPERATOR,
        counterparty=client,
        user=caller.name,
        accounts=tuple(sorted(caller.accounts)) if own else (),
    )


def _of_operator(caller: Principal) -> Origin:
    return Origin(channel=Channel.OPERATOR, counterparty=f"api:{caller.name}", user=caller.name)
