"""Splits in a TermsWorld: two people, and the night between two trading dates."""

from decimal import Decimal

from oms.domain.commands import Channel, CloseTradingDay, OpenTradingDate, Origin
from oms.domain.events import CommandAnswered
from oms.domain.origin import SYSTEM
from oms.domain.splits import (
    ApplyCorporateAction,
    CorporateActionPreviewed,
    PreviewCorporateAction,
)
from tests.support.terms_world import TermsWorld
from tests.support.world import DATE

TOMORROW = "2026-09-22"
NIGHT_US = 3_600_000_000


def person(name: str) -> Origin:
    return Origin(channel=Channel.OPERATOR, counterparty=f"api:{name}", user=name)


def preview(
    world: TermsWorld,
    new: int = 2,
    old: int = 1,
    *,
    action: str = "CA-1",
    user: str = "anne",
    effective: str = TOMORROW,
    cash: str | None = None,
    sessions: tuple[str, ...] = (),
) -> CorporateActionPreviewed:
    world.send(
        PreviewCorporateAction(
            origin=person(user),
            action_id=action,
            symbol="AAPL",
            new_shares=new,
            old_shares=old,
            effective_date=effective,
            reason="announced",
            cash_in_lieu_px=None if cash is None else Decimal(cash),
            sessions=sessions,
        )
    )
    [found] = world.of(CorporateActionPreviewed)
    return found


def apply(
    world: TermsWorld,
    action: str = "CA-1",
    *,
    user: str = "bert",
    number: int = 0,
    sessions: tuple[str, ...] = (),
) -> str:
    """The refusal, empty where it took effect."""
    known = world.state.corporate_actions.get(action)
    world.send(
        ApplyCorporateAction(
            origin=person(user),
            action_id=action,
            preview=number or (known.preview if known else 0),
            reason="checked",
            sessions=sessions,
        )
    )
    answers = [one.text for one in world.of(CommandAnswered) if not one.accepted]
    return answers[0] if answers else ""


def close(world: TermsWorld, trade_date: str = DATE) -> None:
    world.send(CloseTradingDay(origin=SYSTEM, trade_date=trade_date))


def open_date(world: TermsWorld, trade_date: str = TOMORROW) -> None:
    world.send(OpenTradingDate(origin=SYSTEM, trade_date=trade_date), NIGHT_US)
