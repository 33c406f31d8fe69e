#!/bin/sh
# Makes the secrets of a new installation in deploy/secrets and says where they are in .env. Overwrites nothing.
#
# Containers run as different users, and Compose mounts a secret with the mode that it has here: so the files can be
# read by all, and the folder around them by its owner alone.
set -eu

cd "$(dirname "$0")/.."
folder=deploy/secrets

make() { # NAME: writes standard input to a new file; a secret that is there already stays as it is
    if [ -e "$folder/$1" ]; then
        echo "kept  $folder/$1"
        cat >/dev/null
        return
    fi
    cat >"$folder/.$1"
    chmod 0444 "$folder/.$1"
    mv "$folder/.$1" "$folder/$1"
    echo "made  $folder/$1"
}

umask 077
mkdir -p "$folder/tokens"
chmod 0700 "$folder"
chmod 0755 "$folder/tokens"
openssl rand -hex 24 | make postgres_password
openssl rand -hex 24 | make temporal_database_password
openssl rand -hex 24 | make ledgerline_database_password
password=$(cat "$folder/ledgerline_database_password")
printf 'postgresql://ledgerline:%s@postgres:5432/ledgerline\n' "$password" | make ledgerline_database_url
openssl rand -hex 12 | make console_passphrase
printf 'k1 %s\n' "$(openssl rand -base64 32)" | make ledgerline_key

if ! grep -qs '^DEPLOY_SECRETS=' .env; then
    echo 'DEPLOY_SECRETS=./deploy/secrets' >>.env
fi
echo
echo "Copy $folder/ledgerline_key to a safe place now: without it nobody can read what Ledgerline has stored."
echo "Next: put the tokens of your accounts into $folder/tokens and write deploy/ledgerline.yaml."
