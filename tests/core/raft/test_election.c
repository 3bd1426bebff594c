/* SPDX-License-Identifier: Apache-2.0 */
/* Who leads, and when somebody else does: one story a rule. */
#include <string.h>

#include "core/wire/error.h"
#include "tests/core/raft/story.h"

START_TEST(a_single_voter_needs_nobody)
{
    story_start(1, 0);
    ck_assert_uint_eq(world.messages, 0);
    ck_assert_uint_eq(timers_next_us(&world.nodes[0].io.timers), TIMER_NEVER); /* idle is free */
    ck_assert_int_eq(story_propose(), ERR_NONE);
    story_even();
    const int32_t term = raft_status(world.nodes[0].raft).term;
    world_crash(&world.nodes[0]);
    world_start(&world.nodes[0]);
    story_even();
    ck_assert_int_gt(raft_status(world.nodes[0].raft).term, term);
    /* Its log says from now on who votes. */
    ck_assert_int_ge(raft_voters(world.nodes[0].raft)->offset, 0);
    story_end();
}
END_TEST

/* It may judge by its image only what it knows to be committed, and that begins with its own
 * term. */
START_TEST(a_leader_waits_for_the_first_entry_of_its_term)
{
    struct raft_barrier barrier;
    world_init(&world, 1, 1, 0);
    struct world_node *node = &world.nodes[0];
    node->is_syncing = true; /* for ever */
    world_start(node);
    world_run(&world, 1000000);
    ck_assert_int_eq(raft_status(node->raft).role, RAFT_LEADER);
    ck_assert(!raft_status(node->raft).is_established);
    ck_assert_int_eq(world_propose(node, 10), ERR_NOT_CONTROLLER);
    ck_assert_int_eq(raft_barrier(node->raft, &barrier), ERR_NOT_CONTROLLER);
    ck_assert_int_eq(raft_transfer(node->raft, 1), ERR_NOT_CONTROLLER);
    ck_assert_int_eq(world_remove_voter(node, world_id(node)), ERR_NOT_CONTROLLER);
    story_end();
}
END_TEST

START_TEST(a_higher_term_ends_a_leadership)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    const struct raft_message message = {
        .type = RAFT_MESSAGE_APPENDED,
        .body.appended = {.term = raft_status(leader->raft).term + 3},
    };
    raft_receive(leader->raft, world_id(&world.nodes[story_other(leader->id) - 1]), &message, NULL);
    world_end_turn(leader);
    ck_assert_int_eq(raft_status(leader->raft).role, RAFT_FOLLOWER);
    story_even();
    story_end();
}
END_TEST

START_TEST(a_single_voter_leads_again_when_somebody_waits)
{
    story_start(1, 0);
    struct world_node *node = story_leader();
    const int32_t term = raft_status(node->raft).term;
    story_propose();
    world_lose_log(node);
    ck_assert_int_eq(raft_status(node->raft).role, RAFT_FOLLOWER);
    ck_assert_int_eq(world_propose(node, 10), ERR_NOT_CONTROLLER);
    world_run(&world, 60000);
    ck_assert_ptr_null(world_leader(&world));
    raft_stand(node->raft);
    world_end_turn(node);
    world_run(&world, 10000);
    ck_assert_int_gt(raft_status(story_leader()->raft).term, term);
    story_end();
}
END_TEST

START_TEST(a_single_voter_never_resigns)
{
    story_start(1, 2);
    story_isolate(1, true);
    world_run(&world, 20000000);
    ck_assert_int_eq(raft_status(world.nodes[0].raft).role, RAFT_LEADER);
    ck_assert_uint_eq(world.elections, 1);
    story_end();
}
END_TEST

START_TEST(an_idle_quorum_elects_nobody)
{
    story_start(3, 1);
    const uint32_t messages = world.messages;
    world_run(&world, 60000000);
    ck_assert_uint_eq(world.elections, 1);
    /* A heartbeat and its answer, three times in each tenth of a second. */
    ck_assert_uint_le(world.messages - messages, 2 * 3 * 600 + 6);
    story_end();
}
END_TEST

