/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/parts.h"

#include "core/base/crc32c.h"

#define PRODUCE_TOPIC_IDS 13 /* topics are named by id from these versions on */
#define FETCH_TOPIC_IDS   13

struct batch_mark batch_mark_of(struct span batch, int64_t base_offset)
{
    struct batch_info info;
    batch_info_read(batch.data, &info);
    const struct span records = batch_records(batch);
    return (struct batch_mark){.base_offset = base_offset,
                               .last_offset = base_offset + info.last_offset_delta,
                               .records = crc32c(0, records.data, records.length)};
}

uint32_t batch_marks_at(const struct batch_marks *marks, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = marks->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (marks->items[middle].last_offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void batch_marks_insert(struct batch_marks *marks, struct memory *memory, uint32_t place,
                        struct batch_mark mark)
{
    marks->items = memory_grow(memory, marks->items, &marks->capacity, marks->count + 1,
                               sizeof(*marks->items));
    memmove(marks->items + place + 1, marks->items + place,
            (marks->count - place) * sizeof(*marks->items));
    marks->items[place] = mark;
    marks->count++;
}

void batch_marks_remove(struct batch_marks *marks, uint32_t place, uint32_t count)
{
    marks->count -= count;
    if (count > 0)
        memmove(marks->items + place, marks->items + place + count,
                (marks->count - place) * sizeof(*marks->items));
}

void batch_marks_free(struct batch_marks *marks, struct memory *memory)
{
    memory_give(memory, MEMORY_STATE, marks->items, marks->capacity * sizeof(*marks->items));
    *marks = (struct batch_marks){NULL, 0, 0};
}

static struct partition_key key_of(const struct exchange *exchange, const struct meta_topic *topic,
                                   int32_t index)
{
    return (struct partition_key){.host = host_realm(exchange->host),
                                  .index = index,
                                  .topic = topic == NULL ? (struct uuid){{0}} : topic->id};
}

/* Where `topics[*topic].partitions[*partition]` goes on to; false at the end. */
#define WALK_NEXT(walk, topics, topics_count, partitions_count)             \
    while ((walk)->topic < (topics_count) &&                                \
           (walk)->partition >= (topics)[(walk)->topic].partitions_count) { \
        (walk)->topic++;                                                    \
        (walk)->partition = 0;                                              \
    }                                                                       \
    if ((walk)->topic >= (topics_count))                                    \
    return false

static const struct produce_request_topic_data_partition_data *
produce_asked(const struct produce_request *request, bool by_id,
              const struct produce_response_response *topic, int32_t index)
{
    for (int32_t i = 0; i < request->topic_data_count; i++) {
        const struct produce_request_topic_data *in = &request->topic_data[i];
        if (by_id ? !uuid_equal(in->topic_id, topic->topic_id) : !span_equal(in->name, topic->name))
            continue;
        for (int32_t j = 0; j < in->partition_data_count; j++) {
            if (in->partition_data[j].index == index)
                return &in->partition_data[j];
        }
    }
    return NULL;
}

bool produced_next(struct produced_walk *walk, struct produced *ret_part)
{
    const struct produce_request *request = walk->exchange->request;
    const struct produce_response *response = walk->exchange->response;
    const bool by_id = walk->exchange->version >= PRODUCE_TOPIC_IDS;
    for (;;) {
        WALK_NEXT(walk, response->responses, response->responses_count, partition_responses_count);
        const struct produce_response_response *topic = &response->responses[walk->topic];
        const struct produce_response_response_partition_response *reply =
            &topic->partition_responses[walk->partition++];
        const struct produce_request_topic_data_partition_data *in =
            produce_asked(request, by_id, topic, reply->index);
        if (in == NULL || in->records.length < BATCH_HEADER_BYTES)
            continue;
        ret_part->topic =
            durable_topic(walk->durable, topic->name, by_id ? topic->topic_id : (struct uuid){{0}},
                          walk->exchange->asked_number);
        ret_part->name =
            by_id ? ret_part->topic == NULL ? SPAN("") : ret_part->topic->name : topic->name;
        ret_part->key = key_of(walk->exchange, ret_part->topic, reply->index);
        ret_part->batch = in->records;
        ret_part->reply = reply;
        return true;
    }
}

static const struct fetch_request_topic_partition *
fetch_asked(const struct fetch_request *request, bool by_id,
            const struct fetch_response_response *topic, int32_t index)
{
    for (int32_t i = 0; i < request->topics_count; i++) {
        const struct fetch_request_topic *in = &request->topics[i];
        if (by_id ? !uuid_equal(in->topic_id, topic->topic_id)
                  : !span_equal(in->topic, topic->topic))
            continue;
        for (int32_t j = 0; j < in->partitions_count; j++) {
            if (in->partitions[j].partition == index)
                return &in->partitions[j];
        }
    }
    return NULL;
}

bool fetched_next(struct fetched_walk *walk, struct fetched *ret_part)
{
    const struct fetch_request *request = walk->exchange->request;
    const struct fetch_response *response = walk->exchange->response;
    const bool by_id = walk->exchange->version >= FETCH_TOPIC_IDS;
    WALK_NEXT(walk, response->responses, response->responses_count, partitions_count);
    const struct fetch_response_response *topic = &response->responses[walk->topic];
    const struct fetch_response_response_partition *reply = &topic->partitions[walk->partition++];
    const struct fetch_request_topic_partition *in =
        fetch_asked(request, by_id, topic, reply->partition_index);
    ret_part->topic =
        durable_topic(walk->durable, topic->topic, by_id ? topic->topic_id : (struct uuid){{0}},
                      walk->exchange->asked_number);
    ret_part->name =
        by_id ? ret_part->topic == NULL ? SPAN("") : ret_part->topic->name : topic->topic;
    ret_part->key = key_of(walk->exchange, ret_part->topic, reply->partition_index);
    ret_part->fetch_offset = in == NULL ? -1 : in->fetch_offset;
    ret_part->leader_epoch = in == NULL ? -1 : in->current_leader_epoch;
    ret_part->bytes_max = in == NULL ? -1 : in->partition_max_bytes;
    ret_part->reply = reply;
    return true;
}
