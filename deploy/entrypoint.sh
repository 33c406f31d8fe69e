#!/bin/sh
# Puts the installation's key where Ledgerline reads it, then becomes the command.
#
# A mounted secret keeps the mode it has outside; Ledgerline opens a key only if nobody else can read it. And where
# there is no key it would make one, which in a container means: a new one at every start, that opens nothing.
set -eu

secret=${KEY_SECRET:-/run/secrets/ledgerline_key}
folder=${LEDGERLINE_DATA:?set LEDGERLINE_DATA to a folder in memory, such as /run/ledgerline}

if [ ! -s "$secret" ]; then
    echo "the key of this installation is missing: $secret is empty or not there." >&2
    echo "For a new installation run deploy/make-secrets.sh; for an old one restore the key from your backup." >&2
    exit 2
fi
umask 077
cp "$secret" "$folder/ledgerline.key"
chmod 0600 "$folder/ledgerline.key"
exec "$@"
