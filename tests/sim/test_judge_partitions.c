/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/faults.h"
#include "tests/sim/story.h"

#define MIN_INSYNC "2"

/* Three replicas on nodes 1 to 3, of which 1 leads. */
static int32_t all[] = {1, 2, 3};

static struct uuid id_of(void)
{
    return (struct uuid){.bytes = {0x70}};
}

static void registers(struct story *story, int32_t node, bool fenced)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTER_BROKER);
    record.body.register_broker.broker_id = node;
    record.body.register_broker.broker_epoch = story->wal_end;
    record.body.register_broker.incarnation_id = (struct uuid){.bytes = {(uint8_t)node, 1}};
    record.body.register_broker.fenced = fenced;
    story_metadata(story, &record);
}

static void begin(struct story *story)
{
    story_begin_cluster(story, &judge_partitions);
    for (int32_t node = 1; node <= STORY_NODES; node++)
        registers(story, node, false);
    struct meta_record record = meta_record_of(META_RECORD_TOPIC);
    record.body.topic.name = SPAN("orders");
    record.body.topic.topic_id = id_of();
    story_metadata(story, &record);
    record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = META_RESOURCE_TOPIC;
    record.body.config.resource_name = SPAN("orders");
    record.body.config.name = SPAN("min.insync.replicas");
    record.body.config.value = SPAN(MIN_INSYNC);
    story_metadata(story, &record);
    record = meta_record_of(META_RECORD_PARTITION);
    struct partition_record *partition = &record.body.partition;
    partition->topic_id = id_of();
    partition->partition_id = 0;
    partition->replicas = partition->isr = all;
    partition->replicas_count = partition->isr_count = 3;
    partition->leader = 1;
    partition->leader_epoch = partition->partition_epoch = 0;
    story_metadata(story, &record);
    ck_assert(story_passes(story));
}

/* The partition's leader, ISR and ELR become these; −2: the leader stays. */
static void changes(struct story *story, int32_t leader, const int32_t *isr, int32_t isr_count,
                    const int32_t *elr, int32_t elr_count)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    struct partition_change_record *change = &record.body.partition_change;
    change->topic_id = id_of();
    change->partition_id = 0;
    change->leader = leader;
    change->isr = (int32_t *)(uintptr_t)isr;
    change->isr_count = isr_count;
    change->eligible_leader_replicas = (int32_t *)(uintptr_t)elr;
    change->eligible_leader_replicas_count = elr_count;
    story_metadata(story, &record);
}

