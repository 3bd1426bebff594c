/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/metrics_print.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/runner.h"

/* The text of these has the line. */
static bool has(const struct broker_metrics *metrics, const char *line)
{
    size_t length;
    const size_t line_length = strlen(line);
    char *text = metrics_print(metrics, &length);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strlen(text), length);
    bool found = false;
    for (const char *at = text; !found && *at != '\0'; at = strchr(at, '\n') + 1)
        found = strncmp(at, line, line_length) == 0 && at[line_length] == '\n';
    free(text);
    return found;
}

START_TEST(each_has_its_name)
{
    const struct broker_metrics metrics = {
        .is_active_controller = true,
        .active_brokers = 2,
        .fenced_brokers = 3,
        .topics = 4,
        .partitions = 5,
        .preferred_imbalance = 6,
        .offline_partitions = {7, 8, 9},
        .unclean_elections = 10000000000,
        .replicas = 11,
        .leaders = 12,
        .under_replicated = 13,
        .under_min_isr = 14,
        .at_min_isr = 15,
        .current_leader = -1,
        .current_epoch = 16,
        .high_watermark = 17000000000,
        .log_end = 18,
        .last_applied = 23,
        .offline_folders = 24,
        .connections = 19,
        .memory_used_bytes = {[MEMORY_STATE] = 20, [MEMORY_PEER_SEND] = 21},
        .memory_limit_bytes = {[MEMORY_RECEIVE] = 22},
    };
    static const char *const lines[] = {
        "kafka_controller_kafkacontroller_activecontrollercount 1",
        "kafka_controller_kafkacontroller_activebrokercount 2",
        "kafka_controller_kafkacontroller_fencedbrokercount 3",
        "kafka_controller_kafkacontroller_globaltopiccount 4",
        "kafka_controller_kafkacontroller_globalpartitioncount 5",
        "kafka_controller_kafkacontroller_preferredreplicaimbalancecount 6",
        "kafka_controller_kafkacontroller_offlinepartitionscount 24",
        "chronik_offline_partitions{waits_for=\"eligible_leader_replica\"} 7",
        "chronik_offline_partitions{waits_for=\"last_known_leader\"} 8",
        "chronik_offline_partitions{waits_for=\"operator\"} 9",
        "# TYPE kafka_controller_controllerstats_uncleanleaderelections_total counter",
        "kafka_controller_controllerstats_uncleanleaderelections_total 10000000000",
        "kafka_server_replicamanager_partitioncount 11",
        "kafka_server_replicamanager_leadercount 12",
        "kafka_server_replicamanager_underreplicatedpartitions 13",
        "kafka_server_replicamanager_underminisrpartitioncount 14",
        "kafka_server_replicamanager_atminisrpartitioncount 15",
        "# TYPE kafka_server_raft_metrics_current_leader gauge",
        "kafka_server_raft_metrics_current_leader -1",
        "kafka_server_raft_metrics_current_epoch 16",
        "kafka_server_raft_metrics_high_watermark 17000000000",
        "kafka_server_raft_metrics_log_end_offset 18",
        "kafka_server_broker_metadata_metrics_last_applied_record_offset 23",
        "kafka_log_logmanager_offlinelogdirectorycount 24",
        "kafka_server_socket_server_metrics_connection_count 19",
        "chronik_memory_used_bytes{budget=\"state\"} 20",
        "chronik_memory_used_bytes{budget=\"peer_send\"} 21",
        "chronik_memory_limit_bytes{budget=\"receive\"} 22",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(has(&metrics, lines[i]), "no line \"%s\"", lines[i]);
}
END_TEST

SUITE(metrics_print)
{
    TCase *tcase = tcase_create("metrics_print");
    tcase_add_test(tcase, each_has_its_name);
    suite_add_tcase(suite, tcase);
}
