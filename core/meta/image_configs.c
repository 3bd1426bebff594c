/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of topics and of the cluster in the image. */
#include "core/meta/election.h"
#include "core/meta/image_internal.h"
#include "core/wire/error.h"

static void config_clear(struct image *image, struct topic_override *config)
{
    /* Key and value lie in one block, see config_insert(). */
    memory_give(image->memory, MEMORY_STATE, (void *)(uintptr_t)config->key.data,
                config->key.length + config->value.length);
}

void image_configs_clear(struct image *image, struct meta_configs *configs)
{
    for (uint32_t i = 0; i < configs->count; i++)
        config_clear(image, &configs->items[i]);
    memory_give(image->memory, MEMORY_STATE, configs->items,
                configs->capacity * sizeof(*configs->items));
    *configs = (struct meta_configs){0};
}

/* Where the key is, or would be. */
static uint32_t config_place(const struct meta_configs *configs, struct span key)
{
    uint32_t place = 0;
    while (place < configs->count && span_compare(configs->items[place].key, key) < 0)
        place++;
    return place;
}

static struct topic_override *config_find(const struct meta_configs *configs, struct span key)
{
    const uint32_t place = config_place(configs, key);
    return place < configs->count && span_equal(configs->items[place].key, key)
               ? &configs->items[place]
               : NULL;
}

static void config_insert(struct image *image, struct meta_configs *configs, struct span key,
                          struct span value)
{
    const uint32_t place = config_place(configs, key);
    configs->items = memory_grow(image->memory, configs->items, &configs->capacity,
                                 configs->count + 1, sizeof(*configs->items));
    memmove(&configs->items[place + 1], &configs->items[place],
            (configs->count - place) * sizeof(*configs->items));
    configs->count++;
    uint8_t *at = memory_take(image->memory, MEMORY_STATE, key.length + value.length);
    configs->items[place].key = image_text_copy(&at, key);
    configs->items[place].value = image_text_copy(&at, value);
}

static void config_remove(struct image *image, struct meta_configs *configs,
                          struct topic_override *config)
{
    config_clear(image, config);
    configs->count--;
    const size_t place = (size_t)(config - configs->items);
    memmove(config, config + 1, (configs->count - place) * sizeof(*config));
}

static int configs_set(struct image *image, struct meta_configs *configs,
                       const struct config_record *record)
{
    struct topic_override *before = config_find(configs, record->name);
    if (before == NULL && configs->count >= META_CONFIGS_MAX)
        return ERR_INVALID_RECORD;
    if (before != NULL)
        config_remove(image, configs, before);
    if (!span_is_null(record->value))
        config_insert(image, configs, record->name, record->value);
    return ERR_NONE;
}

/* What counts for all brokers follows from what is set for them. */
static int cluster_set(struct image *image, const struct config_record *record)
{
    const bool is_by_file = span_equal(record->resource_name, META_BROKERS_BY_FILE);
    const int error =
        configs_set(image, is_by_file ? &image->by_file : &image->by_operator, record);
    struct config_record counts = {.name = record->name};
    counts.value = meta_config(&image->by_operator, record->name);
    if (span_is_null(counts.value))
        counts.value = meta_config(&image->by_file, record->name);
    return error == ERR_NONE ? configs_set(image, &image->configs, &counts) : error;
}

static bool is_of_cluster(const struct config_record *record)
{
    return record->resource_type == META_RESOURCE_BROKER &&
           (span_equal(record->resource_name, META_BROKERS_BY_FILE) ||
            span_equal(record->resource_name, META_BROKERS_BY_OPERATOR));
}

/* Who loses power may then lack what counts as committed, whatever the setting is by then. */
void image_note_caching(const struct image *image, struct meta_topic *topic)
{
    struct topic_conf_agreed rules;
    if (topic->was_cached || topic->partitions_count == 0)
        return;
    image_topic_rules(image, topic, &rules);
    topic->was_cached = rules.write_caching;
}

static void caching_changed(struct image *image, struct meta_topic *topic)
{
    if (topic != NULL) {
        image_note_caching(image, topic);
        return;
    }
    for (struct map_node *node = image->topics_by_name.first; node != NULL; node = map_next(node))
        image_note_caching(image, container_of(node, struct meta_topic, by_name));
}

int image_apply_config(struct image *image, const struct config_record *record)
{
    const bool is_topic = record->resource_type == META_RESOURCE_TOPIC;
    if (!is_topic && !is_of_cluster(record))
        return ERR_UNSUPPORTED_VERSION;
    struct meta_topic *topic = is_topic ? image_find_topic(image, record->resource_name) : NULL;
    if ((is_topic && topic == NULL) || record->name.length == 0 ||
        record->name.length > META_CONFIG_KEY_MAX || record->value.length > META_CONFIG_VALUE_MAX)
        return ERR_INVALID_RECORD;
    const int error =
        is_topic ? configs_set(image, &topic->configs, record) : cluster_set(image, record);
    if (error != ERR_NONE)
        return error;
    if (span_equal(record->name, SPAN("min.insync.replicas")))
        election_rules_changed(image, topic);
    else if (span_equal(record->name,
                        topic == NULL ? SPAN("write.caching.default") : SPAN("write.caching")))
        caching_changed(image, topic);
    image_notify(image, &(struct image_change){.kind = IMAGE_CONFIG_CHANGED, .topic = topic});
    return ERR_NONE;
}
