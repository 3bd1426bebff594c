/* SPDX-License-Identifier: Apache-2.0 */
/* Leaderships that go back to whom they are meant for. */
#include "core/meta/image.h"
#include "tests/core/crew.h"
#include "tests/support/runner.h"

#define NODES 3
#define TOPIC SPAN("t")

static const char *const soon[] = {"leader.imbalance.check.interval.seconds", "20", NULL};
static const char *const never[] = {"leader.imbalance.check.interval.seconds", "20",
                                    "auto.leader.rebalance.enable", "false", NULL};

/* Four partitions, one of which node 3 is preferred for, and the others node 1. */
static void begin(const char *const *settings)
{
    static const int32_t brokers[] = {1, 2, 3, 3, 1, 2, 1, 3, 2, 1, 2, 3};
    crew_begin(NODES, settings, NULL);
    struct client *client = client_new(crew_nodes[1].world);
    crew_create(client, TOPIC, brokers, 4, 3);
    client_free(client);
}

/* How many of them a node leads, as another one sees it. */
static int32_t leads(int32_t seen_by, int32_t id)
{
    int32_t count = 0;
    for (int32_t i = 0; i < 4; i++)
        count += crew_partition(seen_by, TOPIC, i)->leader == id;
    return count;
}

START_TEST(preferred_leaders_lead_again)
{
    begin(soon);
    ck_assert_int_eq(leads(2, 1), 3);
    if (_i == 0)
        crew_stop(1);
    else
        crew_kill(1);
    crew_advance(3000);
    ck_assert_int_eq(leads(2, 1), 0);
    crew_start(1);
    ck_assert_int_eq(leads(2, 1), 0);
    crew_advance(30000);
    ck_assert_int_eq(leads(2, 1), 3);
    ck_assert_int_eq(leads(2, 3), 1);
    const int32_t epoch = crew_partition(2, TOPIC, 0)->leader_epoch;
    crew_advance(60000);
    ck_assert_int_eq(crew_partition(2, TOPIC, 0)->leader_epoch, epoch);
    crew_end();
}
END_TEST

START_TEST(leaderships_stay_where_that_is_wanted)
{
    begin(never);
    crew_stop(1);
    crew_start(1);
    crew_advance(60000);
    ck_assert_int_eq(leads(2, 1), 0);
    crew_end();
}
END_TEST

SUITE(balance)
{
    TCase *tcase = tcase_create("balance");
    tcase_add_loop_test(tcase, preferred_leaders_lead_again, 0, 2);
    tcase_add_test(tcase, leaderships_stay_where_that_is_wanted);
    suite_add_tcase(suite, tcase);
}
