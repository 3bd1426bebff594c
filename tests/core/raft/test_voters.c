/* SPDX-License-Identifier: Apache-2.0 */
/* Who votes on what is committed: voters that come, go, and are lost. */
#include <string.h>

#include "core/wire/error.h"
#include "tests/core/raft/story.h"

START_TEST(voters_come_and_go_one_by_one)
{
    story_start(3, 2);
    struct world_node *leader = story_leader();
    ck_assert_int_eq(world_add_voter(leader, &world.nodes[3]), ERR_NONE);
    ck_assert_int_eq(world_add_voter(leader, &world.nodes[4]), ERR_REASSIGNMENT_IN_PROGRESS);
    world_run(&world, 200000);
    ck_assert_int_eq(raft_status(world.nodes[3].raft).role, RAFT_FOLLOWER);
    ck_assert_int_eq(world_add_voter(leader, &world.nodes[3]), ERR_DUPLICATE_VOTER);
    ck_assert_int_eq(world_remove_voter(leader, (struct raft_id){9, {{1}}}), ERR_VOTER_NOT_FOUND);
    ck_assert_int_eq(world_remove_voter(leader, world_id(&world.nodes[3])), ERR_NONE);
    world_run(&world, 200000);
    ck_assert_int_eq(raft_status(world.nodes[3].raft).role, RAFT_OBSERVER);
    ck_assert_int_eq(world_add_voter(&world.nodes[story_other(leader->id) - 1], &world.nodes[3]),
                     ERR_NOT_CONTROLLER);
    story_end();
}
END_TEST

START_TEST(a_newcomer_has_to_have_caught_up)
{
    story_start(3, 1);
    struct world_node *newcomer = &world.nodes[3];
    world_crash(newcomer);
    for (int i = 0; i < 20; i++)
        story_propose();
    world_run(&world, 500000);
    ck_assert_int_eq(world_add_voter(story_leader(), newcomer), ERR_REQUEST_TIMED_OUT);
    world_start(newcomer);
    story_even();
    world_run(&world, 100000); /* applied it has, and now durably */
    ck_assert_int_eq(world_add_voter(story_leader(), newcomer), ERR_NONE);
    world_run(&world, 100000);
    story_end();
}
END_TEST

START_TEST(the_last_voter_stays)
{
    story_start(1, 0);
    ck_assert_int_eq(world_remove_voter(story_leader(), world_id(story_leader())),
                     ERR_INCONSISTENT_VOTER_SET);
    story_end();
}
END_TEST

START_TEST(a_leader_that_is_removed_goes_when_that_is_committed)
{
    story_start(3, 0);
    struct world_node *old = story_leader();
    ck_assert_int_eq(world_remove_voter(old, world_id(old)), ERR_NONE);
    ck_assert_int_eq(raft_status(old->raft).role, RAFT_LEADER);
    ck_assert_int_eq(story_propose(), ERR_NOT_CONTROLLER);
    world_run(&world, 100000);
    ck_assert_int_eq(raft_status(old->raft).role, RAFT_OBSERVER);
    ck_assert_ptr_ne(story_leader(), old);
    /* Of the two that are left both are needed. */
    const int64_t committed = raft_status(story_leader()->raft).committed;
    const int32_t leader = story_leader()->id;
    world_crash(&world.nodes[6 - old->id - leader - 1]);
    ck_assert_int_eq(story_propose(), ERR_NONE);
    world_run(&world, 200000);
    ck_assert_int_eq(raft_status(world.nodes[leader - 1].raft).committed, committed);
    story_end();
}
END_TEST

START_TEST(a_wiped_voter_is_replaced)
{
    story_start(3, 0);
    struct world_node *node = &world.nodes[story_other(story_leader()->id) - 1];
    const struct raft_id lost = world_id(node);
    world_crash(node);
    world_wipe(node);
    world_start(node);
    story_even();
    ck_assert_int_eq(world_add_voter(story_leader(), node), ERR_DUPLICATE_VOTER);
    ck_assert_int_eq(world_remove_voter(story_leader(), lost), ERR_NONE);
    world_run(&world, 200000);
    ck_assert_int_eq(world_add_voter(story_leader(), node), ERR_NONE);
    world_run(&world, 200000);
    ck_assert_int_eq(raft_status(node->raft).role, RAFT_FOLLOWER);
    story_end();
}
END_TEST

