/* SPDX-License-Identifier: Apache-2.0 */
#include "core/coord/offsets.h"

#include "core/base/check.h"
#include "core/base/list.h"

static const uint8_t no_metadata[1];

void offsets_init(struct offsets *offsets, struct memory *memory, uint64_t seed)
{
    *offsets = (struct offsets){.memory = memory};
    map_init(&offsets->topics, memory, seed);
}

static struct span bytes_own(struct memory *memory, struct span bytes)
{
    if (bytes.length == 0)
        return span_of(no_metadata, 0);
    uint8_t *copy = memory_take(memory, MEMORY_STATE, bytes.length);
    memcpy(copy, bytes.data, bytes.length);
    return span_of(copy, bytes.length);
}

static void bytes_disown(struct memory *memory, struct span bytes)
{
    if (bytes.length > 0)
        memory_give(memory, MEMORY_STATE, (void *)(uintptr_t)bytes.data, bytes.length);
}

struct offsets_topic *offsets_find_topic(const struct offsets *offsets, struct span name)
{
    struct map_node *node = map_find(&offsets->topics, name);
    return node == NULL ? NULL : container_of(node, struct offsets_topic, node);
}

static struct offsets_topic *topic_add(struct offsets *offsets, struct span name)
{
    struct offsets_topic *topic = memory_new(offsets->memory, struct offsets_topic);
    topic->name = bytes_own(offsets->memory, name);
    map_add(&offsets->topics, &topic->node, topic->name);
    return topic;
}

static void topic_free(struct offsets *offsets, struct offsets_topic *topic)
{
    map_remove(&offsets->topics, &topic->node);
    bytes_disown(offsets->memory, topic->name);
    if (topic->capacity > 0)
        memory_give(offsets->memory, MEMORY_STATE, topic->items,
                    topic->capacity * sizeof(*topic->items));
    memory_give(offsets->memory, MEMORY_STATE, topic, sizeof(*topic));
}

/* The place of a partition among the items: where it is, or where it would be. */
static uint32_t topic_place(const struct offsets_topic *topic, int32_t partition)
{
    uint32_t low = 0;
    uint32_t high = topic->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (topic->items[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct offset *topic_item(const struct offsets_topic *topic, int32_t partition)
{
    if (topic == NULL)
        return NULL;
    const uint32_t place = topic_place(topic, partition);
    if (place == topic->count || topic->items[place].partition != partition)
        return NULL;
    return &topic->items[place];
}

/* The entry of a partition, made if there is none. */
static struct offset *item_open(struct offsets *offsets, struct span name, int32_t partition)
{
    struct offsets_topic *topic = offsets_find_topic(offsets, name);
    if (topic == NULL)
        topic = topic_add(offsets, name);
    const uint32_t place = topic_place(topic, partition);
    if (place < topic->count && topic->items[place].partition == partition)
        return &topic->items[place];
    topic->items = memory_grow(offsets->memory, topic->items, &topic->capacity, topic->count + 1,
                               sizeof(*topic->items));
    memmove(&topic->items[place + 1], &topic->items[place],
            (topic->count - place) * sizeof(*topic->items));
    topic->count++;
    offsets->count++;
    topic->items[place] = (struct offset){.partition = partition};
    return &topic->items[place];
}

/* Drops the entry, and then its topic, when nothing is left in it. */
static void item_close(struct offsets *offsets, struct offsets_topic *topic, struct offset *item)
{
    if (item->committed || item->pending > 0)
        return;
    const size_t place = (size_t)(item - topic->items);
    topic->count--;
    offsets->count--;
    memmove(item, item + 1, (topic->count - place) * sizeof(*item));
    if (topic->count == 0)
        topic_free(offsets, topic);
}

static void value_set(struct offsets *offsets, struct offset *item,
                      const struct offset_value *value)
{
    const struct span metadata = bytes_own(offsets->memory, value->metadata);
    if (item->committed)
        bytes_disown(offsets->memory, item->value.metadata);
    item->value = *value;
    item->value.metadata = metadata;
    item->committed = true;
}

void offsets_clear(struct offsets *offsets)
{
    struct offsets_topic *topic;
    while ((topic = offsets_next_topic(offsets, NULL)) != NULL) {
        for (uint32_t i = 0; i < topic->count; i++)
            if (topic->items[i].committed)
                bytes_disown(offsets->memory, topic->items[i].value.metadata);
        topic_free(offsets, topic);
    }
    map_clear(&offsets->topics);
    offsets->count = 0;
}

const struct offset *offsets_find(const struct offsets *offsets, struct span topic,
                                  int32_t partition)
{
    return topic_item(offsets_find_topic(offsets, topic), partition);
}

void offsets_begin(struct offsets *offsets, struct span topic, int32_t partition)
{
    item_open(offsets, topic, partition)->pending++;
}

void offsets_end(struct offsets *offsets, struct span topic, int32_t partition,
                 const struct offset_value *value)
{
    struct offsets_topic *found = offsets_find_topic(offsets, topic);
    struct offset *item = topic_item(found, partition);
    CHECK(item != NULL && item->pending > 0);
    item->pending--;
    if (item->overtaken > 0)
        item->overtaken--;
    else if (value != NULL)
        value_set(offsets, item, value);
    item_close(offsets, found, item);
}

void offsets_set(struct offsets *offsets, struct span topic, int32_t partition,
                 const struct offset_value *value)
{
    value_set(offsets, item_open(offsets, topic, partition), value);
}

void offsets_remove(struct offsets *offsets, struct span topic, int32_t partition)
{
    struct offsets_topic *found = offsets_find_topic(offsets, topic);
    struct offset *item = topic_item(found, partition);
    if (item == NULL)
        return;
    if (item->committed)
        bytes_disown(offsets->memory, item->value.metadata);
    item->committed = false;
    item->overtaken = item->pending;
    item_close(offsets, found, item);
}

struct offsets_topic *offsets_next_topic(const struct offsets *offsets,
                                         const struct offsets_topic *topic)
{
    struct map_node *node = topic == NULL ? offsets->topics.first : map_next(&topic->node);
    return node == NULL ? NULL : container_of(node, struct offsets_topic, node);
}
