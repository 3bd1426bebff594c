#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/coverage.sh SOURCES: lines and branches that the tests reached, by file, and as pages in
# coverage/index.html. Called by "make coverage" in a build folder with --enable-coverage.
set -eu
sources=$(cd "$1" && pwd)

# The abort() behind a CHECK is a branch that no test takes. lcov's own warnings are left out.
report()
{
    tool=$1
    shift
    "$tool" --rc lcov_branch_coverage=1 --rc lcov_excl_br_line='LCOV_EXCL_BR_LINE|CHECK\(' "$@" \
        2>errors.lcov || {
        cat errors.lcov >&2
        exit 1
    }
}

report lcov --quiet --capture --directory . --output-file coverage.all
report lcov --quiet --extract coverage.all --output-file coverage.info \
    "$sources/core/*" "$sources/net/*" "$sources/disk/*" "$sources/cli/*"
report genhtml --quiet --branch-coverage --output-directory coverage coverage.info
report lcov --list coverage.info
rm coverage.all errors.lcov
