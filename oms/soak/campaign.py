"""A soak from start to end: faults while orders flow, quiet and checks, again and again.

`python -m oms.soak.campaign OPTIONS` runs inside of the boundary, for oms.soak.run.
"""

import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import psycopg

from fix_sessions.exchange_control import ControlRefused
from oms.demo.programs import DemoError, wait_until
from oms.domain.commands import CloseTradingDay
from oms.simulation.desk import OPERATOR
from oms.simulation.watching import Broken
from oms.soak import evidence, lies
from oms.soak.faults import Struck, possible
from oms.soak.figures import Figures
from oms.soak.ground import Ground, NamespacedGround, RelayedGround
from oms.soak.judge import Judge, Verdict
from oms.soak.record import Gathered, Record
from oms.soak.stage import Stage, make_stage
from oms.store.codec import encode

TURN_S = 0.05
TELL_EVERY_S = 10.0
# Everything must be over so long after the last fault.
QUIET_LIMIT_S = 180.0
CALM_S = 1.5
JUDGE_EVERY_S = 3.0
_LONGEST_GAP_S = 8.0
# Mostly a fault waits until the last is over, for so long at most; else it comes on top of it.
_PATIENT_SHARE, _PATIENCE_S = 0.7, 20.0
# A fault of a soak of seconds lasts a part of its time.
_SHORT_SHARE, _SHORT_MINUTES, _NOTICED_S = 0.35, 3.0, 2.0
_LAST_MINUTES = 3
# Acts of the desk for each of the FIX clients'.
_DESK_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """rate: acts a second of all clients together. round_s: faults between two quiet times."""

    home: Path
    seed: int
    minutes: float
    rate: float = 9.0
    round_s: float = 300.0
    namespaces: bool = True
    why_not: str = ""

    def as_json(self) -> str:
        """For another process."""
        names = ("seed", "minutes", "rate", "round_s", "namespaces", "why_not")
        return json.dumps({"home": str(self.home), **{one: getattr(self, one) for one in names}})


@dataclass(slots=True)
class Active:
    """A fault that lasts."""

    kind: str
    struck: Struck
    until: float


