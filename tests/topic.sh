#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# "chronik topic" beside a broker, and "chronik dump" of what the broker left. TAP.
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
set -u
LC_ALL=C
export LC_ALL
chronik=$(pwd)/chronik
number=0
failed=0

# verdict TRUTH NAME [TEXT]: one line of TAP; TEXT explains a failure.
verdict()
{
    number=$((number + 1))
    if [ "$1" = yes ]; then
        echo "ok $number - $2"
    else
        failed=1
        echo "not ok $number - $2"
        local text=${3-}
        echo "# ${text//$'\n'/$'\n'# }"
    fi
}

# says NAME EXIT_CODE PATTERN COMMAND...: the command exits so, and both its streams together match.
says()
{
    local name=$1 code=$2 pattern=$3 text truth=no
    shift 3
    text=$("$@" 2>&1 </dev/null)
    local found=$?
    # shellcheck disable=SC2053
    [[ $text == $pattern ]] && [ "$found" = "$code" ] && truth=yes
    verdict $truth "$name" "exit code $found: $text"
}

# shellcheck disable=SC2317
topic()
{
    local action=$1
    shift
    "$chronik" topic "$action" --bootstrap-server "127.0.0.1:$port" "$@"
}

scratch=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill -9 $broker; rm -rf "$scratch"' EXIT

"$chronik" broker --set listeners=PLAINTEXT://127.0.0.1:0 --set log.dirs="$scratch/data" \
    >"$scratch/out" 2>"$scratch/err" &
broker=$!
tries=0
until [ -s "$scratch/out" ] || ! kill -0 $broker 2>/dev/null || [ $tries = 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
port=$(sed 's/.*://' "$scratch/out")

says "no topics at first" 0 "TOPIC  PARTITIONS  REPLICAS  ID" topic list
says "create" 0 "orders created: 3 partitions, 1 replica" \
    topic create orders --partitions 3 --config retention.ms=3600000 --config cleanup.policy=compact
says "create two by the broker's defaults" 0 $'a created: 1 partition, 1 replica\nb created: 1*' \
    topic create a b
says "create what exists" 1 "*: create orders: *[(]TOPIC_ALREADY_EXISTS); --if-not-exists passes*" \
    topic create orders
says "create what exists, if it does not" 0 "orders exists" topic create orders --if-not-exists
says "create with a wrong name" 1 "*[(]INVALID_TOPIC_EXCEPTION)*" topic create "a b"
says "create with a wrong value" 1 \
    "*create c: retention.ms: 'x' is not a whole number [(]INVALID_CONFIG)" \
    topic create c --config retention.ms=x
says "create with a misspelt key" 1 "*did you mean retention.ms? [(]INVALID_CONFIG)" \
    topic create c --config retention.m=1
says "create with too many replicas" 1 "*[(]INVALID_REPLICATION_FACTOR); --replication-factor 1 *" \
    topic create c --replication-factor 3
says "list" 0 $'TOPIC   PARTITIONS  REPLICAS  ID\na *1         1  *\nb *\norders *3         1  *' \
    topic list
says "list as JSON" 0 '{"name":"a","id":"??????????????????????","internal":false,"partitions":1*' \
    topic list --json
says "describe" 0 $'orders  id *, 3 partitions, 1 replica\n*  retention.ms=3600000\n*  PARTITION*' \
    topic describe orders
says "describe as JSON" 0 '*"cleanup.policy":"compact"*"leader_epoch":0,"replicas":?1?,*' \
    topic describe orders --json
says "describe all" 0 $'a  id *\nb  id *\norders  id *' topic describe
says "describe a misspelt one" 1 "*there is no such topic; did you mean orders?" \
    topic describe order
says "delete" 0 $'a deleted\nb deleted' topic delete a b
says "delete what is not there" 1 "*: delete a: *[(]UNKNOWN_TOPIC_OR_PARTITION)*" topic delete a
says "delete what is not there, if it is" 0 "a does not exist" topic delete a --if-exists
says "a misspelt action" 2 '*there is no "creat"; did you mean "create"?*' topic creat x
says "an action without its topic" 2 "*create needs the name of a topic*" topic create
says "an option that is another action's" 2 "*--partitions is not for list*" \
    topic list --partitions 3
says "a server that is not there" 1 "*127.0.0.1:1: Connection refused*--bootstrap-server*" \
    "$chronik" topic list --bootstrap-server 127.0.0.1:1
says "the second server" 0 "TOPIC *" \
    "$chronik" topic list --bootstrap-server "127.0.0.1:1,localhost:$port"
says "output that goes nowhere" 1 "*cannot write to standard output*" \
    sh -c "'$chronik' topic list --bootstrap-server 127.0.0.1:$port >/dev/full"

kill -TERM $broker
wait $broker
broker=

metadata=$scratch/data/__cluster_metadata-0/00000000000000000000.log
says "dump of all that the broker left" 0 "*batch offset 0 *identity cluster_id *" \
    "$chronik" dump "$scratch/data"
says "dump decodes metadata" 0 \
    '*type "topic_record" value {"name":"orders",*type "config_record" value {*"remove_topic*' \
    "$chronik" dump --records "$metadata"
says "dump without a file" 2 "*name a file of a data folder*" "$chronik" dump
size=$(wc -c <"$metadata")
printf '\125' | dd of="$metadata" bs=1 seek=$((size - 1)) conv=notrunc status=none
says "dump of a damaged file" 1 "*chronik dump: $metadata: position * is damaged: its checksum*" \
    "$chronik" dump "$scratch/data"

echo "1..$number"
exit $failed
