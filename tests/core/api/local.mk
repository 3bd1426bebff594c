# SPDX-License-Identifier: Apache-2.0
# Tests of handlers; their runner is that of tests/core/local.mk.
tests_check_broker_SOURCES += tests/core/api/test_groups.c
