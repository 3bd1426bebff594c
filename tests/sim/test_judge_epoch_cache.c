/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster that runs, and is then made to know other leader epochs than its logs have. */
#include "core/broker_state.h"
#include "core/partition.h"
#include "core/records/batch.h"
#include "sim/file_node.h"
#include "sim/host.h"
#include "sim/judge.h"
#include "tests/sim/log_inside.h"
#include "tests/sim/ran.h"
#include "tests/support/runner.h"

static struct sim *sim;
static struct host *host;
static struct log *log_there;

static void set_up(void)
{
    struct partition *partition = NULL;
    sim = ran();
    for (uint32_t i = 0; i < RAN_NODES && partition == NULL; i++) {
        host = sim->hosts[i];
        partition_by_name(host->broker, SPAN("orders"), 0, &partition);
    }
    ck_assert_ptr_nonnull(partition);
    log_there = partition->log;
    ck_assert_int_eq(log_state(log_there), LOG_READY);
    ck_assert_uint_eq(log_inside_epochs(log_there)->count, 1);
    ck_assert_int_gt(log_end(log_there), 60); /* the stories need fifty */
}

static void tear_down(void)
{
    sim_free(sim);
}

static void step(struct effect *effect)
{
    const struct event turn_end = {.kind = EVENT_TURN_END};
    const struct effects before = host->effects;
    host->effects = (struct effects){.items = effect, .count = 1};
    judges_stepped(sim->judges, host, &turn_end);
    host->effects = before;
}

/* The judge looks at the log as when a process has just opened and cut it. */
static void look(void)
{
    struct effect cut = {
        .kind = EFFECT_TRUNCATE,
        .id = 1,
        .range = {.file = log_inside_file(log_there), .offset = log_inside_written(log_there)}};
    judges_host_changed(sim->judges, host, HOST_BOOTED);
    step(&cut);
}

/* Others may object: nobody asked for what the step has. */
static void passes(void)
{
    ck_assert(sim->violation.result == SIM_PASSED ||
              strcmp(sim->violation.judge, "epoch-cache") != 0);
}

static void objects(const char *part)
{
    look();
    ck_assert_int_eq(sim->violation.result, SIM_SAFETY);
    ck_assert_str_eq(sim->violation.judge, "epoch-cache");
    ck_assert_msg(strstr(sim->violation.text, part) != NULL, "%s", sim->violation.text);
}

START_TEST(as_the_log_has_it)
{
    look();
    passes();
}
END_TEST

START_TEST(one_that_begins_late)
{
    log_inside_epochs(log_there)->entries[0].offset++;
    objects("from offset 1 on in memory, and in the log, which starts at offset 0, it is 0 from");
}
END_TEST

START_TEST(one_that_is_missing)
{
    log_inside_epochs(log_there)->count = 0;
    objects("has batches of leader epoch 0 from offset 0 on, and no such epoch in memory");
}
END_TEST

START_TEST(one_too_many)
{
    ck_assert(epochs_assign(log_inside_epochs(log_there), 1, log_end(log_there) - 50));
    objects("and in the log, which starts at offset 0, it is 0 from offset 0 on");
}
END_TEST

START_TEST(one_of_what_was_cut)
{
    ck_assert(epochs_assign(log_inside_epochs(log_there), 1, log_end(log_there) + 50));
    objects("has leader epoch 1 from offset");
}
END_TEST

/* The log starts within its epoch from now on. */
static void starts_at(int64_t start)
{
    log_inside_epochs(log_there)->entries[0].offset = start;
    log_inside_start(log_there, start);
}

START_TEST(as_the_log_starts)
{
    starts_at(10);
    look();
    passes();
}
END_TEST

START_TEST(one_that_begins_before_the_start)
{
    log_inside_start(log_there, 10);
    objects("from offset 0 on in memory");
}
END_TEST

START_TEST(one_that_ended_before_the_start)
{
    struct epochs *epochs = log_inside_epochs(log_there);
    starts_at(10);
    const struct epoch_start newest = epochs->entries[0];
    ck_assert(epochs_assign(epochs, newest.epoch - 1, 5));
    ck_assert(epochs_assign(epochs, newest.epoch, newest.offset));
    objects("from offset 5 on in memory, and the log, which starts at offset 10, has nothing");
}
END_TEST

