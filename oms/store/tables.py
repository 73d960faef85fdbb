"""Table definitions: the journal, the inbox of commands, and what runs around them.

The read tables, which follow from the journal, are defined in `read_tables` and offered here too.
Definitions serve queries; the schema is made by `migrations/`, and a test compares the two.
FIX enumerations are stored as their wire values.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB

from oms.store.columns import metadata, moment, words
from oms.store.list_tables import list_orders, order_lists
from oms.store.read_tables import (
    child_orders,
    corporate_actions,
    disconnect_cancels,
    discrepancies,
    disputes,
    executions,
    kill_switches,
    order_cl_ord_ids,
    order_conditions,
    orders,
    orphans,
    positions,
    refusals,
    risk_limits,
    sent_notes,
    sent_orders,
    sessions,
)

__all__ = [
    "child_orders",
    "command_inbox",
    "corporate_actions",
    "disconnect_cancels",
    "discrepancies",
    "disputes",
    "executions",
    "job_runs",
    "journal",
    "kill_switches",
    "leadership",
    "list_orders",
    "metadata",
    "order_cl_ord_ids",
    "order_conditions",
    "order_lists",
    "orders",
    "orphans",
    "positions",
    "recon_breaks",
    "recon_runs",
    "refusals",
    "risk_limits",
    "sent_notes",
    "sent_orders",
    "sessions",
    "trading_calendar",
]

# Append-only. A command's events follow it directly; seq has no gaps across both. hash covers the
# hash before it, seq, at, kind, type and payload; the other columns repeat what the payload says.
journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    moment("at"),
    Column("kind", CHAR(1), nullable=False, comment="C command, E event"),
    Column("type", Text, nullable=False),
    Column("order_id", Text, comment="of a command: the first order that its events name"),
    Column("session", Text),
    Column("epoch", Integer),
    Column("msg_seq_num", BigInteger),
    Column("leader_epoch", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="JSON, UTF-8; as jsonb in journal_json"),
    Column("hash", LargeBinary, nullable=False),
)
Index(
    "journal_order_id_idx",
    journal.c.order_id,
    journal.c.seq,
    postgresql_where=journal.c.order_id.isnot(None),
)
Index("journal_at_idx", journal.c.at, postgresql_using="brin")

# Commands that came by the API. NOTIFY command_inbox on insert, command_answers (the id) when done.
command_inbox = Table(
    "command_inbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("counterparty", Text, nullable=False),
    words("scope"),
    Column("key", Text, nullable=False, comment="idempotency key: the ClOrdID or one made for it"),
    Column("command_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="the command, as the journal encodes it"),
    Column(
        "body_hash", LargeBinary, nullable=False, comment="tells the same key with another body"
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("state", Text, nullable=False, server_default=text("'new'"), comment="new or done"),
    Column("first_seq", BigInteger, comment="journal number of the command"),
    Column("accepted", Boolean),
    words("reason"),
    words("order_id"),
    words("answer_text"),
    moment("answered_at", nullable=True),
)
Index(
    "command_inbox_key_idx",
    command_inbox.c.counterparty,
    command_inbox.c.key,
    command_inbox.c.scope,
    unique=True,
)
Index("command_inbox_new_idx", command_inbox.c.id, postgresql_where=command_inbox.c.state == "new")

leadership = Table(
    "leadership",
    metadata,
    Column("shard", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False, comment="raised by every new leader"),
    Column("holder", Text, nullable=False),
    moment("since"),
)

recon_runs = Table(
    "recon_runs",
    metadata,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("trade_date", Date, nullable=False),
    Column("venue", Text, nullable=False),
    moment("started_at"),
    moment("finished_at", nullable=True),
    Column("state", Text, nullable=False, comment="running, done or failed"),
    words("source"),
    words("source_sha256"),
    Column("orders_checked", Integer, nullable=False, server_default=text("0")),
    Column("trades_checked", Integer, nullable=False, server_default=text("0")),
    Column("breaks", Integer, nullable=False, server_default=text("0")),
    words("error"),
    Column(
        "journal_seq", BigInteger, nullable=False, comment="the journal's tip that was compared"
    ),
)
Index("recon_runs_trade_date_venue_idx", recon_runs.c.trade_date, recon_runs.c.venue)

recon_breaks = Table(
    "recon_breaks",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("venue", Text, nullable=False),
    Column("kind", Text, nullable=False),
    words("order_id"),
    words("cl_ord_id"),
    words("exec_id"),
    words("field"),
    words("ours"),
    words("theirs"),
    Column("evidence", JSONB, nullable=False, server_default=text("'{}'")),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("business_date", Date, primary_key=True),
    Column("state", Text, nullable=False, comment="running, done or failed"),
    moment("started_at"),
    moment("finished_at", nullable=True),
    words("holder"),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    words("error"),
)

trading_calendar = Table(
    "trading_calendar",
    metadata,
    Column("venue", Text, primary_key=True),
    Column("session_date", Date, primary_key=True),
    moment("opens_at"),
    moment("closes_at"),
)
