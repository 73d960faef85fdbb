-- The passwords of the roles that roles.sql makes, from the container's secrets. Run behind it.

\set ON_ERROR_STOP on
\set owner `cat /run/secrets/owner_password`
\set app `cat /run/secrets/app_password`
\set read `cat /run/secrets/read_password`

ALTER ROLE plumbline PASSWORD :'owner';
ALTER ROLE plumbline_app PASSWORD :'app';
ALTER ROLE plumbline_read PASSWORD :'read';
