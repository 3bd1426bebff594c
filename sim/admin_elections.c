/* SPDX-License-Identifier: Apache-2.0 */
/* Elections that an administrator asks for, as kafka-leader-election does (KIP-183, KIP-460). */
#include <string.h>

#include "core/meta/topics.h"
#include "core/wire/error.h"
#include "sim/admin.h"
#include "sim/host.h"

#define TYPES_FROM      1 /* the version from which on it can be any replica */
#define TIMEOUT_MS      10000
#define PARTITIONS_MOST 4

static bool is_unclean_allowed(const struct admin *admin, const struct scenario_topic *topic)
{
    for (uint32_t i = 0; i < topic->config.count; i++) {
        if (strcmp(topic->config.items[i].key, "unclean.leader.election.enable") == 0)
            return strcmp(topic->config.items[i].value, "true") == 0;
    }
    return conf_bool(&admin->client.sim->hosts[admin->client.host - 1]->conf,
                     CONF_UNCLEAN_LEADER_ELECTION_ENABLE);
}

/* Some partitions of a topic, which has some of them; of its own topics, whether or not. */
static void some_of(struct admin *admin, struct exchange *exchange,
                    struct elect_leaders_request *request)
{
    const struct scenario *scenario = admin->client.sim->scenario;
    struct chance *rng = &admin->client.rng;
    const bool is_own =
        scenario->topics_count == 0 || (!admin->client.plan->elects_only && chance_one_in(rng, 2));
    const struct scenario_topic *plan =
        is_own ? NULL : &scenario->topics[chance_below(rng, scenario->topics_count)];
    request->topic_partitions = peer_take(exchange, sizeof(*request->topic_partitions));
    request->topic_partitions_count = 1;
    struct elect_leaders_request_topic_partition *topic = request->topic_partitions;
    topic->topic = span_text(is_own ? admin_own_topic(admin)->name : plan->name);
    const uint64_t partitions = is_own ? PARTITIONS_MOST : plan->partitions;
    topic->partitions = peer_take(exchange, partitions * sizeof(*topic->partitions));
    for (uint64_t i = 0; i < partitions; i++) {
        if (chance_one_in(rng, 2))
            topic->partitions[topic->partitions_count++] = (int32_t)i;
    }
    if (exchange->version >= TYPES_FROM && !is_own && is_unclean_allowed(admin, plan) &&
        chance_one_in(rng, 2))
        request->election_type = TOPICS_ELECT_ANY;
}

/* When the load is over, all: by then each has a leader that it should have. */
static void fill_elect_leaders(struct admin *admin, struct exchange *exchange)
{
    struct elect_leaders_request *request = (void *)(uintptr_t)exchange->request;
    request->election_type = TOPICS_ELECT_PREFERRED;
    request->topic_partitions_count = -1;
    request->timeout_ms = TIMEOUT_MS;
    if (!admin->settling && !chance_one_in(&admin->client.rng, 3))
        some_of(admin, exchange, request);
}

/* Each that asks when the load is over has to be told once that all are led as they should be. */
static void answered_elect_leaders(struct admin *admin, const struct exchange *exchange)
{
    const struct elect_leaders_response *response = exchange->response;
    bool is_right = admin->settling && exchange->asked_us > admin->settled_us &&
                    response->error_code == ERR_NONE;
    for (int32_t i = 0; i < response->replica_election_results_count; i++) {
        const struct elect_leaders_response_replica_election_result *topic =
            &response->replica_election_results[i];
        for (int32_t j = 0; j < topic->partition_result_count; j++) {
            const int16_t error = topic->partition_result[j].error_code;
            is_right = is_right && (error == ERR_NONE || error == ERR_ELECTION_NOT_NEEDED);
            if (error == ERR_NONE)
                sim_count(admin->client.sim, TALLY_elections_asked);
        }
    }
    admin->is_led = admin->is_led || is_right;
}

const struct admin_action admin_elections[] = {
    {API_ELECT_LEADERS, 6, fill_elect_leaders, answered_elect_leaders},
    {0},
};
