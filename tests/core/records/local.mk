# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += tests/check_records
tests_check_records_SOURCES = \
	tests/core/records/sample.c \
	tests/core/records/sample.h \
	tests/core/records/test_batch.c \
	tests/core/records/test_golden.c \
	tests/core/records/test_record.c \
	tests/core/records/test_validate.c
tests_check_records_CFLAGS = $(TEST_CFLAGS)
tests_check_records_LDADD = $(TEST_LIBS) $(CORE_LIBS)
