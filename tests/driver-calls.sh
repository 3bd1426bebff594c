#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The drivers make every system call through their table (net/calls.h, disk/calls.h), where tests
# make it fail: no other object of their archives may need more than driver-calls.allow lists. TAP.
set -u
LC_ALL=C
export LC_ALL
allow=${srcdir:-.}/tests/driver-calls.allow
nm=${NM:-nm}
cc=${CC:-cc}
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
        echo "${3-}" | sed 's/^/# /'
    fi
}

# The symbols that the objects need, those called calls.o apart, that neither they nor the core
# define, and that they may not need. What the core needs, core-is-pure.sh judges.
strangers()
{
    "$nm" -A -P libcore.a "$@" | awk '
        { free = $1 ~ /^libcore\.a/ || $1 ~ /[[\/]calls\.o\]?:$/ }
        $3 == "U" || $3 == "w" { if (!free) needed[$2] = 1; next }
        NF >= 3 { defined[$2] = 1 }
        END { for (name in needed) if (!(name in defined)) print name }' |
        sort | grep -vxE -f "$scratch/allowed"
}

if [ "${INSTRUMENTED:-no}" != no ]; then
    echo "1..0 # SKIP instrumented objects call their runtime"
    exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
grep -vE '^(#|$)' "$allow" >"$scratch/allowed"

# planted NAME FILE EXPECTED: an object of that name, beside libdisk.a's, earns exactly this.
planted()
{
    cat >"$scratch/planted.c"
    found=$($cc -O1 -fPIE -c -o "$scratch/$2" "$scratch/planted.c" &&
        strangers "$scratch/$2" libdisk.a | tr '\n' ' ')
    truth=no
    [ "$found" = "$3" ] && truth=yes
    verdict "$truth" "$1" "wanted: $3; found: $found"
}

echo "1..7"
for archive in libnet.a libdisk.a; do
    found=$(strangers "$archive")
    truth=no
    [ -z "$found" ] && truth=yes
    verdict "$truth" "$archive calls the system by its table" "$found"
    truth=no
    "$nm" -P "$archive" | grep -q '\[calls\.o\]:$' &&
        [ "$("$nm" -P "$archive" | grep -c '\[.*\]:$')" -gt 3 ] && truth=yes
    verdict "$truth" "$archive has a table and other objects"
done

planted "a call past the table is found" planted.o "fdatasync " <<'END_OF_C'
#include <unistd.h>
int f(int fd) { return fdatasync(fd); }
END_OF_C
planted "the table may call it" calls.o "" <<'END_OF_C'
#include <unistd.h>
int f(int fd) { return fdatasync(fd); }
END_OF_C
planted "memory and the table's name are allowed" planted.o "" <<'END_OF_C'
#include <stdlib.h>
extern const char disk_calls_system[];
const void *f(size_t n) { return n > 7 ? malloc(n) : disk_calls_system; }
END_OF_C
exit $failed
