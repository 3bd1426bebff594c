/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that hit several machines of a cluster at once, or what is between them, and those of its
 * disks. */
#include "sim/host.h"
#include "sim/network_internal.h"
#include "tests/sim/trial.h"

#define PARTITIONS 3

static char insync_key[] = "min.insync.replicas";
static char insync_value[] = "2";
static struct setting insync = {insync_key, insync_value};

/* What was seen while a fault lasted: links between machines that were there, and machines that
 * ran; of the least moment. */
static uint32_t links_least;
static uint32_t hosts_least;

/* Ways that were blocked at any moment, and of those, machines that answered a client then; from
 * each end to each, a bit for every way. */
static uint64_t blocked;
static uint32_t answered;

#define WAY(from, to) ((uint64_t)1 << ((from) * (TRIAL_NODES + 2) + (to)))
#define A_CLIENT      (TRIAL_NODES + 1)

static uint64_t ways_look(const struct sim *sim)
{
    uint64_t ways = 0;
    for (uint32_t i = 1; i <= A_CLIENT; i++) {
        for (uint32_t j = 1; j <= A_CLIENT; j++) {
            const uint32_t from = i == A_CLIENT ? CLIENT_END(1) : i;
            const uint32_t to = j == A_CLIENT ? CLIENT_END(1) : j;
            ways |= network_is_blocked(sim->network, from, to) ? WAY(i, j) : 0;
        }
    }
    return ways;
}

static void look(const struct sim *sim, const struct exchange *exchange)
{
    uint32_t links = 0;
    uint32_t hosts = 0;
    const uint64_t ways = ways_look(sim);
    blocked |= ways;
    if (ways != 0)
        answered |= 1U << exchange->host->number;
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
    blocked = 0;
    answered = 0;
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

#define ALL_NODES (1U << 1 | 1U << 2 | 1U << 3)

/* The two do not hear each other, and everybody else hears both. */
START_TEST(a_link_is_cut_alone)
{
    struct trial trial;
    run_with((struct scenario_fault){.kind = FAULT_CUT_LINK,
                                     .node = 3,
                                     .other_node = 1,
                                     .at_ms = {500, 500},
                                     .lasts_ms = {800, 800}},
             &trial);
    ck_assert(blocked == (WAY(1, 3) | WAY(3, 1)));
    ck_assert_uint_eq(answered, ALL_NODES);
    ck_assert_uint_eq(links_least, 2);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_cut_link], 1);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_cut_link_mattered], 1);
}
END_TEST

START_TEST(a_link_is_cut_one_way)
{
    struct trial trial;
    run_with((struct scenario_fault){.kind = FAULT_ONE_WAY_LINK,
                                     .node = 3,
                                     .other_node = 1,
                                     .at_ms = {500, 500},
                                     .lasts_ms = {800, 800}},
             &trial);
    ck_assert(blocked == WAY(3, 1));
    ck_assert_uint_eq(answered, ALL_NODES);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_one_way_link], 1);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_one_way_link_mattered], 1);
}
END_TEST

/* Nobody says which: it is one of them, and one with another. */
START_TEST(a_link_is_drawn)
{
    struct trial trial;
    run_with((struct scenario_fault){.kind = FAULT_CUT_LINK,
                                     .every_ms = {200, 200},
                                     .lasts_ms = {100, 100},
                                     .count = {1, 1}},
             &trial);
    ck_assert(blocked == (WAY(1, 2) | WAY(2, 1) | WAY(1, 3) | WAY(3, 1) | WAY(2, 3) | WAY(3, 2)));
    ck_assert_uint_ge(trial.tally.counts[TALLY_fault_cut_link], 8);
}
END_TEST

START_TEST(a_partition_around_one_machine)
{
    struct trial trial;
    run_with(
        (struct scenario_fault){
            .kind = FAULT_PARTITION, .node = 2, .at_ms = {500, 500}, .lasts_ms = {800, 800}},
        &trial);
    ck_assert(blocked == (WAY(1, 2) | WAY(2, 1) | WAY(3, 2) | WAY(2, 3) | WAY(A_CLIENT, 2) |
                          WAY(2, A_CLIENT)));
}
END_TEST

/* It goes and comes every fiftieth of a second. */
START_TEST(a_link_flaps)
{
    struct trial trial;
    run_with((struct scenario_fault){.kind = FAULT_CUT_LINK,
                                     .node = 2,
                                     .other_node = 3,
                                     .at_ms = {500, 500},
                                     .lasts_ms = {1010, 1010},
                                     .flap_ms = {20, 20}},
             &trial);
    ck_assert(blocked == (WAY(2, 3) | WAY(3, 2)));
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_cut_link], 1);
    ck_assert_uint_eq(trial.tally.counts[TALLY_split_flapped], 50);
}
END_TEST

/* Which settings of each machine were seen first, and how often they were others later. */
static uint64_t files[TRIAL_NODES];
static uint32_t files_changed;

