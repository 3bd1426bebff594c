/* SPDX-License-Identifier: Apache-2.0 */
/* How entries get everywhere, and what is committed. */
#include <string.h>

#include "core/wire/error.h"
#include "tests/core/raft/story.h"

START_TEST(entries_get_everywhere)
{
    story_start(3, 2);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(story_propose(), ERR_NONE);
    story_even();
    ck_assert_int_eq(raft_status(story_leader()->raft).committed, disk_end(&world.nodes[4].disk));
    /* Nobody waits for a heartbeat to learn what is committed. */
    story_propose();
    world_run(&world, 30000);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(world.nodes[i].applied_end, disk_end(&story_leader()->disk));
    story_end();
}
END_TEST

/* A leader that was one before gets an answer that was long on its way. */
START_TEST(answers_to_an_earlier_term_do_not_count)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    const int64_t committed = raft_status(leader->raft).committed;
    story_isolate(leader->id, true);
    story_propose();
    for (int32_t i = 1; i <= 3; i++) {
        const struct raft_message message = {
            .type = RAFT_MESSAGE_APPENDED,
            .body.appended = {.term = raft_status(leader->raft).term - 1,
                              .accepted = true,
                              .durable_end = disk_end(&leader->disk),
                              .end_offset = disk_end(&leader->disk)},
        };
        raft_receive(leader->raft, world_id(&world.nodes[i - 1]), &message, NULL);
        world_end_turn(leader);
    }
    world_run(&world, 100000);
    ck_assert_int_eq(raft_status(leader->raft).committed, committed);
    story_end();
}
END_TEST

START_TEST(a_large_entry_goes_alone)
{
    story_start(3, 1);
    struct world_node *leader = story_leader();
    const int64_t end = disk_end(&leader->disk);
    ck_assert_int_eq(world_propose(leader, 10), ERR_NONE);
    ck_assert_int_eq(world_propose(leader, 4 * 1024 * 1024), ERR_NONE);
    ck_assert_int_eq(world_propose(leader, 10), ERR_NONE);
    ck_assert_int_eq(world_propose(leader, 6 * 1024 * 1024), ERR_RECORD_LIST_TOO_LARGE);
    world_end_turn(leader);
    world_run(&world, 200000);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(world.nodes[i].applied_end, end + 3);
    story_end();
}
END_TEST

START_TEST(a_full_link_is_waited_for)
{
    story_start(3, 0);
    world.full = 900;
    for (int i = 0; i < 20; i++)
        story_propose();
    world_run(&world, 3000000);
    ck_assert_uint_eq(world.elections, 1);
    ck_assert_int_eq(raft_status(story_leader()->raft).committed, disk_end(&story_leader()->disk));
    story_end();
}
END_TEST

START_TEST(what_is_written_is_not_committed_before_it_is_durable)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    const int64_t committed = raft_status(leader->raft).committed;
    for (int i = 0; i < 3; i++)
        world.nodes[i].slow_us = 0;
    for (int i = 0; i < 3; i++)
        world.nodes[i].is_syncing = true; /* it takes for ever */
    ck_assert_int_eq(story_propose(), ERR_NONE);
    world_run(&world, 300000);
    ck_assert_int_eq(disk_end(&world.nodes[story_other(leader->id) - 1].disk), committed + 1);
    ck_assert_int_eq(raft_status(leader->raft).committed, committed);
    for (int i = 0; i < 3; i++)
        world.nodes[i].is_syncing = i + 1 == leader->id;
    world_run(&world, 300000);
    /* Two followers have it: that is enough, even though the leader's own disk is stuck. */
    ck_assert_int_eq(raft_status(leader->raft).committed, committed + 1);
    story_end();
}
END_TEST

