"""Evidence falsified on purpose, after a soak that held: each lie must be found by a checker.

So the last line of a soak says not only that the checkers found nothing, but that they could have.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace

from fix_sessions.wire import fields_of, first, frame
from oms.simulation.watching import Broken
from oms.soak.judge import Gathered, examine
from oms.soak.tape import Played

_BEFORE_BODY = frozenset({8, 9, 10})


def _lost_entry(all_: Gathered) -> Gathered:
    middle = len(all_.entries) // 2
    return replace(all_, entries=[*all_.entries[:middle], *all_.entries[middle + 1 :]])


def _lost_report(all_: Gathered) -> Gathered:
    name, tape = _heard(all_)
    tape.ledger.reports.popitem()
    return _with(all_, name, tape)


def _number_used_again(all_: Gathered) -> Gathered:
    name, tape = _heard(all_)
    tape.told.append(tape.told[_fresh_report(tape)])
    return _with(all_, name, tape)


def _report_of_no_fact(all_: Gathered) -> Gathered:
    name, tape = _heard(all_)
    index = _fresh_report(tape)
    fields = fields_of(tape.told[index].decode("latin-1"))
    told = [(tag, "99999" if tag == 14 else value) for tag, value in fields]
    body = [one for one in told if one[0] not in _BEFORE_BODY]
    tape.told[index] = frame("FIX.4.4", body)
    return _with(all_, name, tape)


def _another_status(all_: Gathered) -> Gathered:
    name, tape = _heard(all_)
    next(iter(tape.ledger.orders.values())).status = "B"
    return _with(all_, name, tape)


def _second_answer(all_: Gathered) -> Gathered:
    name, tape = _heard(all_)
    asked = next(one for one in tape.ledger.asked.values() if one.times == 1 and one.finals)
    asked.finals.append("8 of nowhere")
    return _with(all_, name, tape)


def _order_twice(all_: Gathered) -> Gathered:
    venue, orders = next((venue, orders) for venue, orders in all_.orders.items() if orders)
    again = {**orders[0], "order_id": "again"}
    return replace(all_, orders={**all_.orders, venue: [*orders, again]})


def _trade_twice(all_: Gathered) -> Gathered:
    venue, trades = next((venue, trades) for venue, trades in all_.trades.items() if trades)
    again = {**trades[0], "exec_id": "again"}
    return replace(all_, trades={**all_.trades, venue: [*trades, again]})


LIES: Mapping[str, Callable[[Gathered], Gathered]] = {
    "an entry is missing in the journal": _lost_entry,
    "a report never reached its client": _lost_report,
    "a client was sent a number twice": _number_used_again,
    "a client was told what no fact says": _report_of_no_fact,
    "a client sees another status": _another_status,
    "a request was answered twice": _second_answer,
    "a venue has an order twice": _order_twice,
    "a venue has a trade that we have not": _trade_twice,
}


def find_all(gathered: Gathered) -> dict[str, str]:
    """By each lie, the checker that found it. Raises Broken for one that nobody finds."""
    found = {}
    for name, lie in LIES.items():
        try:
            examine(lie(gathered), closed=True, scans=1)
        except Broken as error:
            found[name] = error.checker
        except (StopIteration, KeyError):
            raise Broken("checkers_can_fail", f"{name}: there is nothing to falsify") from None
        else:
            raise Broken("checkers_can_fail", f"{name}: no checker finds that")
    return found


def _heard(all_: Gathered) -> tuple[str, Played]:
    """A client that was told something, and its tape to be falsified."""
    name = max(all_.tapes, key=lambda one: len(all_.tapes[one].ledger.reports))
    return name, deepcopy(all_.tapes[name])


def _with(all_: Gathered, name: str, tape: Played) -> Gathered:
    return replace(all_, tapes={**all_.tapes, name: tape})


def _fresh_report(tape: Played) -> int:
    """Which of what it was told is an ExecutionReport that was not sent before."""
    for index, raw in enumerate(tape.told):
        fields = fields_of(raw.decode("latin-1"))
        if first(fields, 35) == "8" and first(fields, 43) != "Y" and first(fields, 150) != "I":
            return index
    raise Broken("checkers_can_fail", "no client was told anything")
