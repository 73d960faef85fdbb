"""People and strangers beside the FIX clients: orders over REST, kill switches, others' trades.

A thread, as each act may hang with the API, the database or a venue. A kill switch is engaged for
some seconds, by the inbox, as the jobs' commands are handed over: under one key until it is known
to be there. A venue reports trades of orders that nobody here has sent.
"""

import contextlib
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from fix_sessions.exchange_control import ControlRefused, ExchangeControl
from oms.domain.commands import (
    Channel,
    Command,
    EngageKillSwitch,
    NewOrderSingle,
    Origin,
    ReleaseKillSwitch,
)
from oms.domain.fix import OrdType, Side, TimeInForce
from oms.jobs.core_commands import answer_of, send
from oms.jobs.once import jobs_engine
from oms.simulation.desk import OPERATOR
from oms.simulation.rest import Handed
from oms.soak.screen import People, Screen
from oms.soak.site import CLIENTS, COMP_ID, LISTINGS, Site
from oms.store.tables import command_inbox

_TRY_EVERY_S = 0.2
_CONTROL_LIMIT_S = 2.0
# Acts, and how often each is drawn.
_ACTS = {"order": 12, "kill": 1, "stranger": 3}
_SCOPES = (("FIRM", "*"), ("ACCOUNT", "A1"), ("SESSION", "BETA"))
_LONGEST_KILL_S = 3.0
_TIMES = (TimeInForce.DAY, TimeInForce.DAY, TimeInForce.IOC)
# Each kind of act comes first once, so that a short soak has them all.
_FIRST = ("order", "stranger", "kill", "order", "order")


class Desk:
    """See the module. people: what they asked over REST and were told, for the judge."""

    def __init__(self, site: Site, url: str) -> None:
        self.people = People()
        self._site = site
        self._engine: Engine = jobs_engine(url)
        self._random = random.Random(f"{site.seed}/desk")
        self._today = datetime.now(UTC).date().isoformat()
        self._first = list(_FIRST)
        self._numbers: list[int] = []
        self._count = 0
        self._pace = 0.0
        self._busy = False
        self._stopped = threading.Event()
        self._screen = Screen(site, lambda: self._stopped.wait(_TRY_EVERY_S))
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)

    def start(self) -> None:
        """Begin, at rest."""
        self._thread.start()

    def pace(self, acts_a_second: float) -> None:
        """How often; 0 for rest."""
        self._pace = acts_a_second

    @property
    def at_rest(self) -> bool:
        """Whether every act is over and answered."""
        return not self._pace and not self._busy

    def stop(self) -> None:
        """End it, if it does not hang."""
        self._stopped.set()
        self._thread.join(5.0)
        self._screen.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            if not self._pace:
                self._busy = bool(self._numbers)
                self._numbers = [one for one in self._numbers if not self._answered(one)]
                self._stopped.wait(_TRY_EVERY_S)
                continue
            self._busy = True
            self._act()
            self._stopped.wait(self._random.expovariate(self._pace or 1.0))

    def _act(self) -> None:
        [name] = self._random.choices(list(_ACTS), list(_ACTS.values()))
        if self._first:
            name = self._first.pop(0)
        acts: dict[str, Callable[[], None]] = {
            "order": self._order,
            "kill": self._kill,
            "stranger": self._stranger,
        }
        acts[name]()

    def _order(self) -> None:
        chance = self._random
        client = chance.choice(list(CLIENTS))
        self._count += 1
        origin = Origin(
            channel=Channel.REST,
            counterparty=client,
            user=f"{client.lower()}-desk",
            accounts=CLIENTS[client],
        )
        command = NewOrderSingle(
            origin=origin,
            cl_ord_id=f"rest{self._count}",
            account=chance.choice(CLIENTS[client]),
            symbol=chance.choice(list(LISTINGS)),
            side=chance.choice((Side.BUY, Side.SELL)),
            order_qty=Decimal(10 * chance.randint(1, 20)),
            ord_type=OrdType.LIMIT,
            price=Decimal(chance.randint(95, 104)),
            time_in_force=chance.choice(_TIMES),
        )
        told = self._screen.submit(client, command)
        if told is None:
            return
        key, people = command.cl_ord_id, self.people
        number = self._number_of(client, key)
        if number:
            people.told[number] = told
            people.handed[client].append(Handed(key=key, number=number, command=command))
        elif not self._stopped.is_set():
            people.lost.append(f"{key}: {told.odd or 'answered, and not in the inbox'}")

    def _kill(self) -> None:
        level, subject = self._random.choice(_SCOPES)
        self._count += 1
        self._hand_over(
            EngageKillSwitch(
                origin=OPERATOR,
                level=level,
                subject=subject,
                reason="soak",
                cancel_open_orders=self._random.random() < 0.5,
            ),
            f"kill{self._count}",
        )
        self._stopped.wait(self._random.uniform(0.5, _LONGEST_KILL_S))
        self._hand_over(
            ReleaseKillSwitch(origin=OPERATOR, level=level, subject=subject, reason="soak"),
            f"release{self._count}",
        )

    def _stranger(self) -> None:
        """The venue may be dead or frozen; what it did stands in its own book."""
        symbol = self._random.choice(list(LISTINGS))
        name = self._random.choice(LISTINGS[symbol])
        quantity, price = self._random.randint(1, 9), self._random.randint(98, 102)
        with contextlib.suppress(OSError, ValueError, ControlRefused):
            port = self._site.controls[name]
            with ExchangeControl(port, timeout_s=_CONTROL_LIMIT_S) as venue:
                venue.unknown_fill(
                    symbol,
                    self._random.choice("12"),
                    Decimal(quantity),
                    Decimal(price),
                    session=COMP_ID,
                )

    def _hand_over(self, command: Command, key: str) -> int:
        """Its number in the inbox; 0 where the soak ended before it was there."""
        while not self._stopped.is_set():
            with contextlib.suppress(SQLAlchemyError):
                number = send(self._engine, command, key=key, scope=self._today)
                self._numbers.append(number)
                return number
            self._stopped.wait(_TRY_EVERY_S)
        return 0

    def _number_of(self, client: str, key: str) -> int:
        """In the inbox, of what the API has answered; 0 where it is not there."""
        column = command_inbox.c
        query = select(column.id).where(column.counterparty == client, column.key == key)
        while not self._stopped.is_set():
            with contextlib.suppress(SQLAlchemyError), self._engine.begin() as connection:
                return int(connection.execute(query).scalar_one_or_none() or 0)
            self._stopped.wait(_TRY_EVERY_S)
        return 0

    def _answered(self, number: int) -> bool:
        with contextlib.suppress(SQLAlchemyError):
            return answer_of(self._engine, number) is not None
        return False
