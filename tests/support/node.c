/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/check.h"
#include "core/base/format.h"
#include "core/broker_state.h"
#include "core/meta/identity.h"
#include "core/meta/topics.h"
#include "core/wire/error.h"

#define CREATION_ARENA_BYTES ((size_t)1024 * 1024)

struct creation {
    struct meta_proposal proposal;
    struct node *node;
    struct span name;
    int32_t partitions;
    int error;
};

static void *heap_take(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void heap_give(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static void report(void *context, bool refused, uint32_t place, struct span text)
{
    (void)context;
    (void)place;
    if (refused)
        fprintf(stderr, "refused: %.*s\n", SPAN_ARGS(text));
}

static void step(void *core, const struct event *event, struct effects *effects)
{
    broker_step(core, event, effects);
}

static void configure(struct node *node, const char *const *settings)
{
    conf_init(&node->conf, &node->conf_memory, report, NULL);
    for (const char *const *at = settings; at != NULL && *at != NULL; at += 2)
        CHECK(conf_set(&node->conf, span_text(at[0]), span_text(at[1]), 0) == 0);
    CHECK(conf_check(&node->conf, SPAN("localhost")) == 0);
}

void node_init(struct node *node, uint64_t seed, const char *const *settings)
{
    *node = (struct node){.world = world_new(seed)};
    memory_init(&node->conf_memory, (struct allocator){heap_take, heap_give, NULL});
    configure(node, settings);
}

void node_configure(struct node *node, const char *const *settings)
{
    conf_free(&node->conf);
    configure(node, settings);
}

void node_format(struct node *node, int32_t id, const char *cluster_id)
{
    for (uint32_t i = 0; i < node->conf.folders_count; i++) {
        char text[IDENTITY_BYTES_MAX];
        struct identity identity = {.node_id = id};
        memcpy(identity.cluster_id, cluster_id, strlen(cluster_id));
        identity.directory_id.bytes[0] = (uint8_t)id;
        identity.directory_id.bytes[1] = (uint8_t)i;
        identity.directory_id.bytes[6] = 0x40;
        identity.directory_id.bytes[8] = 0x80;
        const size_t length = identity_print(&identity, text, sizeof(text));
        world_put_file_in(node->world, i, IDENTITY_FILE, span_of(text, length));
    }
}

void node_free(struct node *node)
{
    if (node->broker != NULL)
        node_kill(node);
    conf_free(&node->conf);
    world_free(node->world);
}

bool node_start(struct node *node)
{
    const struct broker_options options = {
        .allocator = world_allocator(node->world),
        .conf = &node->conf,
        .codecs = NULL,
    };
    node->broker = broker_new(&options);
    world_boot(node->world, step, node->broker, broker_memory(node->broker));
    world_run(node->world);
    return world_is_ready(node->world) && !world_is_stopped(node->world);
}

static int creation_prepare(struct meta_proposal *proposal, const struct image *image,
                            struct meta_writer *writer)
{
    struct creation *creation = container_of(proposal, struct creation, proposal);
    struct broker *broker = creation->node->broker;
    struct topic_creation topic = {
        .name = creation->name, .partitions = creation->partitions, .replication_factor = 1};
    struct topics_context context;
    struct arena arena;
    arena_init(&arena, &broker->memory, MEMORY_STATE, CREATION_ARENA_BYTES);
    topics_begin(&context, image, broker->conf, &broker->io.rng, &arena, writer);
    const int error = topics_create(&context, &topic);
    topics_end(&context);
    arena_reset(&arena);
    return error;
}

static void creation_done(struct meta_proposal *proposal, int error)
{
    container_of(proposal, struct creation, proposal)->error = error;
}

void node_create_topic(struct node *node, struct span name, int32_t partitions)
{
    struct creation creation = {
        .proposal = {.prepare = creation_prepare, .done = creation_done},
        .node = node,
        .name = name,
        .partitions = partitions,
        .error = ERR_UNKNOWN_SERVER_ERROR,
    };
    controller_propose(node->broker->controller, &creation.proposal);
    world_advance_ms(node->world, 1); /* a turn has to end for anything to be carried out */
    world_run(node->world);
    CHECK(creation.error == ERR_NONE);
}

void node_stop(struct node *node)
{
    world_stop(node->world);
    world_run(node->world);
    CHECK(world_is_stopped(node->world));
    broker_free(node->broker);
    node->broker = NULL;
    world_exit(node->world);
}

void node_kill(struct node *node)
{
    world_kill(node->world);
    node->broker = NULL;
}

void node_power_loss(struct node *node)
{
    world_power_loss(node->world);
    node->broker = NULL;
}
