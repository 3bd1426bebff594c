/* SPDX-License-Identifier: Apache-2.0 */
/* What more than one word of a scenario has to agree on. */
#include "core/base/nearest.h"
#include "sim/scenario_reader.h"

#define IDEMPOTENT_IN_FLIGHT_MAX 5 /* batches whose order a broker can tell (Kafka's client) */

static void check_node(struct reader *reader, const struct scenario *scenario, json_t *json,
                       uint32_t node)
{
    if (node > scenario->nodes_count)
        reader_refuse_member(reader, json, "node", "there is no node %u; there are %u", node,
                             scenario->nodes_count);
}

static void check_topic(struct reader *reader, const struct scenario *scenario, json_t *json,
                        uint32_t number)
{
    for (uint32_t i = 0; i < number; i++) {
        if (strcmp(scenario->topics[i].name, scenario->topics[number].name) == 0)
            reader_refuse_member(reader, json, "name", "there are two topics \"%s\"",
                                 scenario->topics[i].name);
    }
    if (scenario->topics[number].replication_factor > scenario->nodes_count)
        reader_refuse_member(reader, json, "replication_factor", "there are only %u nodes",
                             scenario->nodes_count);
}

static bool needs_topic(const struct scenario_client *client)
{
    return client->kind == CLIENT_PRODUCER || client->kind == CLIENT_CONSUMER ||
           client->kind == CLIENT_MEMBER;
}

static void check_topic_of(struct reader *reader, const struct scenario *scenario, json_t *json,
                           const struct scenario_client *client)
{
    struct nearest nearest;
    nearest_start(&nearest, span_text(client->topic == NULL ? "" : client->topic));
    for (uint32_t i = 0; i < scenario->topics_count; i++) {
        if (client->topic == NULL || strcmp(client->topic, scenario->topics[i].name) == 0)
            return;
        nearest_consider(&nearest, scenario->topics[i].name);
    }
    if (client->topic == NULL)
        reader_refuse(reader, "a client of this kind needs a topic; \"topics\" has none");
    else if (nearest.name != NULL)
        reader_refuse_member(reader, json, "topic",
                             "there is no topic \"%s\"; did you mean \"%s\"?", client->topic,
                             nearest.name);
    else
        reader_refuse_member(reader, json, "topic", "there is no topic \"%s\" in \"topics\"",
                             client->topic);
}

static void check_client(struct reader *reader, const struct scenario *scenario, json_t *json,
                         uint32_t number)
{
    const struct scenario_client *client = &scenario->clients[number];
    check_node(reader, scenario, json, client->node);
    if (client->kind == CLIENT_OPERATOR && !scenario->is_cluster)
        reader_refuse_member(reader, json, "kind", "only a \"cluster\" has voters to look after");
    if (needs_topic(client) || client->topic != NULL)
        check_topic_of(reader, scenario, json, client);
    if (client->idempotent && client->acks != -1)
        reader_refuse_member(reader, json, "idempotent",
                             "an idempotent producer needs acks \"all\"");
    if (client->idempotent && client->in_flight.most > IDEMPOTENT_IN_FLIGHT_MAX)
        reader_refuse_member(reader, json, "in_flight",
                             "an idempotent producer may have %d requests in flight at most",
                             IDEMPOTENT_IN_FLIGHT_MAX);
    uint32_t clients = 0;
    for (uint32_t i = 0; i <= number; i++)
        clients += scenario->clients[i].count;
    if (clients > SCENARIO_CLIENTS_MAX)
        reader_refuse_member(reader, json, "count", "these are more than %d clients together",
                             SCENARIO_CLIENTS_MAX);
}

/* A word that needs one of two others. */
static void check_needs(struct reader *reader, json_t *json, const char *key, const char *needs,
                        const char *or_needs)
{
    if (json_object_get(json, key) == NULL || json_object_get(json, needs) != NULL ||
        (or_needs != NULL && json_object_get(json, or_needs) != NULL))
        return;
    if (or_needs == NULL)
        reader_refuse_member(reader, json, key, "\"%s\" needs \"%s\"", key, needs);
    else
        reader_refuse_member(reader, json, key, "\"%s\" needs \"%s\" or \"%s\"", key, needs,
                             or_needs);
}

