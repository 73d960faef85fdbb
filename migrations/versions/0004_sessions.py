"""Sessions as operations need them; what cancel-on-disconnect did."""

from alembic import op

revision = "0004"
down_revision = "0003"

SESSIONS = """
ALTER TABLE sessions
    ADD COLUMN changed_at timestamptz,
    ADD COLUMN waiting bigint NOT NULL DEFAULT 0,
    ADD COLUMN waiting_since timestamptz,
    ADD COLUMN closed_text text NOT NULL DEFAULT '',
    ADD COLUMN closed_cause text NOT NULL DEFAULT '',
    ADD COLUMN stopped boolean NOT NULL DEFAULT false,
    ADD COLUMN stopped_by text NOT NULL DEFAULT '',
    ADD COLUMN stop_reason text NOT NULL DEFAULT '',
    ADD COLUMN out_of_hours boolean NOT NULL DEFAULT false,
    ADD COLUMN reset_due boolean NOT NULL DEFAULT false,
    ADD COLUMN reset_request bigint,
    ADD COLUMN reset_requested_by text NOT NULL DEFAULT '',
    ADD COLUMN reset_reason text NOT NULL DEFAULT '',
    ADD COLUMN reset_requested_at timestamptz,
    ADD COLUMN gap text NOT NULL DEFAULT '',
    ADD COLUMN gap_at timestamptz,
    ADD COLUMN cancel_due_at timestamptz;
"""

DISCONNECTS = """
CREATE TABLE disconnect_cancels (
    seq bigint,
    order_id text,
    session text NOT NULL,
    lost_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    asked boolean NOT NULL DEFAULT false,
    PRIMARY KEY (seq, order_id)
);
COMMENT ON TABLE disconnect_cancels
    IS 'open orders of a client whose session was lost; asked: we began their cancel';
CREATE INDEX disconnect_cancels_session_idx ON disconnect_cancels (session, seq);
GRANT SELECT, INSERT, UPDATE, DELETE ON disconnect_cancels TO plumbline_app;
GRANT SELECT ON disconnect_cancels TO plumbline_read;
"""


def upgrade() -> None:
    for statements in (SESSIONS, DISCONNECTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
