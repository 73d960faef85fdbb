"""What a soak did and found: events as they happen, on file and screen, and a page at the end."""

import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from oms.app.exits import Exit
from oms.soak.faults import FAULTS, Struck
from oms.soak.ground import Ground
from oms.soak.health import Health
from oms.soak.judge import CHECKERS, OWN, Verdict

# After these another core leads; a frozen one is over when it does.
_LEADER_GOES = frozenset(
    {
        "core killed",
        "FIX process killed",
        "PostgreSQL backend killed",
        "postmaster killed",
        "core frozen",
    }
)
_TAKEN_OVER = "core frozen"
_GIVEN_UP_S = 30.0
# Events that are for the file.
_QUIET = frozenset({"healed", "judged", "recovered", "progress"})


@dataclass(slots=True)
class Wound:
    """A fault that the server is not over yet. since: when it was undone; 0: it lasts.

    seq, epoch: of the journal and the leader, as they last were known before.
    """

    kind: str
    struck: Struck
    seq: int
    epoch: int
    since: float = 0.0

    def is_over(self, health: Health) -> bool:
        """Whether the server serves again: it commits, where need be by another leader."""
        if not self.since or health.at <= self.since or health.seq <= self.seq:
            return False
        late = health.at - self.since > _GIVEN_UP_S
        return late or self.kind not in _LEADER_GOES or health.epoch > self.epoch