START_TEST(who_was_cut_off_disturbs_nobody)
{
    story_start(3, 0);
    const int32_t leader = story_leader()->id;
    const int32_t term = raft_status(story_leader()->raft).term;
    story_isolate(story_other(leader), true);
    world_run(&world, 20000000);
    story_isolate(story_other(leader), false);
    world_run(&world, 5000000);
    ck_assert_int_eq(story_leader()->id, leader);
    ck_assert_int_eq(raft_status(story_leader()->raft).term, term);
    story_end();
}
END_TEST

START_TEST(who_does_not_hear_the_leader_is_refused_by_those_who_do)
{
    story_start(3, 0);
    const int32_t leader = story_leader()->id;
    const int32_t deaf = story_other(leader);
    world.cut[leader - 1][deaf - 1] = true;
    world_run(&world, 20000000);
    ck_assert_int_eq(story_leader()->id, leader);
    ck_assert_uint_eq(world.elections, 1);
    story_end();
}
END_TEST

/* Both who are left see the leader's end at the same moment: if each voted for itself, nobody would
 * be elected before the election timeout, for the dead one refuses nobody. */
START_TEST(two_that_stand_at_once_do_not_split_the_votes)
{
    story_start(3, 0);
    for (int round = 0; round < 20; round++) {
        struct world_node *old = story_leader();
        const int32_t term = raft_status(old->raft).term;
        world_crash(old);
        for (int32_t id = 1; id <= 3; id++) {
            struct world_node *node = &world.nodes[id - 1];
            if (node == old)
                continue;
            raft_peer_dead(node->raft, old->id);
            raft_stand(node->raft);
            world_end_turn(node);
        }
        world_run(&world, 500000);
        ck_assert_ptr_nonnull(world_leader(&world));
        ck_assert_int_eq(raft_status(story_leader()->raft).term, term + 1);
        world_start(old);
        story_even();
    }
    story_end();
}
END_TEST

START_TEST(a_leader_without_a_majority_resigns)
{
    story_start(3, 0);
    struct world_node *old = story_leader();
    story_isolate(old->id, true);
    world_run(&world, 1000000);
    ck_assert_int_ne(raft_status(old->raft).role, RAFT_LEADER);
    world_run(&world, 2000000);
    ck_assert_int_ne(story_leader()->id, old->id);
    story_end();
}
END_TEST

/* It is heard, but hears nobody: those who hear it would wait for ever. */
START_TEST(a_deaf_leader_resigns)
{
    story_start(3, 0);
    struct world_node *old = story_leader();
    for (uint32_t i = 0; i < 3; i++)
        world.cut[i][old->id - 1] = true;
    world_run(&world, 5000000);
    ck_assert_ptr_ne(story_leader(), old);
    story_end();
}
END_TEST

static const struct world_node *deaf_one;

static bool deaf_one_resigned(struct world *world_under_way)
{
    (void)world_under_way;
    return raft_status(deaf_one->raft).role != RAFT_LEADER;
}

/* Who heard it until then would wait for their whole patience. One of them may not hear it either:
 * the one whose link is new does. */
START_TEST(a_deaf_leader_has_another_one_stand)
{
    story_start(3, 0);
    world_run(&world, 1000000); /* both have told that they have everything */
    struct world_node *old = story_leader();
    const int32_t first = story_other(old->id);
    const int32_t hears = _i == 0 ? first : 6 - old->id - first;
    deaf_one = old;
    for (uint32_t i = 0; i < 3; i++)
        world.cut[i][old->id - 1] = true;
    world_run(&world, 1000);
    raft_peer_up(old->raft, hears);
    world_end_turn(old);
    world.cut[old->id - 1][6 - old->id - hears - 1] = true;
    ck_assert(world_run_until(&world, deaf_one_resigned, 5000000));
    ck_assert(world_run_until(&world, world_has_leader, 50000));
    ck_assert_int_eq(story_leader()->id, hears);
    story_end();
}
END_TEST

START_TEST(proof_of_death_makes_a_failover_fast)
{
    story_start(3, 0);
    world.proof = true;
    world_crash(story_leader());
    world_run(&world, 100000);
    ck_assert_ptr_nonnull(world_leader(&world));
    story_end();
}
END_TEST

