/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/base/format.h"
#include "core/wire/error.h"
#include "sim/metadata_answers.h"

#define METADATA_WITH_OFFLINE 5 /* versions from which on these are told */
#define METADATA_WITH_EPOCHS  7
#define METADATA_WITH_IDS     10
#define LIST_TEXT_BYTES       128

struct list_told {
    const int32_t *items;
    int32_t count; /* −1: null */
};

/* What an answer tells of a partition; an epoch of −2, a list that is none: it does not. */
struct partition_told {
    int32_t index;
    int32_t leader;
    int32_t leader_epoch;
    struct list_told replicas;
    struct list_told isr;
    struct list_told offline;
    struct list_told elr;
    struct list_told last_known;
};

#define NOT_TOLD (-2)

static void list_print(char *text, const int32_t *items, uint32_t count)
{
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count && length + 16 < LIST_TEXT_BYTES; i++)
        length += (size_t)snprintf(text + length, LIST_TEXT_BYTES - length, " %d", items[i]);
}

/* Lists have the order of the image: a reader that takes the first has to find the same one. */
static void judge_list(struct judge *judge, const struct exchange *exchange, struct span name,
                       int32_t index, const char *what, struct list_told told, const int32_t *is,
                       uint32_t count)
{
    char told_text[LIST_TEXT_BYTES];
    char is_text[LIST_TEXT_BYTES];
    if (told.count == NOT_TOLD)
        return;
    if (told.count < 0)
        told.count = 0;
    if ((uint32_t)told.count == count &&
        (count == 0 || memcmp(told.items, is, count * sizeof(*is)) == 0))
        return;
    list_print(told_text, told.items, (uint32_t)told.count);
    list_print(is_text, is, count);
    judge_object(judge, "%s of %s tells of %.*s-%d: %s%s, and the metadata log says%s",
                 exchange->api->name, exchange->host->name, SPAN_ARGS(name), index, what, told_text,
                 count == 0 ? " none" : is_text);
}

/* Replicas whose brokers are fenced, or not registered (any more). */
static void judge_offline(struct judge *judge, const struct exchange *exchange, struct span name,
                          const struct partition_told *told, const struct meta_partition *meta)
{
    const struct image *image = metadata_truth_of_brokers(judge, exchange);
    int32_t offline[META_REPLICAS_MAX];
    uint32_t count = 0;
    if (image == NULL)
        return;
    for (uint32_t i = 0; i < meta->replicas_count; i++) {
        const struct meta_broker *broker = image_broker(image, meta_replicas(meta)[i]);
        if (broker == NULL || broker->fenced)
            offline[count++] = meta_replicas(meta)[i];
    }
    judge_list(judge, exchange, name, told->index, "offline replicas", told->offline, offline,
               count);
}

static void judge_partition(struct judge *judge, const struct exchange *exchange,
                            const struct meta_topic *topic, const struct partition_told *told)
{
    const struct span name = topic->name;
    const struct meta_partition *meta = image_partition(topic, told->index);
    if (meta == NULL || told->leader != meta->leader) {
        metadata_differs(judge, exchange, name, "a leader", told->leader,
                         meta == NULL ? META_NO_LEADER : meta->leader);
        return;
    }
    if (told->leader_epoch != NOT_TOLD && told->leader_epoch != meta->leader_epoch)
        metadata_differs(judge, exchange, name, "a leader epoch", told->leader_epoch,
                         meta->leader_epoch);
    const int32_t last_known = meta_last_known_leader(meta);
    judge_list(judge, exchange, name, told->index, "replicas", told->replicas, meta_replicas(meta),
               meta->replicas_count);
    judge_list(judge, exchange, name, told->index, "in-sync replicas", told->isr, meta_isr(meta),
               meta->isr_count);
    judge_list(judge, exchange, name, told->index, "eligible replicas", told->elr, meta_elr(meta),
               meta->elr_count);
    judge_list(judge, exchange, name, told->index, "a last known leader", told->last_known,
               &last_known, meta->has_last_known_leader);
    judge_offline(judge, exchange, name, told, meta);
}

/* The topic with this name when all that the answer tells of it has to be so; else NULL. */
static const struct meta_topic *topic_told(struct judge *judge, const struct exchange *exchange,
                                           struct span name, struct uuid id, bool has_id,
                                           int16_t error)
{
    const struct image *image = metadata_truth(judge, exchange, name);
    const struct meta_topic *topic = image == NULL ? NULL : image_topic(image, name);
    metadata_judge_presence(judge, exchange, name, -1, error);
    if (topic == NULL || error != ERR_NONE)
        return NULL;
    judge->judged++;
    if (has_id && !uuid_equal(id, topic->id))
        metadata_differs(judge, exchange, name, "an id whose last byte is", id.bytes[15],
                         topic->id.bytes[15]);
    return topic;
}