START_TEST(a_proposal_has_its_place)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct buffer *buffer = buffer_new(&world.memory, MEMORY_STATE, 100);
    const int64_t end = disk_end(&leader->disk);
    ck_assert_int_eq(raft_propose(leader->raft, buffer, buffer->data, 100, end + 1),
                     ERR_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(
        raft_propose(leader->raft, buffer, buffer->data, RAFT_BATCH_BYTES_MAX + 1, end),
        ERR_RECORD_LIST_TOO_LARGE);
    struct world_node *other = &world.nodes[story_other(leader->id) - 1];
    ck_assert_int_eq(raft_propose(other->raft, buffer, buffer->data, 100, end), ERR_NOT_CONTROLLER);
    buffer_release(buffer);
    story_end();
}
END_TEST

/* A leader alone gathers entries under several terms, which others do not have; each answer about
 * where the logs part rules an epoch out. */
START_TEST(logs_that_parted_find_together)
{
    story_start(3, 0);
    for (int round = 0; round < 6; round++) {
        struct world_node *leader = story_leader();
        story_isolate(leader->id, true);
        for (int i = 0; i < 4; i++)
            story_propose();
        world_run(&world, 3000000);
        story_propose();
        story_isolate(leader->id, false);
        const uint32_t cuts = world.cuts;
        const uint32_t messages = world.messages;
        story_even();
        ck_assert_uint_eq(world.cuts, cuts + 1);
        ck_assert_uint_le(world.messages - messages, 80);
    }
    story_end();
}
END_TEST

START_TEST(who_ends_before_the_log_begins_gets_a_snapshot)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *behind = &world.nodes[story_other(leader->id) - 1];
    world_crash(behind);
    for (int i = 0; i < 20; i++)
        story_propose();
    world_run(&world, 100000);
    world_take_snapshot(leader, true);
    ck_assert_int_eq(leader->disk.start, raft_status(leader->raft).committed);
    story_propose();
    world_start(behind);
    story_even();
    ck_assert_uint_eq(world.snapshots_installed, 1);
    ck_assert_int_eq(behind->disk.start, leader->disk.start);
    ck_assert_int_eq(raft_voters(behind->raft)->record.voters_count, 3);
    world_crash(behind);
    world_start(behind);
    story_even();
    ck_assert_uint_eq(world.snapshots_installed, 1);
    story_end();
}
END_TEST

/* Neither beats nor what else the leader says keep it from sending the snapshot anew. */
START_TEST(a_snapshot_that_fails_comes_again)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *behind = &world.nodes[story_other(leader->id) - 1];
    world_crash(behind);
    for (int i = 0; i < 20; i++)
        story_propose();
    world_run(&world, 100000);
    world_take_snapshot(leader, true);
    behind->installs_failing = 2;
    world_start(behind);
    for (int i = 0; i < 200; i++) {
        world_read(leader);
        world_run(&world, 20000);
    }
    ck_assert_uint_eq(behind->installs_failing, 0);
    ck_assert_uint_eq(world.snapshots_installed, 1);
    story_even();
    story_end();
}
END_TEST

/* A follower that has been away gets the snapshot over such a link, each piece once. */
static void send_each_piece_once(uint32_t piece_us, uint32_t repeat)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *behind = &world.nodes[story_other(leader->id) - 1];
    world_crash(behind);
    for (int i = 0; i < 20; i++)
        story_propose();
    world_run(&world, 100000);
    world_take_snapshot(leader, true);
    const uint32_t pieces = (leader->disk.snapshot.length + 599) / 600;
    ck_assert_uint_ge(pieces, 2);
    world.piece_us = piece_us;
    world.repeat = repeat;
    world_start(behind);
    world_run(&world, 200000 + pieces * 2 * piece_us);
    ck_assert_uint_eq(world.snapshots_installed, 1);
    ck_assert_uint_eq(world.pieces, pieces);
    world.repeat = 0;
    story_even();
    story_end();
}

/* A piece takes longer than the leader's beat: sent with each of these, they would keep the link
 * from all else. */
START_TEST(a_slow_link_carries_each_piece_once)
{
    send_each_piece_once(250000, 0);
}
END_TEST

