/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/unregister.h"

#include "core/base/format.h"
#include "core/wire/error.h"

/* Of a single replica nobody else has anything, with it or without it. */
static bool is_needed(const struct meta_partition *partition, int32_t broker_id)
{
    return partition->replicas_count > 1 &&
           (meta_is_member(meta_elr(partition), partition->elr_count, broker_id) ||
            meta_last_known_leader(partition) == broker_id);
}

/* The topic of a partition that needs the broker; NULL when none does. */
static const struct meta_topic *topic_in_need(const struct image *image, int32_t broker_id,
                                              int32_t *ret_partition)
{
    for (const struct meta_topic *topic = image_first_topic(image); topic != NULL;
         topic = image_next_topic(topic)) {
        for (int32_t i = 0; i < topic->partitions_count; i++) {
            *ret_partition = i;
            if (is_needed(&topic->partitions[i], broker_id))
                return topic;
        }
    }
    return NULL;
}

int brokers_unregister(const struct topics_context *context, int32_t broker_id,
                       struct span *ret_message)
{
    const struct image *image = context->image;
    const struct meta_broker *broker = image_broker(image, broker_id);
    int32_t partition;
    if (broker == NULL)
        return ERR_BROKER_ID_NOT_REGISTERED;
    if (!broker->fenced) {
        *ret_message = SPAN("The broker is running: it has to be stopped first.");
        return ERR_INVALID_REQUEST;
    }
    if (!image_epochs_can_rise(image, broker_id)) {
        *ret_message = SPAN("The epoch of one of its partitions cannot rise any more.");
        return ERR_INVALID_REQUEST;
    }
    const struct meta_topic *topic = topic_in_need(image, broker_id, &partition);
    if (topic != NULL) {
        *ret_message =
            arena_format(context->arena,
                         "Of %.*s-%d the broker may hold what no other replica does: first bring "
                         "min.insync.replicas of the others in sync, or lower that.",
                         SPAN_ARGS(topic->name), partition);
        return ERR_INVALID_REQUEST;
    }
    struct meta_record record = meta_record_of(META_RECORD_UNREGISTER_BROKER);
    record.body.unregister_broker.broker_id = broker_id;
    record.body.unregister_broker.broker_epoch = broker->epoch;
    return meta_write(context->writer, &record);
}
