#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz/coverage.sh PROGRAM...: replays the corpus of each target and says how many of the lines that
# it is for (fuzz/covers) that reaches. TAP; fails below 90 %. Each source as gcov shows it is left
# in fuzz/coverage/NAME of the build folder. Called by "make fuzz-coverage" in a build folder with
# --enable-coverage.
set -u
srcdir=${srcdir:-.}
export srcdir
gcov=${GCOV:-gcov}
percent=90

# sources_of NAME: the files that fuzz/covers gives the target.
sources_of()
{
    awk -v name="$1" '/^#/ { next } /^[^ ]/ { on = $1 == name; next } on' "$srcdir/fuzz/covers" |
        (cd "$srcdir" && while read -r line; do
            # shellcheck disable=SC2086 # names and patterns
            find $line -name '*.c'
        done) | sort -u
}

# annotated SOURCE: its lines, as "COUNT:LINE:TEXT"; a count is a number, - or #####. An object with
# flags of its own has its library in its name.
annotated()
{
    object=${1##*/}
    object=${object%.c}
    for data in "${1%.c}.gcda" "${1%/*}/"*-"$object.gcda" "${1%.c}.gcno" \
        "${1%/*}/"*-"$object.gcno"; do
        [ ! -f "$data" ] || break
    done
    "$gcov" --stdout "$data" | awk -v source="$1" -F: '
        $2 + 0 == 0 && $3 == "Source" { on = substr($4, length($4) - length(source) + 1) == source }
        on && $2 + 0 > 0'
}

# count NAME: "REACHED LINES" of the annotated sources of a target. Each source's share goes to
# fuzz/coverage/NAME.files, what was not reached to NAME.missed.
count()
{
    awk -F: -v name="$1" '
        FNR == 1 {
            file = FILENAME
            sub(/.*\/coverage\/[a-z]*\//, "", file)
            gsub(/,/, "/", file)
        }
        {
            hits = $1
            gsub(/[ *]/, "", hits)
        }
        hits == "-" { next }
        hits ~ /^[0-9]/ { reached[file]++ }
        hits !~ /^[0-9]/ {
            print file substr($0, length($1) + 1) > ("fuzz/coverage/" name ".missed")
        }
        { lines[file]++ }
        END {
            for (file in lines) {
                all += lines[file]
                good += reached[file]
                printf "%5.1f%% %s\n", 100 * reached[file] / lines[file], file \
                    > ("fuzz/coverage/" name ".files")
            }
            print good + 0, all + 0
        }' fuzz/coverage/"$1"/*
}

rm -rf fuzz/coverage
number=0
failed=0
echo "1..$#"
for program in "$@"; do
    number=$((number + 1))
    name=${program##*/fuzz_}
    mkdir -p "fuzz/coverage/$name"
    find . -name '*.gcda' -exec rm -f {} +
    verdict=ok
    "$program" >"fuzz/coverage/$name.log" 2>&1 || verdict="not ok"
    for source in $(sources_of "$name"); do
        annotated "$source" >"fuzz/coverage/$name/$(echo "$source" | tr / ,)"
    done
    # shellcheck disable=SC2046 # two numbers
    set -- $(count "$name")
    [ $(($1 * 100)) -ge $(($2 * percent)) ] && [ "$2" -gt 0 ] || verdict="not ok"
    [ "$verdict" = ok ] || failed=1
    tenths=$(($1 * 1000 / ($2 > 0 ? $2 : 1)))
    echo "$verdict $number - $name: $1 of $2 lines, $((tenths / 10)).$((tenths % 10)) %"
done
exit $failed
