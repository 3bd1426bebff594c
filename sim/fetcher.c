/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fetcher.h"

#include "core/base/check.h"
#include "core/records/batch.h"
#include "core/wire/error.h"

#define TOPIC_ID_VERSION 13
#define SESSION_VERSION  7
#define LIST_VERSION     7
#define TIMESTAMP_START  (-2)
#define SMALL_BYTES_MOST 2000
#define LARGE_BYTES      (1 << 20)
#define WAIT_MS_MOST     200

struct fetch_ways fetch_ways_draw(struct client *client, bool uses_sessions)
{
    struct chance *rng = &client->rng;
    struct fetch_ways ways = {.uses_sessions = uses_sessions,
                              .names_epochs = chance_one_in(rng, 2),
                              .is_small = chance_one_in(rng, 3),
                              .max_wait_ms = (int32_t)chance_below(rng, WAIT_MS_MOST)};
    ways.version = (int16_t)chance_between(rng, uses_sessions ? SESSION_VERSION : 4, 17);
    return ways;
}

static void session_forget(struct fetcher *fetcher)
{
    fetcher->session_id = 0;
    fetcher->session_epoch = fetcher->ways.uses_sessions ? 0 : -1;
    for (uint32_t i = 0; i < fetcher->count; i++)
        fetcher->partitions[i]->is_told = false;
}

void fetcher_set(struct fetcher *fetcher, struct uuid topic_id, struct fetch_partition *partitions,
                 uint32_t count)
{
    CHECK(count <= FETCHER_PARTITIONS_MAX);
    fetcher->topic_id = topic_id;
    fetcher->count = 0;
    fetcher->is_stale = fetcher->asked;
    for (uint32_t i = 0; i < count; i++) {
        if (partitions[i].leader == fetcher->contact->host)
            fetcher->partitions[fetcher->count++] = &partitions[i];
    }
    session_forget(fetcher);
}

static uint32_t unknown_count(const struct fetcher *fetcher)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fetcher->count; i++)
        count += fetcher->partitions[i]->offset == OFFSET_UNKNOWN;
    return count;
}

static void list_ask(struct fetcher *fetcher, uint32_t count)
{
    struct exchange *exchange = contact_request(fetcher->contact, API_LIST_OFFSETS, LIST_VERSION);
    struct list_offsets_request *request = (void *)(uintptr_t)exchange->request;
    request->replica_id = -1;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    request->topics_count = 1;
    struct list_offsets_request_topic *topic = request->topics;
    topic->name = fetcher->topic;
    topic->partitions = peer_take(exchange, count * sizeof(*topic->partitions));
    for (uint32_t i = 0; i < fetcher->count; i++) {
        if (fetcher->partitions[i]->offset != OFFSET_UNKNOWN)
            continue;
        topic->partitions[topic->partitions_count++] =
            (struct list_offsets_request_topic_partition){
                .partition_index = fetcher->partitions[i]->index,
                .current_leader_epoch = fetcher->partitions[i]->leader_epoch,
                .timestamp = TIMESTAMP_START};
    }
    contact_send(fetcher->contact, exchange, fetcher);
}

static int32_t bytes_draw(struct fetcher *fetcher)
{
    return fetcher->ways.is_small
               ? (int32_t)chance_below(&fetcher->contact->client->rng, SMALL_BYTES_MOST)
               : LARGE_BYTES;
}

static void fetch_topic_fill(struct fetcher *fetcher, struct exchange *exchange,
                             struct fetch_request_topic *topic)
{
    topic->topic = fetcher->topic;
    topic->topic_id = fetcher->topic_id;
    topic->partitions = peer_take(exchange, fetcher->count * sizeof(*topic->partitions));
    const bool in_session = fetcher->session_epoch > 0;
    for (uint32_t i = 0; i < fetcher->count; i++) {
        struct fetch_partition *partition = fetcher->partitions[i];
        if (in_session && partition->is_told)
            continue;
        partition->is_told = true;
        topic->partitions[topic->partitions_count++] =
            (struct fetch_request_topic_partition){.partition = partition->index,
                                                   .current_leader_epoch = partition->leader_epoch,
                                                   .fetch_offset = partition->offset,
                                                   .last_fetched_epoch = -1,
                                                   .log_start_offset = -1,
                                                   .partition_max_bytes = bytes_draw(fetcher),
                                                   .high_watermark = INT64_MAX};
    }
}

