"""Table definitions: the read tables. Each row follows from the journal and can be made again.

They change in the transaction that appends the events behind the change. `oms audit verify`
recomputes every row. FIX enumerations are stored as their wire values; `status` is for people.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table, Text, text

from oms.store.columns import flag, metadata, moment, number, words


def _order_columns() -> list[Column[Any]]:
    return [
        Column("session", Text, nullable=False, comment="FIX session; empty for REST"),
        Column("cl_ord_id", Text, nullable=False, comment="the current one of its chain"),
        Column("account", Text, nullable=False),
        Column("symbol", Text, nullable=False),
        Column("side", Text, nullable=False),
        Column("ord_type", Text, nullable=False),
        number("price", nullable=True),
        Column("time_in_force", Text, nullable=False),
        number("order_qty"),
        number("cum_qty"),
        number("leaves_qty"),
        number("avg_px"),
        Column("ord_status", Text, nullable=False, comment="OrdStatus (39)"),
        Column("status", Text, nullable=False, comment="OrdStatus by name; UNKNOWN when in doubt"),
        Column("is_open", Boolean, nullable=False),
        flag("in_doubt"),
        moment("doubt_since", nullable=True),
        words("doubt_reason"),
        words("closed_reason"),
        words("text"),
        Column("trade_date", Date),
        moment("created_at"),
        moment("updated_at"),
        Column("last_seq", BigInteger, nullable=False, comment="the last event that touched it"),
    ]


orders = Table(
    "orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("client", Text, nullable=False),
    *_order_columns(),
    comment="client orders, refused ones too",
)
Index("orders_created_at_idx", orders.c.created_at, orders.c.order_id)
Index("orders_account_idx", orders.c.account, orders.c.created_at, orders.c.order_id)
Index("orders_cl_ord_id_idx", orders.c.client, orders.c.cl_ord_id)
Index("orders_open_idx", orders.c.created_at, orders.c.order_id, postgresql_where=orders.c.is_open)
Index("orders_doubt_idx", orders.c.doubt_since, postgresql_where=orders.c.in_doubt)

child_orders = Table(
    "child_orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("parent_id", Text, nullable=False),
    Column("venue", Text, nullable=False),
    words("venue_order_id"),
    *_order_columns(),
    comment="orders that we sent to venues",
)
Index("child_orders_parent_id_idx", child_orders.c.parent_id)
Index(
    "child_orders_venue_idx",
    child_orders.c.venue,
    child_orders.c.trade_date,
    child_orders.c.cl_ord_id,
)
Index(
    "child_orders_doubt_idx", child_orders.c.doubt_since, postgresql_where=child_orders.c.in_doubt
)

# A plain order has no row here, so that it costs nothing.
order_conditions = Table(
    "order_conditions",
    metadata,
    Column("order_id", Text, primary_key=True),
    number("stop_px", nullable=True),
    moment("triggered_at", nullable=True),
    moment("expire_time", nullable=True),
    Column("expire_date", Date),
    number("min_qty", nullable=True),
    number("max_floor", nullable=True),
    words("exec_inst"),
    number("cash_order_qty", nullable=True),
    number("cash_px", nullable=True),
    words("cash_px_source"),
    number("peg_offset", nullable=True),
    Column("last_seq", BigInteger, nullable=False),
    comment="of client orders and child orders; a plain order has no row",
)

# Every ClOrdID of an order for which a cancel or replace was asked. One without requests has only
# its own, in orders or child_orders: the view order_names unites the three.
order_cl_ord_ids = Table(
    "order_cl_ord_ids",
    metadata,
    Column("counterparty", Text, primary_key=True, comment="client, or venue of a child"),
    Column("cl_ord_id", Text, primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
Index("order_cl_ord_ids_order_id_idx", order_cl_ord_ids.c.order_id)

# A venue may give an ExecID again on a later day, to another order.
# last_qty and last_px are what counts now; original_* what the venue said first, if it corrected.
executions = Table(
    "executions",
    metadata,
    Column("venue", Text, primary_key=True),
    Column("exec_id", Text, primary_key=True),
    Column("order_id", Text, primary_key=True, comment="the child order"),
    Column("parent_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    number("last_qty"),
    number("last_px"),
    number("original_qty", nullable=True),
    number("original_px", nullable=True),
    moment("transact_time", nullable=True),
    moment("at"),
    Column("trade_date", Date, comment="the trading date on which it was booked"),
    Column("excess", Boolean, nullable=False, comment="beyond OrderQty"),
    Column("late", Boolean, nullable=False, comment="the order was already closed"),
    Column("early", Boolean, nullable=False, comment="before the acknowledgement"),
    Column("busted", Boolean, nullable=False),
    Column("latest_exec_id", Text, nullable=False, comment="of the last report about this trade"),
    moment("changed_at", nullable=True),
    Column("seq", BigInteger, nullable=False),
    Column(
        "told_by",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="the drop copy that alone told it; empty where the order session did",
    ),
)
Index("executions_seq_idx", executions.c.seq)
Index("executions_parent_id_idx", executions.c.parent_id)
Index("executions_venue_trade_date_idx", executions.c.venue, executions.c.trade_date)

positions = Table(
    "positions",
    metadata,
    Column("account", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    number("quantity"),
    number("avg_px"),
    number("cost"),
    number("realised"),
    number("bought"),
    number("sold"),
    number("bought_value"),
    number("sold_value"),
    moment("updated_at"),
    Column("last_seq", BigInteger, nullable=False),
)

# The texts of what was sent are in the journal, in the notes of it (MessagesSent): here is where.
sent_notes = Table(
    "sent_notes",
    metadata,
    Column("session", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("last_msg_seq_num", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="of the note"),
    Column("first_msg_seq_num", BigInteger, nullable=False),
    Column(
        "last_event_seq",
        BigInteger,
        nullable=False,
        comment="the largest of its messages, 0 where repeated",
    ),
    comment="which notes of the journal hold what was sent on a session",
)

sent_orders = Table(
    "sent_orders",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="of the note"),
    comment="which notes of the journal hold what was sent about an order",
)

sessions = Table(
    "sessions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("inbound", BigInteger, nullable=False, comment="last journaled MsgSeqNum received"),
    Column("outbound", BigInteger, nullable=False, comment="last journaled MsgSeqNum sent"),
    flag("logged_on"),
    flag("ready"),
    moment("updated_at"),
    moment("changed_at", nullable=True),
    Column("waiting", BigInteger, nullable=False, server_default=text("0")),
    moment("waiting_since", nullable=True),
    words("closed_text"),
    words("closed_cause"),
    flag("stopped"),
    words("stopped_by"),
    words("stop_reason"),
    flag("out_of_hours"),
    flag("reset_due"),
    Column("reset_request", BigInteger, comment="the journal number that names it"),
    words("reset_requested_by"),
    words("reset_reason"),
    moment("reset_requested_at", nullable=True),
    words("gap"),
    moment("gap_at", nullable=True),
    moment("cancel_due_at", nullable=True),
    Column(
        "undelivered",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="messages that wait for a client that is not configured",
    ),
    Column(
        "undelivered_from",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="the event of the first of them, 0 for none",
    ),
    moment("undelivered_since", nullable=True),
)

disconnect_cancels = Table(
    "disconnect_cancels",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("order_id", Text, primary_key=True),
    Column("session", Text, nullable=False),
    moment("lost_at"),
    moment("at"),
    flag("asked"),
    comment="open orders of a client whose session was lost; asked: we began their cancel",
)
Index("disconnect_cancels_session_idx", disconnect_cancels.c.session, disconnect_cancels.c.seq)

risk_limits = Table(
    "risk_limits",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("level", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    number("value"),
    words("user_name"),
    words("reason"),
    moment("at"),
    Column("seq", BigInteger, nullable=False),
)

kill_switches = Table(
    "kill_switches",
    metadata,
    Column("level", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    words("user_name"),
    words("reason"),
    moment("at"),
    Column("seq", BigInteger, nullable=False),
    comment="a row is an engaged switch",
)

orphans = Table(
    "orphans",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    moment("at"),
    Column("venue", Text, nullable=False),
    Column("session", Text, nullable=False),
    words("cl_ord_id"),
    words("venue_order_id"),
    words("exec_id"),
    Column("exec_type", Text, nullable=False),
    Column("ord_status", Text, nullable=False),
    words("symbol"),
    Column("side", Text, nullable=False),
    number("last_qty", nullable=True),
    number("last_px", nullable=True),
    words("text"),
    Column("trade_date", Date),
    flag("declined"),
    Column(
        "kind",
        Text,
        nullable=False,
        server_default=text("'UNKNOWN'"),
        comment="SAME_TRADE: it may be a trade that is booked under another ExecID",
    ),
    words("order_id"),
    flag("is_open"),
    words("settlement"),
    moment("settled_at", nullable=True),
    words("settled_by"),
    words("settled_text"),
    comment="venue reports for orders or trades that we do not know",
)
Index("orphans_open_idx", orphans.c.seq, postgresql_where=orphans.c.is_open)

disputes = Table(
    "disputes",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    moment("at"),
    Column("client", Text, nullable=False),
    Column("order_id", Text, nullable=False, comment="the client order"),
    Column("child_id", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("exec_id", Text, nullable=False),
    Column("report_id", Text, nullable=False, comment="ExecID of our report of it"),
    Column("dk_reason", Text, nullable=False),
    words("text"),
    moment("resolved_at", nullable=True),
    Column(
        "resolved_by",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="empty where the venue settled it",
    ),
    words("resolution"),
    comment="executions that a client does not accept (DontKnowTrade)",
)
Index("disputes_venue_idx", disputes.c.venue, disputes.c.at)

corporate_actions = Table(
    "corporate_actions",
    metadata,
    Column("action_id", Text, primary_key=True),
    Column("preview", BigInteger, nullable=False, comment="journal number of the latest preview"),
    moment("previewed_at"),
    Column("symbol", Text, nullable=False),
    Column("new_shares", Integer, nullable=False),
    Column("old_shares", Integer, nullable=False),
    Column("effective_date", Date, nullable=False),
    number("cash_in_lieu_px", nullable=True),
    words("requested_by"),
    words("reason"),
    Column("applied", BigInteger, comment="journal number of its taking effect"),
    moment("applied_at", nullable=True),
    words("approved_by"),
    words("approval"),
    comment="splits, previewed and applied",
)

discrepancies = Table(
    "discrepancies",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    moment("at"),
    Column("order_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    words("ours"),
    words("theirs"),
    Column("trade_date", Date),
    comment="figures of a venue's reports that differ from ours",
)
Index("discrepancies_order_id_idx", discrepancies.c.order_id)

refusals = Table(
    "refusals",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    moment("at"),
    Column("type", Text, nullable=False, comment="the event"),
    words("session"),
    words("counterparty"),
    words("order_id"),
    words("cl_ord_id"),
    words("reason"),
    words("text"),
    comment="requests and messages that were refused",
)
