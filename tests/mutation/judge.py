"""One process per mutant: it becomes the mutant, and runs what reaches it until something fails.

A mutant in a function is put into the functions that are already imported, by their code, in a copy
of a process that has collected all tests. One of a module or class is there before anything of the
project is imported. A mutant that takes far more processor time than the tests it runs is killed.
"""

import gc
import os
import resource
import shutil
import signal
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.operators import Mutant, mutated
from tests.mutation.reach import KEPT, OPTIONS, ROOT, settle_hypothesis

MEMORY = 3 << 30
PATIENCE_S = 300
SPARE_S = 4
QUICK_S = 0.3


@dataclass(slots=True, kw_only=True)
class Case:
    """A mutant with what may notice it: tests by name, then seeds, each with its seconds.

    first: tests that run before the others, so that few files are imported for what is easily seen;
    of mutants of modules and classes only.
    """

    mutant: Mutant
    tests: dict[str, float]
    seeds: dict[int, float]
    first: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Verdict:
    """killer: the test or seed that noticed it, or `timeout`; empty for a survivor."""

    key: str
    killer: str = ""
    seconds: float = 0.0
    ran: int = 0


@dataclass(slots=True)
class Children:
    """The mutants under way, by process."""

    jobs: int
    tell: Any
    under_way: dict[int, tuple[Case, float]] = field(default_factory=dict)
    killers: dict[str, None] = field(default_factory=dict)

    def start(self, case: Case, work: Any) -> None:
        """Run `work(case)` in a copy of this process; it answers the killer's name, or nothing."""
        while len(self.under_way) >= self.jobs:
            self.wait()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _be_the_child(case, work)
        self.under_way[child] = (case, time.monotonic())

    def wait(self) -> None:
        """Until one of them has ended, by itself or because it takes too long."""
        while True:
            for child, (case, begun) in list(self.under_way.items()):
                ended, status = os.waitpid(child, os.WNOHANG)
                seconds = time.monotonic() - begun
                if not ended and seconds > PATIENCE_S:
                    os.kill(child, signal.SIGKILL)
                    ended, status = os.waitpid(child, 0)
                if ended:
                    del self.under_way[child]
                    verdict = _verdict(case, child, status, seconds)
                    self.killers.pop(verdict.killer, None)
                    self.killers[verdict.killer] = None
                    self.tell(verdict)
                    return
            time.sleep(0.005)

    def likely_first(self, case: Case) -> dict[str, float]:
        """Its tests, before all others the quick ones that noticed the last mutants."""
        recent = [name for name in reversed(self.killers) if case.tests.get(name, 1) < QUICK_S]
        return {name: case.tests[name] for name in [*recent[:12], *case.tests]}

    def finish(self) -> None:
        while self.under_way:
            self.wait()


def _answer(child: int) -> Path:
    return KEPT / f"answer-{child}"


def _files(child: int) -> Path:
    return KEPT / f"files-{child}"


def _be_the_child(case: Case, work: Any) -> None:
    """Never returns."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 3
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        killer = work(case)
        _answer(os.getpid()).write_text(killer)
        status = 0
    except BaseException as error:  # noqa: BLE001 - told by the parent, which goes on
        _answer(os.getpid()).write_text(f"error: {type(error).__name__}: {error}"[:200])
    finally:
        os._exit(status)


def _verdict(case: Case, child: int, status: int, seconds: float) -> Verdict:
    answer = _answer(child)
    killer = answer.read_text() if answer.exists() else "timeout"
    answer.unlink(missing_ok=True)
    shutil.rmtree(_files(child), ignore_errors=True)
    if os.WIFSIGNALED(status):
        killer = "timeout"
    return Verdict(key=case.mutant.key, killer=killer, seconds=round(seconds, 2))


def allow(seconds: float) -> None:
    """From here on so much processor time, and some more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime + 5 * seconds + SPARE_S)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def play_seeds(seeds: dict[int, float]) -> str:
    """The invariant that one of them finds broken."""
    from oms.simulation.plan import Recipe
    from oms.simulation.play import play

    for seed, seconds in seeds.items():
        allow(seconds)
        outcome = play(Recipe(seed=seed))
        if outcome.checker:
            return f"seed {seed}: {outcome.checker}"
    return ""


