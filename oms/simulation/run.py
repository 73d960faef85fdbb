"""`oms simulate`: many seeds on several cores, or one again with its story."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any, Self

from oms.app.exits import Exit
from oms.simulation.coverage import coverage_lines
from oms.simulation.plan import Recipe
from oms.simulation.play import play
from oms.simulation.shrink import Shrinker

PROGRESS_S = 10.0
HASH_SEEDS = ("1", "2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """seeds from `first` on, in `jobs` processes, for `minutes` at most where that is not 0."""

    seeds: int = 200
    first: int = 1
    jobs: int = 2
    minutes: float = 0.0


@dataclass(slots=True)
class Sum:
    """What all runs together came to."""

    runs: int = 0
    orders: int = 0
    faults: int = 0
    crashes: int = 0
    entries: int = 0
    virtual_s: float = 0.0
    events: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    transitions: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, told: dict[str, Any]) -> None:
        """One run."""
        self.runs += 1
        for name in ("orders", "faults", "crashes", "entries", "virtual_s"):
            setattr(self, name, getattr(self, name) + told[name])
        self.events.update(told["events"])
        self.commands.update(told["commands"])
        self.transitions.update(told["transitions"])
        if told["checker"]:
            self.failures.append(told)


class Worker:
    """A process of oms.simulation.worker."""

    def __init__(self, hash_seed: str, *, judged: bool) -> None:
        command = ["env", f"PYTHONHASHSEED={hash_seed}"]
        command += [sys.executable, "-m", "oms.simulation.worker"]
        self._process = subprocess.Popen(
            command if judged else [*command, "--unjudged"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def play(self, seed: int) -> dict[str, Any]:
        """Its answer. Raises RuntimeError where the process died."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{seed}\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"the process that played seed {seed} is gone")
        document: dict[str, Any] = json.loads(line)
        return document

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()


def play_twice(judged: Worker, other: Worker, seed: int) -> dict[str, Any]:
    """One seed under both PYTHONHASHSEEDs: the same journal, or that is what is wrong."""
    told = judged.play(seed)
    if not told["checker"]:
        again = other.play(seed)
        if again["journal"] != told["journal"]:
            told["checker"] = "runs_are_the_same"
            told["text"] = f"the journal ends in {told['journal']} and in {again['journal']}"
            told["line"], told["story"] = Recipe(seed=seed).line(), []
    return told


def simulate(options: Options, out: IO[str]) -> Sum:
    """Play the seeds; progress goes to `out`."""
    began = time.monotonic()
    until = began + options.minutes * 60 if options.minutes else float("inf")
    seeds = iter(range(options.first, options.first + options.seeds))
    answers: queue.Queue[dict[str, Any] | BaseException | None] = queue.Queue()
    lock = threading.Lock()

    def next_seed() -> int | None:
        with lock:
            return next(seeds, None) if time.monotonic() < until else None

    threads = [
        threading.Thread(target=_work, args=(next_seed, answers), daemon=True)
        for _ in range(options.jobs)
    ]
    for thread in threads:
        thread.start()
    total = Sum()
    shown = began
    for told in _answers(answers, len(threads)):
        total.add(told)
        if told["checker"]:
            print(_failure(told), file=out, flush=True)
        now = time.monotonic()
        if now - shown >= PROGRESS_S:
            shown = now
            print(_figures(total, now - began), file=out, flush=True)
    print("\n".join(coverage_lines(total.transitions, total.events, total.commands)), file=out)
    print(_figures(total, time.monotonic() - began), file=out, flush=True)
    return total


def _work(
    next_seed: Callable[[], int | None],
    answers: "queue.Queue[dict[str, Any] | BaseException | None]",
) -> None:
    try:
        with ExitStack() as stack:
            judged = stack.enter_context(Worker(HASH_SEEDS[0], judged=True))
            other = stack.enter_context(Worker(HASH_SEEDS[1], judged=False))
            while (seed := next_seed()) is not None:
                answers.put(play_twice(judged, other, seed))
    except BaseException as failure:  # noqa: BLE001 - raised where the answers are read
        answers.put(failure)
    finally:
        answers.put(None)


def _answers(
    answers: "queue.Queue[dict[str, Any] | BaseException | None]", threads: int
) -> Iterator[dict[str, Any]]:
    while threads:
        told = answers.get()
        if told is None:
            threads -= 1
        elif isinstance(told, BaseException):
            raise told
        else:
            yield told


def _failure(told: dict[str, Any]) -> str:
    story = "\n".join(told["story"])
    return f"{told['line']}\n  {told['checker']}: {told['text']}\n{story}"


def _figures(total: Sum, seconds: float) -> str:
    each = max(seconds, 0.001)
    return (
        f"{total.runs} seeds, {len(total.failures)} failed, in {seconds:.0f} s:"
        f" {total.orders / each:.0f} orders, {total.entries / each:.0f} journal entries,"
        f" {(total.faults + total.crashes) / each:.1f} faults a second;"
        f" {total.crashes} ends of a core, {total.virtual_s / 3600:.1f} virtual hours"
    )


def main(options: Options) -> int:
    """The exit code."""
    total = simulate(options, sys.stdout)
    return Exit.FAILED if total.failures else Exit.OK


def replay(recipe: Recipe, *, shrink: bool) -> int:
    """One run with its story, made short first where that is wanted; the exit code."""
    if shrink:
        outcome = play(recipe)
        if outcome.checker:
            shrinker = Shrinker(recipe, outcome.checker)
            shrinker.shrink()
            recipe = shrinker.recipe
    outcome = play(recipe, story=True)
    print("\n".join(outcome.story))
    if outcome.checker:
        print(f"{outcome.checker}: {outcome.text}")
    print(f"{recipe.line()}: {outcome.entries} entries, the last hash {outcome.journal}")
    return Exit.FAILED if outcome.checker else Exit.OK
