/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/durable.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/conf/topic_conf.h"
#include "core/coord/coordinator.h"
#include "core/meta/wal.h"
#include "core/view.h"
#include "core/wire/error.h"
#include "sim/durable_log.h"
#include "sim/memory.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024)

/* A topic of this name changed: came, went, or another setting or partition came to it. */
struct name_change {
    uint64_t number;
    uint32_t name; /* its checksum */
    bool is_other; /* it came or went */
};

struct durable {
    const struct host *host;
    const struct committed *committed; /* NULL: the host's own log says it */
    uint32_t taken;                    /* of what is committed */
    uint64_t boots;                    /* of the process that has applied it */
    bool takes_all;                    /* whether the host has applied it or not */
    struct memory memory;
    struct image image;
    struct image_observer observer;
    struct arena arena;
    struct durable_log log;
    bool is_blind;
    uint64_t number;
    struct name_change *changes; /* by rising number */
    uint32_t changes_count;
    uint32_t changes_capacity;
    uint64_t brokers_changed; /* the number of the last change of a broker … */
    uint64_t cluster_changed; /* … and of a setting of the cluster */
    struct uuid *cached;
    uint32_t cached_count;
    uint32_t cached_capacity;
    struct uuid *touched; /* topics that the batch being applied makes or configures */
    uint32_t touched_count;
    uint32_t touched_capacity;
};

static uint32_t name_sum(struct span name)
{
    return crc32c(0, name.data, name.length);
}

static void touch(struct durable *durable, const struct meta_topic *topic)
{
    durable->touched = memory_grow(&durable->memory, durable->touched, &durable->touched_capacity,
                                   durable->touched_count + 1, sizeof(*durable->touched));
    durable->touched[durable->touched_count++] = topic->id;
}

static void cluster_touched(struct durable *durable)
{
    durable->cluster_changed = durable->number;
    for (const struct meta_topic *topic = image_first_topic(&durable->image); topic != NULL;
         topic = image_next_topic(topic))
        touch(durable, topic);
}

static void changed(struct image_observer *observer, const struct image_change *change)
{
    struct durable *durable = container_of(observer, struct durable, observer);
    if (change->broker != NULL)
        durable->brokers_changed = durable->number;
    if (change->kind == IMAGE_CONFIG_CHANGED && change->topic == NULL)
        cluster_touched(durable);
    if (change->topic == NULL)
        return;
    durable->changes = memory_grow(&durable->memory, durable->changes, &durable->changes_capacity,
                                   durable->changes_count + 1, sizeof(*durable->changes));
    durable->changes[durable->changes_count++] = (struct name_change){
        .number = durable->number,
        .name = name_sum(change->topic->name),
        .is_other = change->kind == IMAGE_TOPIC_ADDED || change->kind == IMAGE_TOPIC_REMOVED};
    if (change->kind != IMAGE_TOPIC_ADDED && change->kind != IMAGE_CONFIG_CHANGED)
        return;
    touch(durable, change->topic);
}

static void start(struct durable *durable)
{
    image_init(&durable->image, &durable->memory, durable->host->number);
    durable->observer.changed = changed;
    image_observe(&durable->image, &durable->observer);
    durable_log_init(&durable->log, SPAN("__cluster_metadata"), 0);
}

struct durable *durable_new(const struct host *host, const struct committed *committed)
{
    struct durable *durable = sim_allocate(NULL, sizeof(*durable));
    *durable = (struct durable){.host = host, .committed = committed};
    memory_init(&durable->memory, sim_allocator());
    arena_init(&durable->arena, &durable->memory, MEMORY_STATE, ARENA_BYTES_MAX);
    start(durable);
    return durable;
}

struct durable *durable_new_of_all(const struct host *host, const struct committed *committed)
{
    struct durable *durable = durable_new(host, committed);
    durable->takes_all = true;
    return durable;
}

void durable_free(struct durable *durable)
{
    if (durable == NULL)
        return;
    list_remove(&durable->observer.place);
    image_free(&durable->image);
    arena_reset(&durable->arena);
    memory_give(&durable->memory, MEMORY_STATE, durable->changes,
                durable->changes_capacity * sizeof(*durable->changes));
    memory_give(&durable->memory, MEMORY_STATE, durable->cached,
                durable->cached_capacity * sizeof(*durable->cached));
    memory_give(&durable->memory, MEMORY_STATE, durable->touched,
                durable->touched_capacity * sizeof(*durable->touched));
    free(durable);
}

bool durable_is_cached(const struct durable *durable, struct uuid topic_id)
{
    for (uint32_t i = 0; i < durable->cached_count; i++) {
        if (uuid_equal(durable->cached[i], topic_id))
            return true;
    }
    return false;
}

/* In a cluster no node's own file says it. */
static bool may_cache(const struct durable *durable, const struct meta_topic *topic)
{
    struct topic_conf_agreed rules;
    struct topic_conf conf;
    if (durable->committed != NULL) {
        image_topic_rules(&durable->image, topic, &rules);
        return rules.write_caching;
    }
    topic_conf_resolve(&durable->host->conf, topic->configs.items, topic->configs.count, &conf);
    return conf.write_caching;
}

