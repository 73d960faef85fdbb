"""How a venue takes trades back and corrects them, and what it leaves to its drop copy to tell."""

import random
from functools import partial
from typing import TYPE_CHECKING

from oms.simulation.agenda import Agenda
from oms.simulation.ledgers import Standing

if TYPE_CHECKING:
    from oms.simulation.venue import SimVenue


class Amends:
    """See the module."""

    def __init__(self, venue: "SimVenue", randomness: random.Random, agenda: Agenda) -> None:
        self._venue = venue
        self._random = randomness
        self._agenda = agenda

    def forgets(self) -> bool:
        """Whether its drop copy alone tells what it is about to tell."""
        venue = self._venue
        able = venue.copy is not None and venue.manners.forget > 0
        return able and self._random.random() < venue.manners.forget

    def of_forgotten(self, order: Standing) -> None:
        """What it did not tell it changes soon, mostly."""
        if self._random.random() < 0.7:
            act = self._random.choice((self.bust, self.correct, self.correct))
            self._soon(partial(act, order), 40)

    def bust(self, order: Standing, exec_id: str = "") -> None:
        """That trade, or any of the order."""
        if exec_id and exec_id not in order.trades:
            return
        if order.trades:
            exec_id = exec_id or self._random.choice(list(order.trades))
            quantity, price = order.trades.pop(exec_id)
            told = {19: exec_id, 32: str(quantity), 31: str(price)}
            self._venue.say(order, "H", told, forgotten=self.forgets())

    def correct(self, order: Standing) -> None:
        """The price of any trade of an open order; who forgets may take it back next."""
        if order.trades and not order.closed:
            exec_id = self._random.choice(list(order.trades))
            quantity, price = order.trades[exec_id]
            price += 1
            order.trades[exec_id] = (quantity, price)
            told = {19: exec_id, 32: str(quantity), 31: str(price)}
            self._venue.say(order, "G", told, forgotten=self.forgets())
            if self._venue.manners.forget and self._random.random() < 0.5:
                self._soon(partial(self.bust, order, exec_id), 10)

    def _soon(self, act: partial[None], most: int) -> None:
        wait_us = self._venue.manners.speed_us * self._random.randrange(1, most)
        self._agenda.after(wait_us, partial(self._do, act))

    def _do(self, act: partial[None]) -> None:
        if act.args[0].symbol not in self._venue.halted:
            act()
        self._venue.flush()
