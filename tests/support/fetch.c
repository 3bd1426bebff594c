/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fetch.h"

#define PARTITION_BYTES_MAX (1 << 20)

struct fetch_request *fetch_of(struct client *client, struct span topic, int64_t offset,
                               int32_t max_wait_ms)
{
    struct arena *arena = client_arena(client);
    struct fetch_request *request = client_request(client, API_FETCH);
    request->max_wait_ms = max_wait_ms;
    request->min_bytes = 1;
    request->topics = arena_array(arena, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].topic = topic;
    request->topics[0].partitions = arena_array(arena, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0] = wire_default_fetch_request_topic_partition;
    request->topics[0].partitions[0].fetch_offset = offset;
    request->topics[0].partitions[0].partition_max_bytes = PARTITION_BYTES_MAX;
    return request;
}
