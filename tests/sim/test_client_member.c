/* SPDX-License-Identifier: Apache-2.0 */
/* Members of groups: how they share a topic, come and go. */
#include "core/wire/error.h"
#include "sim/assignor.h"
#include "sim/clients.h"
#include "tests/sim/trial.h"

#define PARTITIONS 6
#define MEMBERS    3
#define RECORDS    300

/* What the members of the latest generation were given, and where the group is at the end. */
static struct {
    int32_t generation;
    uint32_t owners[PARTITIONS]; /* client numbers; 0: nobody's */
    int64_t committed[PARTITIONS];
    uint32_t most_members; /* that shared the whole topic */
} seen;

static void members_count(void)
{
    uint32_t members = 0;
    for (int i = 0; i < PARTITIONS; i++) {
        if (seen.owners[i] == 0)
            return;
        bool is_new = true;
        for (int j = 0; j < i; j++)
            is_new = is_new && seen.owners[j] != seen.owners[i];
        members += is_new;
    }
    if (members > seen.most_members)
        seen.most_members = members;
}

static void synced(const struct exchange *exchange)
{
    const struct sync_group_request *request = exchange->request;
    const struct sync_group_response *response = exchange->response;
    if (response->error_code != ERR_NONE)
        return;
    if (request->generation_id > seen.generation)
        memset(seen.owners, 0, sizeof(seen.owners));
    seen.generation = request->generation_id;
    int32_t partitions[PARTITIONS];
    const uint32_t count =
        assignor_read(exchange, response->assignment, SPAN("orders"), partitions, PARTITIONS);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t owner = seen.owners[partitions[i]];
        ck_assert(owner == 0 || owner == exchange->client);
        seen.owners[partitions[i]] = exchange->client;
    }
    members_count();
}

static void audited(const struct exchange *exchange)
{
    const struct offset_fetch_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        for (int32_t j = 0; j < response->topics[i].partitions_count; j++)
            seen.committed[response->topics[i].partitions[j].partition_index] =
                response->topics[i].partitions[j].committed_offset;
    }
}

static void replied(const struct sim *sim, const struct exchange *exchange)
{
    if (exchange->api->key == API_SYNC_GROUP)
        synced(exchange);
    else if (exchange->api->key == API_OFFSET_FETCH && sim->phase == SIM_AUDIT)
        audited(exchange);
}

static void set_up(struct trial *trial, struct range life_ms, bool is_static)
{
    trial_init(trial, PARTITIONS);
    trial->replied = replied;
    struct scenario_client *producer = trial_add(trial, CLIENT_PRODUCER, 1);
    producer->idempotent = true;
    producer->records = RECORDS;
    producer->batch_records = (struct range){1, 1};
    struct scenario_client *member = trial_add(trial, CLIENT_MEMBER, MEMBERS);
    member->life_ms = life_ms;
    member->is_static = is_static;
}

static void run(struct trial *trial, uint64_t seed)
{
    memset(&seen, 0, sizeof(seen));
    trial_run(trial, seed);
    int64_t committed = 0;
    for (int i = 0; i < PARTITIONS; i++)
        committed += seen.committed[i];
    ck_assert_int_eq(committed, RECORDS); /* all was read, and nothing beyond */
    ck_assert_uint_gt(trial->tally.counts[TALLY_commits], 0);
}

START_TEST(a_group_shares_the_partitions)
{
    struct trial trial;
    set_up(&trial, (struct range){0, 0}, _i == 1);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        run(&trial, seed);
        ck_assert_uint_eq(seen.most_members, MEMBERS);
    }
}
END_TEST

START_TEST(others_take_over_from_those_who_vanish)
{
    struct trial trial;
    set_up(&trial, (struct range){200, 800}, _i == 1);
    trial_add(&trial, CLIENT_MEMBER, 1); /* it stays: all the others may be away at the end */
    uint64_t rebalances = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        run(&trial, seed);
        rebalances += trial.tally.counts[TALLY_rebalances];
    }
    ck_assert_uint_ge(rebalances, 30);
}
END_TEST

/* The topic goes and comes again: a group forgets where it was, and goes on. */
START_TEST(a_topic_is_made_again)
{
    struct trial trial;
    trial_init(&trial, PARTITIONS);
    trial_add(&trial, CLIENT_PRODUCER, 1)->pause_us = (struct range){1000, 5000};
    trial_add(&trial, CLIENT_CONSUMER, 1);
    trial_add(&trial, CLIENT_MEMBER, MEMBERS);
    struct scenario_client *admin = trial_add(&trial, CLIENT_ADMIN, 1);
    admin->topic = trial.topic.name;
    trial.scenario.expect.errors_allowed = true;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        trial_run(&trial, seed);
        ck_assert_uint_gt(trial.tally.counts[TALLY_topics_gone], 0);
        ck_assert_uint_gt(trial.tally.counts[TALLY_commits], 0);
    }
}
END_TEST

SUITE(client_member)
{
    TCase *tcase = tcase_create("members");
    tcase_add_loop_test(tcase, a_group_shares_the_partitions, 0, 2);
    tcase_add_loop_test(tcase, others_take_over_from_those_who_vanish, 0, 2);
    tcase_add_test(tcase, a_topic_is_made_again);
    suite_add_tcase(suite, tcase);
}
