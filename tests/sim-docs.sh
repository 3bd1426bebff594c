#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What doc/ says of scenarios is made of the table of words and of the scenarios themselves. TAP.
set -u
srcdir=${srcdir:-.}

echo "1..2"
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
exit $failed
