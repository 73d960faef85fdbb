"""Risk limits and kill switches: /v1/risk/limits, /v1/kill-switch."""

from oms.api import commands
from oms.api.auth import Caller, Principal, RiskOfficer, Staff
from oms.api.context import Reader
from oms.api.problems import invalid, responses
from oms.api.requests import KillSwitchChange, KillSwitchEngagement, LimitChange
from oms.api.routers.common import Core, router
from oms.api.shown import CommandState, KillSwitch, Listing, RiskLimit
from oms.api.submit import ACCEPTED
from oms.queries.paging import Row
from oms.queries.risk import list_kill_switches, list_limits
from oms.risk.limits import Level, unconfigured
from oms.settings import Settings, reference_of

api = router("risk")


@api.get("/risk/limits", summary="Limits in force")
def get_limits(caller: Caller, connection: Reader) -> Listing[RiskLimit]:
    """By rule, level and subject. A key with a client sees those that concern its orders."""
    rows = [row for row in list_limits(connection) if _concerns(caller, row)]
    return Listing(items=[RiskLimit.model_validate(row) for row in rows])


@api.put(
    "/risk/limits",
    summary="Set or remove one limit",
    responses=ACCEPTED | responses(409),
)
async def put_limit(
    caller: RiskOfficer,
    core: Core,
    body: LimitChange,
) -> CommandState:
    """Journaled with who and why; in force for the next order. value null removes the limit."""
    if body.value is not None:
        _refuse_unknown(core.context.settings, body.level, body.subject)
    return await core.send(commands.set_limit(caller, body))


@api.get("/kill-switch", summary="Engaged kill switches")
def get_kill_switches(_: Staff, connection: Reader) -> Listing[KillSwitch]:
    """Each with who engaged it, and why."""
    rows = list_kill_switches(connection)
    return Listing(items=[KillSwitch.model_validate(row) for row in rows])


@api.post(
    "/kill-switch/engage",
    summary="Refuse new orders in a scope, cancel what is open there",
    responses=ACCEPTED | responses(409),
)
async def post_engage(
    caller: Staff,
    core: Core,
    body: KillSwitchEngagement,
) -> CommandState:
    """Level FIRM, SESSION (a client's name) or ACCOUNT."""
    _refuse_unknown(core.context.settings, body.level, body.subject)
    return await core.send(commands.engage(caller, body))


@api.post(
    "/kill-switch/release",
    summary="Take orders in a scope again",
    responses=ACCEPTED | responses(409),
)
async def post_release(
    caller: RiskOfficer,
    core: Core,
    body: KillSwitchChange,
) -> CommandState:
    """Harder than engaging: only compliance and admin may."""
    return await core.send(commands.release(caller, body))


def _refuse_unknown(settings: Settings, level: str, subject: str) -> None:
    rule = unconfigured(reference_of(settings), level, subject)
    if rule:
        raise invalid("subject", subject, rule)


def _concerns(caller: Principal, row: Row) -> bool:
    if not caller.client:
        return True
    match row["level"]:
        case Level.SESSION:
            return bool(row["subject"] == caller.client)
        case Level.ACCOUNT:
            return row["subject"] in caller.accounts
        case _:
            return True
