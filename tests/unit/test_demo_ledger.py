"""The books of the demo's FIX clients: each report once, marked repeats known, odd ones named."""

from oms.demo.ledger import Ledger, OrderSeen

Fields = dict[int, str]


def ledger_with_order() -> Ledger:
    ledger = Ledger("ALPHA")
    order = OrderSeen(
        cl_ord_id="F1",
        client="ALPHA",
        account="ALPHA-1",
        symbol="AAPL",
        side="1",
        order_qty="100",
        price="10",
    )
    ledger.sent_order(order, 1)
    return ledger


def report(exec_id: str, exec_type: str, status: str, **more: str) -> Fields:
    names = {"name": 11, "cum": 14, "qty": 32, "px": 31, "ref": 19, "dup": 43, "resend": 97}
    fields = {11: "F1", 17: exec_id, 37: "O1", 150: exec_type, 39: status}
    return fields | {names[key]: value for key, value in more.items()}


def test_state_trades_and_requests_follow_the_reports() -> None:
    ledger = ledger_with_order()
    order = ledger.orders["F1"]
    assert ledger.unanswered == ["F1"]
    ledger.report(report("E1", "0", "0"), 5)
    ledger.report(report("E2", "F", "1", cum="40", qty="40", px="9.5"), 6)
    assert (order.order_id, order.ord_status, order.cum_qty) == ("O1", "1", "40")
    assert (ledger.unanswered, ledger.answered, ledger.requests["F1"].answered_ns) == ([], 1, 5)
    assert (ledger.trades["E2"].last_qty, ledger.faults) == ("40", [])


def test_a_marked_repeat_is_counted_and_changes_nothing() -> None:
    ledger = ledger_with_order()
    trade = report("E2", "F", "1", cum="40", qty="40", px="9.5")
    ledger.report(trade, 5)
    assert ledger.report(trade | {97: "Y"}, 6) is None
    assert ledger.report(trade | {43: "Y"}, 7) is None
    assert (ledger.repeats, len(ledger.trades), ledger.faults) == (2, 1, [])


def test_an_unmarked_repeat_is_a_fault() -> None:
    ledger = ledger_with_order()
    ledger.report(report("E1", "0", "0"), 5)
    ledger.report(report("E1", "0", "0"), 6)
    [fault] = ledger.faults
    assert "E1 of F1 came twice, without PossDupFlag or PossResend" in fault


def test_a_repeat_with_other_content_is_a_fault_even_if_marked() -> None:
    ledger = ledger_with_order()
    ledger.report(report("E2", "F", "1", cum="40", qty="40", px="9.5"), 5)
    ledger.report(report("E2", "F", "1", cum="50", qty="50", px="9.5", resend="Y"), 6)
    [fault] = ledger.faults
    assert "E2 came again with other content" in fault


def test_busts_and_corrections_chain_to_the_first_report() -> None:
    ledger = ledger_with_order()
    ledger.report(report("E2", "F", "1", cum="40", qty="40", px="9.5"), 5)
    ledger.report(report("E3", "G", "1", cum="40", qty="40", px="9.6", ref="E2"), 6)
    ledger.report(report("E4", "H", "0", cum="0", ref="E3"), 7)
    trade = ledger.trades["E2"]
    assert (trade.last_px, trade.busted, len(ledger.trades)) == ("9.6", True, 1)
    ledger.report(report("E5", "H", "0", cum="0", ref="E9"), 8)
    [fault] = ledger.faults
    assert "refers to ExecID E9, which never came" in fault


def test_a_repeated_cancel_reject_does_not_bring_an_old_status_back() -> None:
    ledger = ledger_with_order()
    order = ledger.orders["F1"]
    ledger.report(report("E1", "0", "2"), 5)
    ledger.sent_change("F", "F1-F1", order, 6)
    reject = {11: "F1-F1", 37: "O1", 39: "2", 102: "0"}
    ledger.cancel_reject(reject, 7)
    ledger.report(report("E2", "4", "4"), 8)
    ledger.cancel_reject(reject | {97: "Y"}, 9)
    assert (order.ord_status, ledger.repeats, ledger.unsettled) == ("4", 1, [])


def test_reports_for_what_was_never_sent_are_faults() -> None:
    ledger = ledger_with_order()
    ledger.report(report("E1", "0", "0", name="X9"), 5)
    ledger.cancel_reject({11: "X8"}, 6)
    ledger.refused("j", {58: "why"})
    assert len(ledger.faults) == 3
