# SPDX-License-Identifier: Apache-2.0
#
# Unit tests mirror the tree: core/log/epochs.c is tested by tests/core/log/test_epochs.c. There
# is one runner (a Check program) for each layer. To add a file of tests:
#
#   1. Write tests/core/log/test_epochs.c:
#
#          #include "tests/support/runner.h"
#
#          START_TEST(ends_before_the_next) { ... } END_TEST
#
#          SUITE(epochs)
#          {
#              TCase *tcase = tcase_create("end");
#              tcase_add_test(tcase, ends_before_the_next);
#              suite_add_tcase(suite, tcase);
#          }
#
#   2. Add it to tests_check_log_SOURCES in tests/core/log/local.mk. That is all: SUITE registers
#      itself, so that a file that is compiled is a file that runs.
#
# Every runner and script speaks TAP, so that each case is counted. A runner takes Check's
# variables: CK_RUN_SUITE=epochs CK_FORK=no gdb build/tests/check_log.
#
# A script is tests/NAME.sh, prints TAP, and is added to SCRIPT_TESTS. It finds the sources in
# $srcdir and runs in the build folder's top.

TEST_EXTENSIONS = .sh
# What a test says on stderr goes through the driver too, so that it cuts no line of the log in two.
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh --merge
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
	AWK='$(AWK)'; export AWK; \
	CC='$(CC)'; export CC; \
	NM='$(NM)'; export NM; \
	HAVE_ISAL='$(HAVE_ISAL)'; export HAVE_ISAL; \
	INSTRUMENTED='$(INSTRUMENTED)'; export INSTRUMENTED; \
	CK_DEFAULT_TIMEOUT="$${CK_DEFAULT_TIMEOUT-60}"; export CK_DEFAULT_TIMEOUT;

SCRIPT_TESTS = \
	tests/core-is-pure.sh \
	tests/driver-calls.sh \
	tests/e2e/bench.sh \
	tests/e2e/broken.sh \
	tests/e2e/bytes.sh \
	tests/e2e/clients.sh \
	tests/e2e/cluster.sh \
	tests/e2e/compare.sh \
	tests/e2e/crash.sh \
	tests/e2e/disturbed.sh \
	tests/e2e/floor.sh \
	tests/e2e/grows.sh \
	tests/e2e/hostile.sh \
	tests/e2e/metrics.sh \
	tests/e2e/order.sh \
	tests/e2e/phase7.sh \
	tests/e2e/status.sh \
	tests/e2e/stop.sh \
	tests/e2e/try.sh \
	tests/tidy.sh
dist_check_SCRIPTS += $(SCRIPT_TESTS)
TESTS += $(SCRIPT_TESTS)
EXTRA_DIST += tests/core-is-pure.allow tests/driver-calls.allow tests/tidy.awk
EXTRA_DIST += tests/e2e/broker.sh tests/e2e/records.sh tests/e2e/run.sh \
	tests/e2e/chronik.py tests/e2e/clients.py tests/e2e/cluster.py tests/e2e/crash.py \
	tests/e2e/grows.py tests/e2e/hostile.py tests/e2e/metrics.py tests/e2e/network.py \
	tests/e2e/order.py tests/e2e/phase7.py \
	tests/e2e/raw.py tests/e2e/rolling.py tests/e2e/rolling.sh tests/e2e/status.py tests/e2e/stop.py \
	tests/e2e/syncs.py tests/e2e/try.py \
	tests/e2e/bench.py tests/e2e/broken.py tests/e2e/disturbed.py tests/e2e/faulty.py \
	tests/e2e/compare.py tests/e2e/floor.py \
	tests/e2e/java.py tests/e2e/peer.py tests/e2e/members.py tests/e2e/member.js \
	tests/e2e/go/main.go

# A request of every API and version, to our broker and (check-kafka) to Apache Kafka.
check_PROGRAMS += tests/kafka_bytes
tests_kafka_bytes_SOURCES = \
	tests/e2e/kafka_bytes.c \
	tests/e2e/story.c \
	tests/e2e/story.h
