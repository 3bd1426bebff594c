#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz/run.sh SECONDS JOBS TARGET...: runs each libFuzzer program for so long, JOBS at a time, and
# reports in TAP. Inputs that reach something new are left in fuzz/found/NAME of the build folder,
# and what crashed in fuzz/crashes/NAME. Called by "make fuzz" in the build folder.
set -u
srcdir=${srcdir:-.}

# run_one SECONDS TARGET: its line of TAP without the number, and what a crash said, to a file.
run_one()
{
    seconds=$1
    target=$2
    name=${target##*/fuzz_}
    crashes=fuzz/crashes/$name
    found=fuzz/found/$name
    mkdir -p "$crashes" "$found"
    # An input may take long on the wall while the machine is given to others.
    set -- -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$crashes/"
    [ ! -f "$srcdir/fuzz/$name.dict" ] || set -- "$@" -dict="$srcdir/fuzz/$name.dict"
    set -- "$@" "$found"
    [ ! -d "$srcdir/fuzz/corpus/$name" ] || set -- "$@" "$srcdir/fuzz/corpus/$name"
    verdict=ok
    "$target" "$@" >"$crashes/log" 2>&1 </dev/null || verdict="not ok"
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$crashes/log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$crashes/log" | tail -n 1)
    {
        echo "$verdict - $name: ${runs:-no} executions in $seconds s, ${covered:-no} edges"
        [ "$verdict" = ok ] || tail -n 40 "$crashes/log" | sed 's/^/# /'
    } >"$crashes/verdict"
}

if [ "$1" = --one ]; then
    run_one "$2" "$3"
    exit
fi
seconds=$1
jobs=$2
shift 2
echo "1..$#"
printf '%s\n' "$@" | xargs -P "$jobs" -I '{}' sh "$0" --one "$seconds" '{}'
number=0
failed=0
for target in "$@"; do
    number=$((number + 1))
    verdict=fuzz/crashes/${target##*/fuzz_}/verdict
    sed "1s/ - / $number - /" "$verdict"
    head -n 1 "$verdict" | grep -q '^ok' || failed=1
done
exit $failed
