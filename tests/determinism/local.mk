# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += tests/determinism/check.py tests/determinism/clock.patch \
	tests/determinism/address.patch

# The same seeds, the same runs: on two compilers, optimised or not, with sanitizers.
check-determinism:
	PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tests/determinism/check.py $(srcdir)
.PHONY: check-determinism
