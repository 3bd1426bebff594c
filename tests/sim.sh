#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The simulator's command line: its help, its mistakes. TAP.
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
set -u
LC_ALL=C
export LC_ALL
here=$(pwd)
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
        local text=${3-}
        echo "# ${text//$'\n'/$'\n'# }"
    fi
}

# says NAME EXIT_CODE PART COMMAND...: the command exits so, and says PART on either stream.
says()
{
    local name=$1 code=$2 part=$3 text truth=no
    shift 3
    text=$("$@" 2>&1 </dev/null)
    local found=$?
    case $text in
    *"$part"*) [ "$found" = "$code" ] && truth=yes ;;
    esac
    verdict $truth "$name" "exit code $found: $text"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
chronik=$here/chronik

says "help" 0 "  schema " "$chronik" sim help
says "help for a command" 0 "usage: chronik sim schema" "$chronik" sim help schema
says "no command" 2 "usage: chronik sim COMMAND" "$chronik" sim
says "an unknown command" 2 'did you mean "schema"?' "$chronik" sim shema
says "schema" 0 'json-schema.org/draft/2020-12/schema"' "$chronik" sim schema
says "schema takes nothing" 2 'Try "chronik sim help schema"' "$chronik" sim schema x

# The program is looked for beside chronik, then in PATH.
cp "$chronik" alone
says "no simulator" 1 "It is built where the libraries jansson and sqlite3 are." \
    env PATH=/nowhere "$scratch/alone" sim help
says "the simulator of PATH" 0 "usage: chronik sim" env PATH="$here" "$scratch/alone" sim help

echo "1..$number"
exit $failed
