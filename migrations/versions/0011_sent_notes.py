r"""FIX messages are read out of the journal, which holds every text: the table becomes a view.

Of what was sent, two small tables say which notes (MessagesSent) hold it: by session and number,
and by order. What came in stands in the journal by itself.

JSON may hold \u0000, which PostgreSQL's text cannot: the views show U+FFFD there.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

DOCUMENTS = r"""
CREATE FUNCTION journal_text(payload bytea) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(told, '\u0000') = 0 THEN told
           ELSE regexp_replace(told, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g') END
    FROM (SELECT convert_from(payload, 'UTF8')) AS document (told)
$$;
COMMENT ON FUNCTION journal_text IS 'a payload as JSON that PostgreSQL can hold';
CREATE OR REPLACE VIEW journal_json AS
SELECT seq, at, kind, type, order_id, session, epoch, msg_seq_num, leader_epoch,
       journal_text(payload)::jsonb AS payload, hash
FROM journal;
"""

NOTES = """
CREATE TABLE sent_notes (
    session text,
    epoch integer,
    last_msg_seq_num bigint,
    seq bigint,
    first_msg_seq_num bigint NOT NULL,
    last_event_seq bigint NOT NULL,
    PRIMARY KEY (session, epoch, last_msg_seq_num, seq)
);
COMMENT ON TABLE sent_notes IS 'which notes of the journal hold what was sent on a session';
CREATE TABLE sent_orders (
    order_id text,
    seq bigint,
    PRIMARY KEY (order_id, seq)
);
COMMENT ON TABLE sent_orders IS 'which notes of the journal hold what was sent about an order';
"""

# However large the journal is.
KNOWN = """
SET LOCAL statement_timeout = 0;
CREATE TEMPORARY TABLE sent_before ON COMMIT DROP AS
SELECT j.seq, m.session, m.epoch, m.msg_seq_num, m.event_seq, m.order_id
FROM journal AS j
CROSS JOIN LATERAL json_to_recordset(journal_text(j.payload)::json -> 'messages') AS m (
    session text, epoch integer, msg_seq_num bigint, event_seq bigint, order_id text)
WHERE j.type = 'MessagesSent';
INSERT INTO sent_notes
SELECT session, epoch, max(msg_seq_num), seq, min(msg_seq_num), max(event_seq)
FROM sent_before GROUP BY session, epoch, seq;
INSERT INTO sent_orders SELECT DISTINCT order_id, seq FROM sent_before WHERE order_id <> '';
"""

MESSAGES = """
DROP TABLE fix_messages;
CREATE VIEW fix_messages AS
SELECT j.session, j.epoch, 'in' AS direction, j.msg_seq_num, j.seq,
       coalesce(substring(m.raw FROM chr(1) || '35=([^' || chr(1) || ']*)'), '') AS msg_type,
       j.order_id, m.raw AS text, j.at, j.at AS noted_at
FROM journal AS j
CROSS JOIN LATERAL (SELECT journal_text(j.payload)::json -> 'origin' ->> 'raw') AS m (raw)
WHERE j.kind = 'C' AND j.msg_seq_num IS NOT NULL AND m.raw <> ''
UNION ALL
SELECT n.session, n.epoch, 'out', m.msg_seq_num, m.event_seq, m.msg_type,
       nullif(m.order_id, ''), m.text,
       coalesce(to_timestamp(nullif(m.at, 0) / 1e6), j.at), j.at
FROM sent_notes AS n
JOIN journal AS j ON j.seq = n.seq
CROSS JOIN LATERAL json_to_recordset(journal_text(j.payload)::json -> 'messages') AS m (
    session text, epoch integer, msg_seq_num bigint, event_seq bigint, msg_type text,
    order_id text, text text, at bigint)
WHERE (m.session, m.epoch) = (n.session, n.epoch);
COMMENT ON VIEW fix_messages IS
    'messages in and out, from the journal; seq: of the command, or of the event that caused it';
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON sent_notes, sent_orders TO plumbline_app;
GRANT SELECT ON sent_notes, sent_orders, fix_messages TO plumbline_read;
GRANT SELECT ON fix_messages TO plumbline_app;
"""


def upgrade() -> None:
    for statements in (DOCUMENTS, NOTES, KNOWN, MESSAGES, GRANTS):
        op.get_bind().exec_driver_sql(statements)
