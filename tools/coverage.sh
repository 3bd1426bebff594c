#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/coverage.sh SOURCES: lines and branches that the tests reached, by file, and as pages in
# coverage/index.html. Called by "make coverage" in a build folder with --enable-coverage.
set -eu
sources=$1
lcov="lcov --quiet --rc lcov_branch_coverage=1"
$lcov --capture --directory . --output-file coverage.all
$lcov --extract coverage.all "$sources/core/*" "$sources/net/*" "$sources/disk/*" "$sources/cli/*" \
    --output-file coverage.info
rm coverage.all
# abort() under CHECK is a branch that no test takes.
genhtml --quiet --branch-coverage --output-directory coverage coverage.info
lcov --rc lcov_branch_coverage=1 --list coverage.info
