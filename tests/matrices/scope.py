"""What of the matrices is not executed, and where the server answers otherwise: each with why."""

GOOD_TILL = "two trading dates: played by oms conformance, over the wire"
ONE_REQUEST = "one replace at a time: the next is refused as already pending (D.2.d)"

# Scenario: why none of it runs.
OUT_OF_SCOPE = {
    "D.2.a": ONE_REQUEST,
    "D.2.b": ONE_REQUEST,
    "D.2.c": ONE_REQUEST,
    "E.1.a": "a report on an order that nobody sent: kept as an orphan, see test_core_orders",
    "E.1.f": "no stop orders and no fill at the close; Triggered (L) is not among our ExecTypes",
    "F.1.c": "no orders taken by voice, so none that an electronic one could repeat",
    "H.1.a": GOOD_TILL,
    "H.1.b": GOOD_TILL,
    "H.1.c": GOOD_TILL,
    "H.1.d": GOOD_TILL,
    "J.1.c": GOOD_TILL,
    "L.1.b": "CashOrderQty is not taken: an order without OrderQty is refused",
}

# Facing clients only. Scenario and step: why it is passed over.
CLIENT_ROWS = {
    ("G.1.c", "2"): "New is said at once, so PendingNew is never asked for",
    ("G.1.c", "3"): "as step 2",
}
CLIENT_SCENARIOS = {
    "B.1.d": "New is said at once, so no cancel is pending before it: as B.1.a",
    "C.3.c": "our profile refuses a replace below CumQty (BELOW_CUM_QTY); the matrix allows it",
    "XA.1.c": "New is said at once, so a trade is never the first report",
    "XA.1.d": "as XA.1.c",
    "XI.1.a": "New is said at once; the rest is I.1.a",
    "XI.1.b": "New is said at once, and a fill and the end of the rest are two reports (I.1.b)",
}
# Refusals (alt) at these steps: nobody at a desk refuses a cancel, only venues do.
CLIENT_REFUSALS = {
    ("B.1.a", "4"): "no desk refuses a cancel: it becomes pending and the venue decides",
    ("B.1.b", "5"): "as B.1.a",
    ("B.1.c", "5"): "as B.1.a",
    ("G.1.c", "4"): "New is said at once; the venue's refusal after it is A.1.a, step 3",
    ("C.1.c", "6"): "nothing is at a venue: a replace that re-opens a filled order is granted",
}

# Facing venues only, where we are the initiator.
VENUE_SCENARIOS = {
    "B.1.f": "we cancel nothing that we have not sent",
    "C.1.c": "a filled child is not replaced: the quantity that a replace adds is routed anew",
    "D.2.d": "we never chain a replace to one that is pending",
    "F.1.a": "we never use a ClOrdID twice",
    "F.1.b": "as F.1.a; PossResend after a reconnect is in test_core_orders",
    "G.1.a": "we ask for the status of what we sent, never of what we did not",
    "G.1.b": "asking for a status is what doubt does, see test_core_orders",
    "G.1.c": "as G.1.b",
}
VENUE_ROWS = {
    ("J.1.a", "9"): "as C.1.c: the child is not replaced after it was filled",
    ("J.1.a", "10"): "as step 9",
    ("J.1.a", "11"): "as step 9",
    ("J.1.a", "12"): "as step 9",
}
