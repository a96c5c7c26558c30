-- The roles and the database of Drumbeat. Run it with psql as an administrator, as often as you
-- like; PostgreSQL 16 or later:
--
--   DRUMBEAT_OWNER_PASSWORD=... DRUMBEAT_APP_PASSWORD=... psql -f roles.sql postgres
--
-- (or -v owner_password=... -v app_password=...; -v database=... for another name than drumbeat).
-- Without a password the role keeps the one it has; a new one then has none and can only log in
-- where the server asks for none, as the local one does on its private socket.
--
--   drumbeat_owner   owns the database, runs the migrations; row level security can bind it
--   drumbeat_app     the application: owns nothing, sees only the company it has named
--   drumbeat_lookup  owns the few functions that look across companies; nobody can log in as it

\set ON_ERROR_STOP on
SET client_min_messages = warning;
\getenv owner_password DRUMBEAT_OWNER_PASSWORD
\getenv app_password DRUMBEAT_APP_PASSWORD
\if :{?database}
\else
  \set database drumbeat
\endif

SELECT format('CREATE ROLE %I %s NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', name, login)
FROM (VALUES ('drumbeat_owner', 'LOGIN'), ('drumbeat_app', 'LOGIN'), ('drumbeat_lookup', 'NOLOGIN'))
  AS wanted (name, login)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

-- A role that was here before may be mightier than it should: row level security would not hold.
SELECT format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS', rolname)
FROM pg_roles
WHERE rolname IN ('drumbeat_owner', 'drumbeat_app', 'drumbeat_lookup')
  AND (rolsuper OR rolbypassrls)
\gexec

\if :{?owner_password}
  ALTER ROLE drumbeat_owner PASSWORD :'owner_password';
\endif
\if :{?app_password}
  ALTER ROLE drumbeat_app PASSWORD :'app_password';
\endif

ALTER ROLE drumbeat_app SET statement_timeout = '30s';
ALTER ROLE drumbeat_app SET lock_timeout = '10s';
ALTER ROLE drumbeat_app SET idle_in_transaction_session_timeout = '30s';

-- So that migrations can hand functions over to it, and replace them after SET ROLE. It inherits
-- nothing: what look-ups may read is no reason for the owner to see every company's rows.
GRANT drumbeat_lookup TO drumbeat_owner WITH INHERIT FALSE, SET TRUE;

-- An administrator without superuser must be able to act for the owner to make it one.
SELECT 'GRANT drumbeat_owner TO CURRENT_USER WITH SET TRUE'
FROM pg_roles WHERE rolname = current_user AND NOT rolsuper
\gexec

SELECT format('CREATE DATABASE %I OWNER drumbeat_owner', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec
ALTER DATABASE :"database" OWNER TO drumbeat_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO drumbeat_app; -- COPY goes through TEMP tables

\connect :"database"
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO drumbeat_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO drumbeat_app;
GRANT USAGE, CREATE ON SCHEMA public TO drumbeat_lookup;
