"""What waits for clients that are not configured is counted, by session."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = """
ALTER TABLE sessions
    ADD COLUMN undelivered bigint NOT NULL DEFAULT 0,
    ADD COLUMN undelivered_from bigint NOT NULL DEFAULT 0,
    ADD COLUMN undelivered_since timestamptz;
COMMENT ON COLUMN sessions.undelivered
    IS 'messages that wait for a client that is not configured';
COMMENT ON COLUMN sessions.undelivered_from
    IS 'the event of the first of them, 0 for none';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENTS)
