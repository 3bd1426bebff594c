# SPDX-License-Identifier: Apache-2.0

# The lints that need clang-format, clang-tidy and shellcheck; "make check" has the others.
EXTRA_DIST += .clang-format .clang-tidy fuzz/.clang-tidy sim/.clang-tidy \
	tests/.clang-tidy .editorconfig tools/lint.sh
lint: $(BUILT_SOURCES)
	srcdir='$(srcdir)' HAVE_ISAL='$(HAVE_ISAL)' $(SHELL) $(srcdir)/tools/lint.sh

# Which lines the tests reach, after configure --enable-coverage.
if ENABLE_COVERAGE
coverage:
	find . -name '*.gcda' -exec rm -f {} +
	$(MAKE) check
	$(SHELL) $(srcdir)/tools/coverage.sh '$(abs_top_srcdir)'
else
coverage:
	@echo "Coverage needs a build folder of its own: ../configure --enable-coverage" >&2; false
endif
EXTRA_DIST += tools/coverage.sh
