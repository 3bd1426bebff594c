# shellcheck shell=sh disable=SC2034,SC2086 # $address is for who sources this; a number
# SPDX-License-Identifier: Apache-2.0
# A broker for scripts that source this. With the program chronik-sim there, it keeps a flight
# record, which is replayed when it has ended.

# broker_start: starts it with data in a folder of its own, and leaves its address in $address.
broker_start()
{
    folder=$(mktemp -d) || exit 1
    set --
    [ ! -x chronik-sim ] || set -- --set chronik.record.file="$folder/record"
    "${CHRONIK:-./chronik}" broker --set log.dirs="$folder/data" \
        --set listeners=PLAINTEXT://127.0.0.1:0 \
        --set group.initial.rebalance.delay.ms=0 "$@" >"$folder/ready" 2>"$folder/errors" &
    broker=$!
    tries=0
    while ! grep -q '^chronik ready: ' "$folder/ready"; do
        tries=$((tries + 1))
        if [ $tries -gt 600 ] || ! kill -0 $broker; then
            echo "Bail out! the broker is not ready"
            cat "$folder/errors"
            kill $broker
            exit 1
        fi
        sleep 0.1
    done
    address=$(sed -n 's,^chronik ready: PLAINTEXT://,,p' "$folder/ready")
}

# broker_end STATUS: ends it, and the script: with STATUS, or 1 when the record does not replay.
broker_end()
{
    status=$1
    [ "$status" -eq 0 ] || sed 's/^/# /' "$folder/errors"
    kill $broker
    wait $broker
    if [ ! -x chronik-sim ]; then
        :
    elif ./chronik-sim replay "$folder/record" >"$folder/replayed" 2>&1; then
        sed 's/^/# replayed 1 record: /' "$folder/replayed"
    else
        sed 's/^/# /' "$folder/replayed"
        cp "$folder/record" "chronik-$broker.record"
        echo "# the flight record is kept as chronik-$broker.record"
        status=1
    fi
    rm -rf "$folder"
    exit "$status"
}