tests_kafka_bytes_LDADD = $(CORE_LIBS)
$(tests_kafka_bytes_OBJECTS): core/wire/messages.h

# librdkafka in C.
EXTRA_DIST += tests/e2e/rdkafka.c tests/e2e/rdkafka.sh
CLIENT_IN_C =
if HAVE_RDKAFKA
CLIENT_IN_C += tests/rdkafka
check_PROGRAMS += tests/rdkafka
tests_rdkafka_SOURCES = tests/e2e/rdkafka.c
tests_rdkafka_CFLAGS = $(AM_CFLAGS) $(RDKAFKA_CFLAGS)
tests_rdkafka_LDADD = $(RDKAFKA_LIBS)
TESTS += tests/e2e/rdkafka.sh
endif

# Where chronik-sim is built, brokers under test keep flight records, which it replays.

# The same at full length: a million records there and back, a hundred times kill -9, a million
# malformed requests beside 5,000 idle connections.
CLIENTS_RECORDS = 1000000
CRASH_CYCLES = 100
HOSTILE_REQUESTS = 1000000
check-clients: chronik $(SIM_PROGRAM)
	CHRONIK_E2E_RECORDS=$(CLIENTS_RECORDS) $(SHELL) $(srcdir)/tests/e2e/clients.sh
check-crash: chronik $(SIM_PROGRAM)
	CHRONIK_E2E_CYCLES=$(CRASH_CYCLES) $(SHELL) $(srcdir)/tests/e2e/crash.sh
check-hostile: chronik $(SIM_PROGRAM)
	CHRONIK_E2E_REQUESTS=$(HOSTILE_REQUESTS) CHRONIK_E2E_IDLE=5000 \
	$(SHELL) $(srcdir)/tests/e2e/hostile.sh

# Three replicas of all: a thousand records of acks=all in less than a second, which Kafka's own
# dump tool finds, too; half a minute of silence; elections; and each of three brokers killed under
# load, and ended in order.
PHASE7_BOUND_MS = 1000
PHASE7_IDLE_SECONDS = 40
PHASE7_ROUNDS = 10
check-phase7: chronik $(SIM_PROGRAM)
	CHRONIK_E2E_BOUND_MS=$(PHASE7_BOUND_MS) CHRONIK_E2E_IDLE=$(PHASE7_IDLE_SECONDS) \
	CHRONIK_E2E_ROUNDS=$(PHASE7_ROUNDS) CHRONIK_E2E_KAFKA=yes \
	$(SHELL) $(srcdir)/tests/e2e/phase7.sh

# Brokers that stand still, or that the network cuts off, wholly or in part.
STOP_ROUNDS = 5
STOP_SLACK_MS = 300
check-stop: chronik $(SIM_PROGRAM)
	CHRONIK_E2E_ROUNDS=$(STOP_ROUNDS) CHRONIK_E2E_SLACK_MS=$(STOP_SLACK_MS) \
	$(SHELL) $(srcdir)/tests/e2e/stop.sh

# Three brokers that are restarted one after the other, and what clients notice of that.
ROLLING_ROUNDS = 3
check-rolling: chronik $(SIM_PROGRAM)
	CHRONIK_E2E_ROUNDS=$(ROLLING_ROUNDS) $(SHELL) $(srcdir)/tests/e2e/rolling.sh

# A hundred brokers that keep flight records while clients are at work, and the records replayed.
check-records: chronik $(SIM_PROGRAM) tests/kafka_bytes $(CLIENT_IN_C)
	$(SHELL) $(srcdir)/tests/e2e/records.sh

# A broker for tests whose system calls go wrong, and the client tests with it, by more seeds.
check_PROGRAMS += tests/chronik-faulty
tests_chronik_faulty_SOURCES = \
	cli/main.c \
	tests/faulty/faulty.c \
	tests/faulty/faulty.h \
	tests/faulty/faulty_disk.c \
	tests/faulty/faulty_net.c \
	tests/faulty/program.c
