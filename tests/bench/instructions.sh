#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The gate of instructions without what it counts: tests/bench/instructions.py. TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v python3 >/dev/null || ! command -v git >/dev/null; then
    echo "1..0 # SKIP it needs python3 and git"
    exit 0
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/instructions.py"