/* A topic's settings are whole only when the batch that makes it is applied. */
static void note_cached(struct durable *durable, struct uuid topic_id)
{
    const struct meta_topic *topic = image_topic_by_id(&durable->image, topic_id);
    if (topic == NULL || durable_is_cached(durable, topic->id))
        return;
    if (!may_cache(durable, topic))
        return;
    durable->cached = memory_grow(&durable->memory, durable->cached, &durable->cached_capacity,
                                  durable->cached_count + 1, sizeof(*durable->cached));
    durable->cached[durable->cached_count++] = topic->id;
}

static bool apply(struct durable *durable, struct span batch)
{
    int64_t offset;
    durable->touched_count = 0;
    const int error = image_apply_batch(&durable->image, batch, &durable->arena, &offset);
    for (uint32_t i = 0; i < durable->touched_count; i++)
        note_cached(durable, durable->touched[i]);
    return error == ERR_NONE;
}

/* The end of the WAL was cut and written anew: all of it is read once more. */
static void read_anew(struct durable *durable)
{
    list_remove(&durable->observer.place);
    image_free(&durable->image);
    start(durable);
}

/* How far the process has come. */
static int64_t applied_end(const struct durable *durable)
{
    struct broker_view view;
    if (durable->takes_all)
        return INT64_MAX;
    if (durable->host->broker == NULL)
        return 0;
    broker_view(durable->host->broker, &view);
    return view.metadata_end;
}

/* A process may begin with less than the one before it had. */
static void boots_follow(struct durable *durable)
{
    const struct host *host = durable->host;
    if (durable->takes_all || host->broker == NULL || durable->boots == host->boots)
        return;
    durable->boots = host->boots;
    durable->taken = 0;
    read_anew(durable);
}

static void committed_follow(struct durable *durable)
{
    struct span batch;
    struct batch_info info;
    boots_follow(durable);
    durable->is_blind = durable->is_blind || committed_is_blind(durable->committed);
    while (!durable->is_blind) {
        batch = committed_batch(durable->committed, durable->taken);
        if (span_is_null(batch))
            return;
        const int64_t end = applied_end(durable);
        batch_info_read(batch.data, &info);
        if (batch_last_offset(&info) >= end)
            return;
        durable->taken++;
        durable->is_blind = !apply(durable, batch);
    }
}

void durable_update(struct durable *durable, uint64_t number)
{
    durable->number = number;
    if (durable->committed != NULL) {
        committed_follow(durable);
        return;
    }
    for (bool again = false; !durable->is_blind;) {
        struct span batch;
        struct batch_info info;
        switch (durable_log_next(&durable->log, &durable->host->files, &batch, &info)) {
        case DURABLE_BATCH:
            durable->is_blind = !apply(durable, batch);
            break;
        case DURABLE_END:
            return;
        case DURABLE_GONE:
            durable->is_blind = again;
            again = true;
            read_anew(durable);
            break;
        }
    }
}

struct image *durable_image_of_all(struct durable *durable)
{
    CHECK(durable->takes_all); /* nothing ever makes it anew */
    return &durable->image;
}

const struct image *durable_image(const struct durable *durable)
{
    return durable->is_blind ? NULL : &durable->image;
}

static bool has_changed(const struct durable *durable, struct span name, uint64_t since,
                        bool is_other)
{
    const uint32_t sum = name_sum(name);
    for (uint32_t i = durable->changes_count; i > 0; i--) {
        const struct name_change *change = &durable->changes[i - 1];
        if (change->number <= since)
            return false;
        if (change->name == sum && (change->is_other || !is_other))
            return true;
    }
    return false;
}

bool durable_commits_are_cached(const struct durable *durable)
{
    const struct meta_topic *topic =
        durable->is_blind ? NULL : image_topic(&durable->image, SPAN(COORDINATOR_TOPIC));
    return topic == NULL || durable_is_cached(durable, topic->id);
}

bool durable_is_quiet(const struct durable *durable, uint64_t since)
{
    return durable->changes_count == 0 ||
           durable->changes[durable->changes_count - 1].number <= since;
}

bool durable_brokers_are_steady(const struct durable *durable, uint64_t since)
{
    return durable->brokers_changed <= since;
}

bool durable_cluster_is_steady(const struct durable *durable, uint64_t since)
{
    return durable->cluster_changed <= since;
}

bool durable_is_steady(const struct durable *durable, struct span name, uint64_t since)
{
    return durable_cluster_is_steady(durable, since) && !has_changed(durable, name, since, false);
}

const struct meta_topic *durable_topic(const struct durable *durable, struct span name,
                                       struct uuid id, uint64_t since)
{
    if (durable->is_blind)
        return NULL;
    if (!uuid_is_zero(id))
        return image_topic_by_id(&durable->image, id);
    return has_changed(durable, name, since, true) ? NULL : image_topic(&durable->image, name);
}
