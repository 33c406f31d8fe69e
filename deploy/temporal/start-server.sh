#!/bin/sh
# Hands the password over from its file; the image's own start reads it from the environment alone.
set -eu

POSTGRES_PWD=$(cat /run/secrets/temporal_database_password)
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
