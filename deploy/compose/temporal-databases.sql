-- The login and the two databases of the Temporal server. It is kept apart from ours: neither of
-- the two logins can connect to the other's database.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
\getenv password TEMPORAL_DATABASE_PASSWORD

SELECT 'CREATE ROLE temporal LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'temporal')
\gexec
ALTER ROLE temporal PASSWORD :'password';

SELECT format('CREATE DATABASE %I OWNER temporal', name)
FROM (VALUES ('temporal'), ('temporal_visibility')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec
REVOKE ALL ON DATABASE temporal FROM PUBLIC;
REVOKE ALL ON DATABASE temporal_visibility FROM PUBLIC;
