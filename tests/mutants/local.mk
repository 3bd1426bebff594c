# SPDX-License-Identifier: Apache-2.0
# Planted bugs, and who finds them: tests/mutants/hunt.py tells how, doc/MUTANTS.md what came of it.
SCRIPT_TESTS += tests/mutants.sh
EXTRA_DIST += tests/mutants doc/MUTANTS.md doc/OUTAGE.md

# MUTANTS="NAME..." hunts these alone. What is found stays in mutants.json, so that it goes on where
# it was interrupted, and update-mutant-docs makes the table of it.
check-mutants:
	PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tests/mutants/hunt.py $(MUTANTS_OPTIONS) \
	$(srcdir) mutants.json $(MUTANTS)
update-mutant-docs:
	PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tests/mutants/table.py mutants.json \
	$(srcdir)/doc/MUTANTS.md
.PHONY: check-mutants update-mutant-docs
