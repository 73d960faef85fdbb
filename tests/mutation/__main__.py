"""`python -m tests.mutation`: judges the mutants that were not judged yet; see --help."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from typing import Any

import pytest

from tests.mutation import deliberate
from tests.mutation import reach as reaching
from tests.mutation.judge import Case, Children, InPlace, Verdict, judge_before_import, warm_up
from tests.mutation.operators import Mutant, mutants
from tests.mutation.reach import KEPT, OPTIONS, ROOT, in_scope, settle_hypothesis
from tests.mutation.report import read_reasons, write_report

RESULTS = KEPT / "results.jsonl"
DECLARED = ("tests/unit/test_left_unsaid.py", "tests/unit/test_wire_values.py")
# It measures what memory its process may have, which for a mutant's is little: it would notice all.
FAIL_IN_LITTLE = "tests/unit/test_memory.py"
FIRST_FILES = (
    "tests/matrices/test_facing_clients.py",
    "tests/matrices/test_facing_venues.py",
    "tests/unit/test_codec.py",
    "tests/unit/test_core_orders.py",
    "tests/unit/test_decode.py",
    "tests/unit/test_simulator_requests.py",
    "tests/unit/test_wire.py",
    "tests/unit/test_standard_messages.py",
)


def main() -> int:
    """The mutants in functions, then those of modules and classes, then the report."""
    options = _options()
    KEPT.mkdir(parents=True, exist_ok=True)
    if options.measure:
        reaching.measure(options.measure)
        return 0
    if not options.report_only:
        _measure_what_is_outdated()
        if not deliberate.FIGURES.exists():
            deliberate.measure()
        if os.fork() == 0:
            os._exit(_judge_functions(options))
        os.wait()
        _judge_modules(options)
    return write_report(everything(), (sampled(options), second(options)), results())


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    add = parser.add_argument
    add("--only", nargs="*", default=[""], help="paths that begin so, as oms/risk ems/router.py")
    add("--again", action="store_true", help="the survivors once more, after new tests")
    add("--fresh", action="store_true", help="forget what was judged before")
    add("--jobs", type=int, default=2, help="mutants at once")
    add("--sample", type=int, default=1200, help="how many mutants in functions; 0 for all")
    add("--modules", type=int, default=100, help="how many mutants of modules and classes")
    add("--second", type=int, default=300, help="how many more in functions, reported apart")
    add("--random", type=int, default=4, help="the seed that draws them")
    add("--seconds", type=float, default=6.0, help="of tests for one mutant, before the seeds")
    add("--seeds", type=int, default=4, help="of the simulator for one mutant, at most")
    add("--report-only", action="store_true", help="judge nothing, write docs/mutation.md")
    add("--measure", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fresh:
        RESULTS.unlink(missing_ok=True)
        deliberate.FIGURES.unlink(missing_ok=True)
    return options


def _measure_what_is_outdated() -> None:
    """In a process of its own: what is imported under coverage is no use for anything else."""
    names = reaching.outdated(reaching.kept())
    if names:
        print(f"mutation: measuring what {len(names)} test files reach", flush=True)
        command = [sys.executable, "-m", "tests.mutation", "--measure", *names]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def everything() -> list[Mutant]:
    return [one for path in in_scope() for one in mutants(path, (ROOT / path).read_text())]


def results() -> dict[str, Verdict]:
    """What was judged, by the mutants' names."""
    if not RESULTS.exists():
        return {}
    found = [Verdict(**json.loads(line)) for line in RESULTS.read_text().splitlines()]
    return {one.key: one for one in found}


def sampled(options: Any) -> list[Mutant]:
    """Those that are judged: drawn by the hash of their names, so that a larger sample holds a
    smaller one, and new code does not change what is drawn of the old.
    """
    every = sorted(everything(), key=lambda one: _lot(one.key, options.random))
    inside = [one for one in every if one.within][: options.sample or None]
    outside = [one for one in every if not one.within][: options.modules]
    return sorted([*inside, *outside], key=lambda one: (one.path, one.n))


def second(options: Any) -> list[Mutant]:
    """Others, for a look at what the tests are worth that were written for survivors."""
    first = {one.key for one in sampled(options)}
    others = [one for one in everything() if one.within and one.key not in first]
    others.sort(key=lambda one: _lot(one.key, options.random + 1))
    return sorted(others[: options.second], key=lambda one: (one.path, one.n))


