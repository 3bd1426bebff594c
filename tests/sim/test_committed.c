/* SPDX-License-Identifier: Apache-2.0 */
/* What a cluster has committed, as its nodes write and apply it. */
#include "core/broker_state.h"
#include "sim/committed.h"
#include "tests/sim/story.h"

#define SEGMENT     "__cluster_metadata-0/00000000000000000000.log"
#define FILE_NUMBER 7

static struct story story;
static struct committed *committed;

static void set_up(void)
{
    story_begin_cluster(&story, &judge_order);
    committed = committed_new(&story.sim);
    for (uint32_t node = 1; node <= STORY_NODES; node++) {
        const struct effect open = {
            .kind = EFFECT_OPEN,
            .id = 1,
            .open = {.file = FILE_NUMBER, .mode = OPEN_EXISTING, .path = SPAN(SEGMENT)}};
        struct completion completion;
        story_at(&story, node);
        story_write(&story, SEGMENT, SPAN(""), true);
        files_submitted(&story.host->files, &open);
        files_carry_out(&story.host->files, &open, 0, 0, 0, &completion);
    }
}

static void tear_down(void)
{
    committed_free(committed);
    story_end(&story);
}

/* The node writes a batch of `count` records in this step (0: none), and has applied all up to
 * `applied`. */
static void steps(uint32_t node, int64_t base_offset, int32_t count, uint8_t seed, int32_t epoch,
                  int64_t applied)
{
    const struct span batch = story_batch(&story, base_offset, count > 0 ? count : 1, seed);
    batch_patch((uint8_t *)(uintptr_t)batch.data, base_offset, epoch);
    struct piece piece = {.data = batch.data, .length = batch.length};
    struct effect write = {.kind = EFFECT_WRITE,
                           .id = 2,
                           .write = {.file = FILE_NUMBER, .pieces = &piece, .pieces_count = 1}};
    struct host *host = story.sim.hosts[node - 1];
    host->effects.items = &write;
    host->effects.count = count > 0 ? 1 : 0;
    host->broker->image.end_offset = applied;
    committed_stepped(committed, host);
    host->effects.items = NULL;
    host->effects.count = 0;
}

static int32_t epoch_of(uint32_t number)
{
    struct batch_info info;
    const struct span batch = committed_batch(committed, number);
    ck_assert(!span_is_null(batch));
    batch_info_read(batch.data, &info);
    return info.leader_epoch;
}

START_TEST(what_is_applied_is_committed)
{
    steps(1, 0, 3, 1, 1, 0);
    ck_assert(span_is_null(committed_batch(committed, 0)));
    steps(1, 3, 1, 1, 1, 3);
    ck_assert_int_eq(epoch_of(0), 1);
    ck_assert(span_is_null(committed_batch(committed, 1)));
    steps(2, 3, 0, 1, 1, 4); /* from memory: the others have it */
    ck_assert_int_eq(epoch_of(1), 1);
    ck_assert(!committed_is_blind(committed));
    steps(2, 4, 0, 1, 1, 5); /* nobody has */
    ck_assert(committed_is_blind(committed));
}
END_TEST

/* A leader of a later term wrote there, and lost it to one whose log had an earlier term's (Raft,
 * figure 8). */
START_TEST(a_later_term_that_was_not_committed)
{
    steps(1, 0, 2, 1, 1, 0);
    steps(3, 0, 1, 2, 2, 0);
    steps(1, 2, 1, 3, 3, 3);
    ck_assert_int_eq(epoch_of(0), 1);
    ck_assert_int_eq(epoch_of(1), 3);
    steps(3, 0, 2, 1, 1, 2);
    ck_assert(!committed_is_blind(committed));
}
END_TEST

SUITE(committed)
{
    TCase *tcase = tcase_create("committed");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_is_applied_is_committed);
    tcase_add_test(tcase, a_later_term_that_was_not_committed);
    suite_add_tcase(suite, tcase);
}
