/* SPDX-License-Identifier: Apache-2.0 */
/* Fetch: of what is there, and of what comes. */
#include "bench/instructions/arms.h"
#include "core/base/check.h"
#include "core/wire/error.h"
#include "tests/support/produce.h"

#define FETCH_VERSION   12
#define FETCH_BYTES     (1 << 20)
#define FETCH_WAIT_MS   500
#define BATCH_RECORDS   32
#define BATCH_VALUE     1000
#define BATCHES         64 /* what the log knows the places of, of 32 KiB each */
#define BATCHES_FETCHED 32 /* at least */

static struct fetch_request *fetch_of(struct rig *rig)
{
    struct fetch_request *request = client_request(rig->client, API_FETCH);
    request->max_wait_ms = FETCH_WAIT_MS;
    request->min_bytes = 1;
    request->max_bytes = FETCH_BYTES;
    request->topics = rig_array(rig, 1, sizeof(*request->topics));
    request->topics_count = 1;
    request->topics[0].topic = SPAN("tape");
    request->topics[0].partitions = rig_array(rig, 1, sizeof(*request->topics[0].partitions));
    request->topics[0].partitions_count = 1;
    request->topics[0].partitions[0].current_leader_epoch = -1;
    request->topics[0].partitions[0].partition_max_bytes = FETCH_BYTES;
    return request;
}

static void check_answer(const struct fetch_response *response, size_t least_bytes)
{
    CHECK(response != NULL && response->error_code == ERR_NONE);
    const struct fetch_response_response_partition *answer = &response->responses[0].partitions[0];
    CHECK(answer->error_code == ERR_NONE && answer->records.length >= least_bytes);
}

static void prepare_large(struct rig *rig)
{
    node_create_topic(&rig->node, SPAN("tape"), 1);
    const struct span value = span_of(rig_array(rig, BATCH_VALUE, 1), BATCH_VALUE);
    const struct span batch = batch_of(rig->other, BATCH_RECORDS, value);
    for (int i = 0; i < BATCHES; i++)
        CHECK(produce(rig->other, SPAN("tape"), -1, batch)->error_code == ERR_NONE);
    rig->request = fetch_of(rig);
}

/* Each from another offset, all of which the log knows the place of without reading a file. */
static void play_large(struct rig *rig)
{
    struct fetch_request *request = rig->request;
    const uint64_t reads = world_count(rig->node.world, EFFECT_READ);
    request->topics[0].partitions[0].fetch_offset =
        (int64_t)(rig->round % (BATCHES - BATCHES_FETCHED)) * BATCH_RECORDS;
    check_answer(rig_call(rig, API_FETCH, FETCH_VERSION, request),
                 (size_t)(BATCHES_FETCHED - 1) * BATCH_RECORDS * BATCH_VALUE);
    CHECK(world_count(rig->node.world, EFFECT_READ) == reads);
}

static void prepare_tail(struct rig *rig)
{
    node_create_topic(&rig->node, SPAN("tape"), 1);
    rig->request = fetch_of(rig);
    rig->request_of = produce_of(rig->other, SPAN("tape"), 1,
                                 batch_of(rig->other, 1, SPAN("what its reader waits for")));
}

static void play_tail(struct rig *rig)
{
    struct fetch_request *request = rig->request;
    request->topics[0].partitions[0].fetch_offset = (int64_t)rig->round;
    client_send(rig->client, API_FETCH, FETCH_VERSION, request);
    world_run(rig->node.world);
    CHECK(client_take(rig->client) == NULL);
    client_send(rig->other, API_PRODUCE, PRODUCE_VERSION, rig->request_of);
    world_run(rig->node.world);
    CHECK(client_take(rig->other) != NULL);
    check_answer(client_take(rig->client), 1);
}

const struct arm arms_fetch[] = {
    {"fetch-1m", "fetch of 1 MiB, its place known", 64, 1, prepare_large, play_large},
    {"fetch-tail", "fetch that waits, and the append that wakes it", 500, 1, prepare_tail,
     play_tail},
    {0},
};
