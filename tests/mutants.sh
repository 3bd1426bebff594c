#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The planted bugs of tests/mutants can still be planted, and doc/MUTANTS.md has a row for each of
# them and for nothing else. TAP.
set -u
srcdir=${srcdir:-.}
page=$srcdir/doc/MUTANTS.md
number=0
failed=0
command -v patch >/dev/null || {
    echo "1..0 # SKIP it needs patch"
    exit 0
}

# verdict COMPLAINTS NAME MEND: one line of TAP.
verdict()
{
    number=$((number + 1))
    if [ -z "$1" ]; then
        echo "ok $number - $2"
    else
        failed=1
        echo "not ok $number - $2"
        echo "$1" | sed 's/^/# /'
        echo "# $3"
    fi
}

not_applied=
not_told=
for patch in "$srcdir"/tests/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    tells=$(sed -n '1s/^Tells: \(.*[^.]\)\.*$/\1/p' "$patch")
    patch -d "$srcdir" -p1 --dry-run --force --silent --read-only=ignore <"$patch" \
        >/dev/null 2>&1 || not_applied="$not_applied$name.patch
"
    if [ -z "$tells" ] || ! grep -qF "| $name | $tells |" "$page"; then
        not_told="$not_told$name
"
    fi
done
not_there=$(sed -n '/^<!-- table: begin/,/^<!-- table: end/s/^| \([a-z][^ ]*\) .*/\1/p' "$page" |
    while read -r name; do
        [ -e "$srcdir/tests/mutants/$name.patch" ] || echo "$name"
    done)

verdict "$not_applied" "every mutant can be planted" "make its patch anew"
verdict "$not_told" "every mutant has its row in doc/MUTANTS.md" \
    "make check-mutants update-mutant-docs"
verdict "$not_there" "every row of doc/MUTANTS.md has its mutant" \
    "make check-mutants update-mutant-docs"
echo "1..$number"
exit $failed
