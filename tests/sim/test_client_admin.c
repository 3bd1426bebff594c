/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators ask everything; hostile and silent ones harm nobody. */
#include "core/wire/error.h"
#include "sim/clients.h"
#include "tests/sim/trial.h"

#define RECORDS  500
#define KEYS_MAX 128

static const int16_t admin_keys[] = {
    API_PRODUCE,           API_LIST_OFFSETS,
    API_METADATA,          API_OFFSET_COMMIT,
    API_OFFSET_FETCH,      API_FIND_COORDINATOR,
    API_DESCRIBE_GROUPS,   API_LIST_GROUPS,
    API_API_VERSIONS,      API_CREATE_TOPICS,
    API_DELETE_TOPICS,     API_DELETE_RECORDS,
    API_INIT_PRODUCER_ID,  API_OFFSET_FOR_LEADER_EPOCH,
    API_DESCRIBE_CONFIGS,  API_CREATE_PARTITIONS,
    API_DELETE_GROUPS,     API_INCREMENTAL_ALTER_CONFIGS,
    API_DESCRIBE_CLUSTER,  API_DESCRIBE_TOPIC_PARTITIONS,
    API_DESCRIBE_LOG_DIRS, API_DESCRIBE_QUORUM,
};

static uint32_t versions_seen[KEYS_MAX]; /* by API, a bit for each version that was answered */
static int16_t topic_error; /* of "orders", as the auditor was told; -1: it is not there */

static void replied(const struct sim *sim, const struct exchange *exchange)
{
    ck_assert_int_lt(exchange->api->key, KEYS_MAX);
    versions_seen[exchange->api->key] |= 1U << exchange->version;
    if (sim->phase != SIM_AUDIT || exchange->api->key != API_METADATA)
        return;
    const struct metadata_response *response = exchange->response;
    topic_error = -1;
    for (int32_t i = 0; i < response->topics_count; i++) {
        if (span_equal(response->topics[i].name, SPAN("orders")))
            topic_error = response->topics[i].error_code;
    }
}

START_TEST(administrators_ask_everything_in_every_version)
{
    struct trial trial;
    trial_init(&trial, 2);
    trial.replied = replied;
    trial_add(&trial, CLIENT_ADMIN, 4)->topic = trial.topic.name;
    trial.scenario.expect.errors_allowed = true;
    memset(versions_seen, 0, sizeof(versions_seen));
    for (uint64_t seed = 1; seed <= 4; seed++) {
        trial_run(&trial, seed);
        ck_assert_uint_gt(trial.tally.counts[TALLY_topics_made], 0);
        ck_assert_uint_gt(trial.tally.counts[TALLY_topics_gone], 0);
        ck_assert_int_eq(topic_error, ERR_NONE); /* whoever deleted it made it again */
    }
    for (size_t i = 0; i < sizeof(admin_keys) / sizeof(admin_keys[0]); i++) {
        const struct wire_api *api = wire_api_find(admin_keys[i]);
        for (int16_t version = api->version_min; version <= api->version_max; version++)
            ck_assert_msg((versions_seen[api->key] >> version & 1) == 1, "%s version %d", api->name,
                          version);
    }
}
END_TEST

static uint32_t others_seen; /* requests of administrators for anything but elections */

static void count_others(const struct sim *sim, const struct exchange *exchange)
{
    const struct clients *clients = sim->clients;
    if (clients != NULL && exchange->client != CLIENT_AUDITOR &&
        clients_get(clients, exchange->client)->plan->kind == CLIENT_ADMIN)
        others_seen += exchange->api->key != API_ELECT_LEADERS;
}

/* A node that ended and came again leads as soon as somebody asks for it. */
START_TEST(elections_by_hand)
{
    static char insync_key[] = "min.insync.replicas";
    static char insync_value[] = "2";
    struct setting insync = {insync_key, insync_value};
    struct scenario_fault stop = {
        .kind = FAULT_STOP, .node = 1, .at_ms = {300, 300}, .lasts_ms = {300, 300}};
    struct trial trial;
    trial_init(&trial, 3);
    trial_cluster(&trial);
    trial.topic.replication_factor = TRIAL_NODES;
    trial.topic.config = (struct settings_list){&insync, 1};
    trial_add(&trial, CLIENT_PRODUCER, 1)->idempotent = true;
    trial_add(&trial, CLIENT_ADMIN, 1)->elects_only = true;
    trial.replied = count_others;
    others_seen = 0;
    trial_run(&trial, 1);
    ck_assert_uint_eq(trial.tally.counts[TALLY_elections_asked], 0); /* nothing to do */
    trial.scenario.faults = &stop;
    trial.scenario.faults_count = 1;
    trial_run(&trial, 1);
    ck_assert_uint_ge(trial.tally.counts[TALLY_elections_asked], 1);
    ck_assert_uint_eq(others_seen, 0);
}
END_TEST

static void add_good_ones(struct trial *trial)
{
    struct scenario_client *producer = trial_add(trial, CLIENT_PRODUCER, 1);
    producer->idempotent = true;
    producer->records = RECORDS;
    producer->batch_records = (struct range){1, 1};
    trial_add(trial, CLIENT_CONSUMER, 1);
    trial_add(trial, CLIENT_MEMBER, 2);
}

START_TEST(hostile_ones_harm_nobody)
{
    struct trial trial;
    trial_init(&trial, 2);
    add_good_ones(&trial);
    trial_add(&trial, CLIENT_HOSTILE, 3);
    uint64_t frames = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        trial_run(&trial, seed);
        frames += trial.tally.counts[TALLY_hostile_frames];
        ck_assert_uint_eq(trial.tally.counts[TALLY_acked_records], RECORDS);
        ck_assert_uint_eq(trial.tally.counts[TALLY_host_stopped_itself], 0);
    }
    ck_assert_uint_gt(frames, 500);
}
END_TEST

/* Those who say nothing are closed after a while, come again, and are closed again. */
START_TEST(silent_ones_come_again)
{
    struct trial trial;
    trial_init(&trial, 1);
    trial_add(&trial, CLIENT_SILENT, 10);
    trial_run(&trial, 1);
    const uint64_t steps = trial.steps;
    trial_set(&trial, "connections.max.idle.ms", "100");
    trial_run(&trial, 1);
    ck_assert_uint_gt(trial.steps, steps + (uint64_t)10 * TRIAL_LOAD_MS / 200);
}
END_TEST

START_TEST(the_same_seed_is_the_same_run)
{
    struct trial trial;
    trial_init(&trial, 2);
    add_good_ones(&trial);
    trial_add(&trial, CLIENT_ADMIN, 1);
    trial_add(&trial, CLIENT_HOSTILE, 1);
    trial_add(&trial, CLIENT_SILENT, 1)->life_ms = (struct range){10, 100};
    trial.scenario.expect.errors_allowed = true;
    trial_run(&trial, 1);
    const uint64_t digest = trial.digest;
    trial_run(&trial, 1);
    ck_assert_uint_eq(trial.digest, digest);
    trial_run(&trial, 2);
    ck_assert_uint_ne(trial.digest, digest);
}
END_TEST

SUITE(client_admin)
{
    TCase *tcase = tcase_create("administrators and others");
    tcase_add_test(tcase, administrators_ask_everything_in_every_version);
    tcase_add_test(tcase, elections_by_hand);
    tcase_add_test(tcase, hostile_ones_harm_nobody);
    tcase_add_test(tcase, silent_ones_come_again);
    tcase_add_test(tcase, the_same_seed_is_the_same_run);
    suite_add_tcase(suite, tcase);
}
