#!/bin/sh
# store.sh: SeaweedFS, an S3 server, in one process. ORIGINS: the pages that may send file parts, as a JSON list.
set -eu
make_key() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}
# The ports of its parts, which are not published, would serve every file to whoever reaches them; only the S3 gateway, which
# shares the process and so these keys, gets past them.
WEED_JWT_SIGNING_KEY=$(make_key)
WEED_JWT_SIGNING_READ_KEY=$(make_key)
WEED_JWT_FILER_SIGNING_KEY=$(make_key)
WEED_JWT_FILER_SIGNING_READ_KEY=$(make_key)
export WEED_JWT_SIGNING_KEY WEED_JWT_SIGNING_READ_KEY WEED_JWT_FILER_SIGNING_KEY WEED_JWT_FILER_SIGNING_READ_KEY
# Near this limit it would collect garbage all the time; see infra/embedded/seaweed.py.
export GOMEMLIMIT="${GOMEMLIMIT:-400MiB}"
mkdir -p /tmp/logs
exec weed -logdir=/tmp/logs mini -dir=/data -ip=127.0.0.1 -ip.bind=0.0.0.0 \
    -s3.port="${PORT:-9000}" -s3.config=/run/secrets/store_identities -s3.iam=false \
    -s3.allowedOrigins="$(printf %s "${ORIGINS:-*}" | tr -d '[]" ')" \
    -s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false -master.telemetry=false -volume.preStopSeconds=0
