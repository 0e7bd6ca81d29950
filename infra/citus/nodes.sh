#!/bin/sh
# nodes.sh COORDINATOR WORKER...: tells the coordinator its own address and those of its workers; safe to run again.
set -eu
PGPASSWORD=$(cat /run/secrets/postgres_password)
export PGPASSWORD
coordinator=$1
shift
tell() {
    psql --set=ON_ERROR_STOP=1 --host="$coordinator" --username=postgres --dbname=tripdeck --set=node="$1" --quiet --no-psqlrc
}
echo "select citus_set_coordinator_host(:'node', 5432);" | tell "$coordinator"
for worker in "$@"; do
    echo "select citus_add_node(:'node', 5432);" | tell "$worker"
done
