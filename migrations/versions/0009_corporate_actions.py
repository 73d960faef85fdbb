"""Corporate actions: splits that were previewed and applied."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = """
CREATE TABLE corporate_actions (
    action_id text PRIMARY KEY,
    preview bigint NOT NULL,
    previewed_at timestamptz NOT NULL,
    symbol text NOT NULL,
    new_shares integer NOT NULL,
    old_shares integer NOT NULL,
    effective_date date NOT NULL,
    cash_in_lieu_px numeric,
    requested_by text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    applied bigint,
    applied_at timestamptz,
    approved_by text NOT NULL DEFAULT '',
    approval text NOT NULL DEFAULT ''
);
COMMENT ON TABLE corporate_actions IS 'splits, previewed and applied';
COMMENT ON COLUMN corporate_actions.preview IS 'journal number of the latest preview';
COMMENT ON COLUMN corporate_actions.applied IS 'journal number of its taking effect';
GRANT SELECT, INSERT, UPDATE, DELETE ON corporate_actions TO plumbline_app;
GRANT SELECT ON corporate_actions TO plumbline_read;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENTS)