class Figures:
    """See the module. failure: what went wrong beside the checkers."""

    def __init__(self, home: Path, seed: int, minutes: float) -> None:
        self.home = home
        self.failure = ""
        self.endings: list[str] = []
        self.verified = ""
        self._command = f"oms soak --minutes {minutes:g} --seed {seed}"
        self._began = time.monotonic()
        self._log = (home / "soak.jsonl").open("a", encoding="utf-8")
        self._kinds: list[str] = []
        self._why_not: list[str] = []
        self._links = ""
        self._counts: Counter[str] = Counter()
        self._recoveries: dict[str, list[float]] = {}
        self._wounds: list[Wound] = []
        self._verdicts: list[tuple[Verdict, float]] = []
        self._epochs = self._lies = 0
        self._judged_s = 0.0
        self._said: Counter[str] = Counter()

    @property
    def dealt(self) -> int:
        """How many faults so far."""
        return self._counts.total()

    @property
    def kinds_dealt(self) -> set[str]:
        """Which faults."""
        return set(self._counts)

    @property
    def wounds(self) -> int:
        """How many faults the server is not over yet."""
        return len(self._wounds)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def note(self, event: str, **values: object) -> None:
        """One event of the run."""
        entry = {"t": round(self.seconds, 2), "event": event, **values}
        self._log.write(json.dumps(entry, default=str) + "\n")
        self._log.flush()
        if event not in _QUIET:
            told = "  ".join(f"{key} {value}" for key, value in values.items())
            self._say(f"{event}  {told}".rstrip())

    def _say(self, text: str) -> None:
        print(f"{self.seconds:8.1f} s  {text}", flush=True)

    def allowed(self, ground: Ground, kinds: Iterable[str], why_not: str) -> None:
        """What the machine allows."""
        self._kinds = list(kinds)
        self._links = ground.links
        missing = [one for one in FAULTS if one not in self._kinds]
        self._why_not = [f"{one}: not dealt, as {why_not}" for one in missing]
        self.note("allowed", faults=len(self._kinds), links=self._links)
        for one in self._why_not:
            self.note("not allowed", fault=one)

    def struck(self, kind: str, struck: Struck, health: Health, lasts_s: float) -> None:
        """A fault was dealt; health: as it was before."""
        self._counts[kind] += 1
        since = time.monotonic() if kind == _TAKEN_OVER else 0.0
        self._wounds.append(Wound(kind, struck, health.seq, health.epoch, since))
        self.note("fault", kind=kind, whom=struck.whom, seconds=round(lasts_s, 1))

    def undone(self, struck: Struck, health: Health) -> None:
        """It lasts no longer."""
        for one in self._wounds:
            if one.struck is struck:
                if not one.since or health.epoch == one.epoch:
                    # Nobody took over: it goes on itself.
                    one.since, one.seq = time.monotonic(), health.seq
                    one.epoch = -1 if one.kind == _TAKEN_OVER else one.epoch
                self.note("healed", kind=one.kind)

    def look(self, health: Health, *, up: bool) -> None:
        """Which faults are over: all sessions are up, and the server commits."""
        self._epochs = max(self._epochs, health.epoch)
        if health.down or not up:
            return
        for one in list(self._wounds):
            if one.is_over(health):
                self._wounds.remove(one)
                seconds = health.at - one.since
                self._recoveries.setdefault(one.kind, []).append(seconds)
                self.note("recovered", kind=one.kind, seconds=round(seconds, 2))

    def progress(self, health: Health, told: Mapping[str, int]) -> None:
        """How far all is."""
        wounds = [one.kind for one in self._wounds]
        self.note(
            "progress", **told, faults=self.dealt, epoch=health.epoch, seq=health.seq, wounds=wounds
        )
        self._say(
            f"{told['orders']:,} orders, {told['trades']:,} trades, {self.dealt} faults,"
            f" {health.epoch} leaders" + (f"; not over: {', '.join(wounds)}" if wounds else "")
        )

    def judged(self, gather_s: float, judge_s: float, entries: int) -> None:
        """The checkers were asked."""
        seconds = {"gathered_s": round(gather_s, 2), "judged_s": round(judge_s, 2)}
        self._judged_s += gather_s + judge_s
        self.note("judged", **seconds, entries=entries)

    def held(self, verdict: Verdict, seconds: float, *, closed: bool) -> None:
        """All checkers hold."""
        self._verdicts.append((verdict, seconds))
        self.note("all hold", closed=closed, after=round(seconds, 1), **asdict(verdict))

    def doubted(self, found: Mapping[str, str]) -> None:
        """Lies about the evidence, and the checkers that found them."""
        self._lies += len(found)
        self.note("lies found", **{name.replace(" ", "_"): one for name, one in found.items()})

    def logged(self, said: Counter[str]) -> None:
        """What the parts said at warning or above, and how often."""
        self._said = said
        self.note("logged", **{name.replace(" ", "_"): number for name, number in said.items()})

    def sum_up(self, failure: str) -> int:
        """Write the page, say how it went; the exit code."""
        page = "\n".join(self._page(failure)) + "\n"
        (self.home / "report.md").write_text(page, encoding="utf-8")
        self.note("end", failure=failure)
        self._log.close()
        print()
        print(page)
        if failure:
            print(f"{failure}\nagain: {self._command}; evidence in {self.home}")
        return Exit.FAILED if failure else Exit.OK

    def _page(self, failure: str) -> Iterable[str]:
        yield "# A soak"
        yield ""
        yield f"`{self._command}`, {self.seconds / 60:.1f} minutes in all:"
        yield f"**{'failed: ' + failure if failure else 'every invariant held'}**."
        yield ""
        yield "| fault | dealt | served again after, median / longest |"
        yield "| --- | --- | --- |"
        for kind in FAULTS:
            found = self._recoveries.get(kind, [])
            told = f"{statistics.median(found):.1f} / {max(found):.1f} s" if found else ""
            yield f"| {kind} | {self._counts[kind]} | {told} |"
        yield ""
        yield f"Links: {self._links}."
        yield "Slow disk: the journal's backend and the WAL writer are stopped and go, in bursts."
        yield "Faults overlap; seconds count from the end of a fault (of a frozen core: from its"
        yield "beginning, as another takes over) to all sessions up and a commit, whatever other"
        yield "fault came in between."
        yield ""
        for one in self._why_not:
            yield f"- {one}"
        yield from self._found()

    def _found(self) -> Iterable[str]:
        if self._verdicts:
            last = self._verdicts[-1][0]
            quiet = [seconds for _, seconds in self._verdicts]
            yield f"- {last.orders:,} client orders, {last.children:,} at venues"
            yield f"- {last.trades:,} trades, {last.reports:,} reports to clients"
            yield f"- {last.handed:,} of these orders over REST, kill switches"
            yield f"  {last.kill_switches} times, {last.strangers} trades of strangers"
            yield f"- {last.entries:,} journal entries by {self._epochs} leaders"
            yield f"- {self.dealt} faults; {last.transitions} kinds of transition of an order"
            yield f"- checked {len(quiet)} times in quiet, after {min(quiet):.0f} to"
            yield f"  {max(quiet):.0f} s without faults; reading evidence and asking"
            yield f"  the checkers took {self._judged_s:.1f} s of that in all"
        if self._lies:
            yield f"- the evidence falsified in {self._lies} ways afterwards: found each time"
        if self.verified:
            yield f"- `oms audit verify`: {self.verified}"
        counts = Counter(self.endings)
        ended = ", ".join(f"{one} ({number} times)" for one, number in sorted(counts.items()))
        yield f"- ended by themselves: {ended or 'nobody'}"
        if self._said:
            yield "- said at warning or above, by part:"
            yield from (f"  `{one}` {number}" for one, number in sorted(self._said.items()))
        names = sorted({one.__name__.rpartition(".")[2] for one in CHECKERS} | set(OWN))
        yield "- checkers:"
        yield from (f"  `{one}`" for one in names)
