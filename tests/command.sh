#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program as an operator meets it: its help, its mistakes, its completion, and a broker's life
# from the ready line to the exit code. TAP.
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
set -u
LC_ALL=C
export LC_ALL
here=$(pwd)
chronik=$here/chronik
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

# says NAME EXIT_CODE PART COMMAND...: the command exits so, and says PART on either stream.
says()
{
    local name=$1 code=$2 part=$3 text truth=no
    shift 3
    text=$("$@" 2>&1 </dev/null)
    local found=$?
    case $text in
    *"$part"*) [ "$found" = "$code" ] && truth=yes ;;
    esac
    verdict $truth "$name" "exit code $found: $text"
}

# simulator_says NAME EXIT_CODE PART ARGUMENT...: the same of "chronik sim", where it was built.
simulator_says()
{
    if [ -x "$here/chronik-sim" ]; then
        says "$1" "$2" "$3" "$chronik" sim "${@:4}"
    else
        number=$((number + 1))
        echo "ok $number - $1 # SKIP chronik-sim was not built"
    fi
}

# broker_start ARGUMENT...: a broker on any free port with data in $scratch/data; waits for it.
broker_start()
{
    rm -f "$scratch/out"
    "$chronik" broker --set listeners=PLAINTEXT://127.0.0.1:0 --set log.dirs="$scratch/data" "$@" \
        >"$scratch/out" 2>"$scratch/err" &
    broker=$!
    local tries=0
    until [ -s "$scratch/out" ] || ! kill -0 $broker 2>/dev/null || [ $tries = 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# broker_end: waits for the broker and leaves its exit code in $code.
broker_end()
{
    wait $broker
    code=$?
    broker=
}

# completes WORDS EXPECTED: what the completion proposes for the last of the words.
completes()
{
    local found truth=no
    found=$(
        cd "$scratch" || exit 1
        # shellcheck disable=SC1091
        . "$here/contrib/installed/chronik"
        read -r -a COMP_WORDS <<<"$1"
        case $1 in *' ') COMP_WORDS+=("") ;; esac
        # shellcheck disable=SC2034
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _chronik "$chronik" "${COMP_WORDS[COMP_CWORD]}"
        echo "${COMPREPLY[*]}"
    )
    [ "$found" = "$2" ] && truth=yes
    verdict $truth "completion of \"$1\"" "wanted: $2; found: $found"
}

scratch=$(mktemp -d)
broker=
trap 'rm -rf "$scratch"; [ -z "$broker" ] || kill -9 $broker' EXIT

says "help lists the commands" 0 "broker      run a broker" "$chronik" help
says "--help does so too" 0 "Commands:" "$chronik" --help
says "no command at all is a mistake" 2 "usage: chronik COMMAND" "$chronik"
says "--version" 0 "chronik " "$chronik" --version
says "help of a command" 0 "usage: chronik broker" "$chronik" help broker
says "a command's --help" 0 "Examples:" "$chronik" broker --help
says "help of no command" 2 'no command "borker"; did you mean "broker"?' "$chronik" help borker
says "a misspelt command" 2 'no command "brokr"; did you mean "broker"?' "$chronik" brokr
says "a command that resembles none" 2 'Try "chronik help".' "$chronik" xyz
says "a misspelt option" 2 "no option --sett; did you mean --set?" "$chronik" broker --sett a=b
says "an option without its value" 2 "--set needs KEY=VALUE" "$chronik" broker --set
says "two files" 2 "more than one file: b" "$chronik" broker a b
says "a file that is missing" 1 "$scratch/none: error: No such file" \
    "$chronik" broker "$scratch/none"
says "a misspelt key" 1 "log.dirs" "$chronik" broker --set log.drs=x
printf 'node.id=1\nnum.partitions=many\n' >"$scratch/wrong"
says "a wrong value has its line" 1 "$scratch/wrong:2: error:" "$chronik" broker "$scratch/wrong"
says "a node of a cluster that is not formatted" 1 "run chronik format" \
    "$chronik" broker --set controller.quorum.voters=1@a:9093,2@b:9093 \
    --set controller.listener.names=C --set listeners=PLAINTEXT://:9092,C://:9093 \
    --set log.dirs="$scratch/cluster"
printf 'node.id=3\nlog.dirs=%s/one,%s/two\n' "$scratch" "$scratch" >"$scratch/format"
id=$("$chronik" random-uuid)
truth=no
[[ $id =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{21}$ ]] && [ "$id" != "$("$chronik" random-uuid)" ] &&
    truth=yes
verdict $truth "a random id" "$id"
says "random-uuid takes nothing" 2 "nothing to be told: x" "$chronik" random-uuid x
says "format without a cluster" 2 "--cluster-id is missing" "$chronik" format "$scratch/format"
says "format for a cluster with blanks" 2 "without blanks" \
    "$chronik" format --cluster-id "a b" "$scratch/format"
says "format with a wrong setting" 1 "$scratch/wrong:2: error:" \
    "$chronik" format --cluster-id "$id" "$scratch/wrong"
says "format" 0 "$scratch/two formatted: cluster.id=$id node.id=3" \
    "$chronik" format --cluster-id "$id" "$scratch/format"
truth=no
[ "$(sed 's/^directory.id=.*/directory/' "$scratch/one/meta.properties")" = "cluster.id=$id
directory
node.id=3
version=1" ] && truth=yes
verdict $truth "what it wrote" "$(cat "$scratch/one/meta.properties")"
says "format again" 1 "the folder is formatted already" \
    "$chronik" format --cluster-id "$id" "$scratch/format"
rm "$scratch/two/meta.properties"
says "format what is left" 0 "$scratch/one was formatted already" \
    "$chronik" format --ignore-formatted --cluster-id "$id" "$scratch/format"
says "format for another cluster" 1 "it belongs to another cluster" \
    "$chronik" format --ignore-formatted --cluster-id "other" "$scratch/format"
says "format for another node" 1 "another node.id" \
    "$chronik" format --ignore-formatted --cluster-id "$id" --node-id 4 "$scratch/format"
says "format a folder with files" 1 "not empty" \
    "$chronik" format --cluster-id "$id" --set log.dirs="$scratch"
says "output that goes nowhere" 1 "cannot write to standard output" \
    sh -c "'$chronik' help >/dev/full"
says "bench without an arm" 2 "say what to do: produce, fetch or tail" "$chronik" bench
says "a misspelt arm" 2 'no "produse"; did you mean "produce"?' "$chronik" bench produse
says "two arms" 2 "produce takes no more words: fetch" "$chronik" bench produce fetch
says "a misspelt option of bench" 2 "no option --conections; did you mean --connections?" \
    "$chronik" bench produce --conections 3
says "no number" 2 "--depth many is not a number from 1 to 1024" \
    "$chronik" bench produce --depth many
says "too much of something" 2 "--connections 10001 is not a number from 1 to 10000" \
    "$chronik" bench produce --connections 10001
says "an option of another arm" 2 "--acks is not for fetch" "$chronik" bench fetch --acks all
says "acks that have no replies" 2 "0 has no replies to count" "$chronik" bench produce --acks 0
says "a topic of no form" 2 "--create 3 is not of the form" "$chronik" bench produce --create 3
says "a record that is larger than its batch" 2 "has no room for --record-bytes 200" \
    "$chronik" bench produce --batch-bytes 100 --record-bytes 200
says "a tail without room for its time" 2 "at least 16 bytes" \
    "$chronik" bench tail --record-bytes 15
says "a tail beyond the memory" 2 "do not fit into memory" \
    "$chronik" bench tail --connections 1000 --depth 1000
says "a broker's process that is not there" 1 "--pid 4194304: No such process" \
    "$chronik" bench produce --pid 4194304
says "a broker to bench that is not there" 1 "127.0.0.1:1: Connection refused" \
    "$chronik" bench produce --bootstrap-server 127.0.0.1:1

broker_start
truth=no
grep -qxE 'chronik ready: PLAINTEXT://127\.0\.0\.1:[1-9][0-9]*' "$scratch/out" && truth=yes
verdict $truth "the ready line" "$(cat "$scratch/out" "$scratch/err")"
port=$(sed 's/.*://' "$scratch/out")
truth=no
(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && truth=yes
verdict $truth "its port accepts connections"
says "a second broker on the same data" 1 "$scratch/data is in use by another broker" \
    "$chronik" broker --set listeners=PLAINTEXT://127.0.0.1:0 --set log.dirs="$scratch/data"
says "a second broker on the same port" 1 "Address already in use" \
    "$chronik" broker --set listeners=PLAINTEXT://127.0.0.1:"$port" --set log.dirs="$scratch/other"
kill -TERM $broker
broker_end
truth=no
[ $code = 0 ] && truth=yes
verdict $truth "SIGTERM ends it in order" "exit code $code: $(cat "$scratch/err")"

broker_start --set chronik.log.level=error
kill -INT $broker
broker_end
truth=no
[ $code = 0 ] && [ ! -s "$scratch/err" ] && truth=yes
verdict $truth "a second start, and SIGINT; nothing worth an error" \
    "exit code $code: $(cat "$scratch/err")"

broker_start --set chronik.record.file="$scratch/record"
kill -KILL $broker
broker_end 2>/dev/null
simulator_says "the record of kill -9 is replayed" 0 "the same: " replay "$scratch/record"
broker_start --set chronik.record.file="$scratch/record"
kill -TERM $broker
broker_end
simulator_says "a record is replayed to its end" 0 "; the broker stopped" replay "$scratch/record"
simulator_says "the record before it was kept" 0 "; the record breaks off" \
    replay "$scratch/record.old"
simulator_says "its trace is written" 0 "the same: " \
    replay --trace "$scratch/run.db" "$scratch/record"
simulator_says "its trace tells the story" 0 "stopped ended in order" show "$scratch/run.db"
says "a record that cannot be made" 1 "chronik.record.file=$scratch/none/record: No such file" \
    "$chronik" broker --set listeners=PLAINTEXT://127.0.0.1:0 --set log.dirs="$scratch/data" \
    --set chronik.record.file="$scratch/none/record"
simulator_says "what is no record" 2 "it is not a flight record" replay "$scratch/wrong"
simulator_says "no file to replay" 2 "name a flight record" replay
simulator_says "help of the simulator" 0 "usage: chronik sim COMMAND" help
simulator_says "a misspelt command of it" 2 'did you mean "replay"?' repaly
mkdir "$scratch/alone"
cp "$chronik" "$scratch/alone/chronik"
says "a simulator that is not there" 1 "cannot run chronik-sim: No such file" \
    env PATH="$scratch/alone" "$scratch/alone/chronik" sim help

broker_start
truth=no
[ -s "$scratch/out" ] && truth=yes
verdict $truth "a start after kill -9" "$(cat "$scratch/err")"
kill -TERM $broker
broker_end

touch "$scratch/server.properties"
completes "chronik br" "broker"
completes "chronik help br" "broker"
completes "chronik rand" "random-uuid"
completes "chronik clu" "cluster"
completes "chronik cluster --pe" "--peers-port"
completes "chronik cluster s" "status"
completes "chronik bench t" "tail"
completes "chronik bench produce --re" "--record-bytes"
completes "chronik topic de" "describe delete"
completes "chronik format --c" "--cluster-id"
completes "chronik broker --s" "--set"
completes "chronik broker --set log.roll" "log.roll.ms= log.roll.hours="
completes "chronik broker serv" "server.properties"
if [ -x "$here/chronik-sim" ]; then
    completes "chronik sim sh" "show shrink"
    completes "chronik sim help repl" "replay"
    completes "chronik sim run --see" "--seed --seeds"
    completes "chronik sim shrink --out serv" "server.properties"
fi

echo "1..$number"
exit $failed
