#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The simulator's command line: its help, its mistakes. TAP.
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
set -u
LC_ALL=C
export LC_ALL
here=$(pwd)
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

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
chronik=$here/chronik

says "help" 0 "  schema " "$chronik" sim help
says "help for a command" 0 "usage: chronik sim schema" "$chronik" sim help schema
says "no command" 2 "usage: chronik sim COMMAND" "$chronik" sim
says "an unknown command" 2 'did you mean "schema"?' "$chronik" sim shema
says "schema" 0 'json-schema.org/draft/2020-12/schema"' "$chronik" sim schema
says "schema takes nothing" 2 'Try "chronik sim help schema"' "$chronik" sim schema x

# ---- run ----

cat >quiet.json <<'END'
{
    "tells": "Records come and go.",
    "load_ms": 100,
    "topics": [{"name": "orders", "partitions": 2}],
    "clients": [{"kind": "producer"}, {"kind": "consumer"}],
    "expect": {"acked_records": 1, "consumed_records": 1}
}
END
sed 's/"acked_records": 1,/"acked_records": 1000000000,/' quiet.json >lazy.json
sed 's/"load_ms": 100/"load_ms": 100000000/' quiet.json >endless.json
sed 's/"partitions"/"partition"/' quiet.json >typo.json

# run ARGUMENT...: called by says().
# shellcheck disable=SC2317
run()
{
    "$chronik" sim run "$@" --jobs 2
}

says "a run passes" 0 "1 of 1 runs of 1 scenario: 1 passed" run quiet.json
says "a seed" 0 "3 of 3 runs of 1 scenario: 3 passed" run quiet.json --seeds 5-7
says "steps are told" 0 "M steps a second and core" run quiet.json --seed 5
says "zeros are printed" 0 "fault_crash                           0  processes killed" \
    run quiet.json
says "judges are told" 0 "Judges, and how often each had something to judge" run quiet.json
says "all is required" 5 "never: fault_crash (processes killed)" run quiet.json --require-all
says "liveness" 3 "and the scenario expects 1000000000" run lazy.json
says "the command that shows it again" 3 "again   chronik sim run lazy.json --seed 9" \
    run lazy.json --seed 9
says "a typo" 2 \
    'typo.json:4:35: there is no word "partition" in a topic; did you mean "partitions"?' \
    run typo.json
says "one of several" 2 'typo.json:4:35: there is no word' run .
says "no file" 2 "nowhere.json: No such file or directory" run nowhere.json
says "no argument" 2 "needs a file or a folder" "$chronik" sim run
says "two arguments" 2 "takes one file or folder" run quiet.json lazy.json
says "no seed" 2 "--seed needs a number, not x" run quiet.json --seed x
says "no seeds" 2 "--seeds needs two numbers as in 1-100, not 5-4" run quiet.json --seeds 5-4
says "seed and seeds" 2 "takes --seed or --seeds, not both" run quiet.json --seed 1 --seeds 1-2
says "each of nothing" 2 "--each needs --seeds" run quiet.json --each
says "no jobs" 2 "--jobs needs a number from 1 to 256" "$chronik" sim run quiet.json --jobs 0
says "too many runs" 2 "these are more than 100000000 runs" run quiet.json --seeds 1-100000001

says "one run is traced" 0 "1 passed" run quiet.json --trace one.db
says "its story" 0 "phase end" "$chronik" sim show one.db
says "a failure is traced" 3 "trace   ./chronik-lazy-3.db" run lazy.json --seed 3
says "its story" 0 "and the scenario expects 1000000000" "$chronik" sim show chronik-lazy-3.db
mkdir kept
says "into a folder" 3 "trace   kept/chronik-lazy-3.db" run lazy.json --seed 3 --traces kept
rm chronik-*.db kept/*.db
says "ten are traced" 3 "12 liveness" run lazy.json --seeds 1-12 --traces kept
[ "$(find kept -name '*.db' | wc -l)" = 10 ] && truth=yes || truth=no
verdict "$truth" "and no more" "$(ls kept)"
says "none is" 3 "12 liveness" run lazy.json --seeds 1-12 --no-traces
[ "$(find . -maxdepth 1 -name 'chronik-*.db' | wc -l)" = 0 ] && truth=yes || truth=no
verdict "$truth" "when nobody wants them" "$(ls)"
says "one trace for two runs" 2 "--trace needs one scenario and one seed" \
    run quiet.json --seeds 1-2 --trace two.db
says "a trace that cannot be written" 2 "cannot write nowhere/one.db" \
    run quiet.json --trace nowhere/one.db

# digests ARGUMENT...: seed and digest of each run, in order.
digests()
{
    "$chronik" sim run --json "$@" |
        sed -n 's/^{"scenario".*"seed": \([0-9]*\),.*"digest": "\([0-9a-f]*\)".*/\1 \2/p' | sort -n
}
one=$(digests quiet.json --seeds 1-6 --jobs 1)
two=$(digests quiet.json --seeds 1-6 --jobs 3)
[ "$one" = "$two" ] && truth=yes || truth=no
verdict "$truth" "the same seeds give the same runs" "$one, $two"
[ "$(echo "$one" | cut -d' ' -f2 | sort -u | wc -l)" = 6 ] && truth=yes || truth=no
verdict "$truth" "other seeds give other runs" "$one"
truth=no
python3 - "$chronik" >said 2>&1 <<'END' && truth=yes
import json, subprocess, sys
out = subprocess.run([sys.argv[1], "sim", "run", "lazy.json", "--json", "--seeds", "1-2"],
                     stdout=subprocess.PIPE)