/* One has just said that it would vote for the other, whose vote for itself is on its way to the
 * disk: if it stood meanwhile, the votes would be split until the election timeout. */
START_TEST(who_would_vote_for_another_lets_it_stand_first)
{
    story_start(3, 0);
    world.proof = true;
    for (int round = 0; round < 300; round++) {
        struct world_node *old = story_leader();
        world_crash(old);
        ck_assert_msg(world_run_until(&world, world_has_leader, 150000), "round %d", round);
        world_start(old);
        story_even();
    }
    story_end();
}
END_TEST

START_TEST(who_is_asked_to_stands_at_once_unless_somebody_leads)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *other = &world.nodes[story_other(leader->id) - 1];
    raft_stand(other->raft);
    ck_assert_int_eq(raft_status(other->raft).role, RAFT_FOLLOWER);
    world_crash(leader);
    raft_peer_dead(other->raft, leader->id);
    raft_stand(other->raft);
    ck_assert_int_eq(raft_status(other->raft).role, RAFT_PROSPECTIVE);
    world_end_turn(other);
    story_end();
}
END_TEST

START_TEST(leadership_is_handed_over_at_once)
{
    story_start(3, 0);
    const struct world_node *old = story_leader();
    const int32_t next = story_other(old->id);
    ck_assert_int_eq(raft_transfer(story_leader()->raft, 99), ERR_VOTER_NOT_FOUND);
    ck_assert_int_eq(raft_transfer(story_leader()->raft, old->id), ERR_VOTER_NOT_FOUND);
    ck_assert_int_eq(raft_transfer(story_leader()->raft, next), ERR_NONE);
    ck_assert_int_eq(story_propose(), ERR_NOT_CONTROLLER);
    world_end_turn(story_leader());
    world_run(&world, 50000);
    ck_assert_int_eq(story_leader()->id, next);
    ck_assert_int_eq(raft_transfer(old->raft, next), ERR_NOT_CONTROLLER);
    story_end();
}
END_TEST

START_TEST(a_transfer_to_the_dead_is_given_up)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    const int32_t dead = story_other(leader->id);
    world_crash(&world.nodes[dead - 1]);
    story_propose();
    ck_assert_int_eq(raft_transfer(leader->raft, dead), ERR_NONE);
    world_end_turn(leader);
    world_run(&world, 1000000);
    ck_assert_ptr_eq(story_leader(), leader);
    ck_assert_int_eq(story_propose(), ERR_NONE);
    story_end();
}
END_TEST

START_TEST(who_resigns_leads_no_more)
{
    story_start(3, 0);
    struct world_node *old = story_leader();
    raft_resign(old->raft);
    world_end_turn(old);
    world_run(&world, 50000);
    ck_assert_ptr_ne(story_leader(), old);
    world_crash(story_leader());
    world_run(&world, 10000000);
    ck_assert_ptr_ne(story_leader(), old); /* but it votes */
    story_end();
}
END_TEST

static void ask_for_vote(struct world_node *voter, int32_t candidate, int32_t term)
{
    const struct raft_message message = {
        .type = RAFT_MESSAGE_VOTE,
        .body.vote = {.term = term, .transfer = true, .end_offset = 1000, .last_epoch = 1000},
    };
    raft_receive(voter->raft, world_id(&world.nodes[candidate - 1]), &message, NULL);
    world_end_turn(voter);
}

START_TEST(one_vote_a_term_even_after_a_restart)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *voter = &world.nodes[story_other(leader->id) - 1];
    struct world_node *third = &world.nodes[6 - leader->id - voter->id - 1];
    memset(world.cut, true, sizeof(world.cut));
    ask_for_vote(voter, third->id, 7);
    ck_assert_int_ne(voter->disk.vote.term, 7); /* not yet, and so nobody was told */
    world_run(&world, 5000);
    ck_assert_int_eq(voter->disk.vote.term, 7);
    world_crash(voter);
    world_start(voter);
    ask_for_vote(voter, leader->id, 7);
    ck_assert(voter->is_persisting); /* what was read may not be on the disk */
    world_run(&world, 5000);
    ck_assert_int_eq(voter->disk.vote.voted.node, third->id);
    ck_assert_uint_eq(world.votes_count > 0, 1);
    story_end();
}
END_TEST

