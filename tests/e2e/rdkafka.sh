#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# librdkafka in C (tests/e2e/rdkafka.c) against a broker of its own.
set -u
folder=$(mktemp -d) || exit 1
./chronik broker --set log.dirs="$folder/data" --set listeners=PLAINTEXT://127.0.0.1:0 \
    --set group.initial.rebalance.delay.ms=0 >"$folder/out" 2>"$folder/err" &
broker=$!
tries=0
until [ -s "$folder/out" ] || [ $tries = 600 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
address=$(sed -n 's,.*PLAINTEXT://\([0-9.:]*\).*,\1,p' "$folder/out")
tests/rdkafka "$address" 20000
status=$?
[ $status -eq 0 ] || sed 's/^/# /' "$folder/err"
kill $broker
wait $broker
rm -rf "$folder"
exit $status