START_TEST(what_replicas_do)
{
    struct story story;
    begin(&story);
    changes(&story, 2, (int32_t[]){2, 3}, 2, NULL, 0);
    changes(&story, -2, (int32_t[]){2}, 1, (int32_t[]){3}, 1);
    changes(&story, 3, (int32_t[]){3}, 1, (int32_t[]){2}, 1);
    changes(&story, -2, all, 3, NULL, 0);
    ck_assert(story_passes(&story));
    ck_assert_uint_ge(judges_get(story.sim.judges, 0)->judged, 4);
    story_phase(&story, SIM_AUDIT);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(a_leader_that_was_not_in_sync)
{
    struct story story;
    begin(&story);
    changes(&story, -2, (int32_t[]){1, 2}, 2, NULL, 0);
    changes(&story, 3, (int32_t[]){3}, 1, NULL, 0);
    ck_assert(story_objects(&story, "3 is elected in epoch 1, which was neither in sync nor "));
    story_end(&story);
}
END_TEST

static void allows_unclean(struct story *story)
{
    struct meta_record record = meta_record_of(META_RECORD_CONFIG);
    record.body.config.resource_type = META_RESOURCE_TOPIC;
    record.body.config.resource_name = SPAN("orders");
    record.body.config.name = SPAN("unclean.leader.election.enable");
    record.body.config.value = SPAN("true");
    story_metadata(story, &record);
}

/* Node 3 leads, alone; the record says how it came to. */
static void leads_uncleanly(struct story *story, int8_t recovery_state)
{
    struct meta_record record = meta_record_of(META_RECORD_PARTITION_CHANGE);
    struct partition_change_record *change = &record.body.partition_change;
    int32_t leader = 3;
    change->topic_id = id_of();
    change->partition_id = 0;
    change->leader = leader;
    change->isr = &leader;
    change->isr_count = 1;
    change->leader_recovery_state = recovery_state;
    story_metadata(story, &record);
}

/* Those who were in sync come to be fenced: with that nobody leads. */
static void are_fenced(struct story *story, bool all_are)
{
    changes(story, -2, (int32_t[]){1}, 1, (int32_t[]){2}, 1);
    registers(story, 2, true);
    if (all_are)
        registers(story, 1, true);
}

START_TEST(an_unclean_election)
{
    struct story story;
    begin(&story);
    are_fenced(&story, true);
    allows_unclean(&story);
    leads_uncleanly(&story, 1);
    ck_assert(story_passes(&story));
    story_end(&story);
}
END_TEST

START_TEST(an_unclean_election_that_is_not_allowed)
{
    struct story story;
    begin(&story);
    are_fenced(&story, true);
    leads_uncleanly(&story, 1);
    ck_assert(story_objects(&story, "3 is elected in epoch 2, which was neither in sync nor"));
    story_end(&story);
}
END_TEST

START_TEST(an_unclean_election_without_need)
{
    struct story story;
    begin(&story);
    are_fenced(&story, false);
    allows_unclean(&story);
    leads_uncleanly(&story, 1);
    ck_assert(story_objects(&story, "3 is elected in epoch 1, though 1 is live and could"));
    story_end(&story);
}
END_TEST

START_TEST(an_unclean_election_that_no_record_tells)
{
    struct story story;
    begin(&story);
    are_fenced(&story, true);
    allows_unclean(&story);
    leads_uncleanly(&story, -1);
    ck_assert(story_objects(&story, "3 is elected uncleanly in epoch 2, and no record says so"));
    story_end(&story);
}
END_TEST

START_TEST(somebody_eligible_beside_enough_in_sync)
{
    struct story story;
    begin(&story);
    changes(&story, -2, (int32_t[]){1, 2}, 2, (int32_t[]){3}, 1);
    ck_assert(story_objects(&story, "somebody is eligible though enough are in sync"));
    story_end(&story);
}
END_TEST

START_TEST(a_fenced_broker_in_sync)
{
    struct story story;
    begin(&story);
    changes(&story, -2, (int32_t[]){1, 2}, 2, NULL, 0);
    registers(&story, 3, true);
    ck_assert(story_passes(&story));
    changes(&story, -2, all, 3, NULL, 0);
    ck_assert(story_objects(&story, "3 is in sync, and fenced"));
    story_end(&story);
}
END_TEST

static void leaves(struct story *story, int32_t node)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    const struct meta_broker *broker = image_broker(judges_truth(story->sim.judges), node);
    record.body.registration_change.broker_id = node;
    record.body.registration_change.broker_epoch = broker->epoch;
    record.body.registration_change.in_controlled_shutdown = 1;
    story_metadata(story, &record);
}

START_TEST(a_broker_in_sync_that_is_about_to_end)
{
    struct story story;
    begin(&story);
    leaves(&story, 3);
    ck_assert(story_passes(&story));
    changes(&story, -2, all, 3, NULL, 0);
    ck_assert(story_objects(&story, "3 is in sync, and about to end"));
    story_end(&story);
}
END_TEST

START_TEST(nobody_leads_though_one_could)
{
    struct story story;
    begin(&story);
    changes(&story, -1, all, 0, all, 3);
    ck_assert(story_objects(&story, "orders-0, in partition epoch 1: nobody leads, and 3 could"));
    story_end(&story);
}
END_TEST

