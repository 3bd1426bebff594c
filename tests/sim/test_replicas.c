/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of a topic with three replicas, whose judges are those of everything else. */
#include "sim/clients.h"
#include "tests/sim/trial.h"

#define PARTITIONS 3
#define RECORDS    500
#define BATCH      5

static char insync_key[] = "min.insync.replicas";
static char insync_value[] = "2";
static struct setting insync = {insync_key, insync_value};

static void begin(struct trial *trial, int8_t acks)
{
    trial_init(trial, PARTITIONS);
    trial_cluster(trial);
    trial->topic.replication_factor = TRIAL_NODES;
    trial->topic.config = (struct settings_list){&insync, 1};
    struct scenario_client *producer = trial_add(trial, CLIENT_PRODUCER, 2);
    producer->acks = acks;
    producer->idempotent = acks < 0;
    producer->records = RECORDS;
    producer->batch_records = (struct range){BATCH, BATCH};
    trial_add(trial, CLIENT_CONSUMER, 1)->sessions = true;
    trial_add(trial, CLIENT_MEMBER, 2);
}

/* Each node goes once, which may be the leader of any partition. */
START_TEST(records_survive_their_leaders)
{
    static const enum fault_kind kinds[] = {FAULT_CRASH, FAULT_POWER_LOSS, FAULT_PAUSE};
    struct trial trial;
    begin(&trial, -1);
    struct scenario_fault faults[TRIAL_NODES];
    for (uint32_t i = 0; i < TRIAL_NODES; i++)
        faults[i] = (struct scenario_fault){.kind = kinds[_i],
                                            .node = i + 1,
                                            .at_ms = {1 + 600 * i, 100 + 600 * i},
                                            .lasts_ms = {100, 400}};
    trial.scenario.faults = faults;
    trial.scenario.faults_count = TRIAL_NODES;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        trial_run(&trial, seed);
        ck_assert_uint_ge(trial.tally.counts[TALLY_acked_records], 2 * RECORDS);
        ck_assert_uint_ge(trial.tally.counts[TALLY_consumed_records], 4 * RECORDS);
        ck_assert_uint_eq(trial.tally.counts[TALLY_unpromised_lost], 0);
    }
}
END_TEST

/* What acks=1 acknowledged may go with the power, which is no offence. */
START_TEST(records_of_the_leader_alone_are_counted)
{
    struct trial trial;
    begin(&trial, 1);
    trial.scenario.clients[0].records = 0;
    struct scenario_fault fault = {.kind = FAULT_POWER_LOSS,
                                   .hits_all_nodes = true,
                                   .every_ms = {200, 600},
                                   .lasts_ms = {1, 50}};
    trial.scenario.faults = &fault;
    trial.scenario.faults_count = 1;
    uint64_t lost = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        trial_run(&trial, seed);
        lost += trial.tally.counts[TALLY_unpromised_lost];
    }
    ck_assert_uint_gt(lost, 0);
}
END_TEST

/* All who were in sync are away at times: then somebody else leads where that is allowed, and only
 * there. */
START_TEST(leaders_are_elected_uncleanly_where_they_may)
{
    static char key[] = "unclean.leader.election.enable";
    static char values[][6] = {"false", "true"};
    struct setting setting = {key, values[_i]};
    struct trial trial;
    trial_init(&trial, PARTITIONS);
    trial_cluster(&trial);
    trial.topic.replication_factor = 2;
    trial.topic.config = (struct settings_list){&setting, 1};
    trial.scenario.load_ms = (struct range){10000, 15000};
    trial_add(&trial, CLIENT_PRODUCER, 1)->pause_us = (struct range){10000, 50000};
    struct scenario_fault faults[] = {
        {.kind = FAULT_CRASH, .every_ms = {1000, 3000}, .lasts_ms = {0, 6000}},
        {.kind = FAULT_CRASH, .every_ms = {1000, 3000}, .lasts_ms = {0, 6000}},
        {.kind = FAULT_POWER_LOSS, .every_ms = {2000, 6000}, .lasts_ms = {0, 5000}}};
    trial.scenario.faults = faults;
    trial.scenario.faults_count = sizeof(faults) / sizeof(faults[0]);
    uint64_t elected = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        trial_run(&trial, seed);
        elected += trial.tally.counts[TALLY_unclean_elections];
    }
    ck_assert_int_eq(elected > 0, _i);
}
END_TEST

SUITE(replicas)
{
    TCase *tcase = tcase_create("replicas");
    tcase_add_loop_test(tcase, records_survive_their_leaders, 0, 3);
    tcase_add_test(tcase, records_of_the_leader_alone_are_counted);
    tcase_add_loop_test(tcase, leaders_are_elected_uncleanly_where_they_may, 0, 2);
    suite_add_tcase(suite, tcase);
}
