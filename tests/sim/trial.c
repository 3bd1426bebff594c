/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/trial.h"

#include <stdio.h>

#include "sim/sim.h"

/* A scenario's texts are its own elsewhere; here nobody frees them. */
static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

void trial_init(struct trial *trial, uint32_t partitions)
{
    *trial = (struct trial){.topic = {.name = text_of("orders"), .partitions = partitions}};
    trial->scenario = (struct scenario){.name = text_of("trial"),
                                        .load_ms = {TRIAL_LOAD_MS, TRIAL_LOAD_MS},
                                        .settle_ms = 30000,
                                        .nodes = trial->nodes,
                                        .nodes_count = 1,
                                        .topics = &trial->topic,
                                        .topics_count = 1,
                                        .clients = trial->clients};
    trial_set(trial, "group.initial.rebalance.delay.ms", "10");
    trial_set(trial, "group.min.session.timeout.ms", "300");
}

void trial_set(struct trial *trial, const char *key, const char *value)
{
    const uint32_t count = trial->nodes[0].settings.count;
    ck_assert_uint_lt(count, TRIAL_SETTINGS_MAX);
    trial->settings[count] = (struct setting){.key = text_of(key), .value = text_of(value)};
    for (size_t i = 0; i < TRIAL_NODES; i++)
        trial->nodes[i].settings = (struct settings_list){trial->settings, count + 1};
}

void trial_cluster(struct trial *trial)
{
    trial_set(trial, "controller.quorum.voters", "1@n1:9093,2@n2:9093,3@n3:9093");
    trial->scenario.nodes_count = TRIAL_NODES;
}

struct scenario_client *trial_add(struct trial *trial, enum client_kind kind, uint32_t count)
{
    ck_assert_uint_lt(trial->scenario.clients_count, TRIAL_CLIENTS_MAX);
    struct scenario_client *client = &trial->clients[trial->scenario.clients_count++];
    *client = (struct scenario_client){.kind = kind, .count = count, .acks = -1};
    return client;
}

/* ---- Who watches: only replies matter. ---- */

static void on_event(void *context, const struct sim *sim, const struct host *host,
                     const struct event *event, struct span payload, uint64_t number,
                     uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)host;
    (void)event;
    (void)payload;
    (void)number;
    (void)cause;
}

static void on_effect(void *context, const struct sim *sim, const struct host *host,
                      const struct effect *effect, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)host;
    (void)effect;
    (void)number;
    (void)cause;
}

static void on_message(void *context, const struct sim *sim, const char *what,
                       const struct exchange *exchange, uint64_t number, uint64_t cause)
{
    (void)number;
    (void)cause;
    const struct trial *trial = context;
    if (trial->replied != NULL && strcmp(what, "reply") == 0)
        trial->replied(sim, exchange);
}

static void on_action(void *context, const struct sim *sim, const struct host *host,
                      const char *kind, const char *text, uint64_t number, uint64_t cause)
{
    (void)context;
    (void)sim;
    (void)host;
    (void)kind;
    (void)text;
    (void)number;
    (void)cause;
}

static void on_violated(void *context, const struct sim *sim, const struct violation *violation)
{
    (void)context;
    (void)sim;
    (void)violation;
}

void trial_run(struct trial *trial, uint64_t seed)
{
    static const struct sim_sink sink = {.event = on_event,
                                         .effect = on_effect,
                                         .message = on_message,
                                         .action = on_action,
                                         .violated = on_violated};
    const struct sim_options options = {.sink = &sink, .sink_context = trial, .tape = trial->tape};
    char reason[256];
    struct sim *sim = sim_new(&trial->scenario, seed, &options, reason, sizeof(reason));
    ck_assert_msg(sim != NULL, "%s", reason);
    const enum sim_result result = sim_run(sim);
    ck_assert_msg(result == SIM_PASSED, "seed %llu: %s: %s", (unsigned long long)seed,
                  sim->violation.judge, sim->violation.text);
    trial->tally = sim->tally;
    trial->steps = sim->steps;
    trial->digest = sim->digest.value;
    sim_free(sim);
}
