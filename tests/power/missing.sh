#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Takes one sync after the other out of the core, each in a build of its own, and shows that power
# losses find that it is missing: the list is tests/power/missing.list. TAP.
#
#     missing.sh [TEXT]      only those whose line holds the text
#
# CHRONIK_POWER_IMAGES (1000) is how many images a build may survive. Rows that are "seldom" are
# tried if the text is theirs.
set -u
source=$(cd "${srcdir:-.}" && pwd)
CHRONIK_POWER_CALLS=${CHRONIK_POWER_CALLS:-$(pwd)/tests/calls.so}
CHRONIK_POWER_IMAGES=${CHRONIK_POWER_IMAGES:-1000}
CHRONIK_POWER_FAILURES=1
export CHRONIK_POWER_CALLS CHRONIK_POWER_IMAGES CHRONIK_POWER_FAILURES
list=$source/tests/power/missing.list
number=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# verdict TRUTH NAME [FILE]: one line of TAP; FILE explains a failure.
verdict()
{
    number=$((number + 1))
    if [ "$1" = yes ]; then
        echo "ok $number - $2"
    else
        failed=1
        echo "not ok $number - $2"
        [ $# -lt 3 ] || tail -n 20 "$3" | sed 's/^/# /'
    fi
}

# take_out FILE FUNCTION: what would be synced is read, or listed, instead; or the patch is applied.
# Says which file of the tree has changed.
take_out()
{
    case $1 in
    *.patch)
        patch -s -p1 -d "$work/tree" <"$source/$1" || return 1
        sed -n 's,^+++ b/,,p' "$source/$1"
        return
        ;;
    esac
    echo "$1"
    sed -E "s/io_sync_folder(\(.*\<$2\>)/io_list\1/
        s/io_sync(\(.*\<$2\>.*)\);/io_read\1, 0, NULL, 0);/" "$source/$1" >"$work/tree/$1"
    ! cmp -s "$source/$1" "$work/tree/$1"
}

# The call sites in the core, as "FILE FUNCTION".
call_sites()
{
    (cd "$source" && grep -rnE '\<io_sync(_folder)?\(' core --include='*.c') |
        grep -v '^core/io\.c:' |
        sed -E 's/^([^:]*):.*io_sync[a-z_]*\(([^,]*,){2} *([a-z_]*),.*/\1 \3/
            s/^([^:]*):.*io_sync\(([^,]*,){2}.*\? [a-z_]* : ([a-z_]*),.*/\1 \3/'
}

rows()
{
    sed -E '/^#/d; s/^([^ ]+) +([^ ]+) +([^ ]+) +/\1 \2 \3 /' "$list"
}

call_sites | sort -u >"$work/sites"
rows | grep -v '\.patch ' | cut -d ' ' -f 1,2 | sort >"$work/listed"
diff "$work/sites" "$work/listed" >"$work/diff"
verdict "$([ -s "$work/diff" ] && echo no || echo yes)" "every sync of the core is in the list" \
    "$work/diff"

mkdir "$work/tree" "$work/build"
for part in "$source"/*; do
    # A folder with config.status is one to build in.
    [ -e "$part/config.status" ] || cp -pr "$part" "$work/tree"
done
(cd "$work/build" && "$work/tree/configure" && make -j2 all) >"$work/log" 2>&1 || {
    verdict no "the tree builds" "$work/log"
    exit 1
}

rows | if [ $# -gt 0 ]; then grep -e "$1"; else grep -v ' seldom, '; fi >"$work/rows"
while read -r file function campaign what; do
    name="without $function in $file: $what"
    if ! changed=$(take_out "$file" "$function") ||
        ! make -C "$work/build" chronik >"$work/log" 2>&1; then
        verdict no "$name" "$work/log"
    else
        CHRONIK=$work/build/chronik TMPDIR=$work sh "$source/tests/power/$campaign.sh" >"$work/log"
        code=$?
        found=$(sed -n 's/^# \(image .*\)/\1/p' "$work/log" | head -n 1)
        tried=$(sed -n 's/^# \([0-9]* images\) in .*/\1/p' "$work/log")
        case $what in
        covered*) verdict "$([ $code = 0 ] && echo yes || echo no)" "$name ($tried)" "$work/log" ;;
        *) verdict "$([ $code = 1 ] && [ -n "$found" ] && echo yes || echo no)" \
            "$name ($tried; $found)" "$work/log" ;;
        esac
    fi
    cp -p "$source/$changed" "$work/tree/$changed"
    touch "$work/tree/$changed"
done <"$work/rows"
echo "1..$number"
exit $failed