/* If each answer to the same piece had the next one sent, there would be more and more of them. */
START_TEST(a_piece_that_comes_twice_asks_for_one)
{
    send_each_piece_once(5000, 1000);
}
END_TEST

static void send_piece(struct world_node *node, const struct world_node *leader, int64_t end,
                       int64_t position)
{
    struct buffer *buffer = buffer_new(&world.memory, MEMORY_STATE, 50);
    memset(buffer->data, 7, 50);
    const struct raft_message message = {
        .type = RAFT_MESSAGE_SNAPSHOT,
        .body.snapshot = {.term = raft_status(leader->raft).term,
                          .end_offset = end,
                          .last_epoch = 1,
                          .size = 100,
                          .position = position,
                          .bytes = span_of(buffer->data, 50)},
    };
    raft_receive(node->raft, world_id(leader), &message, buffer);
    world_end_turn(node);
    buffer_release(buffer);
    world_run(&world, 5000);
}

START_TEST(another_snapshot_begins_anew)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *node = &world.nodes[story_other(leader->id) - 1];
    send_piece(node, leader, 1000, 0);
    ck_assert_int_eq(node->arriving.end.offset, 1000);
    send_piece(node, leader, 2000, 50); /* not in the middle */
    ck_assert_int_eq(node->arriving.end.offset, 1000);
    send_piece(node, leader, 2000, 0);
    ck_assert_int_eq(node->arriving.end.offset, 2000);
    ck_assert_uint_eq(node->arriving.length, 50);
    story_end();
}
END_TEST

static const struct world_node *watched;
static int64_t watched_end;

static bool is_durable_so_far(struct world *the_world)
{
    (void)the_world;
    return disk_durable_end(&watched->disk) >= watched_end;
}

static void run_until_durable(const struct world_node *node, int64_t end)
{
    watched = node;
    watched_end = end;
    ck_assert(world_run_until(&world, is_durable_so_far, 5000000));
}

/* The leader has a snapshot of what one follower has too and does not know to be committed; the
 * other follower is sent it, and the write of its last piece does not end. */
static void send_until_the_last_piece(struct world_node *leader, struct world_node *next,
                                      struct world_node *behind)
{
    world_crash(behind);
    for (int i = 0; i < 20; i++)
        story_propose();
    run_until_durable(next, disk_end(&leader->disk));
    world.cut[leader->id - 1][next->id - 1] = true;
    world_run(&world, 20000);
    ck_assert_int_eq(raft_status(leader->raft).committed, disk_end(&leader->disk));
    ck_assert_int_lt(raft_status(next->raft).committed, disk_end(&leader->disk));
    world_take_snapshot(leader, true);
    world_start(behind);
    while (behind->arriving.length < leader->disk.snapshot.length)
        ck_assert(world_step(&world, world.now_us + 1000000));
    behind->is_piece_held = true;
}

/* Its next leader has all of the log, and streams it beyond where the snapshot ends. */
START_TEST(a_snapshot_that_the_log_has_passed_is_not_installed)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *behind = &world.nodes[story_other(leader->id) - 1];
    struct world_node *next = &world.nodes[6 - leader->id - behind->id - 1];
    send_until_the_last_piece(leader, next, behind);
    const int64_t snapshot_end = leader->disk.snapshot.end.offset;
    world_crash(leader);
    run_until_durable(behind, snapshot_end + 1);
    ck_assert_int_lt(raft_status(behind->raft).committed, snapshot_end);
    world.cut[next->id - 1][behind->id - 1] = true;
    world_run(&world, 20000);
    ck_assert_int_gt(raft_status(next->raft).committed, snapshot_end);
    behind->is_piece_held = false;
    world_run(&world, 20000);
    ck_assert_int_gt(disk_durable_end(&behind->disk), snapshot_end);
    ck_assert_int_ge(raft_status(behind->raft).committed, snapshot_end);
    ck_assert_uint_eq(world.snapshots_installed, 0);
    /* Without the one that had told it. */
    world_crash(next);
    memset(world.cut, 0, sizeof(world.cut));
    world_start(leader);
    story_even();
    story_end();
}
END_TEST

