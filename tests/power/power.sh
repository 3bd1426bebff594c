#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs tests/power/NAME.py, NAME being that of this script or of the one that sources it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
CHRONIK=${CHRONIK:-$(pwd)/chronik}
CHRONIK_POWER_CALLS=${CHRONIK_POWER_CALLS:-$(pwd)/tests/calls.so}
export CHRONIK CHRONIK_POWER_CALLS PYTHONDONTWRITEBYTECODE=1
# An instrumented broker takes long to start.
[ "${INSTRUMENTED:-no}" = no ] || export CHRONIK_POWER_IMAGES="${CHRONIK_POWER_IMAGES:-40}"
if python3 -c 'import random; random.randbytes' 2>/dev/null; then
    exec python3 "$here/$(basename "$0" .sh).py" "$@"
fi
echo "1..0 # SKIP it needs Python 3.9"
