-- Roles and database for a PostgreSQL server of your own, 14 or newer; the embedded one makes the same by itself.
--
--     psql --username=postgres --file=docker/roles.sql postgres
--
-- Run it as a superuser, as often as you like. The roles get no password here; give each one (in psql: \password
-- plumbline), or certificates, as your server asks for.
--
--   plumbline       owns the schema; migrations run as this role, nothing else does
--   plumbline_app   the server's role: may add to the journal, never change or remove what is in it
--   plumbline_read  reports and people: may only read
--
-- What each role may do with which table is granted by the migrations.

\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I LOGIN', name)
  FROM unnest(ARRAY['plumbline', 'plumbline_app', 'plumbline_read']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE plumbline_read SET default_transaction_read_only = on;
GRANT plumbline_app, plumbline_read TO plumbline;

SELECT 'CREATE DATABASE plumbline OWNER plumbline TEMPLATE template0 ENCODING ''UTF8'''
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'plumbline')
\gexec

\connect plumbline

ALTER SCHEMA public OWNER TO plumbline;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO plumbline_app, plumbline_read;
