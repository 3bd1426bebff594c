/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world of a test: one machine whose groups are quick, or three of a cluster, a topic, a few
 * clients, and everybody who judges; the test fails with what they object to.
 */
#ifndef TESTS_SIM_TRIAL_H
#define TESTS_SIM_TRIAL_H

#include "sim/peer.h"
#include "sim/scenario.h"
#include "tests/support/runner.h"

#define TRIAL_CLIENTS_MAX  8
#define TRIAL_SETTINGS_MAX 4
#define TRIAL_NODES        3 /* of a cluster */

/* How long its clients work. */
#define TRIAL_LOAD_MS 2000

struct trial {
    struct scenario scenario;
    struct scenario_node nodes[TRIAL_NODES]; /* all alike */
    struct setting settings[TRIAL_SETTINGS_MAX];
    struct scenario_topic topic;
    struct scenario_client clients[TRIAL_CLIENTS_MAX];
    /* Called for each reply that leaves the machine; NULL: nobody looks. */
    void (*replied)(const struct sim *sim, const struct exchange *exchange);
    struct chance_tape *tape; /* that decides before the seed does; NULL: none. Borrowed */
    struct tally tally;       /* of the run */
    uint64_t steps;
    uint64_t digest;
};

/* A trial without clients; its topic is "orders". */
void trial_init(struct trial *trial, uint32_t partitions);

/* Three machines instead of one, which are a cluster. */
void trial_cluster(struct trial *trial);

/* A setting of the machines; borrowed. */
void trial_set(struct trial *trial, const char *key, const char *value);

/* Adds clients, to be filled in further. */
struct scenario_client *trial_add(struct trial *trial, enum client_kind kind, uint32_t count);

/* Runs it to its end. */
void trial_run(struct trial *trial, uint64_t seed);

#endif
