# SPDX-License-Identifier: Apache-2.0
# All but main(), so that tests can link it.
noinst_LIBRARIES += libcli.a
libcli_a_SOURCES = \
	cli/allocator.c \
	cli/allocator.h \
	cli/bench_cpu.c \
	cli/bench_cpu.h \
	cli/bench_histogram.c \
	cli/bench_histogram.h \
	cli/bench_link.c \
	cli/bench_link.h \
	cli/bench_plan.h \
	cli/bench_print.c \
	cli/bench_print.h \
	cli/bench_request.c \
	cli/bench_request.h \
	cli/bench_run.c \
	cli/bench_run.h \
	cli/bench_topic.c \
	cli/bench_topic.h \
	cli/client.c \
	cli/client.h \
	cli/cluster_brokers.c \
	cli/cluster_brokers.h \
	cli/cluster_folder.c \
	cli/cluster_folder.h \
	cli/cluster_json.c \
	cli/cluster_print.c \
	cli/cluster_print.h \
	cli/cluster_status.c \
	cli/cluster_status.h \
	cli/cluster_try.c \
	cli/cluster_try.h \
	cli/cluster_voter.c \
	cli/cluster_voter.h \
	cli/cluster_view.c \
	cli/cluster_view.h \
	cli/cmd.h \
	cli/cmd_bench.c \
	cli/cmd_broker.c \
	cli/cmd_cluster.c \
	cli/cmd_dump.c \
	cli/cmd_format.c \
	cli/cmd_random_uuid.c \
	cli/cmd_sim.c \
	cli/cmd_topic.c \
	cli/dump.c \
	cli/dump.h \
	cli/dump_files.c \
	cli/dump_log.c \
	cli/dump_record.c \
	cli/folders.c \
	cli/folders.h \
	cli/json.c \
	cli/json.h \
	cli/plain.c \
	cli/plain.h \
	cli/codec.c \
	cli/codec.h \
	cli/library.c \
	cli/library.h \
	cli/logger.c \
	cli/logger.h \
	cli/loop.c \
	cli/loop.h \
	cli/metrics_print.c \
	cli/metrics_print.h \
	cli/metrics_server.c \
	cli/metrics_server.h \
	cli/microhttpd.c \
	cli/microhttpd.h \
	cli/notify.c \
	cli/notify.h \
	cli/options.c \
	cli/options.h \
	cli/program.c \
	cli/program.h \
	cli/properties.c \
	cli/properties.h \
	cli/recorder.c \
	cli/recorder.h \
	cli/settings.c \
	cli/settings.h \
	cli/topic_print.c \
	cli/topic_print.h
$(libcli_a_OBJECTS): core/wire/messages.h

bin_PROGRAMS += chronik
chronik_SOURCES = \
	cli/main.c
chronik_LDFLAGS = $(COMMON_LINK) $(LTO_LDFLAGS)
chronik_LDADD = libcli.a libnet.a libdisk.a $(CORE_LIBS) -lpthread
