/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of a cluster, of whose partitions each has its own leader. */
#include "core/wire/error.h"
#include "sim/clients.h"
#include "sim/host.h"
#include "tests/sim/trial.h"

#define PARTITIONS 6
#define RECORDS    200
#define BATCH      10

static int64_t ends[PARTITIONS];          /* as the auditor read them */
static uint32_t took[TRIAL_NODES + 1];    /* batches, by the node that acknowledged them */
static uint32_t elsewhere;                /* requests that went to a node which did not lead */
static uint32_t commits[TRIAL_NODES + 1]; /* of groups, likewise */

static void produced(const struct exchange *exchange)
{
    const struct produce_response *response = exchange->response;
    for (int32_t i = 0; i < response->responses[0].partition_responses_count; i++) {
        const int16_t error = response->responses[0].partition_responses[i].error_code;
        took[exchange->host->number] += error == ERR_NONE;
        elsewhere += error == ERR_NOT_LEADER_OR_FOLLOWER;
    }
}

static void fetched(const struct sim *sim, const struct exchange *exchange)
{
    const struct fetch_response *response = exchange->response;
    for (int32_t i = 0; i < response->responses_count; i++) {
        for (int32_t j = 0; j < response->responses[i].partitions_count; j++) {
            const struct fetch_response_response_partition *part =
                &response->responses[i].partitions[j];
            elsewhere += part->error_code == ERR_NOT_LEADER_OR_FOLLOWER;
            if (sim->phase == SIM_AUDIT)
                ends[part->partition_index] = part->high_watermark;
        }
    }
}

static void committed(const struct exchange *exchange)
{
    const struct offset_commit_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++)
        commits[exchange->host->number] += response->topics[i].partitions[0].error_code == ERR_NONE;
}

static void replied(const struct sim *sim, const struct exchange *exchange)
{
    if (exchange->api->key == API_PRODUCE)
        produced(exchange);
    else if (exchange->api->key == API_FETCH)
        fetched(sim, exchange);
    else if (exchange->api->key == API_OFFSET_COMMIT)
        committed(exchange);
}

static void begin(struct trial *trial)
{
    memset(ends, 0, sizeof(ends));
    memset(took, 0, sizeof(took));
    memset(commits, 0, sizeof(commits));
    elsewhere = 0;
    trial_init(trial, PARTITIONS);
    trial_cluster(trial);
    trial->replied = replied;
    struct scenario_client *producer = trial_add(trial, CLIENT_PRODUCER, 1);
    producer->idempotent = true;
    producer->records = RECORDS;
    producer->batch_records = (struct range){BATCH, BATCH};
}

static int64_t audited(void)
{
    int64_t sum = 0;
    for (size_t i = 0; i < PARTITIONS; i++)
        sum += ends[i];
    return sum;
}

/* Each node gets what it leads, from producers and consumers alike, and nothing else. */
START_TEST(leaders_are_followed)
{
    struct trial trial;
    begin(&trial);
    trial_add(&trial, CLIENT_CONSUMER, 1)->sessions = true;
    trial_run(&trial, 1);
    ck_assert_uint_eq(trial.tally.counts[TALLY_acked_records], RECORDS);
    ck_assert_int_eq(audited(), RECORDS);
    ck_assert_uint_eq(trial.tally.counts[TALLY_consumed_records], 2 * RECORDS);
    ck_assert_uint_eq(took[1] + took[2] + took[3], RECORDS / BATCH);
    for (uint32_t node = 1; node <= TRIAL_NODES; node++)
        ck_assert_uint_gt(took[node], 0);
    ck_assert_uint_eq(elsewhere, 0);
}
END_TEST

/* Whoever a member asks first, its group has one coordinator. */
START_TEST(coordinators_are_followed)
{
    struct trial trial;
    begin(&trial);
    for (uint32_t node = 1; node <= TRIAL_NODES; node++)
        trial_add(&trial, CLIENT_MEMBER, 1)->node = node;
    trial_run(&trial, 1);
    uint32_t coordinators = 0;
    for (uint32_t node = 1; node <= TRIAL_NODES; node++)
        coordinators += commits[node] > 0;
    ck_assert_uint_eq(coordinators, 1);
    ck_assert_uint_ge(trial.tally.counts[TALLY_consumed_records], 2 * RECORDS);
}
END_TEST

/* The node that all of them asked first is gone for most of the time. */
START_TEST(others_are_asked_when_one_is_gone)
{
    struct trial trial;
    begin(&trial);
    trial.clients[0].node = 2;
    trial_add(&trial, CLIENT_CONSUMER, 1)->node = 2;
    trial_add(&trial, CLIENT_MEMBER, 2)->node = 2;
    struct scenario_fault crash = {.kind = FAULT_CRASH,
                                   .node = 2,
                                   .at_ms = {1, 1},
                                   .lasts_ms = {TRIAL_LOAD_MS - 100, TRIAL_LOAD_MS - 100}};
    trial.scenario.faults = &crash;
    trial.scenario.faults_count = 1;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        memset(took, 0, sizeof(took));
        trial_run(&trial, seed);
        ck_assert_int_eq(audited(), RECORDS);
        ck_assert_uint_gt(took[1], 0);
        ck_assert_uint_gt(took[2], 0);
        ck_assert_uint_gt(took[3], 0);
    }
}
END_TEST

SUITE(contacts)
{
    TCase *tcase = tcase_create("clients of a cluster");
    tcase_add_test(tcase, leaders_are_followed);
    tcase_add_test(tcase, coordinators_are_followed);
    tcase_add_test(tcase, others_are_asked_when_one_is_gone);
    suite_add_tcase(suite, tcase);
}
