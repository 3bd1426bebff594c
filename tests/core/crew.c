/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/crew.h"

#include <check.h>

#include "core/broker_state.h"
#include "core/wire/error.h"

/* How long an answer is waited for. */
#define PATIENCE_MS 20000

#define SETTINGS_MAX 40

struct node crew_nodes[CREW_MAX + 1];

static int32_t crew_count;

static void add(const char **settings, size_t *count, const char *const *more)
{
    for (size_t i = 0; more != NULL && more[i] != NULL; i++) {
        ck_assert_uint_lt(*count, SETTINGS_MAX);
        settings[(*count)++] = more[i];
    }
}

/* Gives a node its settings, on top of which come those of the last one alone, and a world when it
 * is new. What is set twice has the last value. */
static void init(int32_t id, bool is_new, const char *const *settings, const char *const *last)
{
    static const char *const ids[] = {NULL, "1", "2", "3"};
    static const char *const voters[] = {NULL, "1@n1:9093", "1@n1:9093,2@n2:9093",
                                         "1@n1:9093,2@n2:9093,3@n3:9093"};
    const char *const own[] = {
        "node.id",
        ids[id],
        "listeners",
        "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
        "controller.listener.names",
        "CONTROLLER",
        "controller.quorum.voters",
        voters[crew_count],
        NULL,
    };
    const char *all[SETTINGS_MAX + 1] = {NULL};
    size_t count = 0;
    add(all, &count, own);
    add(all, &count, settings);
    add(all, &count, id == crew_count ? last : NULL);
    if (!is_new) {
        node_configure(&crew_nodes[id], all);
        return;
    }
    node_init(&crew_nodes[id], (uint64_t)id, all);
    node_format(&crew_nodes[id], id, "the-cluster");
}

/* Nodes behind the first `before` ones are new, and all know where all are. */
static void init_all(int32_t before, int32_t count, const char *const *settings,
                     const char *const *last)
{
    static const char *const names[] = {NULL, "n1", "n2", "n3"};
    crew_count = count;
    for (int32_t id = 1; id <= count; id++)
        init(id, id > before, settings, last);
    for (int32_t a = 1; a <= count; a++) {
        for (int32_t b = 1; b <= count; b++) {
            if (a != b && (a > before || b > before))
                world_add_host(crew_nodes[a].world, names[b], crew_nodes[b].world);
        }
    }
}

void crew_begin(int32_t count, const char *const *settings, const char *const *last)
{
    init_all(0, count, settings, last);
    for (int32_t id = 1; id <= count; id++)
        node_start(&crew_nodes[id]);
    crew_advance(5000);
    for (int32_t id = 1; id <= count; id++)
        ck_assert(world_is_ready(crew_nodes[id].world));
}

void crew_grow(int32_t count, const char *const *last)
{
    const int32_t before = crew_count;
    for (int32_t id = 1; id <= before; id++)
        crew_stop(id);
    init_all(before, count, NULL, last);
    for (int32_t id = 1; id <= before; id++)
        crew_start(id);
}

void crew_end(void)
{
    for (int32_t id = 1; id <= crew_count; id++)
        node_free(&crew_nodes[id]);
}

void crew_advance(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 10) {
        for (int32_t id = 1; id <= crew_count; id++) {
            if (crew_nodes[id].broker != NULL)
                world_advance_ms(crew_nodes[id].world, 10);
        }
    }
}

/* It takes its leave from the others, who have to answer. */
void crew_stop(int32_t id)
{
    world_stop(crew_nodes[id].world);
    crew_advance(3000);
    ck_assert(world_is_stopped(crew_nodes[id].world));
    node_stop(&crew_nodes[id]);
    crew_advance(500);
}

void crew_kill(int32_t id)
{
    node_kill(&crew_nodes[id]);
    crew_advance(500);
}

void crew_start(int32_t id)
{
    node_start(&crew_nodes[id]);
    crew_advance(5000);
    ck_assert(world_is_ready(crew_nodes[id].world));
}

void *crew_call(struct client *client, int16_t api_key, int16_t version, const void *request)
{
    void *response = client_call(client, api_key, version, request);
    for (int64_t ms = 0; response == NULL && ms < PATIENCE_MS; ms += 100) {
        crew_advance(100);
        response = client_take(client);
    }
    return response;
}

void crew_create(struct client *client, struct span name, const int32_t *brokers,
                 int32_t partitions, int32_t replicas)
{
    struct arena *arena = client_arena(client);
    struct create_topics_request *request = client_request(client, API_CREATE_TOPICS);
    request->topics = arena_array(arena, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].name = name;
    request->topics[0].num_partitions = -1;
    request->topics[0].replication_factor = -1;
    request->topics[0].assignments =
        arena_array(arena, (size_t)partitions, sizeof(*request->topics[0].assignments));
    request->topics[0].assignments_count = partitions;
    for (int32_t i = 0; i < partitions; i++) {
        int32_t *ids = arena_array(arena, (size_t)replicas, sizeof(*ids));
        for (int32_t k = 0; k < replicas; k++)
            ids[k] = brokers[i * replicas + k];
        request->topics[0].assignments[i].partition_index = i;
        request->topics[0].assignments[i].broker_ids = ids;
        request->topics[0].assignments[i].broker_ids_count = replicas;
    }
    const struct create_topics_response *response =
        crew_call(client, API_CREATE_TOPICS, 5, request);
    ck_assert_ptr_nonnull(response);
    ck_assert_int_eq(response->topics[0].error_code, ERR_NONE);
    crew_advance(100);
}

const struct meta_partition *crew_partition(int32_t id, struct span topic, int32_t index)
{
    const struct meta_topic *found = image_topic(&crew_nodes[id].broker->image, topic);
    ck_assert_ptr_nonnull(found);
    return image_partition(found, index);
}
