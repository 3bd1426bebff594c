/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/pair.h"

#include "core/broker_state.h"
#include "core/meta/quorum.h"
#include "core/meta/topics.h"
#include "tests/support/runner.h"

struct node pair[3]; /* by id */

void pair_format(int32_t id, const char *cluster_id)
{
    const char *const settings[] = {
        "node.id",
        id == 1 ? "1" : "2",
        "listeners",
        "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
        "controller.listener.names",
        "CONTROLLER",
        "controller.quorum.voters",
        "1@n1:9093,2@n2:9093",
        "metadata.log.max.record.bytes.between.snapshots",
        "2000",
        NULL,
    };
    node_init(&pair[id], (uint64_t)id, settings);
    node_format(&pair[id], id, cluster_id);
}

void pair_begin(void)
{
    pair_format(1, "the-cluster");
    pair_format(2, "the-cluster");
    world_add_host(pair[1].world, "n2", pair[2].world);
    world_add_host(pair[2].world, "n1", pair[1].world);
}

void pair_end(void)
{
    node_free(&pair[1]);
    node_free(&pair[2]);
}

void pair_advance(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 10) {
        for (int32_t id = 1; id <= 2; id++) {
            if (pair[id].broker != NULL)
                world_advance_ms(pair[id].world, 10);
        }
    }
}

void pair_end_in_order(int32_t id)
{
    world_stop(pair[id].world);
    for (int32_t turns = 0; turns < 100 && !world_is_stopped(pair[id].world); turns++)
        pair_advance(10);
    node_stop(&pair[id]);
}

void pair_run(int32_t id)
{
    node_start(&pair[id]);
    ck_assert(!world_is_stopped(pair[id].world));
}

bool pair_is_ready(int32_t id)
{
    return world_is_ready(pair[id].world) && !world_is_stopped(pair[id].world);
}

bool pair_logged(int32_t id, const char *part)
{
    return world_logged(pair[id].world, part);
}

/* A topic that a node wants; its answer may never come. */
static struct wish {
    struct meta_proposal proposal;
    struct broker *broker;
    struct span name;
} wishes[PAIR_WISHES];

static int wish_prepare(struct meta_proposal *proposal, const struct image *image,
                        struct meta_writer *writer)
{
    struct wish *wish = container_of(proposal, struct wish, proposal);
    struct topic_creation topic = {.name = wish->name, .partitions = 1, .replication_factor = 1};
    struct topics_context context;
    struct arena arena;
    arena_init(&arena, &wish->broker->memory, MEMORY_STATE, (size_t)1 << 20);
    topics_begin(&context, image, wish->broker->conf, &wish->broker->io.rng, &arena, writer);
    const int error = topics_create(&context, &topic);
    topics_end(&context);
    arena_reset(&arena);
    return error;
}

static void wish_done(struct meta_proposal *proposal, int error)
{
    (void)error;
    container_of(proposal, struct wish, proposal)->name = SPAN_NULL;
}

static void wish(uint32_t number, int32_t id, struct span topic,
                 int (*prepare)(struct meta_proposal *proposal, const struct image *image,
                                struct meta_writer *writer))
{
    wishes[number] = (struct wish){
        .proposal = {.prepare = prepare, .done = wish_done},
        .broker = pair[id].broker,
        .name = topic,
    };
    controller_propose(pair[id].broker->controller, &wishes[number].proposal);
}

void pair_wish(uint32_t number, int32_t id, const char *topic)
{
    wish(number, id, span_text(topic), wish_prepare);
}

void pair_wish_for(uint32_t number, int32_t id,
                   int (*prepare)(struct meta_proposal *proposal, const struct image *image,
                                  struct meta_writer *writer))
{
    wish(number, id, SPAN("something else"), prepare);
}

bool pair_is_granted(uint32_t number)
{
    return span_is_null(wishes[number].name);
}

bool pair_has_topic(int32_t id, const char *name)
{
    return image_topic(&pair[id].broker->image, span_text(name)) != NULL;
}

bool pair_leads_quorum(int32_t id)
{
    return quorum_leads(controller_quorum(pair[id].broker->controller));
}