static bool somebody_cuts(struct world *the_world)
{
    for (uint32_t i = 0; i < the_world->nodes_count; i++) {
        if (the_world->nodes[i].is_cutting)
            return true;
    }
    return false;
}

/* What its log ends with is not certain: it would compare, and promise, by what may come back. */
START_TEST(who_cuts_its_log_does_not_vote)
{
    story_start(3, 0);
    struct world_node *old = story_leader();
    story_isolate(old->id, true);
    story_propose();
    world_run(&world, 3000000);
    story_propose();
    world_run(&world, 100000);
    old->slow_us = 1000000;
    story_isolate(old->id, false);
    ck_assert(world_run_until(&world, somebody_cuts, 5000000));
    const int32_t term = raft_status(old->raft).term;
    ask_for_vote(old, story_other(old->id), term + 1);
    ck_assert_int_eq(raft_status(old->raft).term, term);
    old->slow_us = 1000;
    story_even();
    story_end();
}
END_TEST

START_TEST(whoever_has_less_is_not_elected)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *behind = &world.nodes[story_other(leader->id) - 1];
    story_isolate(behind->id, true);
    for (int i = 0; i < 5; i++)
        story_propose();
    world_run(&world, 1000000);
    story_isolate(behind->id, false);
    story_isolate(leader->id, true);
    world_run(&world, 10000000);
    ck_assert_ptr_ne(story_leader(), behind);
    ck_assert_ptr_ne(story_leader(), leader);
    story_end();
}
END_TEST

/* Everybody would be up to date to a log without anything, and what it had acknowledged is known
 * to nobody else, perhaps. */
START_TEST(a_voter_that_lost_its_log_elects_nobody)
{
    story_start(3, 0);
    struct world_node *leader = story_leader();
    struct world_node *behind = &world.nodes[story_other(leader->id) - 1];
    struct world_node *emptied = &world.nodes[6 - leader->id - behind->id - 1];
    world_crash(behind);
    for (int i = 0; i < 5; i++)
        story_propose();
    story_even();
    world_crash(leader);
    world_crash(emptied);
    world_empty_log(emptied);
    const uint32_t elections = world.elections;
    world_start(emptied);
    world_start(behind);
    world_run(&world, 10000000);
    ck_assert_uint_eq(world.elections, elections);
    world_start(leader);
    story_even();
    ck_assert_int_eq(raft_status(emptied->raft).role, RAFT_FOLLOWER);
    story_end();
}
END_TEST

/* ---- Formation ---- */

