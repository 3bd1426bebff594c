# SPDX-License-Identifier: Apache-2.0
# Tests of the core itself (tests/core/test_X.c) are in the runner check_broker.
