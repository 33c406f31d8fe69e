#!/bin/sh
# Creates the tables of Temporal, or brings them to the version of these tools. Runs at every start, before the server.
# Source: https://docs.temporal.io/self-hosted-guide/upgrade-server
set -eu

SQL_PASSWORD=$(cat /run/secrets/temporal_database_password)
export SQL_PASSWORD SQL_PLUGIN=postgres12 SQL_HOST=postgres SQL_PORT=5432 SQL_USER=temporal

bring_up() { # DATABASE FOLDER
    # On tables that have a version already, setup-schema changes nothing.
    SQL_DATABASE=$1 temporal-sql-tool setup-schema --version 0.0
    SQL_DATABASE=$1 temporal-sql-tool update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

bring_up temporal temporal
bring_up temporal_visibility visibility
