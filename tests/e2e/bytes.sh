#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our broker is asked what "make check-kafka" asks Apache Kafka, a request of every API in every
# version, and answers with the same error codes. TAP, by tests/kafka_bytes.
set -u
folder=$(mktemp -d)
./chronik broker --set log.dirs="$folder/data" --set listeners=PLAINTEXT://127.0.0.1:0 \
    --set group.initial.rebalance.delay.ms=0 >"$folder/ready" 2>"$folder/errors" &
broker=$!
trap 'kill $broker; wait $broker; rm -rf "$folder"' EXIT
tries=0
while ! grep -q '^chronik ready: ' "$folder/ready"; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ] || ! kill -0 $broker; then
        echo "Bail out! the broker is not ready"
        cat "$folder/errors"
        exit 1
    fi
    sleep 0.1
done
port=$(sed -n 's,^chronik ready: PLAINTEXT://127.0.0.1:,,p' "$folder/ready")
tests/kafka_bytes 127.0.0.1 "$port"
code=$?
[ $code = 0 ] || sed 's/^/# /' "$folder/errors"
exit $code
