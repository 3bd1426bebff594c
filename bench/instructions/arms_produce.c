/* SPDX-License-Identifier: Apache-2.0 */
/* Produce: of one record, of many, and of many requests that came together. */
#include <string.h>

#include "bench/instructions/arms.h"
#include "core/base/check.h"
#include "core/wire/error.h"
#include "tests/support/produce.h"

#define SMALL_BYTES     100
#define LARGE_BYTES     1000
#define LARGE_RECORDS   16
#define PIPELINED       16
#define ACKS_ALL        (-1)
#define ACKS_OF_LEADER  1
#define VALUE_BYTES_MAX LARGE_BYTES

static struct span value_of(struct rig *rig, size_t length)
{
    CHECK(length <= VALUE_BYTES_MAX);
    uint8_t *bytes = rig_array(rig, VALUE_BYTES_MAX, 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * 31);
    return span_of(bytes, length);
}

static void prepare(struct rig *rig, int32_t records, size_t bytes, int16_t acks)
{
    node_create_topic(&rig->node, SPAN("tape"), 1);
    const struct span batch = batch_of(rig->client, records, value_of(rig, bytes));
    rig->request = produce_of(rig->client, SPAN("tape"), acks, batch);
}

static void prepare_one(struct rig *rig)
{
    prepare(rig, 1, SMALL_BYTES, ACKS_OF_LEADER);
}

static void prepare_one_all(struct rig *rig)
{
    prepare(rig, 1, SMALL_BYTES, ACKS_ALL);
}

static void prepare_large(struct rig *rig)
{
    prepare(rig, LARGE_RECORDS, LARGE_BYTES, ACKS_OF_LEADER);
}

static void check_answer(const struct produce_response *response)
{
    CHECK(response != NULL);
    CHECK(response->responses[0].partition_responses[0].error_code == ERR_NONE);
}

static void play_one(struct rig *rig)
{
    check_answer(rig_call(rig, API_PRODUCE, PRODUCE_VERSION, rig->request));
}

static void play_pipelined(struct rig *rig)
{
    for (int i = 0; i < PIPELINED; i++)
        client_send(rig->client, API_PRODUCE, PRODUCE_VERSION, rig->request);
    world_run(rig->node.world);
    for (int i = 0; i < PIPELINED; i++)
        check_answer(client_take(rig->client));
}

const struct arm arms_produce[] = {
    {"produce-1", "produce of one record, acks=1", 1000, 1, prepare_one, play_one},
    {"produce-all", "produce of one record, acks=all", 1000, 1, prepare_one_all, play_one},
    {"produce-16k", "produce of 16 records of 1 KiB, acks=1", 500, 1, prepare_large, play_one},
    {"produce-pipelined", "produce of one record, 16 requests received at once", 200, PIPELINED,
     prepare_one, play_pipelined},
    {0},
};
