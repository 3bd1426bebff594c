/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/instructions/rig.h"

#include <stdlib.h>

#include "core/base/check.h"

#define SEED         7
#define REGION_BYTES ((size_t)1 << 30)

/* The least class, of blocks of 16 bytes. */
#define BLOCK_CLASS_MIN 4

static const char *const settings[] = {"offsets.topic.num.partitions", "3",
                                       "group.initial.rebalance.delay.ms", "0", NULL};

/* Of the power of two that holds `size` bytes. */
static unsigned block_class(size_t size)
{
    const unsigned needed = 64 - (unsigned)__builtin_clzll((size - 1) | 1);
    return needed < BLOCK_CLASS_MIN ? BLOCK_CLASS_MIN : needed;
}

static void *block_take(void *context, size_t size)
{
    struct blocks *blocks = context;
    const unsigned class = block_class(size);
    void **head = &blocks->free[class];
    blocks->taken++;
    if (*head != NULL) {
        void *block = *head;
        *head = *(void **)block;
        return block;
    }
    if (((size_t)1 << class) > REGION_BYTES - blocks->used_bytes)
        return NULL;
    void *block = blocks->region + blocks->used_bytes;
    blocks->used_bytes += (size_t)1 << class;
    return block;
}

static void block_give(void *context, void *block, size_t size)
{
    struct blocks *blocks = context;
    void **head = &blocks->free[block_class(size)];
    *(void **)block = *head;
    *head = block;
}

/* What callgrind is told to collect in, by this name: a step of an arm that is past its warm-up.
 * That it counts afterwards keeps the call from becoming a jump, and this from being no caller. */
__attribute__((noinline)) static void counted_step(struct rig *rig, const struct event *event,
                                                   struct effects *effects)
{
    broker_step(rig->node.broker, event, effects);
    rig->steps++;
}

static void step(void *core, const struct event *event, struct effects *effects)
{
    struct rig *rig = core;
    if (rig->counts)
        counted_step(rig, event, effects);
    else
        broker_step(rig->node.broker, event, effects);
}

void rig_init(struct rig *rig)
{
    *rig = (struct rig){.blocks = {.region = malloc(REGION_BYTES)}};
    CHECK(rig->blocks.region != NULL);
    node_init(&rig->node, SEED, settings);
    const struct broker_options options = {
        .allocator = {block_take, block_give, &rig->blocks},
        .conf = &rig->node.conf,
        .codecs = NULL,
    };
    rig->node.broker = broker_new(&options);
    world_boot(rig->node.world, step, rig, broker_memory(rig->node.broker));
    world_run(rig->node.world);
    CHECK(world_is_ready(rig->node.world));
    rig->client = client_new(rig->node.world);
    rig->other = client_new(rig->node.world);
}

void rig_free(struct rig *rig)
{
    client_free(rig->client);
    client_free(rig->other);
    node_free(&rig->node);
    free(rig->blocks.region);
}

void *rig_array(struct rig *rig, size_t count, size_t size)
{
    void *items = arena_array(client_arena(rig->client), count, size);
    CHECK(items != NULL);
    return items;
}

void *rig_call(struct rig *rig, int16_t api_key, int16_t version, const void *request)
{
    void *response = client_call(rig->client, api_key, version, request);
    CHECK(response != NULL);
    return response;
}
