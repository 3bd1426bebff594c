# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	doc/ARCHITECTURE.md \
	doc/HACKING.md \
	doc/INVARIANTS.md \
	doc/METRICS.md \
	doc/PERFORMANCE.md

dist_man_MANS += doc/chronik.1
