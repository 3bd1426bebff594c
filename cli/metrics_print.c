/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/metrics_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One metric without labels. */
static void print_one(FILE *out, const char *name, const char *type, const char *help,
                      int64_t value)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name, help, name, type, name,
            value);
}

static void gauge(FILE *out, const char *name, const char *help, int64_t value)
{
    print_one(out, name, "gauge", help, value);
}

/* One metric with a value for each of `count` labels. */
static void gauges(FILE *out, const char *name, const char *help, const char *label,
                   const char *const *labels, const uint64_t *values, int count)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
    for (int i = 0; i < count; i++)
        fprintf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, labels[i], values[i]);
}

#define CONTROLLER(name) "kafka_controller_kafkacontroller_" name
#define REPLICAS(name)   "kafka_server_replicamanager_" name
#define RAFT(name)       "kafka_server_raft_metrics_" name

static void print_offline(FILE *out, const struct broker_metrics *metrics)
{
    static const char *const waits[LEADERLESS_WAITS] = {
        [LEADERLESS_WAIT_ELIGIBLE] = "eligible_leader_replica",
        [LEADERLESS_WAIT_LAST_KNOWN] = "last_known_leader",
        [LEADERLESS_WAIT_NOBODY] = "operator",
    };
    uint64_t counts[LEADERLESS_WAITS];
    int64_t all = 0;
    for (int wait = 0; wait < LEADERLESS_WAITS; wait++) {
        counts[wait] = metrics->offline_partitions[wait];
        all += metrics->offline_partitions[wait];
    }
    gauge(out, CONTROLLER("offlinepartitionscount"), "Partitions without a leader.", all);
    gauges(out, "chronik_offline_partitions",
           "Partitions without a leader, by who has to come back; an operator has to elect one "
           "where all have lost their data.",
           "waits_for", waits, counts, LEADERLESS_WAITS);
}

static void print_cluster(FILE *out, const struct broker_metrics *metrics)
{
    gauge(out, CONTROLLER("activecontrollercount"), "1 on the controller that leads, 0 elsewhere.",
          metrics->is_active_controller);
    gauge(out, CONTROLLER("activebrokercount"), "Brokers that take part.", metrics->active_brokers);
    gauge(out, CONTROLLER("fencedbrokercount"), "Brokers that are registered, and are not heard.",
          metrics->fenced_brokers);
    gauge(out, CONTROLLER("globaltopiccount"), "Topics of the cluster.", metrics->topics);
    gauge(out, CONTROLLER("globalpartitioncount"), "Partitions of the cluster.",
          metrics->partitions);
    gauge(out, CONTROLLER("preferredreplicaimbalancecount"),
          "Partitions whose leader is not the first of their replicas.",
          metrics->preferred_imbalance);
    print_offline(out, metrics);
    print_one(out, "kafka_controller_controllerstats_uncleanleaderelections_total", "counter",
              "Leaders elected that may lack what others had, since this process began and while "
              "it was the active controller.",
              (int64_t)metrics->unclean_elections);
}

static void print_replicas(FILE *out, const struct broker_metrics *metrics)
{
    gauge(out, REPLICAS("partitioncount"), "Partitions that this broker has a replica of.",
          metrics->replicas);
    gauge(out, REPLICAS("leadercount"), "Partitions that this broker leads.", metrics->leaders);
    gauge(out, REPLICAS("underreplicatedpartitions"),
          "Partitions led here that have replicas out of sync.", metrics->under_replicated);
    gauge(out, REPLICAS("underminisrpartitioncount"),
          "Partitions led here with fewer replicas in sync than min.insync.replicas.",
          metrics->under_min_isr);
    gauge(out, REPLICAS("atminisrpartitioncount"),
          "Partitions led here with as many replicas in sync as min.insync.replicas.",
          metrics->at_min_isr);
}

static void print_quorum(FILE *out, const struct broker_metrics *metrics)
{
    gauge(out, RAFT("current_leader"), "The controller that leads the quorum; -1: unknown.",
          metrics->current_leader);
    gauge(out, RAFT("current_epoch"), "The term of the quorum.", metrics->current_epoch);
    gauge(out, RAFT("high_watermark"), "Up to where the metadata log is committed.",
          metrics->high_watermark);
    gauge(out, RAFT("log_end_offset"), "The end of this node's metadata log.", metrics->log_end);
    gauge(out, "kafka_server_broker_metadata_metrics_last_applied_record_offset",
          "The last record of it that this node has taken in; -1: none.", metrics->last_applied);
}

static void print_budgets(FILE *out, const char *name, const char *help, const uint64_t *bytes)
{
    static const char *const budgets[MEMORY_BUDGETS] = {
        [MEMORY_STATE] = "state",         [MEMORY_RECEIVE] = "receive",
        [MEMORY_REQUEST] = "request",     [MEMORY_SEND] = "send",
        [MEMORY_READ] = "read",           [MEMORY_PEER_RECEIVE] = "peer_receive",
        [MEMORY_PEER_SEND] = "peer_send",
    };
    gauges(out, name, help, "budget", budgets, bytes, MEMORY_BUDGETS);
}

char *metrics_print(const struct broker_metrics *metrics, size_t *ret_length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_length);
    if (out == NULL)
        return NULL;
    print_cluster(out, metrics);
    print_replicas(out, metrics);
    print_quorum(out, metrics);
    gauge(out, "kafka_log_logmanager_offlinelogdirectorycount",
          "Data folders that have failed, with all that is in them.", metrics->offline_folders);
    gauge(out, "kafka_server_socket_server_metrics_connection_count", "Connections of clients.",
          metrics->connections);
    print_budgets(out, "chronik_memory_used_bytes", "Memory in use, by what it is for.",
                  metrics->memory_used_bytes);
    print_budgets(out, "chronik_memory_limit_bytes", "The limit of that; 0: none.",
                  metrics->memory_limit_bytes);
    const bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}
