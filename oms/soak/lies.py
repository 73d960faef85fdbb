"""Evidence falsified on purpose, after a soak that held: each lie must be found by a checker.

So the last line of a soak says not only that the checkers found nothing, but that they could have.
"""

from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from dataclasses import replace
from decimal import Decimal
from itertools import islice

from fix_sessions.wire import fields_of, first, frame
from oms.domain.commands import Command, NewOrderSingle, Origin
from oms.domain.events import (
    Event,
    KillSwitchEngaged,
    KillSwitchReleased,
    OrderRouted,
    RiskLimitSet,
)
from oms.simulation.watching import Broken
from oms.soak.judge import Judge
from oms.soak.record import Gathered, Row
from oms.soak.site import CLIENTS
from oms.soak.tape import Played
from oms.store.batch import entry_hash
from oms.store.codec import encode

_BEFORE_BODY = frozenset({8, 9, 10})
# What a venue calls an order of nobody's.
_STRANGERS = "NOT-YOURS-"


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
    asked = tape.ledger.asked
    next(one for one in tape.ledger.orders.values() if one.first_id in asked).status = "B"
    return _with(all_, name, tape)


def _second_answer(all_: Gathered) -> Gathered:
    name, tape = _heard(all_)
    asked = next(one for one in tape.ledger.asked.values() if one.times == 1 and one.finals)
    asked.finals.append("8 of nowhere")
    return _with(all_, name, tape)


def _order_twice(all_: Gathered) -> Gathered:
    venue, order = next(
        (venue, one)
        for venue, orders in all_.orders.items()
        for one in orders
        if not one["cl_ord_id"].startswith(_STRANGERS)
    )
    again = {**order, "order_id": "again"}
    return replace(all_, orders={**all_.orders, venue: [*all_.orders[venue], again]})


def _trade_twice(all_: Gathered) -> Gathered:
    return _trade_again(all_, strange=False)


def _lost_stranger(all_: Gathered) -> Gathered:
    return _trade_again(all_, strange=True)


def _trade_again(all_: Gathered, *, strange: bool) -> Gathered:
    """One more trade in a venue's book, beside one of ours or of a stranger."""
    venue, trade = next(
        (venue, one)
        for venue, trades in all_.trades.items()
        for one in trades
        if one["cl_ord_id"].startswith(_STRANGERS) is strange
    )
    again = {**trade, "exec_id": "again"}
    return replace(all_, trades={**all_.trades, venue: [*all_.trades[venue], again]})


def _taken_twice(all_: Gathered) -> Gathered:
    first_one, index = islice(
        (n for n, one in enumerate(all_.entries) if _inbox_id(one.obj)),
        2,
    )
    command = all_.entries[index].obj
    assert isinstance(command, Command)
    origin = replace(command.origin, inbox_id=_inbox_id(all_.entries[first_one].obj))
    return _rewritten(all_, index, replace(command, origin=origin))


def _anothers_answer(all_: Gathered) -> Gathered:
    orders = {
        one.number
        for those in all_.handed.values()
        for one in those
        if isinstance(one.command, NewOrderSingle)
    }
    accepted = [n for n, row in all_.answers.items() if n in orders and row["accepted"]]
    one, other = islice(accepted, 2)
    wrong: Row = {**all_.answers[one], "order_id": all_.answers[other]["order_id"]}
    return replace(all_, answers={**all_.answers, one: wrong})


def _no_answer(all_: Gathered) -> Gathered:
    last = next(those[-1].number for those in all_.handed.values() if those)
    answers = {number: row for number, row in all_.answers.items() if number != last}
    return replace(all_, answers=answers)


def _told_no(all_: Gathered) -> Gathered:
    number = next(number for number, told in all_.told.items() if told.accepted)
    return replace(all_, told={**all_.told, number: replace(all_.told[number], accepted=False)})