START_TEST(nobody_stands_before_all_hold_the_first_record)
{
    world_init(&world, 1, 3, 0);
    world_start(&world.nodes[0]);
    world_start(&world.nodes[1]);
    world_run(&world, 20000000);
    ck_assert_uint_eq(world.elections, 0);
    ck_assert_int_eq(disk_end(&world.nodes[0].disk), 0);
    world_start(&world.nodes[2]);
    ck_assert(world_run_until(&world, world_has_leader, 2000000));
    const struct raft_voters *voters = raft_voters(world.nodes[2].raft);
    ck_assert_int_eq(voters->record.voters_count, 3);
    for (int32_t i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(raft_voters_find(voters, world_id(&world.nodes[i])));
    story_end();
}
END_TEST

START_TEST(one_that_has_not_got_it_yet_holds_all_up)
{
    world_init(&world, 1, 3, 0);
    for (int i = 0; i < 3; i++)
        world_start(&world.nodes[i]);
    world.nodes[2].slow_us = 50000000; /* it writes, but is not sure of it */
    world_run(&world, 2000000);
    ck_assert_int_eq(disk_durable_end(&world.nodes[1].disk), 1);
    ck_assert_uint_eq(world.elections, 0);
    world_crash(&world.nodes[0]);
    world_crash(&world.nodes[2]);
    world.nodes[2].slow_us = 1000;
    world_run(&world, 2000000);
    ck_assert_uint_eq(world.elections, 0);
    world_start(&world.nodes[0]);
    world_start(&world.nodes[2]);
    ck_assert(world_run_until(&world, world_has_leader, 2000000));
    story_end();
}
END_TEST

START_TEST(a_formed_cluster_never_forms_again)
{
    story_start(3, 0);
    const uint32_t crc = world.truth.items[0].crc;
    struct world_node *founder = &world.nodes[0];
    world_crash(founder);
    world_wipe(founder);
    world_start(founder);
    world_run(&world, 5000000);
    ck_assert_int_eq(raft_status(founder->raft).role, RAFT_OBSERVER);
    ck_assert_int_eq(disk_end(&founder->disk), disk_end(&world.nodes[1].disk));
    ck_assert_uint_eq(founder->disk.log.items[0].crc, crc);
    story_end();
}
END_TEST

/* Nobody can tell any more whether all had had the record of the first attempt. */
START_TEST(the_founder_does_not_begin_anew_while_others_have_begun)
{
    world_init(&world, 1, 3, 0);
    for (int i = 0; i < 3; i++)
        world_start(&world.nodes[i]);
    world.nodes[2].slow_us = 50000000;
    world_run(&world, 2000000);
    world_crash(&world.nodes[0]);
    world_wipe(&world.nodes[0]);
    world_start(&world.nodes[0]);
    world_run(&world, 10000000);
    ck_assert_uint_eq(world.elections, 0);
    ck_assert_int_eq(disk_end(&world.nodes[0].disk), 0);
    story_end();
}
END_TEST

START_TEST(seeds_that_disagree_form_nothing)
{
    world_init(&world, 1, 3, 0);
    world_start(&world.nodes[0]);
    world_start(&world.nodes[1]);
    world.nodes[1].is_seeded = false; /* the third was told of two */
    world_start(&world.nodes[2]);
    world_run(&world, 10000000);
    ck_assert_uint_eq(world.elections, 0);
    ck_assert_int_eq(disk_end(&world.nodes[2].disk), 0);
    story_end();
}
END_TEST

SUITE(election)
{
    TCase *tcase = tcase_create("election");
    tcase_add_test(tcase, a_single_voter_needs_nobody);
    tcase_add_test(tcase, a_leader_waits_for_the_first_entry_of_its_term);
    tcase_add_test(tcase, a_higher_term_ends_a_leadership);
    tcase_add_test(tcase, a_single_voter_leads_again_when_somebody_waits);
    tcase_add_test(tcase, a_single_voter_never_resigns);
    tcase_add_test(tcase, an_idle_quorum_elects_nobody);
    tcase_add_test(tcase, who_was_cut_off_disturbs_nobody);
    tcase_add_test(tcase, who_does_not_hear_the_leader_is_refused_by_those_who_do);
    tcase_add_test(tcase, two_that_stand_at_once_do_not_split_the_votes);
    tcase_add_test(tcase, a_leader_without_a_majority_resigns);
    tcase_add_test(tcase, a_deaf_leader_resigns);
    tcase_add_loop_test(tcase, a_deaf_leader_has_another_one_stand, 0, 2);
    tcase_add_test(tcase, proof_of_death_makes_a_failover_fast);
    tcase_add_test(tcase, who_would_vote_for_another_lets_it_stand_first);
    tcase_add_test(tcase, who_is_asked_to_stands_at_once_unless_somebody_leads);
    tcase_add_test(tcase, leadership_is_handed_over_at_once);
    tcase_add_test(tcase, a_transfer_to_the_dead_is_given_up);
    tcase_add_test(tcase, who_resigns_leads_no_more);
    tcase_add_test(tcase, one_vote_a_term_even_after_a_restart);
    tcase_add_test(tcase, who_cuts_its_log_does_not_vote);
    tcase_add_test(tcase, whoever_has_less_is_not_elected);
    tcase_add_test(tcase, a_voter_that_lost_its_log_elects_nobody);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("formation");
    tcase_add_test(tcase, nobody_stands_before_all_hold_the_first_record);
    tcase_add_test(tcase, one_that_has_not_got_it_yet_holds_all_up);
    tcase_add_test(tcase, a_formed_cluster_never_forms_again);
    tcase_add_test(tcase, the_founder_does_not_begin_anew_while_others_have_begun);
    tcase_add_test(tcase, seeds_that_disagree_form_nothing);
    suite_add_tcase(suite, tcase);
}
