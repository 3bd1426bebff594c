/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who names a leader epoch is answered under that epoch or not at all: a node that leads under a
 * later one fences the request, and one that knows of none so late says so (KIP-320). The judge
 * holds the answer against the node's own metadata, where those have not changed meanwhile.
 */
#include "core/base/format.h"
#include "core/wire/error.h"
#include "sim/judge.h"
#include "sim/parts.h"

#define FETCH_WITH_EPOCHS        9
#define LIST_OFFSETS_WITH_EPOCHS 4

struct epoch_told {
    struct span topic;
    int32_t index;
    int32_t named; /* by the request; −1: none */
    int16_t error;
};

static const struct meta_partition *
truth(const struct judge *judge, const struct exchange *exchange, const struct epoch_told *told)
{
    const struct durable *durable = judge_durable(judge, exchange->host);
    const struct image *image = durable_is_steady(durable, told->topic, exchange->asked_number)
                                    ? durable_image(durable)
                                    : NULL;
    const struct meta_topic *topic = image == NULL ? NULL : image_topic(image, told->topic);
    return topic == NULL ? NULL : image_partition(topic, told->index);
}

static void judge_epoch(struct judge *judge, const struct exchange *exchange,
                        const struct epoch_told *told)
{
    const struct meta_partition *meta =
        told->named < 0 && told->error == ERR_NONE ? NULL : truth(judge, exchange, told);
    const char *wrong = NULL;
    if (meta == NULL)
        return;
    judge->judged++;
    if (told->error == ERR_NONE && told->named != meta->leader_epoch)
        wrong = "is answered";
    if (told->error == ERR_FENCED_LEADER_EPOCH && told->named >= meta->leader_epoch)
        wrong = "is fenced";
    if (told->error == ERR_UNKNOWN_LEADER_EPOCH && told->named <= meta->leader_epoch)
        wrong = "is unknown";
    if (wrong != NULL)
        judge_object(judge, "%s of %s for %.*s-%d under leader epoch %d %s in epoch %d",
                     exchange->api->name, exchange->host->name, SPAN_ARGS(told->topic), told->index,
                     told->named, wrong, meta->leader_epoch);
}

static void fetch_replied(struct judge *judge, const struct exchange *exchange)
{
    struct fetched_walk walk = {.exchange = exchange,
                                .durable = judge_durable(judge, exchange->host)};
    struct fetched part;
    while (exchange->version >= FETCH_WITH_EPOCHS && fetched_next(&walk, &part)) {
        if (part.fetch_offset >= 0 && part.name.length > 0)
            judge_epoch(judge, exchange,
                        &(struct epoch_told){part.name, part.key.index, part.leader_epoch,
                                             part.reply->error_code});
    }
}

static void offsets_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct list_offsets_request *request = exchange->request;
    const struct list_offsets_response *response = exchange->response;
    if (exchange->version < LIST_OFFSETS_WITH_EPOCHS)
        return;
    for (int32_t i = 0; i < response->topics_count && i < request->topics_count; i++) {
        const struct list_offsets_response_topic *topic = &response->topics[i];
        for (int32_t j = 0; j < topic->partitions_count && j < request->topics[i].partitions_count;
             j++)
            judge_epoch(judge, exchange,
                        &(struct epoch_told){topic->name, topic->partitions[j].partition_index,
                                             request->topics[i].partitions[j].current_leader_epoch,
                                             topic->partitions[j].error_code});
    }
}

static void epochs_replied(struct judge *judge, const struct exchange *exchange)
{
    const struct offset_for_leader_epoch_request *request = exchange->request;
    const struct offset_for_leader_epoch_response *response = exchange->response;
    for (int32_t i = 0; i < response->topics_count && i < request->topics_count; i++) {
        const struct offset_for_leader_epoch_response_topic *topic = &response->topics[i];
        for (int32_t j = 0; j < topic->partitions_count && j < request->topics[i].partitions_count;
             j++)
            judge_epoch(judge, exchange,
                        &(struct epoch_told){topic->topic, topic->partitions[j].partition,
                                             request->topics[i].partitions[j].current_leader_epoch,
                                             topic->partitions[j].error_code});
    }
}

static void replied(struct judge *judge, const struct exchange *exchange)
{
    if (exchange->api->key == API_FETCH)
        fetch_replied(judge, exchange);
    else if (exchange->api->key == API_LIST_OFFSETS)
        offsets_replied(judge, exchange);
    else if (exchange->api->key == API_OFFSET_FOR_LEADER_EPOCH)
        epochs_replied(judge, exchange);
}

const struct judge_kind judge_fencing = {
    .name = "fencing",
    .rule = "a request that names a leader epoch is answered under that epoch alone: an older one "
            "is fenced, and a newer one is unknown",
    .source = "KIP-320",
    .is_of_cluster = true,
    .replied = replied,
};