class InPlace:
    """A pytest plugin that, with all tests collected, judges mutants in functions."""

    def __init__(self, cases: list[Case], children: Children) -> None:
        self._cases, self._children = cases, children
        self._items: dict[str, pytest.Item] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        import oms.simulation.play  # noqa: F401 - so that children have it

        functions = _functions()
        gc.collect()
        gc.freeze()
        for case in self._cases:
            mutant = case.mutant
            case.tests = self._children.likely_first(case)
            source = (ROOT / mutant.path).read_text()
            self._children.start(case, lambda one, text=source: self._judge(one, text, functions))
        self._children.finish()
        return True

    def _judge(self, case: Case, source: str, functions: dict[Any, Any]) -> str:
        become(case.mutant, source, functions)
        items = [self._items[name] for name in case.tests if name in self._items]
        if items:
            items[0].config._tmp_path_factory._given_basetemp = _files(os.getpid())  # type: ignore[attr-defined]
        for item, following in zip_longest(items, items[1:]):
            allow(case.tests[item.nodeid])
            reports = runtestprotocol(item, log=False, nextitem=following)
            if any(report.failed for report in reports):
                return item.nodeid
        return play_seeds(case.seeds)


def _functions() -> dict[tuple[str, str, int], list[types.FunctionType]]:
    found: dict[tuple[str, str, int], list[types.FunctionType]] = {}
    top = str(ROOT)
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__code__.co_filename.startswith(top):
            code = one.__code__
            key = (code.co_filename, code.co_qualname, code.co_firstlineno)
            found.setdefault(key, []).append(one)
    return found


def become(mutant: Mutant, source: str, functions: dict[Any, Any]) -> None:
    """Give every function of the file that is changed its changed code."""
    path = str(ROOT / mutant.path)
    unchanged = {
        (c.co_qualname, c.co_firstlineno): c for c in _codes(compile(source, path, "exec"))
    }
    changed = 0
    for code in _codes(compile(mutated(source, mutant.n), path, "exec")):
        key = (code.co_qualname, code.co_firstlineno)
        if unchanged[key] != code:
            for function in functions.get((path, *key), []):
                function.__code__ = code
                changed += 1
    if not changed:
        raise LookupError(f"{mutant.key}: no function holds it")


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The functions of a module and of its classes; not those within functions."""
    for one in code.co_consts:
        if isinstance(one, types.CodeType):
            if one.co_flags & 0x2:  # it has local variables of its own: a function
                yield one
            else:
                yield from _codes(one)


class _Changed(Loader, MetaPathFinder):
    """Imports one file's mutant in its place."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        parts = Path(mutant.path).with_suffix("").parts
        self._name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_loader(fullname, self, origin=str(ROOT / self._mutant.path))

    def exec_module(self, module: types.ModuleType) -> None:
        path = ROOT / self._mutant.path
        module.__file__ = str(path)
        exec(compile(mutated(path.read_text(), self._mutant.n), str(path), "exec"), vars(module))  # noqa: S102


class _Chosen:
    """A pytest plugin that runs the chosen tests, and keeps the name of the first that fails."""

    def __init__(self, tests: dict[str, float]) -> None:
        self._tests = tests
        self.killer = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {name: n for n, name in enumerate(self._tests)}
        chosen = [item for item in items if item.nodeid in place]
        items[:] = sorted(chosen, key=lambda item: place[item.nodeid])

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        allow(self._tests[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.killer:
            self.killer = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.killer:
            self.killer = report.nodeid


def judge_before_import(case: Case) -> str:
    """For a mutant of a module or class. The tests run in the order in which they are given."""
    sys.meta_path.insert(0, _Changed(case.mutant))
    settle_hypothesis()
    for tests in (case.first, case.tests):
        chosen = _Chosen(tests)
        files = list(dict.fromkeys(name.split("::")[0] for name in tests))
        allow(30)
        pytest.main([*OPTIONS, f"--basetemp={_files(os.getpid())}", "-x", *files], plugins=[chosen])
        if chosen.killer:
            return chosen.killer
    return play_seeds(case.seeds)


def warm_up() -> None:
    """Import what is not of the project, so that each copy of this process has it."""
    import hypothesis  # noqa: F401

    for name in (
        "sqlalchemy",
        "pydantic",
        "structlog",
        "msgspec",
        "psycopg",
        "quickfix",
        "fastapi",
    ):
        if find_spec(name):
            __import__(name)
    gc.collect()
    gc.freeze()
