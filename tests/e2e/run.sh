#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs tests/e2e/NAME.py, NAME being that of the script which sources this, with a Python that has
# the clients. Without one the whole test is skipped, which CI does not expect.
set -u
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$0" .sh)
CHRONIK=${CHRONIK:-$(pwd)/chronik}
export CHRONIK PYTHONDONTWRITEBYTECODE=1
if [ -x chronik-sim ]; then
    CHRONIK_SIM=$(pwd)/chronik-sim
    export CHRONIK_SIM
fi
for python in python3 /usr/bin/python3; do
    if "$python" -c 'import confluent_kafka, kafka' 2>/dev/null && command -v kcat >/dev/null; then
        exec "$python" "$here/$name.py"
    fi
done
echo "1..0 # SKIP it needs kcat, python3-kafka and python3-confluent-kafka"