def _lot(key: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {key}".encode()).digest()


def _wanted(options: Any) -> Iterator[Mutant]:
    known, reasons = results(), read_reasons()
    for one in (*sampled(options), *second(options)):
        survived = one.key in known and not known[one.key].killer
        wanted = one.key not in known or (options.again and survived and one.key not in reasons)
        if wanted and any(one.path.startswith(top) for top in options.only):
            yield one


class _Told:
    """Keeps verdicts, and says how it goes."""

    def __init__(self, of: int) -> None:
        self._of, self._done, self._survived = of, 0, 0

    def __call__(self, verdict: Verdict) -> None:
        self._done += 1
        if verdict.killer.startswith("error: "):
            print(f"NOT JUDGED: {verdict.key}: {verdict.killer}", flush=True)
            return
        self._survived += not verdict.killer
        with RESULTS.open("a") as out:
            out.write(json.dumps(asdict(verdict)) + "\n")
        if not verdict.killer:
            print(f"{verdict.seconds:6.1f} s  survives  {verdict.key}", flush=True)
        if self._done % 50 == 0 or self._done == self._of:
            print(f"{self._done} of {self._of} judged, {self._survived} survive", flush=True)


def _judge_functions(options: Any) -> int:
    cases = [_case(one, options) for one in _wanted(options) if one.within]
    if not cases:
        return 0
    told = _Told(len(cases))
    settle_hypothesis()
    files = sorted({name.split("::")[0] for case in cases for name in case.tests})
    children = Children(options.jobs, told)
    pytest.main([*OPTIONS, *(files or reaching.SUITE)], plugins=[InPlace(cases, children)])
    return 0


def _judge_modules(options: Any) -> None:
    wanted = [one for one in _wanted(options) if not one.within]
    # In the order of the lots, for these take long: those that are judged are a fair sample always.
    wanted.sort(key=lambda one: _lot(one.key, options.random))
    cases = [_module_case(one, options) for one in wanted]
    if not cases:
        return
    warm_up()
    children = Children(options.jobs, _Told(len(cases)))
    for case in cases:
        children.start(case, judge_before_import)
    children.finish()


def _all_tests() -> Iterator[tuple[str, dict[str, Any]]]:
    for found in reaching.kept().values():
        yield from found["tests"].items()


@cache
def _tests() -> dict[str, tuple[float, dict[str, set[int]]]]:
    """The seconds of each, and the lines that it runs."""
    return {
        name: (one["seconds"], {path: set(lines) for path, lines in one["lines"].items()})
        for name, one in _all_tests()
    }


def _reaching(mutant: Mutant) -> dict[str, float]:
    """The tests and seeds that run a line of it."""
    lines = set(range(mutant.first_line, mutant.last_line + 1))
    return {
        name: seconds
        for name, (seconds, reached) in _tests().items()
        if not lines.isdisjoint(reached.get(mutant.path, ()))
    }


def _cheapest(tests: dict[str, float], most: float) -> dict[str, float]:
    """The cheapest first, up to so many seconds: nine tenths of all take a hundredth of one."""
    taken: dict[str, float] = {}
    for seconds, name in sorted((seconds, name) for name, seconds in tests.items()):
        most -= seconds
        if most > 0:
            taken[name] = seconds
    return taken


def _case(mutant: Mutant, options: Any) -> Case:
    reached = _reaching(mutant)
    tests = {name: seconds for name, seconds in reached.items() if not name.startswith("seeds:")}
    return Case(
        mutant=mutant, tests=_cheapest(tests, options.seconds), seeds=_seeds(reached, options)
    )


def _seeds(reached: dict[str, float], options: Any) -> dict[int, float]:
    found = [(int(name[6:]), one) for name, one in reached.items() if name.startswith("seeds:")]
    return dict(sorted(found)[: options.seeds])


def _module_case(mutant: Mutant, options: Any) -> Case:
    every = {
        name: one["seconds"] for name, one in _all_tests() if not name.startswith(FAIL_IN_LITTLE)
    }
    tests = {name: seconds for name, seconds in every.items() if not name.startswith("seeds:")}
    first = {name: some for name, some in tests.items() if name.split("::")[0] in FIRST_FILES}
    declared = {name: some for name, some in tests.items() if name.split("::")[0] in DECLARED}
    return Case(
        mutant=mutant,
        first=declared | _cheapest(first, options.seconds / 2),
        tests=_cheapest(tests, options.seconds),
        seeds=_seeds(every, options),
    )


if __name__ == "__main__":
    sys.exit(main())
