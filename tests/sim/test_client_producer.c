/* SPDX-License-Identifier: Apache-2.0 */
/* Producers and consumers, and the auditor that comes behind them. */
#include "core/wire/error.h"
#include "sim/clients.h"
#include "tests/sim/trial.h"

#define PARTITIONS 3
#define RECORDS    100
#define BATCH      10

static int64_t audited; /* records, by the ends of what the auditor read */

static void audit_replied(const struct sim *sim, const struct exchange *exchange)
{
    if (sim->phase != SIM_AUDIT || exchange->api->key != API_FETCH)
        return;
    ck_assert_uint_eq(exchange->client, CLIENT_AUDITOR);
    const struct fetch_response *response = exchange->response;
    static int64_t ends[PARTITIONS];
    for (int32_t i = 0; i < response->responses_count; i++) {
        for (int32_t j = 0; j < response->responses[i].partitions_count; j++)
            ends[response->responses[i].partitions[j].partition_index] =
                response->responses[i].partitions[j].high_watermark;
    }
    audited = 0;
    for (int i = 0; i < PARTITIONS; i++)
        audited += ends[i];
}

static const struct {
    int8_t acks;
    bool idempotent;
    bool sessions;
} ways[] = {{0, false, false}, {1, false, true}, {-1, false, false}, {-1, true, true}};

/* As many as were made, when nothing is lost; a batch may go beyond the number. */
START_TEST(records_are_delivered_and_seen)
{
    struct trial trial;
    trial_init(&trial, PARTITIONS);
    trial.replied = audit_replied;
    struct scenario_client *producer = trial_add(&trial, CLIENT_PRODUCER, 1);
    producer->acks = ways[_i].acks;
    producer->idempotent = ways[_i].idempotent;
    producer->records = RECORDS;
    producer->batch_records = (struct range){BATCH, BATCH};
    trial_add(&trial, CLIENT_CONSUMER, 1)->sessions = ways[_i].sessions;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        trial_run(&trial, seed);
        ck_assert_uint_eq(trial.tally.counts[TALLY_acked_records],
                          ways[_i].acks == 0 ? 0 : RECORDS);
        ck_assert_int_eq(audited, RECORDS);
        /* The consumer's, and the auditor's. */
        ck_assert_uint_eq(trial.tally.counts[TALLY_consumed_records], 2 * RECORDS);
        ck_assert_uint_eq(trial.tally.counts[TALLY_lost], 0);
    }
}
END_TEST

/* With connections that are cut again and again, idempotence lets no record come twice. */
START_TEST(what_is_lost_comes_again)
{
    struct trial trial;
    trial_init(&trial, PARTITIONS);
    trial.replied = audit_replied;
    struct scenario_client *producer = trial_add(&trial, CLIENT_PRODUCER, 1);
    producer->idempotent = true;
    producer->records = 10 * RECORDS;
    producer->batch_records = (struct range){BATCH, BATCH};
    trial_add(&trial, CLIENT_CONSUMER, 1)->sessions = true;
    struct scenario_fault cuts = {.kind = FAULT_RESET,
                                  .every_ms = {5, 50},
                                  .to_ms = {TRIAL_LOAD_MS, TRIAL_LOAD_MS},
                                  .amount = {100, 100}};
    trial.scenario.faults = &cuts;
    trial.scenario.faults_count = 1;
    uint64_t lost = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        trial_run(&trial, seed);
        ck_assert_int_eq(audited, 10 * RECORDS);
        lost += trial.tally.counts[TALLY_lost];
    }
    ck_assert_uint_gt(lost, 0);
}
END_TEST

SUITE(client_producer)
{
    TCase *tcase = tcase_create("producers and consumers");
    tcase_add_loop_test(tcase, records_are_delivered_and_seen, 0,
                        (int)(sizeof(ways) / sizeof(ways[0])));
    tcase_add_test(tcase, what_is_lost_comes_again);
    suite_add_tcase(suite, tcase);
}