class Campaign:
    """See the module."""

    def __init__(self, options: Options, stage: Stage, figures: Figures) -> None:
        self._options = options
        self._stage = stage
        self._figures = figures
        self._chance = random.Random(f"{options.seed}/faults")
        self._kinds = possible(stage)
        self._share = _SHORT_SHARE if options.minutes < _SHORT_MINUTES else 1.0
        self._deck: list[str] = []
        self._active: list[Active] = []
        self._strike_at = self._tell_at = self._again_at = 0.0
        self._pace = 0.0
        self._record = Record(stage.site)
        self._judge = Judge(self._record.reference, self._record.parties)

    def run(self) -> None:
        """All rounds, and the close of the day. Raises Broken."""
        left_s = self._options.minutes * 60.0
        while left_s > 0:
            round_s = min(self._options.round_s, left_s)
            if left_s - round_s < self._options.round_s / 3:
                round_s = left_s
            left_s -= round_s
            self._disturb(round_s)
            self._settle(closed=False, recovered=left_s <= 0)
        self._close_day()
        gathered = self._settle(closed=True, recovered=True)
        self._figures.doubted(lies.find_all(self._judge, gathered))

    def _disturb(self, seconds: float) -> None:
        """Orders and faults for so long; then the orders and the faults stop."""
        gap_s = min(_LONGEST_GAP_S, seconds / (len(self._kinds) + 2) / 2)
        self._pace = self._options.rate / len(self._stage.clients)
        self._stage.desk.pace(self._options.rate * _DESK_SHARE)
        end = time.monotonic() + seconds
        self._strike_at = time.monotonic() + self._chance.uniform(0.5, gap_s)
        patience_s = 0.0
        # On a busy machine each kind still has its turn.
        last = end + seconds
        while time.monotonic() < end or (self._undealt and time.monotonic() < last):
            self._turn()
            late_s = time.monotonic() - self._strike_at
            if late_s >= 0 and (late_s >= patience_s or not self._figures.wounds):
                wait_s = min(self._chance.expovariate(1.0 / gap_s), 3.0 * gap_s)
                patient = self._chance.random() < _PATIENT_SHARE
                patience_s = min(_PATIENCE_S, 2.5 * gap_s) if patient else 0.0
                self._strike_at = time.monotonic() + (wait_s if self._strike() else TURN_S * 4)
        self._pace = 0.0
        self._stage.say("pace 0")
        self._stage.desk.pace(0.0)
        for one in self._active:
            one.until = 0.0
        self._turn()
        self._figures.note("calm", faults=self._figures.dealt)

    @property
    def _undealt(self) -> bool:
        return not self._figures.kinds_dealt >= set(self._kinds)

    def _strike(self) -> bool:
        """The next fault of a shuffled deck of all kinds; whether it found somebody."""
        if not self._deck:
            self._deck = sorted(self._kinds)
            self._chance.shuffle(self._deck)
        kind = self._deck.pop()
        struck = self._kinds[kind](self._stage, self._chance)
        if struck is None:
            self._deck.insert(0, kind)
            return False
        lasts_s = max(struck.lasts_s * self._share, min(struck.lasts_s, _NOTICED_S))
        self._figures.struck(kind, struck, self._stage.health, lasts_s)
        self._active.append(Active(kind, struck, time.monotonic() + lasts_s))
        return True

    def _turn(self) -> None:
        """A moment: what is over is undone, what has ended starts again, what is well is noted."""
        time.sleep(TURN_S)
        now = time.monotonic()
        again = now >= self._again_at
        if again:
            self._again_at = now + 0.5
            # Again and again, as one that was killed begins at rest.
            self._stage.say(f"pace {self._pace}")
        for one in list(self._active):
            if now >= one.until:
                one.struck.undo()
                self._active.remove(one)
                self._figures.undone(one.struck, self._stage.health)
            elif again:
                one.struck.again()
        self._stage.keep()
        self._figures.look(self._stage.health, up=self._clients_up())
        if now >= self._tell_at:
            self._tell_at = now + TELL_EVERY_S
            told = {one: self._stage.told(one) for one in ("orders", "trades", "open")}
            self._figures.progress(self._stage.health, told)

    def _clients_up(self) -> bool:
        return all(part.runs and part.state.get("up") for part in self._stage.clients.values())

    def _settle(self, *, closed: bool, recovered: bool) -> Gathered:
        """Until all checkers hold; by what. Raises Broken with what the last of them said.

        recovered: see Record.gather.
        """
        began = time.monotonic()
        deadline = began + QUIET_LIMIT_S
        calm_since, seq = began, -1
        why = Broken("all_ends_in_time", "it was never looked at")
        next_judge = 0.0
        while time.monotonic() < deadline:
            self._turn()
            health = self._stage.health
            now = time.monotonic()
            moving = self._moving(now)
            if moving or health.seq != seq:
                calm_since, seq = now, health.seq
                if moving:
                    why = Broken("all_ends_in_time", moving)
                continue
            if now - calm_since < CALM_S or now < next_judge:
                continue
            next_judge = now + JUDGE_EVERY_S
            try:
                gathered, verdict = self._look(closed=closed, recovered=recovered)
            except Broken as error:
                why = error
                self._figures.note("not yet", checker=error.checker, text=error.text[:500])
            except (psycopg.Error, OSError, ControlRefused) as error:
                why = Broken("all_ends_in_time", f"no evidence: {error}")
            else:
                self._figures.held(verdict, time.monotonic() - began, closed=closed)
                return gathered
        raise why

    def _look(self, *, closed: bool, recovered: bool) -> tuple[Gathered, Verdict]:
        """At all there is, once. Raises Broken, and what Record.gather raises."""
        stage, began = self._stage, time.monotonic()
        gathered = self._record.gather(stage.owner_url, stage.desk.people, recovered=recovered)
        had = time.monotonic()
        try:
            return gathered, self._judge.examine(gathered, closed=closed)
        finally:
            over = time.monotonic()
            self._figures.judged(had - began, over - had, len(gathered.entries))

    def _moving(self, now: float) -> str:
        """What is not at rest; empty where all is."""
        health, stage = self._stage.health, self._stage
        if now - health.at > 2.0:
            return "the database does not answer"
        if health.down:
            return f"sessions that are down: {', '.join(health.down)}"
        if health.moving:
            return f"in doubt or pending: {', '.join(health.moving[:5])}"
        if not self._clients_up():
            return "not all clients are logged on"
        if stage.told("unanswered"):
            return f"{stage.told('unanswered')} requests of clients have no answer"
        if not stage.desk.at_rest:
            return "not all that people handed over is answered"
        ended = [one.name for one in stage.all_parts() if not one.runs]
        return f"does not run: {', '.join(ended)}" if ended else ""

    def _close_day(self) -> None:
        """As the operations desk does it; by the inbox."""
        order = CloseTradingDay(origin=OPERATOR, trade_date=datetime.now(UTC).date().isoformat())
        body = encode(order)
        with psycopg.connect(self._stage.owner_url) as connection:
            connection.execute(
                "INSERT INTO command_inbox (counterparty, key, command_type, body, body_hash)"
                " VALUES (%s, %s, %s, %s, %s)",
                ["soak", "close", type(order).__name__, body, sha256(body).digest()],
            )
        self._figures.note("day closed")
        before = self._stage.health.seq
        if not wait_until(lambda: self._stage.health.seq > before, 30.0, self._stage.keep):
            raise Broken("all_ends_in_time", "the close of the day is not taken")


def play(options: Options) -> int:
    """Run the soak; 0 where all held, 1 where something did not."""
    figures = Figures(options.home, options.seed, options.minutes)
    kind: type[Ground] = NamespacedGround if options.namespaces else RelayedGround
    ground = kind(options.home, options.seed)
    _avoid_midnight(options, figures)
    failure = ""
    ground.lay()
    try:
        stage = make_stage(ground, figures.note, guarded=not options.namespaces)
        ground.open()
        figures.allowed(ground, possible(stage), options.why_not)
        try:
            stage.open()
            figures.note("up")
            Campaign(options, stage, figures).run()
            evidence.verify(stage, figures)
            figures.logged(evidence.read_logs(stage.site))
        except Broken as error:
            failure = f"{error.checker}: {error.text}"
        except DemoError as error:
            failure = str(error)
        finally:
            figures.endings = [f"{one.part} with code {one.code}" for one in stage.endings]
            evidence.keep(stage, figures)
            stage.close()
    finally:
        ground.close()
    evidence.pack(ground.site)
    return figures.sum_up(failure or figures.failure)


def _avoid_midnight(options: Options, figures: Figures) -> None:
    """The close is of one date: a soak that would see two begins with the second."""
    now = datetime.now(UTC)
    left_s = 86_400 - (now.hour * 3_600 + now.minute * 60 + now.second) + 1
    if left_s < (options.minutes + _LAST_MINUTES) * 60 and options.minutes < 600:
        figures.note("waits for midnight", seconds=left_s)
        time.sleep(left_s)


def main() -> None:
    """Options as JSON."""
    values = json.loads(sys.argv[1])
    sys.exit(play(Options(**{**values, "home": Path(values["home"])})))


if __name__ == "__main__":
    main()
