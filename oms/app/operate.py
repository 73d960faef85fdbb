"""What operators do from a shell: commands by the inbox as everybody's, and reads of the record.

A command is signed with the name of the operating system's account. It is durable before the core
is waited for; a core that does not answer in time finds it when it comes back.
"""

import os
import pwd
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from oms.app.database import database, database_faults, require_schema
from oms.app.exits import Exit, Stop, complain
from oms.audit.verify import VerifyReport
from oms.audit.verify import verify as verify_journal
from oms.domain.commands import (
    Channel,
    Command,
    EngageKillSwitch,
    Origin,
    ReleaseKillSwitch,
    ResolveOrder,
    SetRiskLimit,
)
from oms.domain.fix import OrdStatus
from oms.domain.values import ValueRefused, decimal_text, parse_decimal
from oms.jobs.core_commands import send, wait_answer
from oms.jobs.once import jobs_engine
from oms.queries.risk import list_kill_switches, list_limits
from oms.settings.model import Settings

ANSWER_WAIT_S = 10.0


def operator() -> Origin:
    """Whoever runs this process, by the account that the kernel knows."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid-{os.getuid()}"
    return Origin(channel=Channel.OPERATOR, counterparty=f"cli:{user}", user=user)


def show_risk(settings: Settings) -> None:
    """Print every limit and every engaged kill switch. Raises Stop."""
    with open_record(settings) as engine, engine.begin() as connection:
        limits = list_limits(connection)
        switches = list_kill_switches(connection)
    table = Table("Rule", "Level", "Subject", "Limit", "Set by", "At (UTC)", "Why", title="Limits")
    for row in limits:
        value = decimal_text(row["value"])
        at = utc_text(row["at"])
        told = (row["user_name"] or "configuration", at, row["reason"])
        table.add_row(row["rule"], row["level"], row["subject"], value, *told)
    console().print(table)
    if not switches:
        console().print("No kill switch is engaged.")
        return
    table = Table(
        "Level", "Subject", "Engaged by", "At (UTC)", "Why", title="Engaged kill switches"
    )
    for row in switches:
        at = utc_text(row["at"])
        table.add_row(row["level"], row["subject"], row["user_name"], at, row["reason"])
    console().print(table)


def set_limit(
    settings: Settings, rule: str, level: str, subject: str, *, value: str, reason: str
) -> None:
    """Set a limit, or with the value "none" remove it. Raises Stop."""
    command = SetRiskLimit(
        origin=operator(),
        rule=rule.upper(),
        level=level.upper(),
        subject=subject,
        value=_limit(value),
        reason=checked_reason(reason),
    )
    carry_out(settings, command)


def engage_kill(
    settings: Settings, level: str, subject: str, reason: str, cancel_open_orders: bool
) -> None:
    """Engage a kill switch. Raises Stop."""
    command = EngageKillSwitch(
        origin=operator(),
        level=level.upper(),
        subject=subject,
        reason=checked_reason(reason),
        cancel_open_orders=cancel_open_orders,
    )
    carry_out(settings, command)


def release_kill(settings: Settings, level: str, subject: str, reason: str) -> None:
    """Release a kill switch. Raises Stop."""
    command = ReleaseKillSwitch(
        origin=operator(), level=level.upper(), subject=subject, reason=checked_reason(reason)
    )
    carry_out(settings, command)


def resolve_order(settings: Settings, order_id: str, outcome: str, reason: str) -> None:
    """Sign a decision about a child order in doubt. Raises Stop."""
    known = {one.name: one for one in (OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.NEW)}
    found = known.get(outcome.upper())
    if found is None:
        raise Stop(Exit.USAGE, f"outcome = {outcome}: must be one of {', '.join(known)}")
    command = ResolveOrder(
        origin=operator(), order_id=order_id, outcome=found, reason=checked_reason(reason)
    )
    carry_out(settings, command)


def verify(settings: Settings) -> int:
    """Verify the journal and all that follows from it, and print what was found. Raises Stop."""
    with database(settings.database) as urls:
        require_schema(urls)
        with database_faults():
            report = verify_journal(urls.app)
    _show_report(report)
    return Exit.OK if report.ok else Exit.FAILED


def carry_out(settings: Settings, command: Command) -> None:
    """Hand a command to the core and print its answer. Raises Stop: refused, or not answered."""
    with open_record(settings) as engine:
        number = send(engine, command, key=f"cli-{secrets.token_hex(12)}")
        answer = wait_answer(engine, number, timeout_s=ANSWER_WAIT_S)
    if answer is None:
        text = f"the core does not answer; the command is queued as {number}"
        raise Stop(Exit.NO_ANSWER, text)
    if not answer.accepted:
        raise Stop(Exit.FAILED, f"refused: {answer.text or answer.reason}")
    told = f": {answer.text}" if answer.text else ""
    console().print(f"done: journal entry {answer.seq}{told}")


@contextmanager
def open_record(settings: Settings) -> Iterator[Engine]:
    """The database, with the schema that this program wants. Raises Stop."""
    with database(settings.database) as urls:
        require_schema(urls)
        engine = jobs_engine(urls.app)
        with database_faults():
            yield engine


def console() -> Console:
    """Standard output, as wide as what is printed needs where it is no terminal."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=200)


def utc_text(moment: datetime) -> str:
    """A moment, whatever time zone the database told it in."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def print_json(document: object) -> None:
    """One line on standard output; what JSON has no form for, as its text."""
    if isinstance(document, Mapping):
        document = {str(name): one for name, one in document.items()}
    sys.stdout.write(msgspec.json.encode(document, enc_hook=str).decode() + "\n")


def _limit(text: str) -> Decimal | None:
    if text.lower() == "none":
        return None
    try:
        value = parse_decimal(text)
    except ValueRefused as refused:
        raise Stop(Exit.USAGE, f"value = {text}: {refused.rule}, or none") from None
    if value < 0:
        raise Stop(Exit.USAGE, f"value = {text}: must not be negative; none removes the limit")
    return value


def checked_reason(text: str) -> str:
    """The reason, trimmed. Raises Stop for an empty one."""
    if not text.strip():
        raise Stop(Exit.USAGE, "reason: must not be empty; it stands in the audit trail")
    return text.strip()


def _show_report(report: VerifyReport) -> None:
    out = console()
    out.print(
        f"{report.entries} journal entries verified in {report.seconds:.1f} s,"
        f" the last one {report.last_seq} {report.last_hash.hex()}"
    )
    for told in report.restored:
        out.print(f"The database was restored: numbers {told}")
    for fault in report.faults:
        complain(f"journal {fault.seq}: {fault.text}")
    if report.fault_count > len(report.faults):
        complain(f"... and {report.fault_count - len(report.faults)} more")
    for difference in report.differences:
        complain(str(difference))
    if report.ok:
        rows = sum(report.rows.values())
        out.print(f"The chain is whole, and all {rows} derived rows are what the journal says.")
