"""Orphans wait for a decision; a trade may be renamed when a second session tells it."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = """
ALTER TABLE orphans ADD COLUMN kind text NOT NULL DEFAULT 'UNKNOWN',
    ADD COLUMN order_id text NOT NULL DEFAULT '',
    ADD COLUMN is_open boolean NOT NULL DEFAULT false,
    ADD COLUMN settlement text NOT NULL DEFAULT '',
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text NOT NULL DEFAULT '',
    ADD COLUMN settled_text text NOT NULL DEFAULT '';
UPDATE orphans SET is_open = true WHERE exec_type IN ('F', 'G') AND NOT declined;
ALTER TABLE executions ADD COLUMN told_by text NOT NULL DEFAULT '';
COMMENT ON COLUMN executions.told_by
    IS 'the drop copy that alone told it; empty where the order session did';
CREATE INDEX orphans_open_idx ON orphans (seq) WHERE is_open;
COMMENT ON COLUMN orphans.kind
    IS 'SAME_TRADE: it may be a trade that is booked under another ExecID';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENTS)
