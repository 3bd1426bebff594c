/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/trio.h"

#include <check.h>

#include "core/broker_state.h"
#include "core/wire/error.h"
#include "tests/support/produce.h"

struct trio trio;

void trio_begin(void)
{
    static const int32_t brokers[] = {1, 2, 3};
    static const char *const settings[] = {"replica.lag.time.max.ms",
                                           "4000",
                                           "leader.replication.throttled.rate",
                                           "20000",
                                           "min.insync.replicas",
                                           "2",
                                           "message.max.bytes",
                                           "33554432",
                                           "log.dirs",
                                           "/a,/b",
                                           NULL};
    trio.client_node = 0;
    crew_begin(TRIO_NODES, settings, NULL);
    struct client *client = client_new(crew_nodes[1].world);
    crew_create(client, TRIO_TOPIC, brokers, 1, TRIO_NODES);
    client_free(client);
}

void trio_leave(void)
{
    if (trio.client_node != 0)
        client_free(trio.client);
    trio.client_node = 0;
}

void trio_end(void)
{
    trio_leave();
    crew_end();
}

const struct meta_partition *trio_meta(int32_t id)
{
    return crew_partition(id, TRIO_TOPIC, 0);
}

const struct partition *trio_hosted(int32_t id)
{
    const struct broker *broker = crew_nodes[id].broker;
    const struct partition *partition =
        partition_hosted(broker, image_topic(&broker->image, TRIO_TOPIC)->id, 0);
    ck_assert_ptr_nonnull(partition);
    return partition;
}

int32_t trio_leader(void)
{
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        if (crew_nodes[id].broker != NULL)
            return trio_meta(id)->leader;
    }
    return META_NO_LEADER;
}

int32_t trio_follower(void)
{
    return trio_leader() % TRIO_NODES + 1;
}

void trio_send_values(int16_t acks, int32_t count, struct span value)
{
    if (trio.client_node != trio_leader()) {
        trio_leave();
        trio.client_node = trio_leader();
        trio.client = client_new(crew_nodes[trio.client_node].world);
    }
    client_send(trio.client, API_PRODUCE, PRODUCE_VERSION,
                produce_of(trio.client, TRIO_TOPIC, acks, batch_of(trio.client, count, value)));
}

void trio_send(int16_t acks, int32_t count)
{
    trio_send_values(acks, count, SPAN("0123456789"));
}

bool trio_is_answered(void)
{
    const struct produce_response *response = client_take(trio.client);
    trio.answer = -1;
    if (response != NULL)
        trio.answer = response->responses[0].partition_responses[0].error_code;
    return response != NULL;
}

void trio_produce(int32_t count)
{
    trio_send(-1, count);
    crew_advance(500);
    ck_assert(trio_is_answered());
    ck_assert_int_eq(trio.answer, ERR_NONE);
}

void trio_equal(int64_t end_offset)
{
    for (int32_t id = 1; id <= TRIO_NODES; id++) {
        const struct partition *partition = trio_hosted(id);
        ck_assert_int_eq(log_end(partition->log), end_offset);
        ck_assert_int_eq(log_durable_end(partition->log), end_offset);
        ck_assert_int_eq(partition->high_watermark, end_offset);
    }
}

void trio_sleep(int32_t id, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 10) {
        for (int32_t other = 1; other <= TRIO_NODES; other++) {
            if (other != id)
                world_advance_ms(crew_nodes[other].world, 10);
        }
    }
    world_sleep_ms(crew_nodes[id].world, ms);
}