/* It is asked with each beat of the leader's, and not as fast as the link is. */
START_TEST(a_full_disk_is_tried_at_an_easy_pace)
{
    story_start(3, 0);
    struct world_node *node = &world.nodes[story_other(story_leader()->id) - 1];
    uint32_t losses = 0;
    node->is_full = true;
    story_propose();
    const uint64_t until_us = world.now_us + 2000000;
    while (world_step(&world, until_us)) {
        if (node->is_log_lost || node->disk.log.count == node->disk.durable_count)
            continue;
        world_lose_log(node);
        losses++;
    }
    ck_assert_uint_le(losses, 20); /* sixty and more, were each loss told of at once */
    node->is_full = false;
    story_even();
    story_end();
}
END_TEST

/* Entries in a row from `offset` on, of that many voters each. */
static void send_voters(struct world_node *node, const struct world_node *from, int32_t term,
                        int64_t offset, int32_t previous_epoch, int32_t voters_count,
                        uint32_t entries)
{
    struct buffer *buffer = buffer_new(&world.memory, MEMORY_STATE, 4096);
    struct voters_record record = raft_voters(from->raft)->record;
    uint32_t length = 0;
    record.voters_count = voters_count;
    for (uint32_t i = 0; i < entries; i++) {
        struct buffer *batch = control_batch(&world.memory, CONTROL_VOTERS, &wire_voters_record,
                                             &record, offset + i, term, 0);
        memcpy(buffer->data + length, batch->data, batch->capacity);
        length += batch->capacity;
        buffer_release(batch);
    }
    const struct raft_message message = {
        .type = RAFT_MESSAGE_APPEND,
        .body.append = {.term = term,
                        .offset = offset,
                        .previous_epoch = previous_epoch,
                        .records = span_of(buffer->data, length)},
    };
    raft_receive(node->raft, world_id(from), &message, buffer);
    world_end_turn(node);
    buffer_release(buffer);
}

static bool is_cut(struct world *the_world)
{
    return the_world->cuts > 0 && !the_world->nodes[0].is_cutting &&
           !the_world->nodes[1].is_cutting;
}

/* A new leader has the first of two entries, and while the second is cut off the disk loses both.
 */
START_TEST(voters_that_are_lost_in_a_cut_do_not_count)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *node = &world.nodes[story_other(leader->id) - 1];
    struct world_node *next = &world.nodes[6 - leader->id - node->id - 1];
    const int32_t term = raft_status(leader->raft).term;
    const int64_t end = disk_end(&node->disk);
    story_isolate(node->id, true);
    node->is_syncing = true; /* it takes for ever */
    send_voters(node, leader, term, end, disk_epoch_before(&node->disk, end), 2, 2);
    ck_assert_int_eq(raft_voters(node->raft)->record.voters_count, 2);
    send_voters(node, next, term + 1, end + 1, term, 3, 1);
    ck_assert(node->is_cutting);
    node->is_full = true;
    world_lose_log(node);
    ck_assert(world_run_until(&world, is_cut, 10000));
    ck_assert_int_eq(disk_end(&node->disk), end);
    ck_assert_int_eq(raft_voters(node->raft)->record.voters_count, 3);
    node->is_full = false;
    story_isolate(node->id, false);
    story_even();
    story_end();
}
END_TEST

/* Who has lost a committed change of the voters gets a snapshot of before it. */
START_TEST(voters_that_are_committed_count_behind_a_snapshot)
{
    story_start(4, 0);
    struct world_node *leader = story_leader();
    struct world_node *node = &world.nodes[story_other(leader->id) - 1];
    node->is_syncing = true; /* it takes for ever */
    story_propose();
    world_run(&world, 100000);
    world_take_snapshot(leader, true);
    ck_assert_int_eq(world_remove_voter(leader, world_id(&world.nodes[3])), ERR_NONE);
    world_run(&world, 100000);
    ck_assert_int_eq(raft_status(node->raft).committed, disk_end(&leader->disk));
    ck_assert_int_eq(raft_voters(node->raft)->record.voters_count, 3);
    node->is_full = true;
    world_lose_log(node);
    node->is_full = false;
    world_run(&world, 1000000);
    ck_assert_uint_eq(world.snapshots_installed, 1);
    story_end();
}
END_TEST

SUITE(voters)
{
    TCase *tcase = tcase_create("voters");
    tcase_add_test(tcase, voters_come_and_go_one_by_one);
    tcase_add_test(tcase, a_newcomer_has_to_have_caught_up);
    tcase_add_test(tcase, the_last_voter_stays);
    tcase_add_test(tcase, a_leader_that_is_removed_goes_when_that_is_committed);
    tcase_add_test(tcase, a_wiped_voter_is_replaced);
    tcase_add_test(tcase, a_full_disk_is_tried_at_an_easy_pace);
    tcase_add_test(tcase, voters_that_are_lost_in_a_cut_do_not_count);
    tcase_add_test(tcase, voters_that_are_committed_count_behind_a_snapshot);
    suite_add_tcase(suite, tcase);
}
