"""Lists of orders (baskets), and the orders of each."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = """
CREATE TABLE order_lists (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    client text NOT NULL,
    list_id text NOT NULL,
    session text NOT NULL DEFAULT '',
    trade_date date,
    tot_no_orders integer NOT NULL,
    waits boolean NOT NULL DEFAULT false,
    begun_at timestamptz,
    canceled_at timestamptz,
    done_at timestamptz
);
COMMENT ON TABLE order_lists IS 'lists of orders that were taken (NewOrderList)';
CREATE INDEX order_lists_client_list_id_idx ON order_lists (client, list_id, seq);
CREATE TABLE list_orders (
    list_seq bigint NOT NULL,
    list_seq_no integer NOT NULL,
    cl_ord_id text NOT NULL,
    account text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    order_qty numeric NOT NULL,
    order_id text,
    seq bigint NOT NULL,
    PRIMARY KEY (list_seq, list_seq_no)
);
COMMENT ON TABLE list_orders IS 'what the orders of a list asked for, and which orders they became';
COMMENT ON COLUMN list_orders.seq IS 'journal number of the fragment, or list, in which it came';
CREATE INDEX list_orders_order_id_idx ON list_orders (order_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON order_lists, list_orders TO plumbline_app;
GRANT SELECT ON order_lists, list_orders TO plumbline_read;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENTS)
