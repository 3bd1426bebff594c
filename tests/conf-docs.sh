#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The pages about configuration keys that are in the repository are those of the table of keys.
set -u
srcdir=${srcdir:-.}

echo "1..3"
failed=0
check()
{
    if tools/confdoc "$3" | cmp -s - "$srcdir/$2"; then
        echo "ok $1 - $2 is that of core/conf/keys.def"
    else
        echo "not ok $1 - $2 is that of core/conf/keys.def"
        echo "# make update-conf-docs"
        failed=1
    fi
}
check 1 contrib/server.properties sample
check 2 doc/CONFIGURATION.md markdown
if man=$(tools/confdoc man) && [ "$(printf '%s\n' "$man" | grep -c '^\.TP$')" -gt 80 ]; then
    echo "ok 3 - the manual page has the keys"
else
    echo "not ok 3 - the manual page has the keys"
    failed=1
fi
exit $failed
