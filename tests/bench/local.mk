# SPDX-License-Identifier: Apache-2.0
# Tests of what measures.
SCRIPT_TESTS += tests/bench/instructions.sh
EXTRA_DIST += tests/bench/instructions.py
