#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A slice of the scenarios: each but soaks with one seed ("make check-sim" has all, and more). TAP.
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
set -u
LC_ALL=C
export LC_ALL
srcdir=${srcdir:-.}
number=0
failed=0

while IFS= read -r scenario; do
    ! grep -q '"soak": true' "$scenario" || continue
    number=$((number + 1))
    name=$(basename "$scenario" .json)
    if said=$(timeout 120 ./chronik-sim run "$scenario" --seed 1 --no-traces 2>&1); then
        echo "ok $number - $name"
    else
        failed=1
        echo "not ok $number - $name"
        head -n 20 <<<"$said" | sed 's/^/# /'
    fi
done < <(find "$srcdir/scenarios" -name '*.json' | sort)
echo "1..$number"
exit $failed
