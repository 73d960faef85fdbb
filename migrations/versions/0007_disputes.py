"""Trades that a client does not accept; reports of unknown trades that a venue was told of."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = """
ALTER TABLE orphans ADD COLUMN declined boolean NOT NULL DEFAULT false;
CREATE TABLE disputes (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    client text NOT NULL,
    order_id text NOT NULL,
    child_id text NOT NULL,
    venue text NOT NULL,
    exec_id text NOT NULL,
    report_id text NOT NULL,
    dk_reason text NOT NULL,
    text text NOT NULL DEFAULT '',
    resolved_at timestamptz,
    resolved_by text NOT NULL DEFAULT '',
    resolution text NOT NULL DEFAULT ''
);
COMMENT ON TABLE disputes IS 'executions that a client does not accept (DontKnowTrade)';
COMMENT ON COLUMN disputes.order_id IS 'the client order';
COMMENT ON COLUMN disputes.report_id IS 'ExecID of our report of it';
COMMENT ON COLUMN disputes.resolved_by IS 'empty where the venue settled it';
CREATE INDEX disputes_venue_idx ON disputes (venue, at);
GRANT SELECT, INSERT, UPDATE, DELETE ON disputes TO plumbline_app;
GRANT SELECT ON disputes TO plumbline_read;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENTS.replace("%", "%%"))
