/* SPDX-License-Identifier: Apache-2.0 */
/* Three nodes of a cluster that run for a while; then one of them is made to believe otherwise. */
#include "core/broker_state.h"
#include "core/cluster.h"
#include "core/view.h"
#include "sim/host.h"
#include "sim/judge.h"
#include "tests/support/runner.h"

#define NODES 3
#define STEPS 3000

static char voters_key[] = "controller.quorum.voters";
static char voters_value[] = "1@n1:9093,2@n2:9093,3@n3:9093";
static char name[] = "links";
static char tells[] = "";

static struct setting voters = {voters_key, voters_value};
static struct scenario_node nodes[NODES];
static struct scenario scenario;

/* A world in which all links are up. */
static struct sim *run(void)
{
    char why[256];
    const struct sim_options options = {.steps_most = STEPS};
    for (size_t i = 0; i < NODES; i++)
        nodes[i].settings = (struct settings_list){&voters, 1};
    scenario = (struct scenario){.name = name,
                                 .tells = tells,
                                 .load_ms = {600000, 600000},
                                 .settle_ms = 10000,
                                 .nodes = nodes,
                                 .nodes_count = NODES};
    struct sim *sim = sim_new(&scenario, 5, &options, why, sizeof(why));
    ck_assert_msg(sim != NULL, "%s", why);
    ck_assert_int_eq(sim_run(sim), SIM_PASSED);
    for (int32_t a = 1; a <= NODES; a++) {
        for (int32_t b = 1; b <= NODES; b++) {
            struct peer_status status = {.is_up = false};
            ck_assert_int_eq(broker_view_peer(sim->hosts[a - 1]->broker, b, &status), a != b);
            ck_assert_int_eq(status.is_up, a != b);
        }
    }
    return sim;
}

/* The first node forgets what it knows of the second one. */
static void forget(struct sim *sim)
{
    struct cluster *cluster = sim->hosts[0]->broker->cluster;
    const struct peers_identity identity = {.cluster_id = SPAN("simulated-cluster"), .node_id = 1};
    const struct peers_settings settings = {.heartbeat_us = 500000, .silence_us = 2000000};
    cluster->peers =
        peers_new(&sim->hosts[0]->broker->io, &identity, &settings, &cluster->observer);
    peers_know(cluster->peers, 2, SPAN("n2"), 9093);
}

static void step(struct sim *sim)
{
    judges_stepped(sim->judges, sim->hosts[0], &(struct event){.kind = EVENT_TURN_END});
}

START_TEST(a_death_that_was_none)
{
    struct sim *sim = run();
    step(sim);
    ck_assert_int_eq(sim->violation.result, SIM_PASSED);
    forget(sim);
    step(sim);
    ck_assert_int_eq(sim->violation.result, SIM_SAFETY);
    ck_assert_str_eq(sim->violation.text, "n1 says that the process of n2 has ended, and it runs");
    sim_free(sim);
}
END_TEST

START_TEST(a_death_that_was_one)
{
    struct sim *sim = run();
    host_crash(sim->hosts[1]);
    forget(sim);
    step(sim);
    ck_assert_int_eq(sim->violation.result, SIM_PASSED);
    sim_free(sim);
}
END_TEST

START_TEST(no_link_for_long)
{
    struct sim *sim = run();
    host_crash(sim->hosts[1]);
    forget(sim);
    step(sim);
    sim->now_us += 60000000;
    step(sim); /* it does not run */
    ck_assert_int_eq(sim->violation.result, SIM_PASSED);
    host_start(sim->hosts[1]);
    sim->hosts[1]->state = HOST_SERVING;
    sim->hosts[1]->busy_until_us = 0;
    step(sim);
    sim->now_us += 9000000;
    step(sim);
    ck_assert_int_eq(sim->violation.result, SIM_PASSED);
    sim->now_us += 2000000;
    step(sim);
    ck_assert_int_eq(sim->violation.result, SIM_LIVENESS);
    ck_assert(strstr(sim->violation.text, "n1 has no link to n2") != NULL);
    sim_free(sim);
}
END_TEST

SUITE(judge_links)
{
    TCase *tcase = tcase_create("links");
    tcase_add_test(tcase, a_death_that_was_none);
    tcase_add_test(tcase, a_death_that_was_one);
    tcase_add_test(tcase, no_link_for_long);
    suite_add_tcase(suite, tcase);
}
