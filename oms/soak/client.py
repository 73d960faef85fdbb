"""`python -m oms.soak.client PLAN NAME`: one client, a process that may be killed at any moment.

It is the simulator's client on a real connection: it goes on from its tape, connects again and
again, and acts at random. On standard input come `pace N` (acts a second), `settle` (ask again for
what is open), `bid` (an order that rests), `away` (do not connect again), `back` and `finish`; on
standard output go JSON lines about how it stands.
"""

import contextlib
import json
import os
import random
import selectors
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from fix_sessions.light_session import LightSettings, Message, wall_clock_us
from fix_sessions.light_socket import Hub
from oms.simulation.agenda import Agenda
from oms.simulation.client import SimClient
from oms.simulation.ledgers import OVER
from oms.simulation.story import Story
from oms.soak.tape import TapedSession, play

LOGON_LIMIT_S = 5.0
TRY_EVERY_S = 0.2
TELL_EVERY_S = 0.25
_OFFLINE_SHARE = 0.05
_ACTS = {
    "submit": 60,
    "amend": 12,
    "cancel": 12,
    "repeat": 5,
    "ask_status": 4,
    "mass_cancel": 0.4,
    "leave": 0.3,
}


class Client:
    """See the module."""

    def __init__(self, plan: dict[str, Any], name: str) -> None:
        tape = Path(plan["tapes"]) / f"{name}.jsonl"
        played = play(tape)
        settings = LightSettings(
            sender_comp_id=name,
            target_comp_id=plan["target_comp_id"],
            username=name,
            password=plan["password"],
            heartbeat_s=int(plan["heartbeat_s"]),
        )
        self._agenda = Agenda()
        self._agenda.now_us = wall_clock_us()
        # Another life draws otherwise than the one before it.
        self._random = random.Random(f"{plan['seed']}/{name}/{played.next_out}")
        self._hub = Hub()
        self._peer = self._hub.client(plan["host"], int(plan["port"]), settings)
        self._peer.keep = False
        self._peer.on_message = self._heard
        session = TapedSession(settings, tape)
        session.next_in, session.next_out = played.next_in, played.next_out
        session.sent = played.sent
        self._peer.session = session
        self._sim = SimClient(
            settings,
            tuple(plan["accounts"][name]),
            agenda=self._agenda,
            randomness=self._random,
            story=Story(self._agenda, kept=False),
            flush=self._peer.flush,
        )
        self._sim.session = session
        self._sim.ledger = played.ledger
        self._sim.count_on(played.last_id)
        self._pace = 0.0
        self._next_act = self._try_at = self._tell_at = self._logon_by = 0.0
        self._finish = False

    def run(self) -> None:
        """Until told to finish, or nobody listens any more."""
        self._hub.watch(sys.stdin.fileno(), selectors.EVENT_READ, self._ordered)
        while not self._finish:
            now = time.monotonic()
            self._agenda.run_until(wall_clock_us())
            self._keep_up(now)
            self._act(now)
            if now >= self._tell_at:
                self._tell_at = now + TELL_EVERY_S
                self._tell()
            self._hub.pump(0.02)
        if self._peer.is_logged_on:
            with contextlib.suppress(TimeoutError):
                self._peer.logout(LOGON_LIMIT_S)
        self._tell()

    def _heard(self, message: Message) -> None:
        if message.msg_type == "A":
            self._sim.logged_on()
        self._sim.ledger.note(message)

    def _ordered(self) -> None:
        data = os.read(sys.stdin.fileno(), 4096).decode()
        if not data:
            raise SystemExit(0)
        for line in data.splitlines():
            word, _, value = line.partition(" ")
            match word:
                case "pace":
                    self._pace = float(value)
                case "settle":
                    self._sim.settle()
                case "bid":
                    self._sim.bid_low()
                case "away" | "back":
                    self._sim.wants_session = word == "back"
                case "finish":
                    self._finish = True
                case _:
                    raise SystemExit(f"unknown order: {line}")

    def _keep_up(self, now: float) -> None:
        """Be connected and logged on, unless it has left on purpose."""
        peer = self._peer
        if peer.is_connected:
            if not peer.is_logged_on and now > self._logon_by:
                peer.kill()
        elif self._sim.wants_session and now >= self._try_at:
            self._try_at = now + TRY_EVERY_S
            with contextlib.suppress(OSError):
                peer.connect(timeout_s=0.0)
            self._logon_by = time.monotonic() + LOGON_LIMIT_S

    def _act(self, now: float) -> None:
        if not self._pace or now < self._next_act:
            return
        self._next_act = now + self._random.expovariate(self._pace)
        if not self._peer.is_logged_on and self._random.random() > _OFFLINE_SHARE:
            return
        [name] = self._random.choices(list(_ACTS), list(_ACTS.values()))
        getattr(self._sim, name)(self._random.randrange(1 << 30))

    def _tell(self) -> None:
        ledger = self._sim.ledger
        state = {
            "up": self._peer.is_logged_on,
            "orders": sum(one.msg_type == "D" for one in ledger.asked.values()),
            "unanswered": sum(not one.finals for one in ledger.asked.values()),
            "trades": sum(len(one.trades) for one in ledger.orders.values()),
            "open": sum(one.status not in OVER for one in ledger.orders.values()),
            "open_qty": str(sum((one.leaves_qty for one in ledger.orders.values()), Decimal(0))),
            "reports": len(ledger.reports),
            "next_in": self._peer.session.next_in,
        }
        sys.stdout.write(json.dumps(state) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Read the plan and run."""
    plan, name = sys.argv[1:3]
    Client(json.loads(Path(plan).read_text(encoding="utf-8")), name).run()


if __name__ == "__main__":
    main()
