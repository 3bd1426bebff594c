#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What doc/ says of scenarios is made of the table of words and of the scenarios themselves; what it
# says of invariants names the judges that there are. TAP.
set -u
srcdir=${srcdir:-.}

echo "1..4"
failed=0
# check NUMBER PAGE ARGUMENT...: what simdoc prints is the page.
check()
{
    number=$1 page=$2
    shift 2
    if tools/simdoc "$@" | cmp -s - "$srcdir/$page"; then
        echo "ok $number - $page is up to date"
    else
        echo "not ok $number - $page is up to date"
        echo "# make update-sim-docs"
        failed=1
    fi
}
check 1 doc/SIMULATOR.md words "$srcdir/doc/SIMULATOR.md"
check 2 doc/SCENARIOS.md scenarios "$srcdir/scenarios"

# verdict NUMBER COMPLAINTS NAME
verdict()
{
    if [ -z "$2" ]; then
        echo "ok $1 - $3"
    else
        echo "not ok $1 - $3"
        echo "$2" | sed 's/^/# /'
        failed=1
    fi
}
page=$srcdir/doc/INVARIANTS.md
judges=$(sed -n 's/^    \.name = "\(.*\)",$/\1/p' "$srcdir"/sim/judge_*.c | sort)
rows=$(sed -n 's/^| \([a-z][a-z-]*\) |.*/\1/p' "$page" | sort)
named=$(sed -n 's/^| [0-9][0-9]* |.*| \([^|]*\) |$/\1/p' "$page" | tr -d ' ' | tr ',' '\n')
wrong=$(for name in $named; do
    echo "$judges" | grep -qx -e "$name" || echo "no judge $name"
done)
[ "$judges" = "$rows" ] || wrong="$wrong the rows of judges are not the judges"
verdict 3 "$wrong" "doc/INVARIANTS.md names the judges that there are"
numbers=$(sed -n 's/^| \([0-9][0-9]*\) |.*/\1/p' "$page")
[ "$numbers" = "$(seq 1 31)" ] && missing= || missing="the numbers are not 1 to 31"
missing=$missing$(sed -n 's/^| \([0-9][0-9]*\) |.*| *|$/\1/p' "$page" | grep -vx 23)
verdict 4 "$missing" "doc/INVARIANTS.md has judges for each invariant but that of transactions"
exit $failed
