/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of the metadata quorum after power losses: none may be what a sync should have kept
 * it from being. */
#include <stdio.h>

#include "core/meta/quorum_state.h"
#include "core/meta/snapshot_receive.h"
#include "core/wire/error.h"
#include "tests/core/meta/cluster.h"
#include "tests/support/runner.h"
#include "tests/support/world.h"

#define SEEDS        40
#define EFFECTS_MAX  12
#define KEPT_TERM    3
#define READ_TERM    4 /* written by a process that was killed before its sync */
#define WRITTEN_TERM 5

static struct world *world;
static struct io *io;
static struct quorum_state state;
static int ended_with; /* 1: not yet */

static void state_done(struct quorum_state *done, int error)
{
    (void)done;
    ended_with = error;
}

static void boot(void)
{
    io = world_boot_io(world);
    state = (struct quorum_state){.io = io, .directory = {{7}}, .done = state_done};
    ended_with = 1;
    quorum_state_load(&state);
    world_run(world);
    ck_assert_int_eq(ended_with, ERR_NONE);
}

static void store(int32_t term)
{
    const struct raft_vote_state vote = {.term = term, .voted = {.node = 1}};
    ended_with = 1;
    quorum_state_store(&state, &vote);
    world_run(world);
}

/* Another process reads what was stored last, and has stored something or not when power is lost
 * after so many effects. */
static void power_is_lost_in_the_next_process(uint64_t effects)
{
    world_kill(world);
    world_release(world);
    boot();
    ck_assert_int_eq(state.vote.term, READ_TERM);
    world_allow(world, effects);
    store(WRITTEN_TERM);
    const bool was_told = ended_with == ERR_NONE;
    world_power_loss(world);
    boot();
    ck_assert(state.has_vote);
    ck_assert_int_ge(state.vote.term, was_told ? WRITTEN_TERM : KEPT_TERM);
    world_kill(world);
    world_free(world);
}

/* After so many effects of a store by a process that read what another one had only written. */
static void power_is_lost_after(uint64_t seed, uint64_t effects)
{
    world = world_new(seed);
    boot();
    store(KEPT_TERM);
    ck_assert_int_eq(ended_with, ERR_NONE);
    world_hold(world, EFFECT_SYNC, QUORUM_STATE_FILE);
    store(READ_TERM);
    ck_assert_int_eq(ended_with, 1);
    power_is_lost_in_the_next_process(effects);
}

START_TEST(a_vote_is_stored_beside_one_that_is_durable)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        for (uint64_t effects = 0; effects < EFFECTS_MAX; effects++)
            power_is_lost_after(seed, effects);
    }
}
END_TEST

/* A disk may spoil what it is writing when power goes: the other place has to be durable by then,
 * though it was only read. */
START_TEST(a_place_is_left_alone_until_the_other_is_durable)
{
    uint8_t before[QUORUM_STATE_FILE_BYTES];
    world = world_new(1);
    boot();
    store(KEPT_TERM);
    store(READ_TERM);
    world_kill(world);
    boot();
    memcpy(before, world_file(world, QUORUM_STATE_FILE).data, sizeof(before));
    world_hold(world, EFFECT_SYNC, QUORUM_STATE_FILE);
    store(WRITTEN_TERM);
    ck_assert_mem_eq(world_file(world, QUORUM_STATE_FILE).data, before, sizeof(before));
    world_release(world);
    world_run(world);
    ck_assert_int_eq(ended_with, ERR_NONE);
    ck_assert_mem_ne(world_file(world, QUORUM_STATE_FILE).data, before, sizeof(before));
    world_kill(world);
    world_free(world);
}
END_TEST

/* After so many effects of a store by a process that read a file which another one had only renamed
 * into its place, after a write had failed. */
static void power_is_lost_after_a_rename(uint64_t seed, uint64_t effects)
{
    world = world_new(seed);
    boot();
    store(KEPT_TERM);
    world_fail(world, EFFECT_WRITE, QUORUM_STATE_FILE, 0, 1, ERR_NO_SPACE, 0);
    store(READ_TERM);
    ck_assert_int_eq(ended_with, ERR_NO_SPACE);
    world_hold(world, EFFECT_SYNC_FOLDER, NULL);
    store(READ_TERM);
    ck_assert_int_eq(ended_with, 1);
    power_is_lost_in_the_next_process(effects);
}

START_TEST(a_vote_is_stored_in_a_file_that_is_durably_there)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        for (uint64_t effects = 0; effects < EFFECTS_MAX; effects++)
            power_is_lost_after_a_rename(seed, effects);
    }
}
END_TEST

static void piece_written(struct snapshot_receive *receive, int error)
{
    (void)receive;
    ended_with = error;
}

static void snapshot_finished(struct snapshot_receive *receive, int error, struct span bytes)
{
    (void)receive;
    (void)bytes;
    ended_with = error;
}

static void snapshot_arrives(struct cluster *cluster, uint64_t seed)
{
    uint32_t length;
    uint32_t capacity;
    char path[SNAPSHOT_PATH_BYTES];
    const struct snapshot_id id = {cluster->image.end_offset, cluster->image.epoch};
    world = world_new(seed);
    world_put_folder(world, "log");
    io = world_boot_io(world);
    uint8_t *block = snapshot_save(&cluster->image, SPAN_NULL, 1700000000000, &length, &capacity);
    struct buffer *buffer = buffer_new(io->memory, MEMORY_READ, length);
    memcpy(buffer->data, block, length);
    struct snapshot_receive receive = {
        .io = io, .path = SPAN("log"), .written = piece_written, .finished = snapshot_finished};
    ended_with = 1;
    snapshot_receive_piece(&receive, id, 0, span_of(buffer->data, length), buffer);
    buffer_release(buffer);
    world_run(world);
    ck_assert_int_eq(ended_with, ERR_NONE);
    ended_with = 1;
    snapshot_receive_finish(&receive);
    world_run(world);
    ck_assert_int_eq(ended_with, ERR_NONE);
    snprintf(path, sizeof(path), "%s", receive.name);
    snapshot_receive_free(&receive);
    world_power_loss(world);
    ck_assert(span_equal(world_file(world, path), span_of(block, length)));
    memory_give(&cluster->settings.memory, MEMORY_STATE, block, capacity);
    world_free(world);
}

START_TEST(a_snapshot_that_arrived_is_there)
{
    struct cluster cluster;
    cluster_start(&cluster, 1, 2, "");
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        snapshot_arrives(&cluster, seed);
    cluster_end(&cluster);
}
END_TEST

SUITE(durable_files)
{
    TCase *tcase = tcase_create("durable_files");
    tcase_add_test(tcase, a_vote_is_stored_beside_one_that_is_durable);
    tcase_add_test(tcase, a_vote_is_stored_in_a_file_that_is_durably_there);
    tcase_add_test(tcase, a_place_is_left_alone_until_the_other_is_durable);
    tcase_add_test(tcase, a_snapshot_that_arrived_is_there);
    suite_add_tcase(suite, tcase);
}
