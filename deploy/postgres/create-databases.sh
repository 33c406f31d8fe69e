#!/bin/sh
# Runs once, when PostgreSQL starts with an empty volume: a user and its own databases for Temporal, and for us.
# psql reads the passwords itself: on a command line every process of the container could see them.
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set temporal_password `cat /run/secrets/temporal_database_password`
\set ledgerline_password `cat /run/secrets/ledgerline_database_password`
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE ROLE ledgerline LOGIN PASSWORD :'ledgerline_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE ledgerline OWNER ledgerline;
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, ledgerline FROM PUBLIC;
SQL
