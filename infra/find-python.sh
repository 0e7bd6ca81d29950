#!/bin/sh
# Prints a Python >= 3.11 that has the venv module, or says in one line what to install.
for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        found=$name
        if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$name"
            exit 0
        fi
    fi
done
if [ -n "${found:-}" ]; then
    version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "tripdeck: $found has no venv module; install it first (Debian, Ubuntu: apt install python$version-venv)." >&2
else
    echo "tripdeck: Python 3.11 or newer is needed and was not found; install it first." >&2
fi
exit 1
