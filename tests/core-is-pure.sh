#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nothing in core reads or changes the world, or remembers anything outside a struct broker: its
# archive may need only what core-is-pure.allow lists, and has no writable data. TAP.
set -u
LC_ALL=C
export LC_ALL
allow=${srcdir:-.}/tests/core-is-pure.allow
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

# The symbols that the objects need, do not define among themselves, and may not need.
strangers()
{
    "$nm" -P "$@" | awk '
        $2 == "U" || $2 == "w" { needed[$1] = 1; next }
        NF >= 2 { defined[$1] = 1 }
        END { for (name in needed) if (!(name in defined)) print name }' |
        sort | grep -vxE -f "$scratch/allowed"
}

# The variables that can be written; tables of pointers are constant once they are relocated.
variables()
{
    "$nm" --format=sysv "$@" | awk -F '|' '
        NF == 7 && $7 ~ /^(\.(data|bss|tdata|tbss)|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ {
            gsub(/ |\.[0-9]+ *$/, "", $1)
            print $1
        }' | sort -u
}

# is_pure FILE...: says what is wrong, nothing when it is pure.
is_pure()
{
    strangers "$@" | sed 's/^/needs /'
    variables "$@" | sed 's/^/keeps /'
}

if [ "${INSTRUMENTED:-no}" != no ]; then
    echo "1..0 # SKIP instrumented objects call their runtime"
    exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
grep -vE '^(#|$)' "$allow" >"$scratch/allowed"

# planted NAME EXPECTED: an object of the C text on standard input earns exactly this.
planted()
{
    cat >"$scratch/planted.c"
    found=$($cc -O1 -fPIE -c -o "$scratch/planted.o" "$scratch/planted.c" &&
        is_pure "$scratch/planted.o" | tr '\n' ' ')
    truth=no
    [ "$found" = "$2" ] && truth=yes
    verdict "$truth" "$1" "wanted: $2; found: $found"
}

echo "1..8"
found=$(is_pure libcore.a)
truth=no
[ -z "$found" ] && truth=yes
verdict "$truth" "libcore.a is pure" "$found"
objects=$("$nm" -P libcore.a | grep -c '\[.*\]:$')
truth=no
[ "$objects" -gt 0 ] && truth=yes
verdict "$truth" "libcore.a has objects" "found: $objects"

planted "a call of time() is found" "needs time " <<'END'
#include <time.h>
long f(void) { return (long)time(0); }
END
planted "a call of malloc() is found" "needs malloc " <<'END'
#include <stdlib.h>
void *f(void) { return malloc(7); }
END
planted "a static variable is found" "keeps count " <<'END'
int f(void) { static int count; return count++; }
END
planted "an initialised variable of a thread is found" "keeps _count " <<'END'
__thread int _count = 7;
END
planted "a common variable is found" "keeps shared " <<'END'
int shared __attribute__((common));
END
planted "constant tables and memcpy() are allowed" "" <<'END'
#include <string.h>
static const char *const names[] = {"one", "two"};
const char *const *f(char *to, const char *from, unsigned long n)
{
    memcpy(to, from, n);
    return names;
}
END
exit $failed
