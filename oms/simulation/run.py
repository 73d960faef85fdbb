"""`oms simulate`: many seeds on several cores.

What plays them is loaded by the workers alone: it takes a second.
"""

import json
import queue
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO, Any, Self

from oms.app.exits import Exit
from oms.simulation.coverage import coverage_lines

PROGRESS_S = 10.0
HASH_SEEDS = ("1", "2")
# Second runs, before those who play first runs wait for those who cannot keep up.
MOST_WAITING = 16
AGAIN = "again"

Answers = queue.Queue[dict[str, Any] | BaseException | None]


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

    def __init__(self, hash_seed: str) -> None:
        self._process = subprocess.Popen(
            ["env", f"PYTHONHASHSEED={hash_seed}", sys.executable, "-m", "oms.simulation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def play(self, line: str) -> dict[str, Any]:
        """Its answer. Raises RuntimeError where the process died."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{line}\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that played seed {line} is gone")
        document: dict[str, Any] = json.loads(answer)
        return document

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A seed, under the PYTHONHASHSEED of that number; told: by its first run, if this is the
    second.
    """

    seed: int
    side: int
    told: dict[str, Any] | None = None


class Turns:
    """What is played next: what has been played under one PYTHONHASHSEED is played under the other
    one too, and before anything new.
    """

    def __init__(self, next_seed: Callable[[], int | None]) -> None:
        self._next_seed = next_seed
        self._again: tuple[deque[Turn], ...] = (deque(), deque())
        self._playing = [0, 0]
        self._changed = threading.Condition()

    def take(self, sides: Sequence[int]) -> Turn | None:
        """For who can play under those; None where nothing is left, and nothing will be."""
        with self._changed:
            while True:
                for side in sides:
                    if self._again[side]:
                        self._changed.notify_all()
                        return self._again[side].popleft()
                side = sides[0]
                if len(self._again[1 - side]) < MOST_WAITING:
                    seed = self._next_seed()
                    if seed is not None:
                        self._playing[side] += 1
                        return Turn(seed=seed, side=side)
                    if not any(self._playing[1 - one] for one in sides):
                        return None
                self._changed.wait()

    def played(self, turn: Turn, told: dict[str, Any]) -> None:
        """For the first time; told: what it came to."""
        with self._changed:
            self._playing[turn.side] -= 1
            if not told["checker"]:
                self._again[1 - turn.side].append(
                    Turn(seed=turn.seed, side=1 - turn.side, told=told)
                )
            self._changed.notify_all()


def compare(told: dict[str, Any], again: dict[str, Any]) -> None:
    """One seed under both PYTHONHASHSEEDs: the same journal, or that is what is wrong."""
    if again["journal"] != told["journal"]:
        told["checker"] = "runs_are_the_same"
        told["text"] = f"the journal ends in {told['journal']} and in {again['journal']}"
        told["story"] = []


def simulate(options: Options, out: IO[str]) -> Sum:
    """Play the seeds; progress goes to `out`."""
    began = time.monotonic()
    until = began + options.minutes * 60 if options.minutes else float("inf")
    seeds = iter(range(options.first, options.first + options.seeds))
    answers: Answers = queue.Queue()

    def next_seed() -> int | None:
        return next(seeds, None) if time.monotonic() < until else None

    turns = Turns(next_seed)
    everybody = [(n % 2,) for n in range(options.jobs)] if options.jobs > 1 else [(0, 1)]
    threads = [
        threading.Thread(target=_work, args=(turns, sides, answers), daemon=True)
        for sides in everybody
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


def _work(turns: Turns, sides: Sequence[int], answers: Answers) -> None:
    try:
        with ExitStack() as stack:
            workers = {one: stack.enter_context(Worker(HASH_SEEDS[one])) for one in sides}
            while (turn := turns.take(sides)) is not None:
                worker = workers[turn.side]
                if turn.told is not None:
                    compare(turn.told, worker.play(f"{turn.seed} {AGAIN}"))
                    answers.put(turn.told)
                    continue
                told = worker.play(str(turn.seed))
                turns.played(turn, told)
                if told["checker"]:
                    answers.put(told)
    except BaseException as failure:  # noqa: BLE001 - raised where the answers are read
        answers.put(failure)
    finally:
        answers.put(None)


def _answers(answers: Answers, threads: int) -> Iterator[dict[str, Any]]:
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
