#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The lints that need tools of their own: clang-format, clang-tidy, shellcheck. TAP. Called by "make
# lint" in a build folder, which has the generated headers. Arguments name the C files to look at;
# without any, all of them.
set -u
srcdir=${srcdir:-.}
build=$(pwd)
jobs=$(nproc)
number=0
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# judged NAME STATUS: one line of TAP and, after a failure, what the tool said.
judged()
{
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $number - $1"
    else
        failed=1
        echo "not ok $number - $1"
        grep -v "warnings\? generated\.$" "$scratch/said" | sed "s/^/# /"
    fi
}

cd "$srcdir" || exit 1
source=$(pwd)
find core net disk sim cli tests fuzz tools bench -name '*.[ch]' 2>/dev/null | sort >"$scratch/c"
[ $# -eq 0 ] || printf '%s\n' "$@" >"$scratch/c"
grep '\.c$' "$scratch/c" >"$scratch/units"
{
    find tests fuzz tools bench contrib -name '*.sh' 2>/dev/null | sort
    for script in bootstrap quick .ci/run; do
        [ ! -f "$script" ] || echo "$script"
    done
} >"$scratch/scripts"

echo "1..3"
xargs clang-format --dry-run -Werror <"$scratch/c" >"$scratch/said" 2>&1
judged "clang-format" $?

# One file at a time, so that both processors are busy and a verdict names its file.
xargs -P "$jobs" -I '{}' clang-tidy --quiet '{}' -- -std=gnu17 -I"$source" -I"$build" \
    -D_GNU_SOURCE -DHAVE_ISAL="${HAVE_ISAL:-0}" -DCHRONIK_VERSION='"lint"' \
    <"$scratch/units" >"$scratch/said" 2>&1
judged "clang-tidy" $?

xargs shellcheck <"$scratch/scripts" >"$scratch/said" 2>&1
judged "shellcheck" $?
exit $failed
