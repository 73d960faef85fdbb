"""Log lines are events with names, and the runbook has an entry for each that matters."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture import sources

PRODUCT = ("oms", "ems", "fix_sessions", "migrations")
RUNBOOK = sources.ROOT / "docs" / "operations.md"
LOGGERS = {"log", "_log", "logger", "_logger"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
QUIET = {"debug", "info"}
NAME = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
CODE = re.compile(r"`([a-z_.]+)`")

# Where a name is not in the call itself but comes from a table or an enum, and what it may be.
NAMED_ELSEWHERE = {
    "oms/runtime/alerts.py": {
        "order.fill_flagged",
        "order.in_doubt",
        "venue.orphan",
        "trade.may_be_booked",
        "venue.discrepancy",
        "trade.disputed",
        "session.peer_refused",
        "session.orders_cancelled",
        "risk.kill_switch_engaged",
    },
    "oms/app/venue_tls.py": {
        "venue_tls.failed",
        "venue_tls.files_refused",
        "venue_tls.stranger",
    },
    "fix_sessions/gate_keeper.py": {"gate.refused", "gate.slow_consumer", "gate.tls_files_refused"},
}

Call = tuple[Path, ast.Call, str]


def log_calls(paths: tuple[Path, ...]) -> Iterator[Call]:
    """Each call of a logger's method, with the level; `log.info if ... else log.warning` too."""
    for path in paths:
        for node in ast.walk(sources.tree(path)):
            if isinstance(node, ast.Call) and (level := level_of(node.func)):
                yield path, node, level


def level_of(function: ast.expr) -> str | None:
    match function:
        case ast.Attribute(value=ast.Name(id=logger), attr=level):
            return level if logger in LOGGERS and level in LEVELS else None
        case _:
            return None


def levels_taken_apart(paths: tuple[Path, ...]) -> Iterator[tuple[Path, int]]:
    """Where a logger's method is named without being called: its calls are not seen above."""
    for path in paths:
        nodes = list(ast.walk(sources.tree(path)))
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        for node in nodes:
            if isinstance(node, ast.Attribute) and id(node) not in called and level_of(node):
                yield path, node.lineno


def event_of(call: ast.Call) -> str | None:
    match call.args:
        case [ast.Constant(value=str(name))]:
            return name
        case _:
            return None


def short(path: Path) -> str:
    return str(path.relative_to(sources.ROOT))


def in_runbook() -> set[str]:
    """The names in the table of alerts: those that open its rows."""
    rows = [line for line in RUNBOOK.read_text().splitlines() if line.startswith("| `")]
    return {name for row in rows for name in CODE.findall(row.split("|")[1])}


def test_every_log_line_is_an_event_with_a_name() -> None:
    wrong = [
        sources.place(path, call.lineno)
        for path, call, _ in log_calls(sources.files(*PRODUCT))
        if short(path) not in NAMED_ELSEWHERE and not NAME.fullmatch(event_of(call) or "")
    ]
    apart = [
        sources.place(path, line)
        for path, line in levels_taken_apart(sources.files(*PRODUCT))
        if short(path) not in NAMED_ELSEWHERE
    ]
    assert not wrong, f"the first argument is to be a name like core.fault: {wrong}"
    assert not apart, f"the level of these is not seen: {apart}"


def test_the_runbook_has_an_entry_for_every_warning_and_error() -> None:
    known = in_runbook()
    events = {
        event: sources.place(path, call.lineno)
        for path, call, level in log_calls(sources.files(*PRODUCT))
        if level not in QUIET and (event := event_of(call))
    }
    for path, names in NAMED_ELSEWHERE.items():
        events |= dict.fromkeys(names, path)
    missing = {event: place for event, place in events.items() if event not in known}
    assert len(events) > 30
    assert not missing, f"not in {short(RUNBOOK)}: {missing}"


def test_names_kept_elsewhere_are_all_told_here() -> None:
    """The alerts' own names stand in their module as strings; the gate's come from its enum."""
    alerts = sources.ROOT / "oms" / "runtime" / "alerts.py"
    strings = {
        node.value
        for node in ast.walk(sources.tree(alerts))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {text for text in strings if NAME.fullmatch(text)} == NAMED_ELSEWHERE[short(alerts)]
    from fix_sessions.gate_events import GateEventKind
    from fix_sessions.gate_keeper import QUIET_EVENTS

    loud = {f"gate.{kind.value}" for kind in GateEventKind if kind not in QUIET_EVENTS}
    assert loud == NAMED_ELSEWHERE["fix_sessions/gate_keeper.py"]


def test_one_way_to_log() -> None:
    """structlog; the standard library's logging only where other libraries' lines are set up."""
    allowed = {"oms/logs.py", "oms/jobs/run.py"}
    wrong = [
        sources.place(path, line)
        for path in sources.files(*PRODUCT)
        for line, name in sources.imports(path)
        if name == "logging" and short(path) not in allowed
    ]
    assert not wrong
