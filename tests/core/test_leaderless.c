/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator is told of partitions that nobody can lead. */
#include "core/broker_state.h"
#include "core/meta/controller.h"
#include "tests/core/crew.h"
#include "tests/support/runner.h"

#define NODES 3
#define TOPIC SPAN("t")

static bool leads_quorum(int32_t id)
{
    return quorum_leads(controller_quorum(crew_nodes[id].broker->controller));
}

START_TEST(the_controller_says_who_has_to_come_back)
{
    static const int32_t brokers[] = {3, 3, 1};
    crew_begin(NODES, NULL, NULL);
    struct client *client = client_new(crew_nodes[1].world);
    crew_create(client, TOPIC, brokers, 3, 1);
    client_free(client);
    crew_kill(3);
    crew_advance(5000);
    ck_assert_int_eq(crew_partition(1, TOPIC, 0)->leader, META_NO_LEADER);
    ck_assert_int_eq(crew_partition(1, TOPIC, 2)->leader, 1);
    for (int32_t id = 1; id < NODES; id++)
        ck_assert_int_eq(world_logged(crew_nodes[id].world,
                                      "partitions have no leader: count=2 one=t-1 eligible=3 "),
                         leads_quorum(id));
    crew_start(3);
    crew_advance(5000);
    ck_assert_int_eq(crew_partition(1, TOPIC, 0)->leader, 3);
    crew_end();
}
END_TEST

SUITE(leaderless)
{
    TCase *tcase = tcase_create("leaderless");
    tcase_add_test(tcase, the_controller_says_who_has_to_come_back);
    suite_add_tcase(suite, tcase);
}
