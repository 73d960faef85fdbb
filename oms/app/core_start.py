"""The first commands of a core: who leads, and the configured limits of an empty journal."""

import os
from datetime import date
from importlib.metadata import version

from oms.domain.commands import SYSTEM, CoreStarted, Origin, SetRiskLimit
from oms.settings.model import CoreSettings, Settings

ENOUGH_PROCESSORS = 4


def core_started(
    leader_epoch: int, trade_date: date, *, origin: Origin = SYSTEM, restored: str = ""
) -> CoreStarted:
    return CoreStarted(
        origin=origin,
        leader_epoch=leader_epoch,
        version=version("plumbline"),
        trade_date=trade_date.isoformat(),
        restored=restored,
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


def awake_s(settings: CoreSettings) -> float:
    """How long a process of the order path stays awake for more to do, in seconds.

    Only where the machine has processors enough for the database and counterparties beside it.
    """
    processors = len(os.sched_getaffinity(0))
    return settings.awake_us / 1_000_000 if processors >= ENOUGH_PROCESSORS else 0.0


def throttles_of(settings: Settings) -> dict[str, int]:
    """How many messages a second each venue takes; 0: as many as there are."""
    return {one.name: one.max_messages_per_second for one in settings.venues}


def paces_of(settings: Settings) -> dict[str, int]:
    """How many messages a second each client's session is read at; 0: as they come."""
    return {one.name: one.profile.paced_at for one in settings.clients}
