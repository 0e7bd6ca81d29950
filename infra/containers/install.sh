#!/bin/sh
# Installs Tripdeck's wheel into /opt/tripdeck beside its packages, its files with a whole second as their time.
set -eu
/tools/bin/uv pip install --python /opt/tripdeck --no-deps --no-index /wheel/tripdeck-*.whl
site=$(/opt/tripdeck/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
find "$site/infra" "$site/loader" "$site/shared" "$site/ui" -name '*.py' -exec touch --date=2020-02-02T00:00:00Z {} +
