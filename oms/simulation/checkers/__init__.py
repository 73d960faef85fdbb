"""Checkers: each file states one invariant in its first line, and raises where it is broken."""

from collections.abc import Callable
from types import ModuleType

from oms.simulation.checkers import (
    book_keeps_its_laws,
    effects_after_commit,
    executions_count_once,
    inbox_is_answered_once,
    journal_folds_the_same,
    journal_is_whole,
    kill_switch_holds,
    limits_hold,
    lost_sight_is_doubt,
    messages_are_taken_once,
    no_order_is_doubled,
    old_orders_are_refused,
    only_facts_are_seen,
    outbound_numbers_rise,
    positions_are_the_fold,
    quantities_add_up,
    reports_arrive,
    requests_are_answered_once,
    strangers_are_accounted_for,
    tables_are_the_fold,
    unknown_needs_a_fact,
    views_agree,
)
from oms.simulation.watching import Watcher
from oms.simulation.world import World

MODULES: tuple[ModuleType, ...] = (
    journal_is_whole,
    effects_after_commit,
    only_facts_are_seen,
    outbound_numbers_rise,
    messages_are_taken_once,
    inbox_is_answered_once,
    journal_folds_the_same,
    book_keeps_its_laws,
    positions_are_the_fold,
    kill_switch_holds,
    limits_hold,
    old_orders_are_refused,
    unknown_needs_a_fact,
    lost_sight_is_doubt,
    quantities_add_up,
    no_order_is_doubled,
    executions_count_once,
    views_agree,
    reports_arrive,
    requests_are_answered_once,
    strangers_are_accounted_for,
    tables_are_the_fold,
)

WATCHERS: tuple[Callable[[World], Watcher], ...] = tuple(one.Checker for one in MODULES)