static void fetch_ask(struct fetcher *fetcher)
{
    struct exchange *exchange = contact_request(fetcher->contact, API_FETCH, fetcher->ways.version);
    struct fetch_request *request = (void *)(uintptr_t)exchange->request;
    request->max_wait_ms = fetcher->ways.max_wait_ms;
    request->min_bytes = 1;
    request->max_bytes = bytes_draw(fetcher);
    request->session_id = fetcher->session_id;
    request->session_epoch = fetcher->session_epoch;
    request->topics = peer_take(exchange, sizeof(*request->topics));
    fetch_topic_fill(fetcher, exchange, request->topics);
    request->topics_count = request->topics[0].partitions_count > 0 ? 1 : 0;
    contact_send(fetcher->contact, exchange, fetcher);
}

void fetcher_ask(struct fetcher *fetcher)
{
    if (fetcher->asked || fetcher->count == 0)
        return;
    fetcher->asked = true;
    const uint32_t unknown = unknown_count(fetcher);
    if (unknown > 0)
        list_ask(fetcher, unknown);
    else
        fetch_ask(fetcher);
}

static struct fetch_partition *partition_of(struct fetcher *fetcher, int32_t index)
{
    for (uint32_t i = 0; i < fetcher->count; i++) {
        if (fetcher->partitions[i]->index == index)
            return fetcher->partitions[i];
    }
    return NULL;
}

static void listed(struct fetcher *fetcher, const struct list_offsets_response *response)
{
    for (int32_t i = 0; response->topics_count == 1 && i < response->topics[0].partitions_count;
         i++) {
        const struct list_offsets_response_topic_partition *part =
            &response->topics[0].partitions[i];
        struct fetch_partition *partition = partition_of(fetcher, part->partition_index);
        if (part->error_code != ERR_NONE || partition == NULL) {
            fetcher->has_failed = true;
            continue;
        }
        partition->offset = part->offset;
        partition->is_told = false;
    }
}

/* Goes over the batches that were read; what is damaged ends the walk, for the judges to see. */
static void records_taken(struct fetcher *fetcher, struct fetch_partition *partition,
                          struct span records)
{
    struct span batch;
    struct batch_info info;
    while (batch_next(records, records.length, BATCH_CHECK_CRC, &batch, &info) == BATCH_FOUND) {
        if (batch_last_offset(&info) >= partition->offset) {
            partition->offset = batch_last_offset(&info) + 1;
            partition->is_told = false;
            fetcher->contact->client->sim->tally.counts[TALLY_consumed_records] +=
                (uint64_t)info.record_count;
        }
        records.data += batch.length;
        records.length -= batch.length;
    }
}

static void part_fetched(struct fetcher *fetcher,
                         const struct fetch_response_response_partition *part)
{
    struct fetch_partition *partition = partition_of(fetcher, part->partition_index);
    if (partition == NULL)
        return;
    if (part->error_code == ERR_OFFSET_OUT_OF_RANGE) {
        partition->offset = OFFSET_UNKNOWN;
        partition->high_watermark = OFFSET_UNKNOWN;
    } else if (part->error_code != ERR_NONE) {
        fetcher->has_failed = true;
    } else {
        partition->high_watermark = part->high_watermark;
        records_taken(fetcher, partition, part->records);
    }
}

static void fetched(struct fetcher *fetcher, const struct fetch_response *response)
{
    if (response->error_code != ERR_NONE) {
        session_forget(fetcher);
        if (response->error_code != ERR_FETCH_SESSION_ID_NOT_FOUND &&
            response->error_code != ERR_INVALID_FETCH_SESSION_EPOCH)
            fetcher->has_failed = true;
        return;
    }
    if (fetcher->ways.uses_sessions && response->session_id != 0) {
        fetcher->session_id = response->session_id;
        fetcher->session_epoch++;
    } else {
        session_forget(fetcher);
    }
    for (int32_t i = 0; i < response->responses_count; i++) {
        for (int32_t j = 0; j < response->responses[i].partitions_count; j++)
            part_fetched(fetcher, &response->responses[i].partitions[j]);
    }
}

bool fetcher_received(struct fetcher *fetcher, const struct exchange *exchange)
{
    if (exchange->user != fetcher)
        return false;
    fetcher->asked = false;
    fetcher->has_failed = false;
    if (fetcher->is_stale)
        fetcher->is_stale = false;
    else if (exchange->api->key == API_LIST_OFFSETS)
        listed(fetcher, exchange->response);
    else
        fetched(fetcher, exchange->response);
    return true;
}

bool fetcher_lost(struct fetcher *fetcher, const struct exchange *exchange)
{
    if (exchange->user != fetcher)
        return false;
    fetcher->asked = false;
    fetcher->is_stale = false;
    session_forget(fetcher);
    return true;
}
