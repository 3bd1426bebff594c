#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz/run.sh SECONDS TARGET...: runs each libFuzzer program for so long and reports in TAP. Inputs
# that reach something new are left in fuzz/found/NAME of the build folder, and what crashed in
# fuzz/crashes/NAME. Called by "make fuzz" in the build folder.
set -u
seconds=$1
shift
srcdir=${srcdir:-.}
echo "1..$#"
number=0
failed=0
for target in "$@"; do
    number=$((number + 1))
    name=${target##*/fuzz_}
    corpus=$srcdir/fuzz/corpus/$name
    dictionary=$srcdir/fuzz/$name.dict
    crashes=fuzz/crashes/$name
    found=fuzz/found/$name
    mkdir -p "$crashes" "$found"
    set -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$crashes/"
    [ -f "$dictionary" ] && set -- "$@" -dict="$dictionary"
    set -- "$@" "$found"
    [ -d "$corpus" ] && set -- "$@" "$corpus"
    verdict=ok
    "$target" "$@" >"$crashes/log" 2>&1 || verdict="not ok" failed=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$crashes/log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$crashes/log" | tail -n 1)
    echo "$verdict $number - $name: ${runs:-no} executions in $seconds s, ${covered:-no} edges"
    [ "$verdict" = ok ] || tail -n 40 "$crashes/log" | sed 's/^/# /'
done
exit $failed
