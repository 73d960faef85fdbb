"""Which tests and which seeds of the simulator run which lines; measured once, by coverage.

What a test file reaches is kept in .cache/mutation until that file or the code under test changes.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / ".cache" / "mutation"
SCOPE = ("oms/domain", "oms/orders", "oms/risk", "oms/judging.py", "ems")
SUITE = ("tests/unit", "tests/matrices", "tests/simulation/test_found.py")
SEEDS = 60
OPTIONS = (
    "-q",
    "-s",
    "--continue-on-collection-errors",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-o",
    "timeout=0",
)

Lines = dict[str, list[int]]
Reach = dict[str, dict[str, Any]]


def in_scope() -> list[str]:
    """The files that are mutated, from the checkout's top."""
    return _files(SCOPE, "**/*.py")


def test_files() -> list[str]:
    return _files(SUITE, "test_*.py")


def _files(tops: tuple[str, ...], pattern: str) -> list[str]:
    """From the checkout's top; a top that is a file is itself."""
    places = [ROOT / top for top in tops]
    found = [one for top in places for one in ([top] if top.is_file() else top.glob(pattern))]
    return [str(path.relative_to(ROOT)) for path in sorted(found)]


def settle_hypothesis() -> None:
    """The same examples every time, none refused because the machine is slow, none made short."""
    settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
        report_multiple_bugs=False,
    )
    settings.load_profile("mutation")


def _digest(paths: list[str]) -> str:
    together = hashlib.sha256()
    for path in paths:
        together.update((ROOT / path).read_bytes())
    return together.hexdigest()


def kept() -> Reach:
    """What was measured before, whether or not it still holds."""
    path = KEPT / "reach.json"
    return json.loads(path.read_text()) if path.exists() else {}


def outdated(reach: Reach) -> list[str]:
    """The test files, and `seeds`, that must be measured again."""
    code = _digest(in_scope())
    wanted = {name: _digest([name]) + code for name in test_files()} | {"seeds": code}
    for gone in set(reach) - set(wanted):
        del reach[gone]
    return [name for name, digest in wanted.items() if reach.get(name, {}).get("digest") != digest]


def measure(names: list[str]) -> None:
    """Runs those test files, or seeds, under coverage in this process and keeps what they reach."""
    from coverage import Coverage

    code = _digest(in_scope())
    cov = Coverage(data_file=None, include=[str(ROOT / path) for path in in_scope()])
    recorder = Recorder(cov)
    cov.start()
    files = [name for name in names if name != "seeds"]
    if files:
        settle_hypothesis()
        pytest.main([*OPTIONS, *files], plugins=[recorder])
    if "seeds" in names:
        recorder.play_seeds()
    cov.stop()
    reach = kept()
    for name in names:
        reach[name] = {"digest": code if name == "seeds" else _digest([name]) + code, "tests": {}}
    reached = dict(_by_context(cov))
    for test, seconds in recorder.seconds.items():
        name = test.split("::")[0].split(":")[0]
        if name in reach:
            reach[name]["tests"][test] = {"seconds": seconds, "lines": reached.get(test, {})}
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / "reach.json").write_text(json.dumps(reach))


def _by_context(cov: Any) -> Iterator[tuple[str, Lines]]:
    data = cov.get_data()
    found: dict[str, Lines] = {}
    for path in in_scope():
        for line, contexts in data.contexts_by_lineno(str(ROOT / path)).items():
            for context in contexts:
                found.setdefault(context, {}).setdefault(path, []).append(line)
    yield from found.items()


class Recorder:
    """A pytest plugin: each test is a context of its own. seconds: of those that passed."""

    def __init__(self, cov: Any) -> None:
        self._cov = cov
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._cov.switch_context(item.nodeid)
        self._passed = True
        begun = time.process_time()
        done = yield
        self._cov.switch_context("")
        if self._passed:
            self.seconds[item.nodeid] = round(time.process_time() - begun, 3)
        else:
            print(f"mutation: left out, for it fails unchanged: {item.nodeid}", flush=True)
        return done

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._passed = self._passed and report.outcome == "passed"

    def play_seeds(self) -> None:
        """Each seed is a context of its own too."""
        from oms.simulation.plan import Recipe
        from oms.simulation.play import play

        for seed in range(1, SEEDS + 1):
            name = f"seeds:{seed}"
            self._cov.switch_context(name)
            begun = time.process_time()
            outcome = play(Recipe(seed=seed))
            self._cov.switch_context("")
            if outcome.checker:
                print(f"mutation: left out, for it fails unchanged: {name}", flush=True)
            else:
                self.seconds[name] = round(time.process_time() - begun, 3)
