#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A hundred lives of brokers, recorded while clients are at work and then replayed: the tests of
# clients, again and again. TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
WANTED=100
number=0
failed=0
replayed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# verdict STATUS NAME: one line of TAP.
verdict()
{
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        failed=1
        echo "not ok $number - $2"
    fi
}

# again TIMES SCRIPT [VARIABLE=VALUE]...: the test passes so often, and its records replay.
again()
{
    times=$1
    script=$2
    shift 2
    while [ "$times" -gt 0 ]; do
        env "$@" sh "$here/$script" >"$output" 2>&1
        status=$?
        [ $status -eq 0 ] || sed 's/^/# /' "$output"
        count=$(awk '/^# replayed [0-9]+ record/ { n += $3 } END { print n + 0 }' "$output")
        replayed=$((replayed + count))
        verdict $status "$script: $count records"
        times=$((times - 1))
    done
}

if [ ! -x chronik-sim ]; then
    echo "1..0 # SKIP chronik-sim was not built"
    exit 0
fi
again 10 clients.sh
again 1 crash.sh CHRONIK_E2E_CYCLES=19
again 25 rdkafka.sh
again 15 bytes.sh
again 6 order.sh
again 4 hostile.sh
[ "$replayed" -ge $WANTED ]
verdict $? "$replayed records were replayed"
echo "1..$number"
exit $failed