/* The checkpoint that is put in its place says what it said before, or something else. */
static void put(struct span text)
{
    static const struct span path = SPAN("orders-0/leader-epoch-checkpoint");
    struct file_node *node =
        path_node(&host->files, log_folder_number(log_there), "orders-0/leader-epoch-checkpoint");
    ck_assert_ptr_nonnull(node);
    file_bytes_resize(&node->visible, 0);
    file_bytes_set(&node->visible, 0, text.data, text.length);
    struct effect rename = {
        .kind = EFFECT_RENAME, .id = 1, .path = {.path = path, .path_to = path}};
    step(&rename);
}

START_TEST(a_checkpoint_of_less)
{
    put(SPAN("0\n0\n"));
    passes();
}
END_TEST

START_TEST(a_checkpoint_of_something_else)
{
    put(SPAN("0\n1\n0 7\n"));
    ck_assert_int_eq(sim->violation.result, SIM_SAFETY);
    ck_assert_msg(strstr(sim->violation.text, "from offset 7 on in its checkpoint") != NULL, "%s",
                  sim->violation.text);
}
END_TEST

/* All batches of the log are of this leader epoch. */
static void led_under(int32_t epoch)
{
    struct file_node *node =
        path_node(&host->files, log_folder_number(log_there), "orders-0/00000000000000000000.log");
    ck_assert_ptr_nonnull(node);
    file_bytes_own(&node->visible);
    struct span bytes = span_of(node->visible.data, log_inside_written(log_there));
    struct span batch;
    struct batch_info info;
    while (bytes.length > 0 &&
           batch_next(bytes, bytes.length, BATCH_CHECK_HEADER, &batch, &info) == BATCH_FOUND) {
        batch_patch(node->visible.data + (batch.data - node->visible.data), info.base_offset,
                    epoch);
        bytes = span_of(bytes.data + batch.length, bytes.length - batch.length);
    }
    ck_assert_uint_eq(bytes.length, 0);
    log_inside_epochs(log_there)->entries[0].epoch = epoch;
    judges_host_changed(sim->judges, host, HOST_BOOTED);
}

START_TEST(a_checkpoint_of_before_the_first_record)
{
    led_under(1);
    put(SPAN("0\n1\n0 0\n"));
    passes();
}
END_TEST

START_TEST(a_checkpoint_of_an_epoch_that_never_was)
{
    led_under(1);
    put(SPAN("0\n2\n0 0\n1 7\n"));
    ck_assert_int_eq(sim->violation.result, SIM_SAFETY);
    ck_assert_msg(strstr(sim->violation.text, "from offset 7 on in its checkpoint") != NULL, "%s",
                  sim->violation.text);
}
END_TEST

START_TEST(a_checkpoint_that_is_none)
{
    put(SPAN("rubbish"));
    ck_assert_int_eq(sim->violation.result, SIM_SAFETY);
    ck_assert(strstr(sim->violation.text, "leader-epoch-checkpoint that cannot be read") != NULL);
}
END_TEST

SUITE(judge_epoch_cache)
{
    TCase *tcase = tcase_create("epoch-cache");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, as_the_log_has_it);
    tcase_add_test(tcase, one_that_begins_late);
    tcase_add_test(tcase, one_that_is_missing);
    tcase_add_test(tcase, one_too_many);
    tcase_add_test(tcase, one_of_what_was_cut);
    tcase_add_test(tcase, as_the_log_starts);
    tcase_add_test(tcase, one_that_begins_before_the_start);
    tcase_add_test(tcase, one_that_ended_before_the_start);
    tcase_add_test(tcase, a_checkpoint_of_less);
    tcase_add_test(tcase, a_checkpoint_of_something_else);
    tcase_add_test(tcase, a_checkpoint_of_before_the_first_record);
    tcase_add_test(tcase, a_checkpoint_of_an_epoch_that_never_was);
    tcase_add_test(tcase, a_checkpoint_that_is_none);
    suite_add_tcase(suite, tcase);
}