# They are the tables that the loop names, so that those of the archives stay out.
tests_chronik_faulty_CPPFLAGS = $(AM_CPPFLAGS) -Dfaulty_net_calls=net_calls_system \
	-Dfaulty_disk_calls=disk_calls_system
tests_chronik_faulty_LDADD = libcli.a libnet.a libdisk.a $(CORE_LIBS) -lpthread
check-faulty: tests/chronik-faulty
	CHRONIK_E2E_SEEDS="1 2 3 4 5 6 7 8 9 10" $(SHELL) $(srcdir)/tests/e2e/disturbed.sh
	CHRONIK_E2E_SEEDS="1 2 3 4 5 6 7 8 9 10" $(SHELL) $(srcdir)/tests/e2e/broken.sh

# Kafka's own tools, by Maven; clients in Go and JavaScript, by their package managers.
check-java: chronik $(SIM_PROGRAM)
	CHRONIK=./chronik CHRONIK_SIM=$(SIM_PROGRAM:%=./%) python3 $(srcdir)/tests/e2e/java.py
check-members: chronik $(SIM_PROGRAM)
	CHRONIK=./chronik CHRONIK_SIM=$(SIM_PROGRAM:%=./%) python3 $(srcdir)/tests/e2e/members.py

# Apache Kafka itself, by Maven. Its answers have to be those in tests/golden/kafka; to capture them
# anew, remove the files there.
check-kafka: tests/kafka_bytes
	PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tests/e2e/peer.py tests/kafka_bytes \
	$(srcdir)/tests/golden/kafka
.PHONY: check-clients check-crash check-faulty check-hostile check-java check-kafka \
	check-members check-phase7 check-records check-rolling check-stop

# Unit tests: every runner is listed in UNIT_TESTS by its own fragment.
UNIT_TESTS =
TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
TEST_LIBS = tests/libsupport.a tests/libworld.a libsim.a $(CHECK_LIBS)

tests_libsupport_a_SOURCES = \
	tests/support/effects.c \
	tests/support/effects.h \
	tests/support/golden.c \
	tests/support/golden.h \
	tests/support/runner.c \
	tests/support/runner.h
tests_libsupport_a_CFLAGS = $(TEST_CFLAGS)

# The world in memory, and a broker and its clients in it: without Check, since fuzz targets live
# there too.
check_LIBRARIES += tests/libworld.a
tests_libworld_a_SOURCES = \
	tests/support/beside.c \
	tests/support/beside.h \
	tests/support/client.c \
	tests/support/client.h \
	tests/support/fetch.c \
	tests/support/fetch.h \
	tests/support/heap.c \
	tests/support/heap.h \
	tests/support/node.c \
	tests/support/node.h \
	tests/support/produce.c \
	tests/support/produce.h \
	tests/support/world.c \
	tests/support/world.h \
	tests/support/world_fault.c \
	tests/support/world_files.c \
	tests/support/world_internal.h \
	tests/support/world_net.c
$(tests_libworld_a_OBJECTS): core/wire/messages.h

# What other programs have written; golden_read() finds it.
EXTRA_DIST += tests/golden

include tests/core/local.mk
include tests/core/base/local.mk
include tests/core/wire/local.mk
include tests/core/raft/local.mk
include tests/core/records/local.mk
include tests/core/log/local.mk
include tests/core/conf/local.mk
include tests/core/meta/local.mk
include tests/core/peer/local.mk
include tests/core/coord/local.mk
include tests/core/api/local.mk
include tests/core/trace/local.mk
include tests/net/local.mk
include tests/disk/local.mk
include tests/bench/local.mk
include tests/cli/local.mk
include tests/sim/local.mk
include tests/conformance/local.mk
include tests/mutants/local.mk
include tests/power/local.mk
include tests/determinism/local.mk

if HAVE_CHECK
check_LIBRARIES += tests/libsupport.a
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
else
EXTRA_LIBRARIES += tests/libsupport.a
EXTRA_PROGRAMS += $(UNIT_TESTS)
check-local: no-check-without-check
no-check-without-check:
	@echo "The unit tests need the library Check (Debian: check), then ./configure again." >&2; false
endif
