"""oms conformance: play the matrices against a fresh server or a running one, and certify it."""

import contextlib
import json
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from oms.app.exits import Exit, Stop
from oms.conformance.certificate import Certificate
from oms.conformance.dialect import DIALECTS, Dialect
from oms.conformance.fresh import ServerError, fresh_server
from oms.conformance.matrix import scenarios
from oms.conformance.play import Outcome, Player, Result
from oms.conformance.running import Running, running_server
from oms.conformance.scope import Role
from oms.conformance.sides import VersionSides

_PIPED_WIDTH = 160
_STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.LEFT_OUT: "yellow",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """scenarios, versions: only these; empty: all. running: a server that runs already.

    everything: do not heed the table of deviations, to see what would happen.
    """

    scenarios: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    running: Running | None = None
    markdown: Path | None = None
    json_file: Path | None = None
    everything: bool = False


def main(options: Options) -> int:
    """Play, print, write the certificate; 0 when nothing failed, else 1. Raises Stop."""
    console = Console() if sys.stdout.isatty() else Console(width=_PIPED_WIDTH)
    try:
        dialects = _dialects(options.versions)
        unknown = [one for one in options.scenarios if one not in scenarios()]
        if unknown:
            known = ", ".join(scenarios())
            raise Stop(Exit.USAGE, f"scenario {unknown[0]}: must be one of {known}")
        with contextlib.closing(_lanes(options, dialects)) as lanes:
            results = [one for lane in lanes for one in _played(lane, options, console)]
    except (ServerError, OSError) as error:
        raise Stop(Exit.FAILED, f"conformance: {error}") from None
    running = options.running
    certificate = Certificate(
        version=version("plumbline"),
        date=datetime.now(UTC).date().isoformat(),
        server=f"the running server of {running.config}" if running else "a fresh server",
        results=tuple(results),
    )
    _write(certificate, options)
    _conclude(certificate, console)
    return 1 if certificate.failures else 0


def _dialects(versions: Sequence[str]) -> list[Dialect]:
    known = {one.version.removeprefix("FIX "): one for one in DIALECTS}
    for one in versions:
        if one not in known:
            raise Stop(Exit.USAGE, f"FIX version {one}: must be one of {', '.join(known)}")
    return [one for name, one in known.items() if not versions or name in versions]


def _lanes(options: Options, dialects: Sequence[Dialect]) -> Generator[VersionSides, None, None]:
    """The sides of one FIX version after another; a fresh server for each, as a server's trading
    date can be moved on a month at most.
    """
    if options.running is not None:
        with running_server(options.running) as lane:
            yield lane
        return
    for dialect in dialects:
        with (
            tempfile.TemporaryDirectory(prefix="oms-conformance-") as directory,
            fresh_server(Path(directory), dialect) as lane,
        ):
            yield lane


def _played(lane: VersionSides, options: Options, console: Console) -> Iterator[Result]:
    """Play in one FIX version, one printed line for a scenario."""
    player = Player(lane, everything=options.everything)
    line: list[str] = []
    for result in player.play_all(options.scenarios):
        style = _STYLES[result.outcome]
        outcome = result.outcome.value + ("*" if result.deviations else "")
        line.append(f"{result.role.value} [{style}]{outcome:<15}[/]")
        if result.role is list(Role)[-1]:
            place = f"{result.version:<12}{result.scenario:<8}"
            console.print(place + "  ".join(line), highlight=False)
            line = []
        if result.outcome is Outcome.FAIL:
            console.print(f"  {result.role.value} {result.detail}", highlight=False, markup=False)
        yield result


def _write(certificate: Certificate, options: Options) -> None:
    if options.markdown is not None:
        options.markdown.write_text(certificate.as_markdown())
    if options.json_file is not None:
        options.json_file.write_text(json.dumps(certificate.as_json(), indent=2) + "\n")


def _conclude(certificate: Certificate, console: Console) -> None:
    counts = {
        outcome: sum(one.outcome is outcome for one in certificate.results) for outcome in Outcome
    }
    said = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
    paths = sum(one.paths for one in certificate.results)
    console.print(f"{said}; {paths} paths played; * with deviations", highlight=False)
