"""Roles, the journal and what guards it."""

from alembic import op

revision = "0001"
down_revision = None

ROLES = """
DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['plumbline_app', 'plumbline_read'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % is missing: have a superuser run docker/roles.sql', wanted;
            END;
        END IF;
    END LOOP;
END $$;
"""

# No CHECK here nor in other tables of the hot path: each statement would parse it again.
# Rows stay whole in their page up to 8 kB, uncompressed: compressing costs more than it saves here.
JOURNAL = """
CREATE TABLE journal (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    kind char(1) NOT NULL,
    type text NOT NULL,
    order_id text,
    session text,
    epoch integer,
    msg_seq_num bigint,
    leader_epoch bigint NOT NULL,
    payload bytea NOT NULL,
    hash bytea NOT NULL
) WITH (toast_tuple_target = 8160);
ALTER TABLE journal ALTER COLUMN payload SET STORAGE EXTERNAL;
COMMENT ON TABLE journal IS 'append-only and hash-chained; a command''s events follow it';
CREATE INDEX journal_order_id_idx ON journal (order_id, seq) WHERE order_id IS NOT NULL;
CREATE INDEX journal_at_idx ON journal USING brin (at);

CREATE VIEW journal_json AS
SELECT seq, at, kind, type, order_id, session, epoch, msg_seq_num, leader_epoch,
       convert_from(payload, 'UTF8')::jsonb AS payload, hash
FROM journal;
"""

# Grants stop the application's role; the trigger stops the owner and a superuser's slip too.
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE journal ENABLE ALWAYS TRIGGER journal_append_only;
"""

# Called by every append: an error here takes the whole append back.
LEADERSHIP = """
CREATE TABLE leadership (
    shard text PRIMARY KEY,
    epoch bigint NOT NULL,
    holder text NOT NULL,
    since timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE FUNCTION require_leadership(wanted_shard text, wanted_epoch bigint) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM leadership WHERE shard = wanted_shard AND epoch = wanted_epoch) THEN
        RAISE EXCEPTION 'epoch % of shard % is over', wanted_epoch, wanted_shard
            USING ERRCODE = 'PL001';
    END IF;
END $$;
"""

GRANTS = """
GRANT SELECT, INSERT ON journal TO plumbline_app;
GRANT SELECT, INSERT, UPDATE ON leadership TO plumbline_app;
GRANT SELECT ON journal_json TO plumbline_app;
GRANT SELECT ON journal, journal_json, leadership TO plumbline_read;
"""


def upgrade() -> None:
    for statements in (ROLES, JOURNAL, APPEND_ONLY, LEADERSHIP, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
