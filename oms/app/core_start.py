"""The first commands of a core: who leads, and the configured limits of an empty journal."""

from datetime import date
from importlib.metadata import version

from oms.domain.commands import SYSTEM, CoreStarted, SetRiskLimit
from oms.settings.model import Settings


def core_started(leader_epoch: int, trade_date: date) -> CoreStarted:
    return CoreStarted(
        origin=SYSTEM,
        leader_epoch=leader_epoch,
        version=version("plumbline"),
        trade_date=trade_date.isoformat(),
    )


def configured_limits(settings: Settings) -> list[SetRiskLimit]:
    """The configuration's limits as commands; for the first start only, later ones are changed."""
    return [
        SetRiskLimit(
            origin=SYSTEM,
            rule=limit.rule,
            level=limit.level,
            subject=limit.subject,
            value=limit.value,
            reason="configured default",
        )
        for limit in settings.risk.limits
    ]