START_TEST(observers_follow_and_do_not_count)
{
    story_start(3, 2);
    struct world_node *leader = story_leader();
    for (int32_t i = 1; i <= 3; i++)
        if (i != leader->id)
            world_crash(&world.nodes[i - 1]);
    const int64_t committed = raft_status(leader->raft).committed;
    story_propose();
    world_run(&world, 200000);
    ck_assert_int_eq(raft_status(leader->raft).committed, committed);
    world_run(&world, 2000000);
    ck_assert_int_ne(raft_status(leader->raft).role, RAFT_LEADER);
    story_end();
}
END_TEST

/* ---- Reading ---- */

static struct raft_barrier barrier;
static int barrier_error;

static void hear(struct raft_barrier *the_barrier, int error)
{
    ck_assert_ptr_eq(the_barrier, &barrier);
    barrier_error = error;
}

static int read_now(struct world_node *node)
{
    barrier = (struct raft_barrier){.done = hear};
    barrier_error = -1;
    const int error = raft_barrier(node->raft, &barrier);
    world_end_turn(node);
    return error;
}

START_TEST(a_read_asks_a_majority)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    ck_assert_int_eq(read_now(leader), ERR_NONE);
    ck_assert_int_eq(barrier_error, -1);
    world_run(&world, 20000);
    ck_assert_int_eq(barrier_error, ERR_NONE);
    story_isolate(leader->id, true);
    ck_assert_int_eq(read_now(leader), ERR_NONE);
    world_run(&world, 200000);
    ck_assert_int_eq(barrier_error, -1);
    world_run(&world, 2000000);
    ck_assert_int_eq(barrier_error, ERR_NOT_CONTROLLER);
    ck_assert_int_eq(read_now(leader), ERR_NOT_CONTROLLER);
    raft_barrier_cancel(&barrier);
    story_end();
}
END_TEST

START_TEST(a_single_voter_reads_at_once)
{
    story_start(1, 0);
    ck_assert_int_eq(read_now(story_leader()), ERR_NONE);
    ck_assert_int_eq(barrier_error, ERR_NONE);
    story_end();
}
END_TEST

START_TEST(a_read_may_be_taken_back)
{
    story_start(3, 0);
    ck_assert_int_eq(read_now(story_leader()), ERR_NONE);
    raft_barrier_cancel(&barrier);
    raft_barrier_cancel(&barrier);
    world_run(&world, 1000000);
    ck_assert_int_eq(barrier_error, -1);
    story_end();
}
END_TEST

SUITE(replication)
{
    TCase *tcase = tcase_create("replication");
    tcase_add_test(tcase, entries_get_everywhere);
    tcase_add_test(tcase, a_large_entry_goes_alone);
    tcase_add_test(tcase, a_full_link_is_waited_for);
    tcase_add_test(tcase, answers_to_an_earlier_term_do_not_count);
    tcase_add_test(tcase, what_is_written_is_not_committed_before_it_is_durable);
    tcase_add_test(tcase, a_proposal_has_its_place);
    tcase_add_test(tcase, logs_that_parted_find_together);
    tcase_add_test(tcase, who_ends_before_the_log_begins_gets_a_snapshot);
    tcase_add_test(tcase, a_snapshot_that_fails_comes_again);
    tcase_add_test(tcase, a_slow_link_carries_each_piece_once);
    tcase_add_test(tcase, a_piece_that_comes_twice_asks_for_one);
    tcase_add_test(tcase, another_snapshot_begins_anew);
    tcase_add_test(tcase, a_snapshot_that_the_log_has_passed_is_not_installed);
    tcase_add_test(tcase, observers_follow_and_do_not_count);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("reading");
    tcase_add_test(tcase, a_read_asks_a_majority);
    tcase_add_test(tcase, a_single_voter_reads_at_once);
    tcase_add_test(tcase, a_read_may_be_taken_back);
    suite_add_tcase(suite, tcase);
}