/* All topics, and nothing has changed since the question: as many as there are. */
static void all_told(struct judge *judge, const struct exchange *exchange, int32_t count)
{
    const struct image *image = metadata_truth(judge, exchange, SPAN(""));
    if (image == NULL ||
        !durable_is_quiet(judge_durable(judge, exchange->host), exchange->asked_number))
        return;
    judge->judged++;
    if ((uint32_t)count != map_count(&image->topics_by_name))
        metadata_differs(judge, exchange, SPAN("all"), "topics", count,
                         map_count(&image->topics_by_name));
}

static void metadata_topic_told(struct judge *judge, const struct exchange *exchange,
                                const struct metadata_response_topic *told)
{
    const struct meta_topic *topic =
        topic_told(judge, exchange, told->name, told->topic_id,
                   exchange->version >= METADATA_WITH_IDS, told->error_code);
    if (topic == NULL)
        return;
    if (told->partitions_count != topic->partitions_count)
        metadata_differs(judge, exchange, told->name, "partitions", told->partitions_count,
                         topic->partitions_count);
    for (int32_t i = 0; i < told->partitions_count; i++) {
        const struct metadata_response_topic_partition *part = &told->partitions[i];
        const bool has_epoch = exchange->version >= METADATA_WITH_EPOCHS;
        const bool has_offline = exchange->version >= METADATA_WITH_OFFLINE;
        judge_partition(judge, exchange, topic,
                        &(struct partition_told){
                            .index = part->partition_index,
                            .leader = part->leader_id,
                            .leader_epoch = has_epoch ? part->leader_epoch : NOT_TOLD,
                            .replicas = {part->replica_nodes, part->replica_nodes_count},
                            .isr = {part->isr_nodes, part->isr_nodes_count},
                            .offline = {part->offline_replicas,
                                        has_offline ? part->offline_replicas_count : NOT_TOLD},
                            .elr = {NULL, NOT_TOLD},
                            .last_known = {NULL, NOT_TOLD},
                        });
    }
}

void metadata_topics_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct metadata_request *request = exchange->request;
    const struct metadata_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++) {
        if (response->topics[i].name.length > 0)
            metadata_topic_told(judge, exchange, &response->topics[i]);
    }
    if (request->topics_count < 0 || (exchange->version == 0 && request->topics_count == 0))
        all_told(judge, exchange, response->topics_count);
}

/* ---- DescribeTopicPartitions. ---- */

static void described(struct judge *judge, const struct exchange *exchange,
                      const struct describe_topic_partitions_response_topic *told)
{
    const struct meta_topic *topic =
        topic_told(judge, exchange, told->name, told->topic_id, true, told->error_code);
    for (int32_t i = 0; topic != NULL && i < told->partitions_count; i++) {
        const struct describe_topic_partitions_response_topic_partition *part =
            &told->partitions[i];
        judge_partition(
            judge, exchange, topic,
            &(struct partition_told){
                .index = part->partition_index,
                .leader = part->leader_id,
                .leader_epoch = part->leader_epoch,
                .replicas = {part->replica_nodes, part->replica_nodes_count},
                .isr = {part->isr_nodes, part->isr_nodes_count},
                .offline = {part->offline_replicas, part->offline_replicas_count},
                .elr = {part->eligible_leader_replicas, part->eligible_leader_replicas_count},
                .last_known = {part->last_known_elr, part->last_known_elr_count},
            });
    }
}

void metadata_partitions_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct describe_topic_partitions_request *request = exchange->request;
    const struct describe_topic_partitions_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count; i++)
        described(judge, exchange, &response->topics[i]);
    if (request->topics_count == 0 && request->cursor == NULL && response->next_cursor == NULL)
        all_told(judge, exchange, response->topics_count);
}

/* ---- DescribeLogDirs. ---- */

static void log_told(struct judge *judge, const struct exchange *exchange, struct span name,
                     int32_t index)
{
    const struct image *image = metadata_truth(judge, exchange, name);
    const struct meta_topic *topic = image == NULL ? NULL : image_topic(image, name);
    if (image == NULL)
        return;
    const struct meta_partition *meta = topic == NULL ? NULL : image_partition(topic, index);
    judge->judged++;
    if (meta == NULL ||
        !meta_is_member(meta_replicas(meta), meta->replicas_count, (int32_t)exchange->host->number))
        metadata_differs(judge, exchange, name, "a log of partition", index, -1);
}

void metadata_log_dirs_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct describe_log_dirs_response *response = exchange->response;
    for (int32_t i = 0; i < response->results_count; i++) {
        const struct describe_log_dirs_response_result *folder = &response->results[i];
        for (int32_t j = 0; j < folder->topics_count; j++) {
            const struct describe_log_dirs_response_result_topic *topic = &folder->topics[j];
            for (int32_t k = 0; k < topic->partitions_count; k++)
                log_told(judge, exchange, topic->name, topic->partitions[k].partition_index);
        }
    }
}
