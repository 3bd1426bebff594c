/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/meta/cluster.h"

#include <check.h>

#include "core/meta/brokers.h"
#include "core/wire/error.h"

static void writer_begin(struct cluster *cluster)
{
    meta_writer_init(&cluster->writer, &cluster->settings.memory, cluster->image.end_offset);
    topics_begin(&cluster->context, &cluster->image, &cluster->settings.conf, &cluster->rng,
                 &cluster->arena, &cluster->writer);
}

void cluster_start(struct cluster *cluster, uint64_t seed, int32_t brokers, const char *settings)
{
    memset(cluster, 0, sizeof(*cluster));
    settings_read(&cluster->settings, settings);
    ck_assert_int_eq(cluster->settings.result, 0);
    rng_init(&cluster->rng, seed);
    arena_init(&cluster->arena, &cluster->settings.memory, MEMORY_REQUEST, (size_t)1 << 24);
    arena_init(&cluster->decoding, &cluster->settings.memory, MEMORY_REQUEST, (size_t)1 << 20);
    image_init(&cluster->image, &cluster->settings.memory, seed);
    writer_begin(cluster);
    for (int32_t id = 1; id <= brokers; id++)
        cluster_register(cluster, id);
}

void cluster_end(struct cluster *cluster)
{
    for (uint32_t i = 0; i < cluster->batches_count; i++)
        buffer_release(cluster->batches[i]);
    topics_end(&cluster->context);
    meta_writer_free(&cluster->writer);
    image_free(&cluster->image);
    arena_reset(&cluster->arena);
    settings_free(&cluster->settings);
}

void cluster_commit(struct cluster *cluster)
{
    if (cluster->writer.count > 0) {
        ck_assert_uint_lt(cluster->batches_count, CLUSTER_BATCHES_MAX);
        cluster->batches[cluster->batches_count++] =
            meta_writer_batch(&cluster->writer, cluster->epoch, 1700000000000);
        ck_assert_int_eq(cluster_replay(cluster, cluster->batches_count - 1, &cluster->image),
                         ERR_NONE);
    }
    topics_end(&cluster->context);
    meta_writer_free(&cluster->writer);
    writer_begin(cluster);
}

void cluster_register(struct cluster *cluster, int32_t broker)
{
    cluster_register_in(cluster, broker, NULL);
}

void cluster_register_in(struct cluster *cluster, int32_t broker, const char *rack)
{
    const struct meta_endpoint endpoint = {
        .listener = SPAN("PLAINTEXT"),
        .host = SPAN("broker.example"),
        .port = (uint16_t)(9092 + broker),
    };
    struct broker_registration registration = {
        .id = broker,
        .rack = rack == NULL ? SPAN_NULL : span_text(rack),
        .endpoints = &endpoint,
        .endpoints_count = 1,
    };
    cluster->incarnations++;
    memcpy(registration.incarnation.bytes, &cluster->incarnations, sizeof(int64_t));
    ck_assert_int_eq(brokers_register(&cluster->image, &cluster->writer, &registration), ERR_NONE);
    cluster_commit(cluster);
}

static void change_fencing(struct cluster *cluster, int32_t broker, int8_t fenced)
{
    struct meta_record record = meta_record_of(META_RECORD_REGISTRATION_CHANGE);
    record.body.registration_change.broker_id = broker;
    record.body.registration_change.broker_epoch = image_broker(&cluster->image, broker)->epoch;
    record.body.registration_change.fenced = fenced;
    ck_assert_int_eq(meta_write(&cluster->writer, &record), ERR_NONE);
    cluster_commit(cluster);
}

void cluster_fence(struct cluster *cluster, int32_t broker)
{
    change_fencing(cluster, broker, 1);
}

void cluster_unfence(struct cluster *cluster, int32_t broker)
{
    change_fencing(cluster, broker, -1);
}

int cluster_create(struct cluster *cluster, const char *name, int32_t partitions, int32_t replicas)
{
    struct topic_creation creation = {
        .name = span_text(name),
        .partitions = partitions,
        .replication_factor = replicas,
    };
    const int error = topics_create(&cluster->context, &creation);
    cluster_commit(cluster);
    return error;
}

void cluster_remove(struct cluster *cluster, const char *name)
{
    struct span message;
    ck_assert_int_eq(topics_remove(&cluster->context, cluster_topic(cluster, name), &message),
                     ERR_NONE);
    cluster_commit(cluster);
}

const struct meta_topic *cluster_topic(const struct cluster *cluster, const char *name)
{
    return image_topic(&cluster->image, span_text(name));
}

const struct meta_partition *cluster_partition(const struct cluster *cluster, const char *name,
                                               int32_t partition)
{
    return image_partition(cluster_topic(cluster, name), partition);
}

int cluster_replay(struct cluster *cluster, uint32_t batch, struct image *image)
{
    const struct buffer *buffer = cluster->batches[batch];
    int64_t offset;
    return image_apply_batch(image, span_of(buffer->data, buffer->capacity), &cluster->decoding,
                             &offset);
}