START_TEST(an_election_without_need)
{
    struct story story;
    begin(&story);
    story.sim.faults = faults_new(&story.sim);
    changes(&story, 2, (int32_t[]){2, 3}, 2, NULL, 0);
    ck_assert(story_passes(&story)); /* it boots */
    story.sim.phase = SIM_LOAD;
    changes(&story, 3, (int32_t[]){2, 3}, 2, NULL, 0);
    ck_assert(story_objects(&story, "leader 3 in epoch 2 after leader 2, though nobody died"));
    faults_free(story.sim.faults);
    story_end(&story);
}
END_TEST

/* Somebody is told that an election took place, and who was asked for leads. */
static void elected(struct story *story, struct exchange *exchange)
{
    struct elect_leaders_response *response = story_response(exchange, elect_leaders_response);
    response->replica_election_results =
        story_take(story, sizeof(*response->replica_election_results));
    response->replica_election_results_count = 1;
    struct elect_leaders_response_replica_election_result *topic =
        response->replica_election_results;
    topic->topic = SPAN("orders");
    topic->partition_result = story_take(story, sizeof(*topic->partition_result));
    topic->partition_result_count = 1;
    story_reply(story, exchange);
}

START_TEST(an_election_by_hand)
{
    struct story story;
    begin(&story);
    changes(&story, 2, (int32_t[]){2, 3}, 2, NULL, 0);
    changes(&story, -2, all, 3, NULL, 0);
    struct exchange *exchange = story_exchange(&story, API_ELECT_LEADERS, 2);
    story_ask(&story, exchange);
    changes(&story, 1, all, 3, NULL, 0);
    changes(&story, 3, all, 3, NULL, 0);
    elected(&story, exchange); /* it led, if not for long */
    ck_assert(story_passes(&story));
    ck_assert_uint_ge(judges_get(story.sim.judges, 0)->judged, 5);
    story_end(&story);
}
END_TEST

START_TEST(an_election_by_hand_that_was_none)
{
    struct story story;
    begin(&story);
    changes(&story, 2, (int32_t[]){2, 3}, 2, NULL, 0);
    struct exchange *exchange = story_exchange(&story, API_ELECT_LEADERS, 2);
    story_ask(&story, exchange);
    elected(&story, exchange);
    ck_assert(story_objects(&story, "the replica that is preferred leads, and it has not since"));
    story_end(&story);
}
END_TEST

START_TEST(replicas_that_stay_behind)
{
    struct story story;
    begin(&story);
    changes(&story, -2, (int32_t[]){1, 2}, 2, NULL, 0);
    story_phase(&story, SIM_AUDIT);
    ck_assert(story_objects(&story, "orders-0: 2 of its 3 replicas are in sync"));
    story_end(&story);
}
END_TEST

START_TEST(nobody_leads_in_the_end)
{
    struct story story;
    begin(&story);
    for (int32_t node = 1; node <= STORY_NODES; node++)
        registers(&story, node, true);
    ck_assert(story_passes(&story));
    story_phase(&story, SIM_AUDIT);
    ck_assert(story_objects(&story, "orders-0 has no leader"));
    story_end(&story);
}
END_TEST

SUITE(judge_partitions)
{
    TCase *tcase = tcase_create("partitions");
    tcase_add_test(tcase, what_replicas_do);
    tcase_add_test(tcase, a_leader_that_was_not_in_sync);
    tcase_add_test(tcase, an_unclean_election);
    tcase_add_test(tcase, an_unclean_election_that_is_not_allowed);
    tcase_add_test(tcase, an_unclean_election_without_need);
    tcase_add_test(tcase, an_unclean_election_that_no_record_tells);
    tcase_add_test(tcase, somebody_eligible_beside_enough_in_sync);
    tcase_add_test(tcase, a_fenced_broker_in_sync);
    tcase_add_test(tcase, a_broker_in_sync_that_is_about_to_end);
    tcase_add_test(tcase, nobody_leads_though_one_could);
    tcase_add_test(tcase, an_election_without_need);
    tcase_add_test(tcase, an_election_by_hand);
    tcase_add_test(tcase, an_election_by_hand_that_was_none);
    tcase_add_test(tcase, replicas_that_stay_behind);
    tcase_add_test(tcase, nobody_leads_in_the_end);
    suite_add_tcase(suite, tcase);
}
