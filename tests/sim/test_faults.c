/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that hit several machines of a cluster at once. */
#include "sim/host.h"
#include "sim/network.h"
#include "tests/sim/trial.h"

#define PARTITIONS 3

static char insync_key[] = "min.insync.replicas";
static char insync_value[] = "2";
static struct setting insync = {insync_key, insync_value};

/* What was seen while a fault lasted: links between machines that were there, and machines that
 * ran; of the least moment. */
static uint32_t links_least;
static uint32_t hosts_least;

static void look(const struct sim *sim, const struct exchange *exchange)
{
    uint32_t links = 0;
    uint32_t hosts = 0;
    (void)exchange;
    for (uint32_t i = 1; i <= sim->hosts_count; i++) {
        hosts += host_runs(sim->hosts[i - 1]);
        for (uint32_t j = 1; j < i; j++)
            links += network_is_open(sim->network, i, j);
    }
    links_least = links < links_least ? links : links_least;
    hosts_least = hosts < hosts_least ? hosts : hosts_least;
}

static void run_with(struct scenario_fault fault, struct trial *ret_trial)
{
    trial_init(ret_trial, PARTITIONS);
    trial_cluster(ret_trial);
    ret_trial->topic.replication_factor = TRIAL_NODES;
    ret_trial->topic.config = (struct settings_list){&insync, 1};
    trial_add(ret_trial, CLIENT_PRODUCER, 2)->idempotent = true;
    trial_add(ret_trial, CLIENT_CONSUMER, 2);
    ret_trial->scenario.faults = &fault;
    ret_trial->scenario.faults_count = 1;
    ret_trial->replied = look;
    links_least = UINT32_MAX;
    hosts_least = UINT32_MAX;
    trial_run(ret_trial, 1);
}

START_TEST(two_machines_lose_power_at_once)
{
    struct trial trial;
    run_with(
        (struct scenario_fault){
            .kind = FAULT_POWER_LOSS, .count = {2, 2}, .at_ms = {500, 500}, .lasts_ms = {500, 500}},
        &trial);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_power_loss], 2);
    ck_assert_uint_eq(trial.tally.counts[TALLY_boot_after_power_loss], 2);
    ck_assert_uint_eq(hosts_least, 1);
}
END_TEST

START_TEST(a_net_falls_into_as_many_parts_as_are_asked_for)
{
    struct trial trial;
    for (uint64_t parts = 2; parts <= 4; parts++) {
        run_with((struct scenario_fault){.kind = FAULT_PARTITION,
                                         .amount = {parts, parts},
                                         .at_ms = {500, 500},
                                         .lasts_ms = {800, 800}},
                 &trial);
        if (parts == 2)
            ck_assert_uint_ge(links_least, 1);
        else
            ck_assert_uint_eq(links_least, 0);
    }
}
END_TEST

/* In a cluster the seed draws these too. */
START_TEST(a_swarm_hits_several_at_once)
{
    struct trial trial;
    bool is_alone = false;
    for (uint64_t seed = 1; seed <= 40 && !is_alone; seed++) {
        trial_init(&trial, PARTITIONS);
        trial_cluster(&trial);
        trial.topic.replication_factor = TRIAL_NODES;
        trial.topic.config = (struct settings_list){&insync, 1};
        trial_add(&trial, CLIENT_PRODUCER, 1);
        trial.scenario.draws_faults = true;
        trial.scenario.load_ms = (struct range){300, 600};
        trial.replied = look;
        links_least = UINT32_MAX;
        hosts_least = UINT32_MAX;
        trial_run(&trial, seed);
        is_alone = links_least == 0;
    }
    ck_assert(is_alone);
}
END_TEST

SUITE(faults)
{
    TCase *tcase = tcase_create("of several machines");
    tcase_add_test(tcase, two_machines_lose_power_at_once);
    tcase_add_test(tcase, a_net_falls_into_as_many_parts_as_are_asked_for);
    tcase_add_test(tcase, a_swarm_hits_several_at_once);
    suite_add_tcase(suite, tcase);
}
