/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/floor/data.h"

#include <stdio.h>
#include <time.h>

#include "core/base/endian.h"
#include "core/records/batch.h"
#include "core/wire/error.h"

#define PRODUCED_BYTES 52 /* of a reply, without the topic's name */
#define FETCHED_BYTES  52

static int refuse(const char *why)
{
    fprintf(stderr, "floor: a connection is closed: %s\n", why);
    return -1;
}

/* The next `length` bytes; NULL, now and from then on, when there are not so many. */
static uint8_t *skip(struct data_request *request, size_t length)
{
    uint8_t *at = request->at;
    if (at == NULL || (size_t)(request->end - at) < length) {
        request->at = NULL;
        return NULL;
    }
    request->at += length;
    return at;
}

static int32_t take_int32(struct data_request *request)
{
    const uint8_t *at = skip(request, 4);
    return at == NULL ? 0 : (int32_t)get_be32(at);
}

static int64_t take_int64(struct data_request *request)
{
    const uint8_t *at = skip(request, 8);
    return at == NULL ? 0 : (int64_t)get_be64(at);
}

/* A string; null is empty. */
static const uint8_t *take_text(struct data_request *request, size_t *ret_length)
{
    const uint8_t *at = skip(request, 2);
    const int16_t length = at == NULL ? 0 : (int16_t)get_be16(at);
    *ret_length = length < 0 ? 0 : (size_t)length;
    return skip(request, *ret_length);
}

/* The partition that the request is about, with what is before its number; NULL: none, or it is
 * about several. */
static struct partition *take_partition(struct floor *floor, struct data_request *request)
{
    size_t length = 0;
    const bool one_topic = take_int32(request) == 1;
    const uint8_t *name = take_text(request, &length);
    const bool one_partition = take_int32(request) == 1;
    const int32_t index = take_int32(request);
    if (request->at == NULL || !one_topic || !one_partition)
        return NULL;
    struct topic *topic = topics_find(&floor->topics, name, length);
    if (topic == NULL || index < 0 || index >= topic->partitions_count)
        return NULL;
    return &topic->partitions[index];
}

/* Length, correlation id, and what follows until the topic's name. */
static uint8_t *put_head(uint8_t *at, uint32_t length, int32_t correlation_id)
{
    put_be32(at, length);
    put_be32(at + 4, (uint32_t)correlation_id);
    return at + 8;
}

/* A topic with one partition, until that one's number. */
static uint8_t *put_topic(uint8_t *at, const struct partition *partition)
{
    const struct topic *topic = partition->topic;
    put_be32(at, 1);
    put_be16(at + 4, (uint16_t)topic->name_length);
    memcpy(at + 6, topic->name, topic->name_length);
    at += 6 + topic->name_length;
    put_be32(at, 1);
    put_be32(at + 4, (uint32_t)partition->index);
    return at + 8;
}

int data_put_produced(struct link *link, const struct partition *partition, int32_t correlation_id,
                      int64_t base_offset)
{
    const size_t length = PRODUCED_BYTES + partition->topic->name_length;
    uint8_t *at = link_put(link, length);
    if (at == NULL)
        return refuse("out of memory");
    at = put_topic(put_head(at, (uint32_t)length - 4, correlation_id), partition);
    put_be16(at, ERR_NONE);
    put_be64(at + 2, (uint64_t)base_offset);
    put_be64(at + 10, UINT64_MAX);
    put_be64(at + 18, 0);
    put_be32(at + 26, 0);
    return 0;
}

/* NULL, or what is wrong with a batch. */
static const char *judge(const uint8_t *batch, uint32_t length, uint64_t block_bytes)
{
    if (length < BATCH_HEADER_BYTES || length > block_bytes ||
        get_be32(batch + 8) != length - BATCH_PREFIX_BYTES || batch[16] != BATCH_MAGIC)
        return "a request without one whole batch of version 2";
    if (batch_checksum(batch, length) != get_be32(batch + BATCH_AT_CRC))
        return "a batch with a wrong checksum";
    return NULL;
}

