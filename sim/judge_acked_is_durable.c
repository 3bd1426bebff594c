/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a Produce with acks=all is answered, its batch would survive a power loss at that very
 * moment: it is in the durable part of its partition's segments, at the offset that was told. In a
 * cluster that is so on every replica that is in sync at that moment: whichever of them leads next
 * has it, even if the one that answers does not lead any more.
 */
#include "sim/durable_log.h"
#include "sim/judge.h"
#include "sim/parts.h"

#define ACKS_ALL (-1)

/* What is durable of one partition, as far as acknowledgements asked. */
struct partition {
    struct map_node node;
    struct partition_key key;
    struct durable_log log;
    struct batch_marks marks;
};

struct acked {
    struct image_observer observer;
    struct map partitions;
};

/* After an unclean election replicas may hold other records where they had some that were
 * acknowledged: they are read anew. */
static void changed(struct image_observer *observer, const struct image_change *change)
{
    struct acked *acked = container_of(observer, struct acked, observer);
    if (change->kind != IMAGE_PARTITION_CHANGED || !change->is_unclean)
        return;
    for (struct map_node *node = acked->partitions.first; node != NULL; node = map_next(node)) {
        struct partition *partition = container_of(node, struct partition, node);
        if (!uuid_equal(partition->key.topic, change->topic->id) ||
            partition->key.index != change->partition)
            continue;
        durable_log_rewind(&partition->log);
        batch_marks_remove(&partition->marks, 0, partition->marks.count);
    }
}

static void begin(struct judge *judge)
{
    struct acked *acked = judge->state;
    map_init(&acked->partitions, &judge->memory, 0);
    acked->observer.changed = changed;
    judge_observe_truth(judge, &acked->observer);
}

static struct partition *partition_of(struct judge *judge, const struct produced *part,
                                      uint32_t disk)
{
    struct acked *acked = judge->state;
    const struct partition_key key = {disk, part->key.index, part->key.topic};
    struct map_node *node = map_find(&acked->partitions, span_of(&key, sizeof(key)));
    if (node != NULL)
        return container_of(node, struct partition, node);
    struct partition *partition = memory_new(&judge->memory, struct partition);
    partition->key = key;
    durable_log_init(&partition->log, part->topic->name, part->key.index);
    map_add(&acked->partitions, &partition->node, span_of(&partition->key, sizeof(partition->key)));
    return partition;
}

/* Reads on until `last_offset` is known, or the log is seen to begin behind it, maybe with nothing
 * in it yet; false when the durable log ends before it. */
static bool read_to(struct judge *judge, struct partition *partition, const struct files *files,
                    int64_t last_offset)
{
    bool again = false;
    while (partition->log.next_offset <= last_offset) {
        struct span batch;
        struct batch_info info;
        const enum durable_found found = durable_log_next(&partition->log, files, &batch, &info);
        if (found == DURABLE_END || (found == DURABLE_GONE && again))
            return partition->log.next_offset > last_offset;
        if (found == DURABLE_GONE) {
            again = true;
            durable_log_rewind(&partition->log);
            batch_marks_remove(&partition->marks, 0, partition->marks.count);
        } else {
            batch_marks_insert(&partition->marks, &judge->memory, partition->marks.count,
                               batch_mark_of(batch, info.base_offset));
        }
    }
    return true;
}

/* The machine's log begins behind `offset`. */
static bool is_gone(const struct partition *partition, const struct files *files, int64_t offset)
{
    struct durable_log log = partition->log;
    struct span batch;
    struct batch_info info;
    durable_log_rewind(&log);
    return durable_log_next(&log, files, &batch, &info) == DURABLE_BATCH &&
           info.base_offset > offset;
}

static void judge_replica(struct judge *judge, const struct produced *part, const struct host *host)
{
    struct disk_view disk;
    if (!judge_disk(judge, host, &disk))
        return;
    struct partition *partition = partition_of(judge, part, disk.number);
    const struct batch_mark told = batch_mark_of(part->batch, part->reply->base_offset);
    judge->judged++;
    if (!read_to(judge, partition, disk.files, told.last_offset)) {
        judge_object(judge,
                     "%.*s-%d: offsets %lld to %lld are acknowledged, but a power loss of %s now "
                     "would leave only what lies before offset %lld",
                     (int)part->name.length, (const char *)part->name.data, part->key.index,
                     (long long)told.base_offset, (long long)told.last_offset, host->name,
                     (long long)partition->log.next_offset);
        return;
    }
    const uint32_t place = batch_marks_at(&partition->marks, told.base_offset);
    /* What an old duplicate was answered with may have gone with an old segment since; and a reply
     * may leave long after a replica has removed what it is about. */
    if (place == partition->marks.count ||
        (place == 0 && partition->marks.items[0].base_offset > told.last_offset))
        return;
    const struct batch_mark *found = &partition->marks.items[place];
    if ((found->base_offset != told.base_offset || found->last_offset != told.last_offset ||
         found->records != told.records) &&
        !is_gone(partition, disk.files, told.last_offset))
        judge_object(judge,
                     "%.*s-%d: offsets %lld to %lld are acknowledged, but a power loss of %s now "
                     "would leave other records there (from %lld to %lld)",
                     (int)part->name.length, (const char *)part->name.data, part->key.index,
                     (long long)told.base_offset, (long long)told.last_offset, host->name,
                     (long long)found->base_offset, (long long)found->last_offset);
}

static void judge_part(struct judge *judge, const struct exchange *exchange,
                       const struct produced *part)
{
    if (!exchange->host->conf.is_cluster) {
        judge_replica(judge, part, exchange->host);
        return;
    }
    const struct image *image = judge_truth(judge);
    const struct meta_topic *topic =
        image == NULL ? NULL : image_topic_by_id(image, part->key.topic);
    const struct meta_partition *meta =
        topic == NULL ? NULL : image_partition(topic, part->key.index);
    for (uint32_t i = 0; meta != NULL && i < meta->isr_count; i++) {
        const struct host *host = judge->sim->hosts[meta_isr(meta)[i] - 1];
        if (!host->is_rotten)
            judge_replica(judge, part, host);
    }
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    if (exchange->api->key != API_PRODUCE || host_is_stranded(exchange->host) ||
        ((const struct produce_request *)exchange->request)->acks != ACKS_ALL)
        return;
    const struct durable *durable = judge_durable(judge, exchange->host);
    struct produced_walk walk = {.exchange = exchange, .durable = durable};
    struct produced part;
    while (produced_next(&walk, &part)) {
        if (part.reply->error_code == 0 && part.topic != NULL &&
            !durable_is_cached(durable, part.topic->id))
            judge_part(judge, exchange, &part);
    }
}

static void end(struct judge *judge)
{
    struct acked *acked = judge->state;
    list_remove(&acked->observer.place);
    while (acked->partitions.first != NULL) {
        struct partition *partition = container_of(acked->partitions.first, struct partition, node);
        map_remove(&acked->partitions, &partition->node);
        batch_marks_free(&partition->marks, &judge->memory);
        memory_give(&judge->memory, MEMORY_STATE, partition, sizeof(*partition));
    }
}

const struct judge_kind judge_acked_is_durable = {
    .name = "acked-is-durable",
    .rule = "what a Produce with acks=all is told to have appended survives a power loss at any "
            "time after the reply left",
    .source = "KIP-966 and write.caching=false; law: no reply leaves before what it promises is "
              "durable",
    .size = sizeof(struct acked),
    .begin = begin,
    .replied = replied,
    .end = end,
};
