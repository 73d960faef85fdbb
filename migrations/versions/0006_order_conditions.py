"""What orders ask for beyond side, quantity, type, price and time in force."""

from alembic import op

revision = "0006"
down_revision = "0005"

CONDITIONS = """
CREATE TABLE order_conditions (
    order_id text PRIMARY KEY,
    stop_px numeric,
    triggered_at timestamptz,
    expire_time timestamptz,
    expire_date date,
    min_qty numeric,
    max_floor numeric,
    exec_inst text NOT NULL DEFAULT '',
    cash_order_qty numeric,
    cash_px numeric,
    cash_px_source text NOT NULL DEFAULT '',
    peg_offset numeric,
    last_seq bigint NOT NULL
);
COMMENT ON TABLE order_conditions
    IS 'of client orders and child orders; a plain order has no row';
GRANT SELECT, INSERT, UPDATE, DELETE ON order_conditions TO plumbline_app;
GRANT SELECT ON order_conditions TO plumbline_read;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(CONDITIONS)