int data_produce(struct floor *floor, struct link *link, struct data_request *request)
{
    size_t unused = 0;
    take_text(request, &unused);
    const uint8_t *acks = skip(request, 2);
    take_int32(request);
    struct partition *partition = take_partition(floor, request);
    const int32_t length = take_int32(request);
    uint8_t *batch = skip(request, length < 0 ? 0 : (size_t)length);
    if (acks == NULL || partition == NULL || batch == NULL)
        return refuse("a produce request that is not of one partition, which is there");
    const bool waits = (int16_t)get_be16(acks) == -1 || link->pending > 0;
    const char *why = judge(batch, (uint32_t)length, partition->block.bytes);
    if (why != NULL || get_be16(acks) == 0)
        return refuse(why != NULL ? why : "acks=0, which has no reply");
    const int64_t base_offset = partition->end;
    const uint32_t records = get_be32(batch + BATCH_AT_LAST_OFFSET_DELTA) + 1;
    uint64_t position;
    batch_patch(batch, base_offset, 0);
    partition_append(partition, (uint32_t)length, records, &position);
    turn_add(&floor->turn, partition, batch, (uint32_t)length, position);
    if (floor->leader.followers_count == 0)
        return data_put_produced(link, partition, request->correlation_id, base_offset);
    link->pending += waits;
    if (leader_wait(&floor->leader, (struct pending){.partition = partition,
                                                     .base_offset = base_offset,
                                                     .end = partition->end,
                                                     .link = waits ? link : NULL,
                                                     .correlation_id = request->correlation_id}) !=
        0)
        return refuse("out of memory");
    return waits ? 0 : data_put_produced(link, partition, request->correlation_id, base_offset);
}

int data_put_fetched(struct link *link)
{
    const struct link_wait wait = link->wait;
    const struct partition *partition = wait.partition;
    const size_t length = FETCHED_BYTES + partition->topic->name_length;
    const bool outside =
        wait.offset < partition_start(partition) || wait.offset > partition->visible;
    uint64_t position = 0;
    uint32_t bytes = 0;
    if (!outside && wait.offset < partition->visible)
        partition_find(partition, wait.offset, wait.bytes_max, &position, &bytes);
    link->wait.partition = NULL;
    uint8_t *at = link_put(link, length);
    if (at == NULL)
        return refuse("out of memory");
    at = put_head(at, (uint32_t)length - 4 + bytes, wait.correlation_id);
    put_be32(at, 0);
    at = put_topic(at + 4, partition);
    put_be16(at, outside ? ERR_OFFSET_OUT_OF_RANGE : ERR_NONE);
    put_be64(at + 2, (uint64_t)partition->visible);
    put_be64(at + 10, (uint64_t)partition->visible);
    put_be32(at + 18, UINT32_MAX);
    put_be32(at + 22, bytes);
    if (bytes > 0 && link_put_file(link, partition->block.file, position, bytes) != 0)
        return refuse("too many replies wait to be sent");
    return 0;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int data_fetch(struct floor *floor, struct link *link, struct data_request *request)
{
    take_int32(request);
    const int32_t wait_ms = take_int32(request);
    take_int32(request);
    take_int32(request);
    skip(request, 1);
    struct partition *partition = take_partition(floor, request);
    const int64_t offset = take_int64(request);
    const int32_t bytes_max = take_int32(request);
    if (request->at == NULL || partition == NULL)
        return refuse("a fetch that is not of one partition, which is there");
    if (link->pending > 0)
        return refuse("a fetch behind produce requests that wait");
    link->wait = (struct link_wait){.partition = partition,
                                    .correlation_id = request->correlation_id,
                                    .offset = offset,
                                    .bytes_max = (uint32_t)bytes_max};
    if (offset != partition->visible || wait_ms <= 0)
        return data_put_fetched(link);
    link->wait.until_ns = now_ns() + (int64_t)wait_ms * 1000000;
    floor->waiting[floor->waiting_count++] = link;
    return 0;
}