/* One between two machines. */
static void check_link(struct reader *reader, const struct scenario *scenario, json_t *json,
                       const struct scenario_fault *fault)
{
    if (fault->kind != FAULT_CUT_LINK && fault->kind != FAULT_ONE_WAY_LINK)
        return;
    if (scenario->nodes_count < 2)
        reader_refuse_member(reader, json, "kind", "a link needs two nodes");
    if (fault->other_node > scenario->nodes_count)
        reader_refuse_member(reader, json, "other_node", "there is no node %u; there are %u",
                             fault->other_node, scenario->nodes_count);
    check_needs(reader, json, "other_node", "node", NULL);
    if (fault->other_node != 0 && fault->other_node == fault->node)
        reader_refuse_member(reader, json, "other_node", "a link needs two nodes");
}

static void check_fault(struct reader *reader, const struct scenario *scenario, json_t *json,
                        uint32_t number)
{
    static const char *const times[] = {"at_ms", "at_us", "every_ms", "when"};
    const struct scenario_fault *fault = &scenario->faults[number];
    const char *time = NULL;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (json_object_get(json, times[i]) == NULL)
            continue;
        if (time != NULL)
            reader_refuse_member(reader, json, times[i],
                                 "a fault cannot have both \"%s\" and \"%s\"", time, times[i]);
        time = times[i];
    }
    if (time == NULL)
        reader_refuse(reader,
                      "the fault does not say when: it needs \"at_ms\", \"every_ms\" or \"when\"");
    check_needs(reader, json, "nth", "when", NULL);
    check_needs(reader, json, "again", "when", NULL);
    check_needs(reader, json, "from_ms", "every_ms", "when");
    check_needs(reader, json, "to_ms", "every_ms", "when");
    check_node(reader, scenario, json, fault->node);
    if (fault->hits_all_nodes && fault->node != 0)
        reader_refuse_member(reader, json, "node",
                             "a fault cannot have both \"node\" and \"all_nodes\"");
    if (json_object_get(json, "parts") != NULL && fault->node != 0)
        reader_refuse_member(reader, json, "parts",
                             "a fault cannot have both \"node\" and \"parts\"");
    check_link(reader, scenario, json, fault);
    if (fault->kind >= FAULT_EMPTY_DISK && fault->kind <= FAULT_SWAP_DISKS && !scenario->is_cluster)
        reader_refuse_member(reader, json, "kind", "only a \"cluster\" can do without a disk");
    if (fault->kind == FAULT_OTHER_FILE && !scenario->files_differ)
        reader_refuse_member(reader, json, "kind", "there is no other file: none is \"differing\"");
    if (json_object_get(json, "count") != NULL && (fault->hits_all_nodes || fault->node != 0))
        reader_refuse_member(reader, json, "count", "a fault cannot have both \"%s\" and \"count\"",
                             fault->node != 0 ? "node" : "all_nodes");
    if (fault->count.most > scenario->nodes_count)
        reader_refuse_member(reader, json, "count", "there are only %u nodes",
                             scenario->nodes_count);
    if (fault->to_ms.most > 0 && fault->to_ms.most < fault->from_ms.least)
        reader_refuse_member(reader, json, "to_ms", "\"to_ms\" is before \"from_ms\"");
}

/* Calls `check` for every item of the list that `key` names. */
static void check_each(struct reader *reader, json_t *root, const struct scenario *scenario,
                       const char *key,
                       void (*check)(struct reader *reader, const struct scenario *scenario,
                                     json_t *json, uint32_t number))
{
    json_t *list = json_object_get(root, key);
    if (list == NULL)
        return;
    reader_enter(reader, root, key);
    for (uint32_t i = 0; i < json_array_size(list) && !reader->refused; i++) {
        json_place_enter(&reader->place, i);
        check(reader, scenario, json_array_get(list, i), i);
        json_place_leave(&reader->place);
    }
    json_place_leave(&reader->place);
}

void reader_check(struct reader *reader, json_t *root, const struct scenario *scenario)
{
    check_each(reader, root, scenario, "topics", check_topic);
    check_each(reader, root, scenario, "clients", check_client);
    check_each(reader, root, scenario, "faults", check_fault);
}
