/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/ran.h"

#include "sim/scenario.h"
#include "tests/support/runner.h"

#define STEPS 20000

static char name[] = "ran";
static char tells[] = "";
static char topic_name[] = "orders";

struct sim *ran(void)
{
    static struct scenario_node nodes[RAN_NODES];
    static struct scenario_topic topic = {
        .name = topic_name, .partitions = 1, .replication_factor = RAN_NODES};
    static struct scenario_client client = {
        .kind = CLIENT_PRODUCER, .count = 1, .acks = -1, .records = 100};
    static struct scenario scenario;
    char why[256];
    scenario = (struct scenario){.name = name,
                                 .tells = tells,
                                 .load_ms = {600000, 600000},
                                 .settle_ms = 10000,
                                 .nodes = nodes,
                                 .nodes_count = RAN_NODES,
                                 .is_cluster = true,
                                 .topics = &topic,
                                 .topics_count = 1,
                                 .clients = &client,
                                 .clients_count = 1};
    const struct sim_options options = {.steps_most = STEPS};
    struct sim *sim = sim_new(&scenario, 5, &options, why, sizeof(why));
    ck_assert_msg(sim != NULL, "%s", why);
    ck_assert_int_eq(sim_run(sim), SIM_PASSED);
    return sim;
}
