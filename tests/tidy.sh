#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The lints of tests/tidy.awk over the whole tree, and over a tree of planted faults, which shows
# that each of them can fail. TAP.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "${srcdir:-.}" && pwd)
awk=${AWK:-awk}
lints="spdx width tab trailing word guard include function-length file-length comment call unbuilt"
number=0
failed=0

# verdict TRUTH NAME [FILE]: one line of TAP; FILE explains a failure.
verdict()
{
    number=$((number + 1))
    if [ "$1" = yes ]; then
        echo "ok $number - $2"
    else
        failed=1
        echo "not ok $number - $2"
        [ $# -lt 3 ] || sed 's/^/# /' "$3"
    fi
}

# The sources of a tree, from its top; a generated file says in its first words who made it.
sources()
{
    find . \( -path './build*' -o -path './_build*' -o -path ./.git -o -path './chronik-*' \
        -o -path ./autom4te.cache \) -prune -o -type f \( -name '*.[ch]' -o -name '*.def' \
        -o -name '*.kp' -o -name '*.sh' -o -name '*.awk' -o -name '*.mk' -o -name Makefile.am \
        -o -name '*.py' -o -name '*.java' -o -name '*.js' -o -name '*.go' -o -name configure.ac \
        -o -path './m4/*.m4' -o -path ./.ci/run -o -path './quick' -o -path './bootstrap' \) \
        -print | sed 's,^\./,,' | xargs grep -L '^/\* Made by ' | sort
}

# Every C file is in some list of a Makefile, or it is dead.
unbuilt()
{
    sources | grep -E '(\.mk|Makefile\.am)$' | xargs cat /dev/null | tr -s '[:blank:]' '\n' |
        grep '\.[ch]$' | sort -u >"$scratch/listed"
    sources | grep '\.[ch]$' | grep -vxF -f "$scratch/listed" |
        sed 's/^\(.*\)$/unbuilt \1:1: in no local.mk/'
}

lint_tree()
{
    (cd "$1" && sources | tr '\n' '\0' | xargs -0 "$awk" -f "$here/tests/tidy.awk" && unbuilt)
}

# plant PATH LINT: one more file (from standard input) of the planted tree, and what it is to earn.
plant()
{
    mkdir -p "$scratch/planted/$(dirname "$1")"
    cat >"$scratch/planted/$1"
    [ "$2" = clean ] || echo "$2 $1" >>"$scratch/expected"
}

repeat()
{
    "$awk" -v count="$1" -v text="$2" 'BEGIN { while (count-- > 0) print text }'
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
spdx='/* SPDX-License-Identifier: Apache-2.0 */'

plant core/good.h clean <<END
$spdx
/* Umlauts count once: äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüä. */
#ifndef CORE_GOOD_H
#define CORE_GOOD_H
#include "core/base/span.h"
#include <stdint.h>
/* See https://example.org/ and strcpy(), which code may not call. */
#endif
END
{ echo "$spdx"; repeat 799 'int x;'; } | plant core/full.c clean
function_of()
{
    echo "$spdx"
    echo 'void f(void)'
    echo '{'
    repeat "$1" '    f();'
    echo '}'
}
function_of 100 | plant core/long.c clean
{ echo '/* Made by a generator. */'; echo '// as it pleases'; } | plant core/made.h clean
plant core/tie.c clean <<END
$spdx
#include "core/good.h"
const char *f(void)
{
    return "strcpy( // and this is text";
}
END
echo 'int x;
int y;' | plant core/unmarked.c spdx
printf '\n%s\n' "$spdx" | plant core/late.c spdx
{ echo "$spdx"; printf '/* %0100d */\n' 0; } | plant core/wide.c width
printf '%s\n\tint x;\n' "$spdx" | plant core/tab.c tab
printf '%s\nint x; \n' "$spdx" | plant core/trailing.c trailing
printf '%s\n/* %s: later */\n' "$spdx" "TO""DO" | plant core/later.c word
printf '%s\n#ifndef OTHER_H\n#define OTHER_H\n#endif\n' "$spdx" | plant core/other.h guard
for arrow in 'core net/conn.h' 'core disk/file.h' 'core cli/cmd.h' 'net disk/file.h' \
    'disk net/conn.h' 'net cli/cmd.h' 'sim disk/file.h' 'sim cli/cmd.h' \
    'cli tests/support/runner.h' 'core span.h'; do
    printf '%s\n#include "%s"\n' "$spdx" "${arrow#* }" |
        plant "${arrow%% *}/to_$(echo "${arrow#* }" | tr '/.' '__').c" include
done
printf '%s\n#include "cli/cmd.h"\n' "$spdx" | plant sim/cmd_run.c clean
printf '%s\n#include "cli/cmd.h"\n' "$spdx" | plant sim/cmd_good.c clean
printf '%s\n#include "net/conn.h"\n' "$spdx" | plant sim/cmd_bad.c include
for header in stdio.h time.h unistd.h isa-l.h; do
    printf '%s\n#include <%s>\n' "$spdx" "$header" | plant "core/has_${header%.h}.c" include
done
printf '%s\n#include <isa-l.h>\n' "$spdx" | plant core/base/crc32c_x.c clean
function_of 101 | plant core/longer.c function-length
{ echo "$spdx"; repeat 800 'int x;'; } | plant core/overfull.c file-length
printf '%s\nint x; // why\n' "$spdx" | plant core/slashes.c comment
for call in strcpy sprintf rand atoi; do
    printf '%s\nvoid f(void)\n{\n    /* why */ %s(1);\n}\n' "$spdx" "$call" |
        plant "net/calls_$call.c" call
done
printf '%s\nint x;\n' "$spdx" | plant core/dead.c unbuilt
{
    echo '# SPDX-License-Identifier: Apache-2.0'
    (cd "$scratch/planted" && sources) | grep '\.[ch]$' | grep -v core/dead.c | sed 's/^/X = /'
} | plant Makefile.am clean


lint_tree "$scratch/planted" | sed 's/^\([^ ]* [^:]*\):.*/\1/' | sort -u >"$scratch/found"
sort -u "$scratch/expected" >"$scratch/wanted"
lint_tree "$here" >"$scratch/complaints"
(cd "$here" && sources) | grep '^core/.*\.c$' >"$scratch/core"

echo "1..$(($(echo "$lints" | wc -w) * 2 + 2))"
for lint in $lints; do
    grep "^$lint " "$scratch/complaints" >"$scratch/mine"
    truth=yes
    [ -s "$scratch/mine" ] && truth=no
    verdict "$truth" "the tree keeps: $lint" "$scratch/mine"
    truth=no
    grep -q "^$lint " "$scratch/wanted" && grep "^$lint " "$scratch/wanted" >"$scratch/a" &&
        grep "^$lint " "$scratch/found" | cmp -s - "$scratch/a" && truth=yes
    verdict "$truth" "planted faults are found: $lint" "$scratch/found"
done
diff "$scratch/wanted" "$scratch/found" >"$scratch/difference" && truth=yes || truth=no
verdict "$truth" "nothing else is found in the planted tree" "$scratch/difference"
[ -s "$scratch/core" ] && truth=yes || truth=no
verdict "$truth" "the tree was read"
exit $failed
