#!/bin/sh
# pgbouncer.sh FOLDER: fills in pgbouncer.ini, which lies beside this script, writes it to FOLDER and runs PgBouncer with it.
set -eu
folder=$1
sed \
    -e "s|@DATABASE_HOST@|${DATABASE_HOST:-database}|" \
    -e "s|@DATABASE_PORT@|${DATABASE_PORT:-5432}|" \
    -e "s|@DATABASE@|${DATABASE:-tripdeck}|" \
    -e "s|@STATEMENT_TIMEOUT_MS@|${STATEMENT_TIMEOUT_MS:-30000}|" \
    -e "s|@PORT@|${PORT:-6432}|" \
    -e "s|@USERS@|${USERS:-/run/secrets/pgbouncer_users}|" \
    "$(dirname "$0")/pgbouncer.ini" >"$folder/pgbouncer.ini"
exec pgbouncer "$folder/pgbouncer.ini"