static void look_at_files(const struct sim *sim, const struct exchange *exchange)
{
    (void)exchange;
    for (uint32_t i = 0; i < sim->hosts_count; i++) {
        const struct conf *conf = &sim->hosts[i]->conf;
        const uint64_t file = (uint64_t)conf_int(conf, CONF_LOG_SEGMENT_BYTES) +
                              ((uint64_t)conf_int(conf, CONF_REPLICA_LAG_TIME_MAX_MS) << 32);
        files_changed += files[i] != 0 && files[i] != file;
        files[i] = file;
    }
}

/* Every machine has its own file; one starts again with another, and with that from then on. */
START_TEST(files_differ)
{
    struct trial trial;
    const struct scenario_fault faults[] = {
        {.kind = FAULT_OTHER_FILE, .node = 2, .at_ms = {300, 300}, .lasts_ms = {1, 1}},
        {.kind = FAULT_CRASH, .node = 2, .at_ms = {1500, 1500}, .lasts_ms = {1, 1}}};
    trial_init(&trial, PARTITIONS);
    trial_cluster(&trial);
    trial.topic.replication_factor = TRIAL_NODES;
    trial_add(&trial, CLIENT_PRODUCER, 1);
    trial.scenario.files_differ = true;
    trial.scenario.faults = (struct scenario_fault *)(uintptr_t)faults;
    trial.scenario.faults_count = 2;
    trial.replied = look_at_files;
    memset(files, 0, sizeof(files));
    files_changed = 0;
    trial_run(&trial, 1);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_other_file], 1);
    ck_assert_uint_eq(files_changed, 1);
    ck_assert(files[0] != files[1] && files[1] != files[2] && files[2] != files[0]);
}
END_TEST

/* In a cluster the seed draws these too. */
START_TEST(a_swarm_hits_several_at_once)
{
    struct trial trial;
    bool is_alone = false;
    for (uint64_t seed = 1; seed <= 200 && !is_alone; seed++) {
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

static void lose_disks(struct trial *trial, enum fault_kind kind, bool has_operator)
{
    struct scenario_fault faults[] = {
        {.kind = kind, .node = 2, .at_ms = {300, 300}, .lasts_ms = {100, 300}},
        {.kind = kind, .node = 1, .at_ms = {1000, 1000}, .lasts_ms = {100, 300}}};
    trial_init(trial, PARTITIONS);
    trial_cluster(trial);
    trial_set(trial, "min.insync.replicas", insync_value);
    trial->topic.replication_factor = TRIAL_NODES;
    trial_add(trial, CLIENT_PRODUCER, 2)->idempotent = true;
    trial_add(trial, CLIENT_CONSUMER, 1);
    if (has_operator)
        trial_add(trial, CLIENT_OPERATOR, 1);
    /* Who asks a machine that loses its disk waits for seconds. */
    trial->scenario.load_ms = (struct range){16000, 16000};
    trial->scenario.faults = faults;
    trial->scenario.faults_count = 2;
    trial_run(trial, 1);
}

/* The second one waits until the first machine votes again; and may take the answer with it that
 * says so. */
START_TEST(disks_are_taken_out_one_after_the_other)
{
    struct trial trial;
    lose_disks(&trial, FAULT_EMPTY_DISK, true);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_empty_disk], 2);
    ck_assert_uint_eq(trial.tally.counts[TALLY_voters_removed], 2);
    ck_assert_uint_ge(trial.tally.counts[TALLY_voters_added], 1);
}
END_TEST

/* Without somebody who has it vote again, no other one can be done without. */
START_TEST(no_more_disks_go_than_there_are_voters_to_spare)
{
    struct trial trial;
    lose_disks(&trial, FAULT_EMPTY_DISK, false);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_empty_disk], 1);
}
END_TEST

START_TEST(nobody_starts_with_the_disk_of_another)
{
    struct trial trial;
    lose_disks(&trial, FAULT_SWAP_DISKS, true);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_swap_disks], 2);
    ck_assert_uint_eq(trial.tally.counts[TALLY_fault_swap_disks_mattered], 2);
    ck_assert_uint_gt(trial.tally.counts[TALLY_boot_fails], 3);
    ck_assert_uint_eq(trial.tally.counts[TALLY_voters_removed], 0);
}
END_TEST

SUITE(faults)
{
    TCase *tcase = tcase_create("of several machines");
    tcase_add_test(tcase, two_machines_lose_power_at_once);
    tcase_add_test(tcase, a_net_falls_into_as_many_parts_as_are_asked_for);
    tcase_add_test(tcase, a_link_is_cut_alone);
    tcase_add_test(tcase, a_link_is_cut_one_way);
    tcase_add_test(tcase, a_link_is_drawn);
    tcase_add_test(tcase, a_partition_around_one_machine);
    tcase_add_test(tcase, a_link_flaps);
    tcase_add_test(tcase, files_differ);
    tcase_add_test(tcase, a_swarm_hits_several_at_once);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("of disks");
    tcase_add_test(tcase, disks_are_taken_out_one_after_the_other);
    tcase_add_test(tcase, no_more_disks_go_than_there_are_voters_to_spare);
    tcase_add_test(tcase, nobody_starts_with_the_disk_of_another);
    suite_add_tcase(suite, tcase);
}
