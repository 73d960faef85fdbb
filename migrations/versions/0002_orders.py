"""Read tables of orders, executions, positions and messages."""

from alembic import op

revision = "0002"
down_revision = "0001"

_COMMON = """
    session text NOT NULL,
    cl_ord_id text NOT NULL,
    account text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    ord_type text NOT NULL,
    price numeric,
    time_in_force text NOT NULL,
    order_qty numeric NOT NULL,
    cum_qty numeric NOT NULL,
    leaves_qty numeric NOT NULL,
    avg_px numeric NOT NULL,
    ord_status text NOT NULL,
    status text NOT NULL,
    is_open boolean NOT NULL,
    in_doubt boolean NOT NULL DEFAULT false,
    doubt_since timestamptz,
    doubt_reason text NOT NULL DEFAULT '',
    closed_reason text NOT NULL DEFAULT '',
    text text NOT NULL DEFAULT '',
    trade_date date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_seq bigint NOT NULL
"""

# No index holds a column that changes with every fill: most updates stay in their page (HOT), for
# which the fill factor leaves room.
ORDERS = f"""
CREATE TABLE orders (
    order_id text PRIMARY KEY,
    client text NOT NULL,
    {_COMMON}
) WITH (fillfactor = 60);
CREATE INDEX orders_created_at_idx ON orders (created_at, order_id);
CREATE INDEX orders_account_idx ON orders (account, created_at, order_id);
CREATE INDEX orders_cl_ord_id_idx ON orders (client, cl_ord_id);
CREATE INDEX orders_open_idx ON orders (created_at, order_id) WHERE is_open;
CREATE INDEX orders_doubt_idx ON orders (doubt_since) WHERE in_doubt;
COMMENT ON TABLE orders IS 'client orders, refused ones too';

CREATE TABLE child_orders (
    order_id text PRIMARY KEY,
    parent_id text NOT NULL,
    venue text NOT NULL,
    venue_order_id text NOT NULL DEFAULT '',
    {_COMMON}
) WITH (fillfactor = 60);
CREATE INDEX child_orders_parent_id_idx ON child_orders (parent_id);
CREATE INDEX child_orders_venue_idx ON child_orders (venue, trade_date, cl_ord_id);
CREATE INDEX child_orders_open_idx ON child_orders (order_id) WHERE is_open;
CREATE INDEX child_orders_doubt_idx ON child_orders (doubt_since) WHERE in_doubt;
COMMENT ON TABLE child_orders IS 'orders that we sent to venues';

CREATE TABLE order_cl_ord_ids (
    counterparty text,
    cl_ord_id text,
    order_id text,
    seq bigint NOT NULL,
    PRIMARY KEY (counterparty, cl_ord_id, order_id)
);
CREATE INDEX order_cl_ord_ids_order_id_idx ON order_cl_ord_ids (order_id);

CREATE VIEW order_names AS
SELECT client AS counterparty, cl_ord_id, order_id FROM orders
UNION SELECT venue, cl_ord_id, order_id FROM child_orders
UNION SELECT counterparty, cl_ord_id, order_id FROM order_cl_ord_ids;
COMMENT ON VIEW order_names IS 'every ClOrdID that an order has or had';
"""  # noqa: S608 -- no value from outside

EXECUTIONS = """
CREATE TABLE executions (
    venue text,
    exec_id text,
    order_id text,
    parent_id text NOT NULL,
    account text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    last_qty numeric NOT NULL,
    last_px numeric NOT NULL,
    original_qty numeric,
    original_px numeric,
    transact_time timestamptz,
    at timestamptz NOT NULL,
    trade_date date,
    excess boolean NOT NULL,
    late boolean NOT NULL,
    early boolean NOT NULL,
    busted boolean NOT NULL,
    latest_exec_id text NOT NULL,
    changed_at timestamptz,
    seq bigint NOT NULL,
    PRIMARY KEY (venue, exec_id, order_id)
);
CREATE INDEX executions_seq_idx ON executions (seq);
CREATE INDEX executions_parent_id_idx ON executions (parent_id);
CREATE INDEX executions_venue_trade_date_idx ON executions (venue, trade_date);

CREATE TABLE positions (
    account text,
    symbol text,
    quantity numeric NOT NULL,
    avg_px numeric NOT NULL,
    cost numeric NOT NULL,
    realised numeric NOT NULL,
    bought numeric NOT NULL,
    sold numeric NOT NULL,
    bought_value numeric NOT NULL,
    sold_value numeric NOT NULL,
    updated_at timestamptz NOT NULL,
    last_seq bigint NOT NULL,
    PRIMARY KEY (account, symbol)
) WITH (fillfactor = 50);
"""

MESSAGES = """
CREATE TABLE fix_messages (
    session text,
    epoch integer,
    direction text,
    msg_seq_num bigint,
    seq bigint NOT NULL,
    msg_type text NOT NULL,
    order_id text,
    text text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (session, epoch, direction, msg_seq_num)
);
CREATE INDEX fix_messages_order_id_idx ON fix_messages (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE sessions (
    name text PRIMARY KEY,
    epoch integer NOT NULL,
    inbound bigint NOT NULL,
    outbound bigint NOT NULL,
    logged_on boolean NOT NULL DEFAULT false,
    ready boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 20);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, child_orders, order_cl_ord_ids, executions,
    positions, fix_messages, sessions TO plumbline_app;
GRANT SELECT ON order_names TO plumbline_app;
GRANT SELECT ON orders, child_orders, order_cl_ord_ids, executions, positions, fix_messages,
    sessions, order_names TO plumbline_read;
"""


def upgrade() -> None:
    for statements in (ORDERS, EXECUTIONS, MESSAGES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
