# SPDX-License-Identifier: Apache-2.0
# What is measured, as opposed to tested: nothing here passes or fails.

EXTRA_DIST += bench/connection.py bench/record.py bench/start.py

.PHONY: bench-record bench-start
bench-start: chronik
	CHRONIK=./chronik PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/start.py
bench-record: chronik
	CHRONIK=./chronik PYTHONDONTWRITEBYTECODE=1 $(PYTHON_WITH_CLIENTS) $(srcdir)/bench/record.py
# Debian's, which has the client library.
PYTHON_WITH_CLIENTS = /usr/bin/python3