lines = [json.loads(line) for line in out.stdout.splitlines()]
assert out.returncode == 3 and len(lines) == 3, lines
for run in lines[:2]:
    assert run["scenario"] == "lazy.json" and run["outcome"] == "liveness", run
    assert run["steps"] > 100 and run["violation"]["judge"] == "expected", run
    assert run["tallies"]["acked_records"] > 0 and run["judges"]["expected"] > 0, run
summary = lines[2]["summary"]
assert summary["runs"] == summary["liveness"] == 2 and summary["passed"] == 0, summary
assert summary["steps"] == lines[0]["steps"] + lines[1]["steps"], summary
END
verdict $truth "JSON has what there is to know" "$(cat said)"

# worker PARENT [FORMER]: the process that carries out the campaign's run, another one than FORMER.
worker()
{
    local child="" tries=0
    while { [ -z "$child" ] || [ "$child" = "${2-}" ]; } && [ $tries -lt 100 ]; do
        sleep 0.1
        read -r child _ <"/proc/$1/task/$1/children"
        tries=$((tries + 1))
    done
    echo "$child"
}

# appears FILE: waits for it.
appears()
{
    local tries=0
    while [ ! -e "$1" ] && [ $tries -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# after SIGNAL WHOM NAME EXIT_CODE PART ARGUMENT...: a campaign that would not end, whose process
# (parent), worker (child), or worker and the one that follows it (both) get a signal; of these the
# last once it writes a trace, if it does.
after()
{
    local signal=$1 whom=$2 name=$3 code=$4 part=$5
    shift 5
    "$chronik" sim run endless.json --jobs 1 "$@" >said 2>&1 &
    local parent=$! child
    child=$(worker $parent)
    [ -n "$child" ] || kill -s KILL $parent # which would go on for ever
    [ "${1-}" != --trace ] || appears "$2-tail"
    case $whom in
    parent) kill -s "$signal" $parent ;;
    child | both) kill -s "$signal" "$child" ;;
    esac
    if [ "$whom" = both ]; then
        child=$(worker $parent "$child")
        appears chronik-endless-1.db-tail
        kill -s "$signal" "$child"
    fi
    wait $parent
    local found=$? truth=no
    case $(cat said) in
    *"$part"*) [ $found = "$code" ] && truth=yes ;;
    esac
    verdict $truth "$name" "exit code $found: $(cat said)"
}
after INT parent "Ctrl-C ends it" 130 "0 of 1 runs of 1 scenario: 0 passed"
after SEGV child "a crash is told" 4 "endless, seed 1: crash" --no-traces
after KILL child "a crash shows how to see it again" 4 \
    "again   chronik sim run endless.json --seed 1" --no-traces
after ABRT child "a run that is traced leaves its trace" 4 "trace   crash.db" --trace crash.db
after KILL both "a run that crashes is traced" 4 "trace   ./chronik-endless-1.db"
# ends_with_crash FILE TEXT: so does its story.
ends_with_crash()
{
    local last truth=no
    last=$("$chronik" sim show "$1" | tail -n 1)
    case $last in
    *" ! "*"crash $2"*) truth=yes ;;
    esac
    verdict $truth "the story of $1 ends with the crash" "$last"
}
says "why it crashed" 0 "action crash ended by signal 6 (Aborted)" "$chronik" sim why crash.db
says "why nothing" 2 "no judge objected in this run, nor did it crash" "$chronik" sim why one.db
ends_with_crash crash.db "ended by signal 6 (Aborted)"
ends_with_crash chronik-endless-1.db "ended by signal 9 (Killed)"

# The program is looked for beside chronik, then in PATH.
cp "$chronik" alone
says "no simulator" 1 "It is built where the libraries jansson and sqlite3 are." \
    env PATH=/nowhere "$scratch/alone" sim help
says "the simulator of PATH" 0 "usage: chronik sim" env PATH="$here" "$scratch/alone" sim help

echo "1..$number"
exit $failed