def _never_released(all_: Gathered) -> Gathered:
    """Of all releases the one after which most orders went to venues before the next like it."""
    following: dict[int, int] = {}
    last: dict[tuple[str, str], int] = {}
    for n, entry in enumerate(all_.entries):
        event = entry.obj
        if isinstance(event, KillSwitchReleased):
            last[event.level, event.subject] = n
            following[n] = 0
        elif isinstance(event, OrderRouted):
            account = event.terms.account
            client = next((name for name, those in CLIENTS.items() if account in those), "")
            for scope in (("FIRM", "*"), ("SESSION", client), ("ACCOUNT", account)):
                if scope in last:
                    following[last[scope]] += 1
    index = max(following, key=lambda one: following[one])
    released = all_.entries[index].obj
    engaged = next(one.obj for one in all_.entries if isinstance(one.obj, KillSwitchEngaged))
    assert isinstance(released, KillSwitchReleased)
    again = replace(engaged, level=released.level, subject=released.subject)
    return _rewritten(all_, index, again)


def _message_twice(all_: Gathered) -> Gathered:
    first_of: dict[str, Origin] = {}
    for index, entry in enumerate(all_.entries):
        command = entry.obj
        if isinstance(command, Command) and command.origin.msg_seq_num:
            one = first_of.setdefault(command.origin.session, command.origin)
            if one is not command.origin:
                origin = replace(command.origin, epoch=one.epoch, msg_seq_num=one.msg_seq_num)
                return _rewritten(all_, index, replace(command, origin=origin))
    raise StopIteration


def _lower_limit(all_: Gathered) -> Gathered:
    index, limit = next(
        (n, one.obj)
        for n, one in enumerate(all_.entries)
        if isinstance(one.obj, RiskLimitSet) and one.obj.rule == "MAX_ORDER_QTY"
    )
    return _rewritten(all_, index, replace(limit, value=Decimal(1)))


def _other_positions(all_: Gathered) -> Gathered:
    assert all_.recovered is not None
    state = copy(all_.recovered)
    state.positions = {}
    return replace(all_, recovered=state)


def _inbox_id(obj: Command | Event) -> int:
    return obj.origin.inbox_id if isinstance(obj, Command) else 0


def _rewritten(all_: Gathered, index: int, obj: Command | Event) -> Gathered:
    """Another journal: one entry says something else, and the chain is made to hold again."""
    entries = list(all_.entries)
    entries[index] = entries[index]._replace(type=type(obj).__name__, payload=encode(obj), obj=obj)
    before = entries[index - 1].hash
    for n in range(index, len(entries)):
        one = entries[n]
        before = entry_hash(before, one.seq, one.at, one.kind, one.type, one.payload)
        entries[n] = one._replace(hash=before)
    return replace(all_, entries=entries, recovered=None)


Lie = Callable[[Gathered], Gathered]
# Each with the checker that must find it.
LIES: Mapping[str, tuple[str, Lie]] = {
    "an entry is missing in the journal": ("journal_is_whole", _lost_entry),
    "a core that starts finds no positions": ("journal_folds_the_same", _other_positions),
    "a report never reached its client": ("reports_arrive", _lost_report),
    "a client was sent a number twice": ("outbound_numbers_rise", _number_used_again),
    "a client was told what no fact says": ("only_facts_are_seen", _report_of_no_fact),
    "a client sees another status": ("views_agree", _another_status),
    "a request was answered twice": ("requests_are_answered_once", _second_answer),
    "a venue has an order twice": ("no_order_is_doubled", _order_twice),
    "a venue has a trade that we have not": ("executions_count_once", _trade_twice),
    "a stranger traded and we know nothing": ("strangers_are_accounted_for", _lost_stranger),
    "a request of a person was taken twice": ("inbox_is_answered_once", _taken_twice),
    "a person was told of another order": ("inbox_is_answered_once", _anothers_answer),
    "a person was never answered": ("inbox_is_answered_once", _no_answer),
    "a person was told no, and has an order": ("rest_tells_the_truth", _told_no),
    "a message of a counterparty was taken twice": ("messages_are_taken_once", _message_twice),
    "a limit was lower than what was taken on": ("limits_hold", _lower_limit),
    "a kill switch was never released": ("kill_switch_holds", _never_released),
}


def find_all(judge: Judge, gathered: Gathered) -> dict[str, str]:
    """By each lie, the checker that found it. Raises Broken for one that its checker does not find.

    judge: has examined what is gathered, and found nothing.
    """
    found = {}
    for name, (checker, lie) in LIES.items():
        try:
            judge.doubt(lie(gathered))
        except Broken as error:
            if error.checker != checker:
                raise Broken("checkers_can_fail", f"{name}: {error}") from error
            found[name] = error.checker
        except (StopIteration, KeyError, ValueError):
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
