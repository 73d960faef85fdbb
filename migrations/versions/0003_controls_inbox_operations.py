"""Read tables of limits, switches and refusals; the inbox of commands; runs of jobs."""

from alembic import op

revision = "0003"
down_revision = "0002"

CONTROLS = """
CREATE TABLE risk_limits (
    rule text,
    level text,
    subject text,
    value numeric NOT NULL,
    user_name text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (rule, level, subject)
);
CREATE TABLE kill_switches (
    level text,
    subject text,
    user_name text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (level, subject)
);
COMMENT ON TABLE kill_switches IS 'a row is an engaged switch';
"""

FINDINGS = """
CREATE TABLE orphans (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    venue text NOT NULL,
    session text NOT NULL,
    cl_ord_id text NOT NULL DEFAULT '',
    venue_order_id text NOT NULL DEFAULT '',
    exec_id text NOT NULL DEFAULT '',
    exec_type text NOT NULL,
    ord_status text NOT NULL,
    symbol text NOT NULL DEFAULT '',
    side text NOT NULL,
    last_qty numeric,
    last_px numeric,
    text text NOT NULL DEFAULT '',
    trade_date date
);
COMMENT ON TABLE orphans IS 'venue reports for orders or trades that we do not know';
CREATE TABLE discrepancies (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    order_id text NOT NULL,
    field text NOT NULL,
    ours text NOT NULL DEFAULT '',
    theirs text NOT NULL DEFAULT '',
    trade_date date
);
COMMENT ON TABLE discrepancies IS 'figures of a venue''s reports that differ from ours';
CREATE INDEX discrepancies_order_id_idx ON discrepancies (order_id);
CREATE TABLE refusals (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    type text NOT NULL,
    session text NOT NULL DEFAULT '',
    counterparty text NOT NULL DEFAULT '',
    order_id text NOT NULL DEFAULT '',
    cl_ord_id text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    text text NOT NULL DEFAULT ''
);
COMMENT ON TABLE refusals IS 'requests and messages that were refused';
"""

INBOX = """
CREATE TABLE command_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    counterparty text NOT NULL,
    scope text NOT NULL DEFAULT '',
    key text NOT NULL,
    command_type text NOT NULL,
    body bytea NOT NULL,
    body_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done')),
    first_seq bigint,
    accepted boolean,
    reason text NOT NULL DEFAULT '',
    order_id text NOT NULL DEFAULT '',
    answer_text text NOT NULL DEFAULT '',
    answered_at timestamptz
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX command_inbox_key_idx ON command_inbox (counterparty, key, scope);
CREATE INDEX command_inbox_new_idx ON command_inbox (id) WHERE state = 'new';

CREATE FUNCTION tell_inbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('command_inbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER command_inbox_told AFTER INSERT ON command_inbox
    FOR EACH STATEMENT EXECUTE FUNCTION tell_inbox();

CREATE FUNCTION tell_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('command_answers', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER command_inbox_answered AFTER UPDATE OF state ON command_inbox
    FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION tell_answer();
"""

OPERATIONS = """
CREATE TABLE recon_runs (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trade_date date NOT NULL,
    venue text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    source text NOT NULL DEFAULT '',
    source_sha256 text NOT NULL DEFAULT '',
    orders_checked integer NOT NULL DEFAULT 0,
    trades_checked integer NOT NULL DEFAULT 0,
    breaks integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    journal_seq bigint NOT NULL
);
CREATE INDEX recon_runs_trade_date_venue_idx ON recon_runs (trade_date, venue);
CREATE TABLE recon_breaks (
    run_id bigint,
    n integer,
    venue text NOT NULL,
    kind text NOT NULL,
    order_id text NOT NULL DEFAULT '',
    cl_ord_id text NOT NULL DEFAULT '',
    exec_id text NOT NULL DEFAULT '',
    field text NOT NULL DEFAULT '',
    ours text NOT NULL DEFAULT '',
    theirs text NOT NULL DEFAULT '',
    evidence jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (run_id, n)
);
CREATE TABLE job_runs (
    job text,
    business_date date,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    holder text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 1,
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (job, business_date)
);
CREATE TABLE trading_calendar (
    venue text,
    session_date date,
    opens_at timestamptz NOT NULL,
    closes_at timestamptz NOT NULL,
    PRIMARY KEY (venue, session_date)
);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON risk_limits, kill_switches, orphans, discrepancies,
    refusals, command_inbox, recon_runs, recon_breaks, job_runs, trading_calendar TO plumbline_app;
GRANT SELECT ON risk_limits, kill_switches, orphans, discrepancies, refusals, command_inbox,
    recon_runs, recon_breaks, job_runs, trading_calendar, alembic_version TO plumbline_read;
GRANT SELECT ON alembic_version TO plumbline_app;
"""


def upgrade() -> None:
    for statements in (CONTROLS, FINDINGS, INBOX, OPERATIONS, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
